"""Run a campaign: turn after turn at the ledger, as many sends at once as are allowed, until it ends.

The order is what makes it safe to kill: intent committed, then the wire, then the result committed.
A row counts against the concurrency until its result is in the ledger.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from math import inf

from whatsapp_provider.campaigns import cadence, doubts
from whatsapp_provider.campaigns.attempts import MAX_ATTEMPTS, attempt, cut_off, gave_up
from whatsapp_provider.campaigns.breaker import Breaker, channel_state
from whatsapp_provider.campaigns.campaign import Campaign, OnInDoubt
from whatsapp_provider.campaigns.flights import Flights
from whatsapp_provider.campaigns.leasing import LeaseKeeper
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Result, Task, Turn
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.ledger_process import LedgerProcess
from whatsapp_provider.campaigns.options import RunOptions
from whatsapp_provider.campaigns.outcome import Ending, Outcome, Progress
from whatsapp_provider.campaigns.reconcile import Historian, Look
from whatsapp_provider.campaigns.render import Renderer
from whatsapp_provider.campaigns.uptime import uptime
from whatsapp_provider.errors import Disposition, WhatsAppError
from whatsapp_provider.gateways.base import Sender

__all__ = ["CampaignRunner", "RunOptions"]

LOOK_SECONDS = 2.0  #: the longest time between looks while nothing is under way here
COUNT_EVERY = 5.0
COUNTING_SHARE = 0.02  #: of the time, in which no send begins; of a million people a count takes 0.3 s


class CampaignRunner:
    """Runs one campaign once, in one event loop.

    :param sender: what messages go through.
    :param clock: monotonic seconds; leases and windows go by the database's clock instead.
    :param history: where the gateway remembers what it sent; without it doubts are held.
    """

    def __init__(
        self,
        ledger: Ledger,
        record: CampaignRecord,
        campaign: Campaign,
        template: Renderer,
        sender: Sender,
        options: RunOptions,
        clock: Callable[[], float] = uptime,
        *,
        history: Historian | None = None,
    ) -> None:
        self._ledger, self._record, self._campaign = ledger, record, campaign
        self._template, self._sender, self._options, self._clock = template, sender, options, clock
        self._keeper = LeaseKeeper(
            ledger, record, seconds=options.lease_seconds, clock=clock, hurried=lambda: self._stopping
        )
        self._process, self._shares_process = LedgerProcess(ledger.url), False
        self._doubts = doubts.of_run(campaign, ledger, record, options, history, self._keeper.call)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._stopping = False
        self._pause: Outcome | None = None
        self._outage = False
        self._breaker = Breaker(options.limits)
        self._flights = Flights(self._send, self._wake)
        self._finished: list[Result] = []
        self._settled = 0
        self._started = self._counted = clock()
        self._count_after = COUNT_EVERY
        self.progress = Progress()

    def share(self, process: LedgerProcess) -> None:
        """Use a process for the turns of a long run that other runs use too; who made it closes it."""
        self._process, self._shares_process = process, True

    def stop(self) -> None:
        """Begin nothing new and return soon. May be called from any thread, and from a signal handler."""
        self._stopping = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the run is over and its loop closed
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
            with cadence.collector_spared():
                return await self._run()
        finally:
            if not self._shares_process:
                await self._process.close()
            self._keeper.close()

    async def _run(self) -> Outcome:
        options = self._options
        probing = await self._keeper.begin(label=options.label, again=self._again(), resumed=options.resumed)
        self._breaker.probing = probing or options.probing
        try:
            if options.resumed:
                over = options.limits.over
                self._breaker.remember(await self._keeper.call(self._ledger.recent, self._record, over))
            await self._count()
            if self.progress.left >= options.apart_from:
                self._keeper.employ(self._process)
            outcome = await self._work()
        except asyncio.CancelledError:
            self._stopping = True
            raise
        finally:
            await self._leave()
        return await self._settle(outcome)

    def _again(self) -> set[DeliveryState]:
        # At the end of a wait nobody asked anew: what is in doubt then is sent again in its time.
        resend = self._campaign.on_in_doubt is OnInDoubt.RESEND and not self._options.resumed
        return {*self._options.again, *({DeliveryState.IN_DOUBT} if resend else ())}

    async def _work(self) -> Outcome:
        while True:
            # Beside a thread, half of the places keep the processor busy. A process is in nobody's way: the sooner it
            # has the results, the sooner their places are free.
            share = 4 if self._process.is_ready else 2
            await cadence.gather(self._finished, self._campaign.concurrency // share)
            self._wake.clear()
            turn = await self._turn()
            for task in turn.tasks:
                self._flights.begin(task)
            if turn.stop is not None and not turn.stop.waits and self._pause is None:
                self._pause = Outcome.stopped_by(turn.stop)
            if self._closing and not self._finished:
                return await self._close(known=turn.stop is not None and not turn.stop.waits)
            idle = not (self._flights or self._finished or turn.tasks)
            if only_looks := idle and turn.open == 0:
                turn = await self._look_up()
            if idle and (ended := self._ending(turn, only_looks=only_looks)):
                return ended
            if self._clock() - self._counted > self._count_after:
                await self._count()
            await self._sleep(turn)

    async def _turn(self) -> Turn:
        """Hand in what is finished. No send begins meanwhile, and what finishes meanwhile waits its turn."""
        results, self._finished = self._finished, []
        held = self._flights.ids | {result.task.id for result in results}
        try:
            turn = await self._keeper.turn(
                results,
                places=self._places(),
                pace=self._campaign.pace,
                rules=self._campaign.rules,
                held=held,
            )
        except BaseException:
            # Perhaps written, perhaps not: writing a result twice changes nothing.
            self._finished = [*results, *self._finished]
            raise
        self._settled += sum(not result.state.is_open for result in results)
        return turn

    @property
    def _closing(self) -> bool:
        return self._stopping or self._pause is not None

    def _places(self) -> int:
        if self._closing:
            return 0
        limit = 1 if self._breaker.probing else self._campaign.concurrency
        return limit - len(self._flights)

    async def _look_up(self) -> Turn:
        """Settle doubts when nothing else is left; as long as a look-up is to come, the campaign is open."""
        look = Look(None) if self._doubts is None else await self._doubts.look()
        counts = await self._keeper.call(self._ledger.counts, self._record)
        if counts.open == 0 and look.wait is not None:
            return Turn(open=1, wait=look.wait)
        if counts.open == 0 and (
            self._record.part or await self._keeper.call(self._ledger.finish, self._record)
        ):
            return Turn()
        # What was not sent is planned again, and is sent in the next turn.
        return Turn(open=1, wait=0.0)

    def _ending(self, turn: Turn, *, only_looks: bool) -> Outcome | None:
        if turn.stop is not None:
            # Without a way to wait elsewhere it looks again and again.
            return None if self._options.patience == inf else Outcome.stopped_by(turn.stop)
        problem = None if self._doubts is None else self._doubts.problem
        if turn.open == 0:
            return Outcome(Ending.FINISHED, reason=problem or "")
        wait = turn.wait or 0.0
        # Looks in vain are counted by one run: to wait for the next one elsewhere would be to begin anew for ever.
        if wait <= self._options.patience or (only_looks and problem):
            return None
        return Outcome(Ending.WAITING, seconds=wait, reason=turn.limit)

    async def _sleep(self, turn: Turn) -> None:
        """Wait for a result, a stop, the next permitted moment or the time to renew the lease."""
        limit = self._options.lease_seconds / 4
        if not self._flights:
            # Others may hold the rest, and only a look tells when they are done with it.
            limit = min(limit, LOOK_SECONDS)
        if turn.wait is not None:
            limit = min(limit, max(turn.wait, 0.05))
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._wake.wait()

    async def _send(self, task: Task) -> None:
        try:
            self._note(*(await self._attempt(task)))
        except BaseException:
            self._finished.append(cut_off(task))
            raise

    async def _attempt(self, task: Task) -> tuple[Result, WhatsAppError | None]:
        if self._closing or not self._may_write():
            # Intended and not begun: certainly not sent.
            return Result(task, DeliveryState.PLANNED), None
        seconds = self._options.send_timeout
        return await attempt(task, self._template, self._sender, seconds=seconds, may_write=self._may_write)

    def _may_write(self) -> bool:
        return self._keeper.remaining > self._options.send_timeout

    def _note(self, result: Result, error: WhatsAppError | None) -> None:
        self._finished.append(result)
        reason = self._breaker.reason_to_stop(result, self._clock())
        if gave_up(result, error):
            reason = f"a message could not be sent in {MAX_ATTEMPTS} tries, last: {error}"
        if self._pause is not None:
            return
        if error is not None and error.disposition is Disposition.HALT:
            self._pause = Outcome(Ending.PAUSED, reason=str(error), error=error, of_channel=True)
        elif reason is not None:
            self._pause, self._outage = Outcome(Ending.PAUSED, reason=reason, of_channel=True), True

    async def _close(self, *, known: bool) -> Outcome:
        """Tell other runs of a pause at once, unless they know it; sends under way may still end."""
        if self._pause is not None and not known:
            await self._announce(self._pause)
        return self._pause or Outcome(Ending.STOPPED, reason="the task was told to stop")

    async def _leave(self) -> None:
        """Let sends under way end, write what is known, give the lease back; what would not end is in doubt."""
        # Nobody is about to kill a run that ends by itself: its sends may take their time.
        options = self._options
        await self._flights.drain(options.send_timeout, options.drain, lambda: self._stopping)
        results, self._finished = self._finished, []
        await self._keeper.end(results, held=self._flights.ids)
        self._settled += sum(not result.state.is_open for result in results)

    async def _settle(self, outcome: Outcome) -> Outcome:
        if self._outage and not self._stopping:
            outcome = replace(
                outcome, reason=f"{outcome.reason} Channel: {await channel_state(self._sender)}."
            )
            await self._announce(outcome)
        if outcome.ending in (Ending.CANCELLED, Ending.EXPIRED) and not self._stopping:
            # What its sends under way left to be sent is given up like the rest.
            await self._keeper.call(self._ledger.close_rest, self._record.campaign_id)
            if await self._keeper.call(self._ledger.finish, self._record):
                outcome = Outcome(Ending.FINISHED)
        await self._count()
        return outcome

    async def _announce(self, pause: Outcome) -> None:
        """Pause the campaign; where one of several channels stopped, the others may go on."""
        if not (pause.of_channel and self._record.part):
            paused = CampaignState.PAUSED
            await self._keeper.call(self._ledger.set_state, self._record, paused, pause.reason)

    async def _count(self) -> None:
        asked = self._clock()
        counts = await self._keeper.count()
        self._counted = self._clock()
        self._count_after = max(COUNT_EVERY, (self._counted - asked) / COUNTING_SHARE)
        if not self._closing and (reason := self._breaker.note_stops(await self._keeper.stops())):
            self._pause, self._outage = Outcome(Ending.PAUSED, reason=reason), True
        if counts is not None:
            seconds = self._counted - self._started
            self.progress = Progress.of(counts, settled_here=self._settled, seconds=seconds)
