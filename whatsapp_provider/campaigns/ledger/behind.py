"""Do one thing after the other in a thread of its own, one step behind whoever makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from queue import Empty, Queue
from threading import Thread
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Behind(Generic[Item, Result]):
    """Handles items in their order while the next one is made; a database's driver waits without Python's lock.

    What goes wrong is raised where the next item is handed in, or at the end. At most one item waits.

    :param handle: what to do with each.
    :param idle: called again and again after so many seconds without an item.
    """

    def __init__(
        self, handle: Callable[[Item], Result], idle: Callable[[], object], idle_seconds: float
    ) -> None:
        self._handle, self._idle, self._idle_seconds = handle, idle, idle_seconds
        self._items: Queue[Item | None] = Queue(1)
        self._results: Queue[Result] = Queue()
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._run, name="whatsapp-plan", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> Iterator[Result]:
        """Hand in an item; return the results there are by now.

        :raises BaseException: what an item before failed with.
        """
        self._check()
        self._items.put(item)
        return self._ready()

    def finish(self) -> Iterator[Result]:
        """Wait until all is done; return the rest of the results.

        :raises BaseException: what an item failed with.
        """
        self.end()
        self._check()
        return self._ready()

    def end(self) -> None:
        """Wait until what was handed in is done, however it ends."""
        if self._thread.is_alive():
            self._items.put(None)
            self._thread.join()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _ready(self) -> Iterator[Result]:
        while not self._results.empty():
            yield self._results.get()

    def _run(self) -> None:
        while (item := self._next()) is not None:
            # After a failure items are taken and dropped, so that nobody waits for a place.
            if self._failure is None:
                self._try(lambda item=item: self._results.put(self._handle(item)))  # type: ignore[misc]  # mypy

    def _next(self) -> Item | None:
        while True:
            try:
                return self._items.get(timeout=self._idle_seconds)
            except Empty:
                if self._failure is None:
                    self._try(self._idle)

    def _try(self, step: Callable[[], object]) -> None:
        try:
            step()
        except BaseException as error:
            self._failure = error
