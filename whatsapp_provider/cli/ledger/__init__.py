"""``ledger``: make its tables, list what is in doubt, settle it."""

from __future__ import annotations

import sys
from collections.abc import Callable

from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.cli.airflow_context import airflows_connections, quiet
from whatsapp_provider.errors import WhatsAppError


def with_ledger(work: Callable[[Ledger], str], *, conn_id: str | None = None) -> int:
    """Do something with the ledger, print what came of it, and return the exit code.

    :param conn_id: a connection to use in the place of the ledger's own.
    """
    from whatsapp_provider.hooks.ledger import open_ledger

    try:
        with quiet(), airflows_connections():
            ledger = open_ledger(conn_id)
            try:
                told = work(ledger)
            finally:
                ledger.dispose()
    except WhatsAppError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(told + "\n")
    return 0
