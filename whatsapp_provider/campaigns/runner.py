"""Run a campaign: turn after turn at the ledger, as many sends at once as are allowed, until it ends.

The order is what makes it safe to kill: intent committed, then the wire, then the result committed.
A row counts against the concurrency until its result is in the ledger.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import inf
from time import monotonic
from typing import TypeVar

from whatsapp_provider.campaigns.attempts import attempt
from whatsapp_provider.campaigns.breaker import Breaker
from whatsapp_provider.campaigns.campaign import Campaign, OnInDoubt
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Lease, Result, Task, Turn
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.outcome import Ending, Outcome, Progress
from whatsapp_provider.campaigns.render import Renderer
from whatsapp_provider.errors import (
    Disposition,
    LedgerUnavailableError,
    RateLimitedError,
    WhatsAppError,
)
from whatsapp_provider.gateways.base import Sender

T = TypeVar("T")
LEASE_MARGIN = 20.0  #: seconds that a lease lasts beyond the longest send
DRAIN_SECONDS = 4.0  #: Airflow kills a task 5 s after it asked it to stop
IDLE_SECONDS = 1.0  #: between looks, when others hold the rest
RATE_LIMIT_PAUSE = 30.0  #: when a gateway says 429 and not for how long
COUNT_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run behaves.

    :param send_timeout: seconds after which the sender has answered or given up.
    :param label: who runs, for people who read the ledger.
    :param patience: seconds to wait for the next permitted moment; beyond it the run returns ``waiting``.
    :param again: states whose deliveries are planned again.
    """

    send_timeout: float
    label: str = ""
    patience: float = inf
    again: Collection[DeliveryState] = ()
    lease_margin: float = LEASE_MARGIN
    drain: float = DRAIN_SECONDS

    @property
    def lease_seconds(self) -> float:
        """How long the right to send lasts without renewal."""
        return self.send_timeout + self.lease_margin


