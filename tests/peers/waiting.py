"""Waiting for real processes, each time with an end."""

from __future__ import annotations

import time
from collections.abc import Callable

from whatsapp_provider.demo.errors import DeadlineError


def until(awaited: str, look: Callable[[], object], seconds: float, every: float = 0.1) -> bool:
    """Look until something true comes back.

    :raises DeadlineError: if nothing does within so many seconds.
    """
    if not comes(look, seconds, every):
        raise DeadlineError(awaited, seconds)
    return True


def comes(look: Callable[[], object], seconds: float, every: float = 0.1) -> bool:
    """Look until something true comes back or the time is over; tell which."""
    ends = time.monotonic() + seconds
    while not look():
        if time.monotonic() > ends:
            return False
        time.sleep(every)
    return True
