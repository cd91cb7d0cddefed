"""``suppression add``: put people on a list."""

from __future__ import annotations

import argparse

from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.listing import Naming, People, change_some
from whatsapp_provider.campaigns.ledger.suppression import Source
from whatsapp_provider.cli.ledger import with_ledger
from whatsapp_provider.cli.suppression import who


def main(arguments: argparse.Namespace) -> int:
    """Put them on it, and return the exit code."""

    def add(ledger: Ledger) -> str:
        def put(people: People) -> int:
            return ledger.suppress(
                people,
                arguments.list,
                source=Source.PERSON,
                by=who(arguments),
                reason=arguments.reason,
                until=arguments.until,
            )

        told = change_some(ledger, arguments.recipients, Naming(region=arguments.region), put)
        return f"{told.people} on list {arguments.list}, of whom {told.changed} were not."

    return with_ledger(add)