class CampaignRunner:
    """Runs one campaign once, in one event loop.

    :param sender: what messages go through.
    :param clock: monotonic seconds; leases and windows go by the database's clock instead.
    """

    def __init__(
        self,
        ledger: Ledger,
        record: CampaignRecord,
        campaign: Campaign,
        template: Renderer,
        sender: Sender,
        options: RunOptions,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._ledger, self._record, self._campaign = ledger, record, campaign
        self._template, self._sender, self._options, self._clock = template, sender, options, clock
        # The ledger is synchronous: one thread of its own, so that a commit never blocks a send.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="whatsapp-ledger")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._stopping = False
        self._pause: Outcome | None = None
        self._breaker = Breaker()
        self._in_flight: set[asyncio.Task[None]] = set()
        self._finished: list[Result] = []
        self._quiet_until = -inf
        self._lease_ends = -inf
        self._settled = 0
        self._started = self._counted = clock()
        self.progress = Progress()

    def stop(self) -> None:
        """Begin nothing new and return soon. May be called from any thread, and from a signal handler."""
        self._stopping = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    @property
    def drain_seconds(self) -> float:
        """How long sends under way may go on once a stop was asked for."""
        return self._options.drain

    async def run(self) -> Outcome:
        """Send until the end, a stop, a pause or a long wait.

        :raises LeaseLostError: if this run was suspended for so long that another took over.
        :raises LedgerUnavailableError: if the ledger stays out of reach.
        """
        self._loop = asyncio.get_running_loop()
        try:
            return await self._run()
        finally:
            self._thread.shutdown(wait=False)

    async def _run(self) -> Outcome:
        self._lease_ends = self._clock() + self._options.lease_seconds
        lease = await self._call(
            self._ledger.begin,
            self._record,
            label=self._options.label,
            seconds=self._options.lease_seconds,
            again=self._again(),
        )
        await self._count()
        try:
            outcome = await self._work(lease)
        finally:
            await self._leave(lease)
        await self._settle(outcome)
        return outcome

    def _again(self) -> set[DeliveryState]:
        resend = self._campaign.on_in_doubt is OnInDoubt.RESEND
        return {*self._options.again, *({DeliveryState.IN_DOUBT} if resend else ())}

    async def _work(self, lease: Lease) -> Outcome:
        while True:
            self._wake.clear()
            results, self._finished = self._finished, []
            await self._look_for_outage(results)
            turn = await self._turn(lease, results, self._places())
            for task in turn.tasks:
                self._start(task)
            if self._closing and not self._finished:
                await self._drain()
                return self._pause or Outcome(Ending.STOPPED, reason="the task was told to stop")
            idle = not (self._in_flight or self._finished or turn.tasks)
            if idle and (ended := self._ending(turn)):
                return ended
            if self._clock() - self._counted > COUNT_EVERY:
                await self._count()
            await self._sleep(turn)

    @property
    def _closing(self) -> bool:
        return self._stopping or self._pause is not None

    def _places(self) -> int:
        if self._closing or self._clock() < self._quiet_until:
            return 0
        return self._campaign.concurrency - len(self._in_flight)

    def _ending(self, turn: Turn) -> Outcome | None:
        if turn.open == 0:
            return Outcome(Ending.FINISHED)
        wait = self._wait(turn)
        return Outcome(Ending.WAITING, seconds=wait) if wait > self._options.patience else None

    def _wait(self, turn: Turn) -> float:
        quiet = self._quiet_until - self._clock()
        return max(turn.wait or 0.0, quiet)

    async def _sleep(self, turn: Turn) -> None:
        """Wait for a result, a stop, the next permitted moment or the time to renew the lease."""
        limit = self._options.lease_seconds / 4
        if not self._in_flight:
            limit = min(limit, max(self._wait(turn), 0.05)) if turn.wait is not None else IDLE_SECONDS
        elif turn.wait is not None:
            limit = min(limit, max(turn.wait, 0.05))
        try:
            async with asyncio.timeout(limit):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _turn(self, lease: Lease, results: list[Result], places: int) -> Turn:
        while True:
            asked = self._clock()
            try:
                turn = await self._call(
                    self._ledger.turn, lease, results, places=places, pace=self._campaign.pace
                )
            except LedgerUnavailableError:
                # Nothing new is sent meanwhile; while the lease lasts, the results are still ours to write.
                if self._clock() + IDLE_SECONDS >= self._lease_ends:
                    self._finished = [*results, *self._finished]
                    raise
                await asyncio.sleep(IDLE_SECONDS)
            else:
                # Counted from before the question, so that our own view of the lease ends first.
                self._lease_ends = asked + lease.seconds
                self._settled += sum(not result.state.is_open for result in results)
                return turn

    def _start(self, task: Task) -> None:
        job = asyncio.create_task(self._send(task))
        self._in_flight.add(job)

    async def _send(self, task: Task) -> None:
        try:
            if self._closing or self._lease_ends - self._clock() <= self._options.send_timeout:
                # Intended and not begun: certainly not sent.
                self._finished.append(Result(task, DeliveryState.PLANNED))
                return
            result, error = await attempt(task, self._template, self._sender)
            self._finished.append(result)
            if error is not None:
                self._heed(error)
        finally:
            current = asyncio.current_task()
            if current is not None:
                self._in_flight.discard(current)
            self._wake.set()

    def _heed(self, error: WhatsAppError) -> None:
        if isinstance(error, RateLimitedError):
            pause = RATE_LIMIT_PAUSE if error.retry_after is None else error.retry_after
            self._quiet_until = max(self._quiet_until, self._clock() + pause)
        if error.disposition is Disposition.HALT and self._pause is None:
            self._pause = Outcome(Ending.PAUSED, reason=str(error), error=error)

    async def _look_for_outage(self, results: list[Result]) -> None:
        for result in results:
            reason = self._breaker.reason_to_stop(result)
            if reason and self._pause is None:
                self._pause = Outcome(
                    Ending.PAUSED, reason=f"{reason} Channel: {await self._channel_state()}."
                )

    async def _channel_state(self) -> str:
        try:
            status = await self._sender.status()
        except WhatsAppError as error:
            return f"unknown ({error})"
        return f"{status.state.value} ({status.detail})" if status.detail else status.state.value

    async def _drain(self) -> None:
        """Let sends under way end, and cut off those that take too long."""
        jobs = set(self._in_flight)
        if jobs:
            await asyncio.wait(jobs, timeout=self._drain_seconds())
        for job in jobs:
            job.cancel()

    def _drain_seconds(self) -> float:
        # Nobody is about to kill a run that paused itself: its sends may take their time.
        return self._options.drain if self._stopping else self._options.send_timeout

    async def _leave(self, lease: Lease) -> None:
        """Write what is known and give the lease back; what was cut off is in doubt."""
        await self._drain()
        results, self._finished = self._finished, []
        await self._call(self._ledger.end, lease, results)
        self._settled += sum(not result.state.is_open for result in results)

    async def _settle(self, outcome: Outcome) -> None:
        if outcome.ending is Ending.FINISHED:
            await self._call(self._ledger.set_state, self._record, CampaignState.FINISHED)
        elif outcome.ending is Ending.PAUSED:
            await self._call(self._ledger.set_state, self._record, CampaignState.PAUSED, outcome.reason)
        await self._count()

    async def _count(self) -> None:
        counts = await self._call(self._ledger.counts, self._record)
        self._counted = self._clock()
        self.progress = Progress.of(counts, settled_here=self._settled, seconds=self._counted - self._started)

    async def _call(self, function: Callable[..., T], *args: object, **options: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(function, *args, **options))
