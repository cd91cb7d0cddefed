"""``campaign list``: campaigns, the newest first."""

from __future__ import annotations

import argparse
import json

from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.cli.campaign.showing import line, values
from whatsapp_provider.cli.ledger import with_ledger


def main(arguments: argparse.Namespace) -> int:
    """Print the list, and return the exit code."""

    def listed(ledger: Ledger) -> str:
        found = ledger.overviews(limit=arguments.limit, single=arguments.single)
        if arguments.json:
            return json.dumps([values(one) for one in found], indent=2)
        return "\n".join(line(one) for one in found) or "There is no campaign."

    return with_ledger(listed)
