"""``campaign show``: one campaign, and what people did to it."""

from __future__ import annotations

import argparse
import json

from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.cli.campaign.showing import lines, values
from whatsapp_provider.cli.ledger import with_ledger


def main(arguments: argparse.Namespace) -> int:
    """Print it, and return the exit code."""

    def shown(ledger: Ledger) -> str:
        found = ledger.overview(arguments.campaign)
        return json.dumps(values(found), indent=2) if arguments.json else "\n".join(lines(found))

    return with_ledger(shown)
