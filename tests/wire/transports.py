"""Which transport the wire is tested with: stock httpx, or any that somebody wants to offer besides.

``WIRE_TRANSPORT=package.module:Class pytest tests/wire/test_socket_matrix.py`` shows whether it may be: each test
that goes red is a way to send twice, or to lose a message.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any


def offered() -> Any:
    """Return the transport to test, or ``None`` for httpx's own."""
    module, _, name = os.environ.get("WIRE_TRANSPORT", "").partition(":")
    return getattr(import_module(module), name)() if module else None
