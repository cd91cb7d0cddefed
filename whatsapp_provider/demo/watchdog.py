"""The process that cleans up when its owner can't: ``python -m whatsapp_provider.demo.watchdog``.

A SIGKILLed owner runs no ``finally``. The watchdog holds the reading end of a pipe that the owner
alone can write to. One byte says "all is stopped, go"; an end without it, or a new parent, says
that the owner has died, and then every process of the run is killed.
"""

from __future__ import annotations

import os
import select
import signal
import sys

from whatsapp_provider.demo.marker import sweep

ALL_STOPPED = b"."
_PARENT_CHECK_SECONDS = 0.5


def owner_stopped_cleanly(pipe: int, owner: int) -> bool:
    """Wait for the owner's word or its death, and tell which of the two came."""
    while True:
        readable, _, _ = select.select([pipe], [], [], _PARENT_CHECK_SECONDS)
        if readable:
            return os.read(pipe, 1) == ALL_STOPPED
        if os.getppid() != owner:
            return False


def main(arguments: list[str]) -> int:
    """Guard the run named by the arguments: its id, the pipe's descriptor, the owner's pid."""
    run_id, pipe, owner = arguments[0], int(arguments[1]), int(arguments[2])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if owner_stopped_cleanly(pipe, owner):
        return 0
    return 1 if sweep(run_id) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
