"""Time as something a test can hold: a clock, and a timeline of what is due when.

Nothing in the emulator sleeps to make something happen. What happens later is put on the timeline;
the ticker (on a port) or ``Emulator.advance`` (in a test) makes it due.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from typing import Any, Protocol


class Clock(Protocol):
    """What tells the emulated world the time."""

    manual: bool

    def now(self) -> float:
        """Return unix seconds."""

    def move_to(self, moment: float) -> None:
        """Go forward to a moment; never back."""


class RealClock:
    """The machine's clock, which can also be pushed forward."""

    manual = False

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """Return the machine's unix time plus what was skipped."""
        return time.time() + self._ahead

    def move_to(self, moment: float) -> None:
        """Skip the time up to a moment."""
        self._ahead += max(0.0, moment - self.now())


class ManualClock:
    """A clock that stands still until it is moved."""

    manual = True

    def __init__(self, start: float = 1_767_225_600.0) -> None:
        self._now = start

    def now(self) -> float:
        """Return the time it was last moved to."""
        return self._now

    def move_to(self, moment: float) -> None:
        """Go forward to a moment."""
        self._now = max(self._now, moment)


class Timer:
    """One thing to be done later, which can still be called off."""

    __slots__ = ("args", "run")

    def __init__(self, run: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.run: Callable[..., object] | None = run
        self.args = args

    def cancel(self) -> None:
        """Call it off; harmless when it already ran."""
        self.run = None


class Timeline:
    """What is due when, in order of time and then of arrival."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()

    def call_later(self, delay: float, run: Callable[..., object], *args: Any) -> Timer:
        """Do something after so many seconds."""
        timer = Timer(run, args)
        heapq.heappush(self._heap, (self._clock.now() + delay, next(self._order), timer))
        return timer

    def next_due(self) -> float | None:
        """Return the moment of the next thing to do."""
        while self._heap and self._heap[0][2].run is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run_due(self) -> None:
        """Do all that is due by now."""
        heap = self._heap
        if not heap:
            return
        now = self._clock.now()
        while heap and heap[0][0] <= now:
            timer = heapq.heappop(heap)[2]
            run, timer.run = timer.run, None
            if run is not None:
                run(*timer.args)

    def __len__(self) -> int:
        return len(self._heap)
