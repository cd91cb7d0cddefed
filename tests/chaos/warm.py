"""Imported by the process that all others are forked from: what they would each load at their first send.

No thread and no loop lives on here, so that a fork copies nothing that is half done.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from importlib import import_module

from tests.chaos import emulation, frost, worker
from tests.chaos.settings import GATEWAYS
from whatsapp_provider.errors import NotReachedError
from whatsapp_provider.transport import Request, Wire

DRIVERS = (
    "psycopg",
    "pymysql",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.mysql.pymysql",
)
#: Nobody listens there.
NOWHERE = "http://127.0.0.1:1/"

__all__ = ["emulation", "frost", "worker"]

for _gateway in GATEWAYS:
    import_module(f"whatsapp_provider.gateways.{_gateway}.gateway")
for _driver in DRIVERS:
    # Who lacks one can't use its database; that is found out where it is used.
    with suppress(ModuleNotFoundError):
        import_module(_driver)
# The HTTP library's own late imports, and the TLS context that all clients of a process share.
with suppress(NotReachedError):
    asyncio.run(Wire().exchange(Request("GET", NOWHERE)))
