"""Suspend a worker for longer than its lease, as a laptop's lid or a crowded host does, and let it go on."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from multiprocessing import connection, parent_process


def freeze(pid: int, seconds: float) -> None:
    """Stop a process for so long; it goes on at once if whoever asked for it dies.

    In a process of its own, or a killed controller would leave the stopped one behind for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    owner = parent_process()
    # Killed meanwhile: there is nothing to stop or to let go on.
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        connection.wait([owner.sentinel] if owner else [], seconds)
        os.kill(pid, signal.SIGCONT)
