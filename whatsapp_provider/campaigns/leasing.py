"""A run's side of the ledger: its thread, its lease, and what it does while the ledger is out of reach."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import inf
from threading import Event
from typing import Any, TypeVar

from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.recent import StopShare
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Counts, Lease, Result, Turn
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.ledger_process import LedgerProcess
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.rules import NO_RULES, Rules
from whatsapp_provider.errors import LedgerUnavailableError

T = TypeVar("T")
MANY = 8  #: so many results at a time are the sign of a busy loop
GIVE_WAY_SECONDS = 0.02  #: how long a busy loop stands still for a commit at the most
RETRY_SECONDS = 1.0  #: between tries, while the ledger is out of reach


class LeaseKeeper:
    """Holds one run's lease.

    :param seconds: how long the lease lasts without renewal.
    :param clock: monotonic seconds.
    :param hurried: says whether the run was told to stop, so that nothing is worth a wait.
    """

    def __init__(
        self,
        ledger: Ledger,
        record: CampaignRecord,
        *,
        seconds: float,
        clock: Callable[[], float],
        hurried: Callable[[], bool],
    ) -> None:
        self._ledger, self._record, self._seconds = ledger, record, seconds
        self._clock, self._hurried = clock, hurried
        # The ledger is synchronous: one thread of its own, so that a commit never blocks a send.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="whatsapp-ledger")
        self._process: LedgerProcess | None = None
        self._lease: Lease | None = None
        self._ends = -inf
        # Whether a commit may have happened whose answer, with tasks in it, never came.
        self._unsure = False

    @property
    def remaining(self) -> float:
        """Seconds that the lease lasts at the least."""
        return self._ends - self._clock()

    async def begin(self, *, label: str, again: Collection[DeliveryState], resumed: bool) -> bool:
        """Get the lease; return whether nothing is known to be accepted since the campaign paused.

        :param resumed: whether this run goes on where another ended to wait.
        """
        asked = self._clock()
        self._lease = await self.once(
            self._ledger.begin,
            self._record,
            label=label,
            seconds=self._seconds,
            again=again,
            resumed=resumed,
        )
        # Counted from before the question, so that our own view of the lease ends first.
        self._ends = asked + self._seconds
        return self._lease.probing

    async def turn(
        self,
        results: Sequence[Result],
        *,
        places: int,
        pace: Pace,
        rules: Rules = NO_RULES,
        held: Collection[int],
    ) -> Turn:
        """Write results, renew the lease and get tasks; tried again while the lease lasts.

        :param held: the deliveries that this run knows to be under way.
        :raises LedgerUnavailableError: if the ledger stays out of reach; nothing is lost by writing the
            results once more.
        """
        while True:
            asked = self._clock()
            try:
                turn = await self._take(
                    results, places=places, pace=pace, rules=rules, held=held if self._unsure else None
                )
            except LedgerUnavailableError:
                # Nothing new is sent meanwhile; while the lease lasts, the results are still ours to write.
                self._unsure = True
                if not self._worth_a_wait:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._unsure = False
                self._ends = asked + self._seconds
                return turn

    def employ(self, process: LedgerProcess) -> None:
        """Let a process take the turns from when the run is busy."""
        self._process = process

    async def _take(self, results: Sequence[Result], **asked: Any) -> Turn:
        busy = len(results) >= MANY
        if (process := self._process) is not None:
            if busy:
                process.start()
            if process.is_ready:
                return await process.turn(self._held_lease, results, **asked)
        ask = self._give_way if busy else self.once
        return await ask(self._ledger.turn, self._held_lease, results, **asked)

    async def end(self, results: Sequence[Result], *, held: Collection[int]) -> None:
        """Write the last results and give the lease back; tried again while the lease lasts.

        :param held: deliveries still under way, which are in doubt from now on.
        """
        if self._lease is None:
            return
        await self.call(self._ledger.end, self._lease, results, held=held)

    async def count(self) -> Counts | None:
        """Count the deliveries by their states; a figure is not worth a wait, and is ``None`` in an outage."""
        try:
            return await self.once(self._ledger.counts, self._record)
        except LedgerUnavailableError:
            return None

    async def stops(self) -> StopShare:
        """Return how many of the people written to asked to be left alone; in an outage, that is not known."""
        try:
            return await self.once(self._ledger.stops, self._record)
        except LedgerUnavailableError:
            return StopShare()

    async def call(self, function: Callable[..., T], *args: object, **options: object) -> T:
        """Run a ledger method that may be run twice; tried again while the lease lasts.

        :raises LedgerUnavailableError: if the ledger stays out of reach, or the run was told to stop.
        """
        while True:
            try:
                return await self.once(function, *args, **options)
            except LedgerUnavailableError:
                if not self._worth_a_wait:
                    raise
                await asyncio.sleep(RETRY_SECONDS)

    async def once(self, function: Callable[..., T], *args: object, **options: object) -> T:
        """Run a ledger method on the ledger's thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(function, *args, **options))

    async def _give_way(self, function: Callable[..., T], *args: object, **options: object) -> T:
        """Do the same while the loop stands still for a moment: that is how both are done soonest."""
        done = Event()

        def work() -> T:
            try:
                return function(*args, **options)
            finally:
                done.set()

        asked = asyncio.get_running_loop().run_in_executor(self._thread, work)
        done.wait(GIVE_WAY_SECONDS)
        return await asked

    def close(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=False)

    @property
    def _worth_a_wait(self) -> bool:
        return not self._hurried() and self.remaining > RETRY_SECONDS

    @property
    def _held_lease(self) -> Lease:
        if self._lease is None:
            raise RuntimeError("A run without a lease has no turn.")
        return self._lease
