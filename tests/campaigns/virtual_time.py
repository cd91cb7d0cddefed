"""An event loop whose time stands still until everybody waits, and then jumps to the next moment.

A wait of an hour takes no time, and nothing depends on how fast the machine is. Threads are real: while
one works for the loop, time stands still.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
LONGEST_THREAD = 30.0


class Time:
    """The time of one test: seconds, for runners, templates and, from another zero, the database."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0.0  #: seconds that the machine was suspended, which only the database noticed

    def __call__(self) -> float:
        return self.now

    def database(self) -> float:
        """Seconds since the epoch, as the database would tell them."""
        return 1_800_000_000.0 + self.now + self.slept

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run to the end on a loop that lives by this time."""
        with asyncio.Runner(loop_factory=lambda: _Loop(self)) as runner:
            return runner.run(coroutine)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, time: Time) -> None:
        self._time = time
        self.threads = 0
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self._time.now

    def pass_time(self, seconds: float) -> None:
        self._time.now += seconds

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        self.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _future: Any) -> None:
        self.threads -= 1


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: _Loop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        if self._loop.threads:
            events = super().select(LONGEST_THREAD)
            assert events, "a thread that the loop waits for does not come back"
            return events
        events = super().select(0)
        if not events:
            assert timeout is not None, "everybody waits, and nothing is going to happen"
            self._loop.pass_time(timeout)
        return events
