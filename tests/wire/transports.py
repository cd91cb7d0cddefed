"""Which transport the wire is tested with: stock httpx, or any that somebody wants to offer besides.

``WIRE_TRANSPORT=package.module:Class pytest tests/wire/test_socket_matrix.py`` shows whether it may be: each test
that goes red is a way to send twice, or to lose a message.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from whatsapp_provider import deadline
from whatsapp_provider.transport import Answer, Request, Wire


def offered() -> Any:
    """Return the transport to test, or ``None`` for httpx's own."""
    module, _, name = os.environ.get("WIRE_TRANSPORT", "").partition(":")
    return getattr(import_module(module), name)() if module else None


class Pools(Wire):
    """Sends whatever it is given through its pools."""

    @property
    def _places(self) -> None:
        return None


class Places(Wire):
    """Sends whatever it is given as the messages of a run are sent: each has a connection to itself."""

    async def exchange(self, request: Request) -> Answer:
        """See ``Wire``."""
        if deadline.current() is not None:
            return await super().exchange(request)
        with deadline.writing_while(lambda: True):
            return await super().exchange(request)


#: A transport that somebody offers is one of the pools'.
WIRES = (Pools,) if os.environ.get("WIRE_TRANSPORT") else (Pools, Places)
