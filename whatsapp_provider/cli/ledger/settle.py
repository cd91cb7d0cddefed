"""``ledger settle``: settle deliveries in doubt by the word of somebody who looked."""

from __future__ import annotations

import argparse
import getpass

from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.settling import Verdict
from whatsapp_provider.cli.ledger import with_ledger


def main(arguments: argparse.Namespace) -> int:
    """Settle, and return the exit code."""
    verdict = Verdict(arguments.outcome)
    by = arguments.by or getpass.getuser()

    def settle(ledger: Ledger) -> str:
        done = ledger.settle(arguments.campaign, arguments.delivery, verdict, by=by, note=arguments.note)
        after = "" if verdict is Verdict.SENT else " The next run of the task sends them."
        return f"{len(done)} settled as {verdict} by {by}.{after if done else ''}"

    return with_ledger(settle)
