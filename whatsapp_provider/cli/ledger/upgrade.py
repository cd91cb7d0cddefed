"""``ledger upgrade``: make the ledger's tables, or bring them to this version."""

from __future__ import annotations

import argparse

from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.schema import VERSION
from whatsapp_provider.cli.ledger import with_ledger


def main(arguments: argparse.Namespace) -> int:
    """Upgrade, and return the exit code."""
    return with_ledger(_upgrade, conn_id=arguments.conn_id)


def _upgrade(ledger: Ledger) -> str:
    found = ledger.upgrade()
    if found is None:
        return f"{ledger.name}: the tables were made, version {VERSION}."
    if found == VERSION:
        return f"{ledger.name}: it is of version {VERSION} already; nothing was changed."
    return f"{ledger.name}: upgraded from version {found} to {VERSION}."
