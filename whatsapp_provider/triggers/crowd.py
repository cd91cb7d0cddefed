"""Keep a triggerer that holds many waits from stopping for its own garbage collection.

Python's full collection looks at all that is loaded: in Airflow's triggerer some 0.2 s of work, during which
no trigger runs. A few waits never cause one; hundreds cause one every few seconds, and Airflow then warns
that its loop was blocked. What is loaded by then stays for good, so it is taken out of the collector's sight.
"""

from __future__ import annotations

import gc
from types import TracebackType

MANY = 100  #: waits at once, from which on collections come every few seconds


class Crowd:
    """The waits of one process, each of which enters and leaves it."""

    def __init__(self) -> None:
        self._size = 0
        self._settled = False

    def __enter__(self) -> Crowd:
        self._size += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._size -= 1

    def settle(self) -> None:
        """After a look, when everything that a look needs is loaded: freeze it, once, if there are many."""
        if self._size >= MANY and not self._settled:
            self._settled = True
            gc.freeze()


crowd = Crowd()
