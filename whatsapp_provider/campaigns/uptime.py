"""A clock that nobody sets and that goes on while the machine sleeps."""

from __future__ import annotations

import time


def uptime() -> float:
    """Return seconds since some moment before.

    A run that was suspended with its machine must see that its lease has ended. Linux's monotonic clock
    stands still meanwhile; the boot clock does not. Elsewhere the monotonic one is the best there is.
    """
    boot_clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_clock is None else time.clock_gettime(boot_clock)
