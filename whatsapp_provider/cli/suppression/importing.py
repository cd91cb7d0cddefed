"""``suppression import``: put everybody in a file on a list."""

from __future__ import annotations

import argparse

from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.listing import Naming, People, change_file
from whatsapp_provider.campaigns.ledger.suppression import Source
from whatsapp_provider.cli.ledger import with_ledger
from whatsapp_provider.cli.suppression import who


def main(arguments: argparse.Namespace) -> int:
    """Import it, and return the exit code."""

    def bring_in(ledger: Ledger) -> str:
        def put(people: People) -> int:
            return ledger.suppress(
                people,
                arguments.list,
                source=Source.IMPORT,
                by=who(arguments),
                reason=arguments.reason,
                until=arguments.until,
            )

        naming = Naming(arguments.recipient_field, arguments.region)
        told = change_file(ledger, arguments.path, naming, put)
        if not arguments.skip_invalid:
            told.check()
        left_out = f" {told.invalid} rows name nobody." if told.invalid else ""
        return f"{told.people} on list {arguments.list}, of whom {told.changed} were not.{left_out}"

    return with_ledger(bring_in)
