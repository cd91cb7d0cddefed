"""A process that takes a run's turns at the ledger: ``python -m whatsapp_provider.campaigns.ledger.process FD``.

The run keeps the other end of the socket ``FD``. Whatever it ends with closes that end, and with it this process;
signals that are meant for the run are the run's to heed. A turn that was begun is committed whole or not at all.
"""

from __future__ import annotations

import gc
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from whatsapp_provider.campaigns.ledger.records import Turn
from whatsapp_provider.campaigns.ledger.running import Running

COLLECT_AFTER = 50_000  #: objects made and not let go; some 10 MB at the most


def serve(line: Connection[Any, Any]) -> None:
    """Answer each question for a turn, the ledger's address being the first thing that is told.

    :raises EOFError: when the run has ended, or wants no more.
    """
    ledger = Running(line.recv())
    try:
        ledger.version()  # the connection is made, and what is wrong with it is found, before a turn waits for it
        # What is loaded stays, and a turn makes thousands of objects, hardly any of them in a circle: to look for
        # such after each seven hundred is a twentieth of the time of a turn.
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)
        line.send(None)
        while True:
            lease, results, asked = line.recv()
            told: Turn | Exception
            try:
                told = ledger.turn(lease, results, **asked)
            except Exception as error:
                told = error
            line.send(told)
    finally:
        ledger.dispose()


def main() -> None:
    """Serve until the other end is closed."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    with Connection(int(sys.argv[1])) as line, suppress(EOFError, ConnectionError):
        serve(line)


if __name__ == "__main__":
    main()
