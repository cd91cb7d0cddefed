"""``ledger purge``: take people's data out of campaigns that ended long ago."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.retention import Purged
from whatsapp_provider.cli.ledger import with_ledger
from whatsapp_provider.cli.person import confirm
from whatsapp_provider.hooks.retention import age, retention


def main(arguments: argparse.Namespace) -> int:
    """Purge, and return the exit code."""

    def purge(ledger: Ledger) -> str:
        older_than = retention(arguments.older_than)
        delete_older_than = age("--delete-older-than", arguments.delete_older_than)
        found = ledger.purge(older_than, delete_older_than=delete_older_than, dry_run=True)
        if arguments.dry_run:
            return _told(found, arguments, "Would be")
        if not arguments.yes:
            confirm(f"{_told(found, arguments, 'Would be', as_text=True)}\nDo it?")
        return _told(ledger.purge(older_than, delete_older_than=delete_older_than), arguments, "Were")

    return with_ledger(purge)


def _told(found: Purged, arguments: argparse.Namespace, verb: str, *, as_text: bool = False) -> str:
    if arguments.json and not as_text:
        return json.dumps(asdict(found), indent=2)
    return (
        f"{verb} purged of people's data: campaigns {found.campaigns}, messages {found.deliveries}.\n"
        f"{verb} deleted whole: campaigns {found.deleted_campaigns}, messages {found.deleted_deliveries}.\n"
        f"Kept: messages in doubt {found.kept_in_doubt}, campaigns as old that have not ended {found.kept_open}."
    )
