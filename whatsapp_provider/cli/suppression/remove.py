"""``suppression remove``: take people off a list."""

from __future__ import annotations

import argparse

from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.listing import Naming, change_some
from whatsapp_provider.cli.ledger import with_ledger
from whatsapp_provider.cli.suppression import who


def main(arguments: argparse.Namespace) -> int:
    """Take them off it, and return the exit code."""

    def remove(ledger: Ledger) -> str:
        told = change_some(
            ledger,
            arguments.recipients,
            Naming(region=arguments.region),
            lambda people: ledger.unsuppress(people, arguments.list, by=who(arguments), note=arguments.note),
        )
        return f"{told.changed} of {told.people} taken off list {arguments.list}; the others were not on it."

    return with_ledger(remove)
