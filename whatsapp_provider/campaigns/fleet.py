"""Run a campaign over several channels: a runner for each side by side, and others send what one of them can't.

Each part keeps its own pace, lease and breaker. What was certainly not sent when a channel stops is handed to the
others; what may have been sent stays with its channel, whose history alone can tell. The campaign pauses when there is
nobody left who could send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TypeVar

from whatsapp_provider.campaigns import cadence
from whatsapp_provider.campaigns.ledger.handover import Left
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.states import CampaignState
from whatsapp_provider.campaigns.ledger_process import LedgerProcess
from whatsapp_provider.campaigns.outcome import Ending, Outcome, Progress
from whatsapp_provider.campaigns.posts import Member, Post
from whatsapp_provider.campaigns.relief import Relief
from whatsapp_provider.campaigns.render import Renderer
from whatsapp_provider.campaigns.runner import LOOK_SECONDS, CampaignRunner
from whatsapp_provider.campaigns.uptime import uptime
from whatsapp_provider.errors import ConfigurationError, LedgerUnavailableError

__all__ = ["Fleet", "Member"]

T = TypeVar("T")
RETRY_SECONDS = 1.0  #: between tries, while the ledger is out of reach


class Fleet:
    """Runs one campaign once, in one event loop, over all of its channels.

    :param record: the whole campaign's.
    :param members: its channels.
    :param clock: monotonic seconds.
    :param failover: whether other channels send what one of them can't; else people keep the number they know.
    :param weights: by key, how many of such people each of the others gets.
    """

    def __init__(
        self,
        ledger: Ledger,
        record: CampaignRecord,
        template: Renderer,
        members: Sequence[Member],
        clock: Callable[[], float] = uptime,
        *,
        failover: bool = True,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        for member in members:
            if member.campaign.channel_keys != tuple(sorted(one.key for one in members)):
                raise ConfigurationError("A campaign over several channels needs all of them, each once.")
        self._ledger, self._record, self._template, self._clock = ledger, record, template, clock
        self._relief = Relief(ledger, record, self._call, failover=failover, weights=weights or {})
        self._options = members[0].options
        self._posts = [Post(member) for member in members]
        self._process = LedgerProcess(ledger.url)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="whatsapp-ledger")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._stopping = False
        self._over: Outcome | None = None

    def stop(self) -> None:
        """Begin nothing new and return soon. May be called from any thread, and from a signal handler."""
        self._stopping = True
        for post in self._posts:
            if (runner := post.runner) is not None:
                runner.stop()
        if self._loop is not None:
            with suppress(RuntimeError):  # the run is over and its loop closed
                self._loop.call_soon_threadsafe(self._wake.set)

    @property
    def drain_seconds(self) -> float:
        """How long sends under way may go on once a stop was asked for."""
        return max(post.member.options.drain for post in self._posts)

    @property
    def progress(self) -> Progress:
        """How far the channels have come together."""
        parts = [post.progress for post in self._posts]
        return Progress(
            sum(part.total for part in parts),
            sum(part.settled for part in parts),
            sum(part.sent for part in parts),
            sum(part.rate for part in parts),
        )

    async def run(self) -> Outcome:
        """Send until the end, a stop, a pause of the campaign, or until all channels wait for long.

        :raises LeaseLostError: if this run was suspended for so long that another took over.
        :raises LedgerUnavailableError: if the ledger stays out of reach.
        """
        self._loop = asyncio.get_running_loop()
        try:
            with cadence.collector_spared():
                return await self._run()
        finally:
            await self._dismiss()
            await self._process.close()
            self._thread.shutdown(wait=False)

    async def _run(self) -> Outcome:
        await self._relief.recall(self._posts)
        self._begin(post for post in self._posts if post.broken is None)
        while True:
            if any(post.job for post in self._posts):
                await self._watch()
            elif (ended := await self._rest()) is not None:
                return ended

    def _begin(self, posts: Iterable[Post]) -> None:
        for post in [] if self._stopping else posts:
            member, part = post.member, self._record.through(post.key)
            runner = CampaignRunner(
                self._ledger,
                part,
                member.campaign,
                self._template,
                member.sender,
                post.options(),
                self._clock,
                history=member.history,
            )
            runner.share(self._process)
            post.begin(runner)
            if self._stopping:
                # Said while it began.
                runner.stop()

    async def _watch(self) -> None:
        """Wait until a channel's run ends, or the moment of one that rests has come."""
        jobs = {post.job: post for post in self._posts if post.job is not None}
        moments = [post.moment for post in self._posts if post.moment is not None]
        waits = bool(moments) and self._over is None and not self._stopping
        timeout = max(0.0, min(moments) - self._clock()) if waits else None
        done, _ = await asyncio.wait(jobs, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        for job in done:
            await self._note(jobs[job], job.result())
        await self._begin_due()

    async def _note(self, post: Post, outcome: Outcome) -> None:
        post.rest()
        post.outcome = outcome
        if outcome.ending is Ending.WAITING:
            post.moment = self._clock() + outcome.seconds
        elif outcome.ending is Ending.PAUSED and outcome.of_channel:
            post.broken = outcome
            if not self._stopping:
                await self._relief.note(post, outcome)
                await self._hand_over(post)
        elif outcome.ending is not Ending.FINISHED:
            # The others see it at their next turn.
            self._over = self._over or outcome

    async def _begin_due(self) -> None:
        due = [post for post in self._posts if post.moment is not None and post.moment <= self._clock()]
        if not due or self._over is not None:
            return
        found = await self._call(self._ledger.find, self._record.campaign_id)
        if found is not None and found.state is CampaignState.PAUSED:
            # To begin would end the pause, which nobody asked for who goes on after a wait.
            self._over = Outcome(Ending.PAUSED, reason="Another run paused the campaign.")
            return
        self._begin(due)

    async def _hand_over(self, post: Post) -> bool:
        others = [other.key for other in self._posts if other.broken is None]
        if not await self._relief.hand_over(post, others):
            return False
        self._begin(other for other in self._posts if other.is_done)
        return True

    async def _rest(self) -> Outcome | None:
        """Nobody is at work: return how the run ends, or let somebody go on."""
        if self._stopping:
            return Outcome(Ending.STOPPED, reason="the task was told to stop")
        if self._over is not None:
            return self._over
        if all(post.broken for post in self._posts):
            return await self._pause()
        left = await self._call(self._ledger.left, self._record)
        open_keys = left.waiting | left.under_way
        if again := [post for post in self._posts if post.is_done and post.key in open_keys]:
            self._begin(again)
            return None
        stuck = [post for post in self._posts if post.broken and post.key in left.waiting]
        if any([await self._hand_over(post) for post in stuck]):
            return None
        if waiting := [post for post in self._posts if post.moment is not None]:
            return await self._wait_for(waiting)
        return await self._end(left, stuck=bool(stuck))

    async def _end(self, left: Left, *, stuck: bool) -> Outcome | None:
        """All who can send are done: settle what the others left, as far as that can be done without sending."""
        seconds = await self._relief.look_up([post for post in self._posts if post.broken])
        if seconds is not None:
            return await self._wait(seconds, "messages in doubt are to be looked up")
        if stuck:
            return await self._pause()
        if left.under_way:
            # Another process is at it, through a channel that stopped here.
            await self._sleep(LOOK_SECONDS)
        elif await self._call(self._ledger.finish, self._record):
            return Outcome(Ending.FINISHED, reason=self._problems())
        else:
            # Something came up at the last moment, or somebody ended the campaign: their next turn tells.
            self._begin(post for post in self._posts if post.is_done)
        return None

    async def _wait_for(self, posts: Sequence[Post]) -> Outcome | None:
        """All who are not done wait: for a person to let the campaign go on, or each for its moment."""
        first = min(posts, key=lambda post: post.moment or 0.0)
        for post in posts:
            if post.outcome is not None and post.outcome.until_let_go:
                return post.outcome
        seconds = max(0.0, (first.moment or 0.0) - self._clock())
        ended = await self._wait(seconds, first.outcome.reason if first.outcome else "")
        if ended is None and not self._stopping:
            await self._begin_due()
        return ended

    async def _wait(self, seconds: float, reason: str) -> Outcome | None:
        if seconds > self._options.patience:
            return Outcome(Ending.WAITING, seconds=seconds, reason=reason)
        await self._sleep(seconds)
        return None

    async def _pause(self) -> Outcome:
        """Nobody can send what is left."""
        stopped = {post.key: post.broken for post in self._posts if post.broken is not None}
        reason = " ".join(f"{key}: {outcome.reason.rstrip('.')}." for key, outcome in stopped.items())
        await self._call(self._ledger.set_state, self._record, CampaignState.PAUSED, reason)
        errors = [outcome.error for outcome in stopped.values() if outcome.error is not None]
        return Outcome(Ending.PAUSED, reason=reason, error=errors[0] if errors else None)

    def _problems(self) -> str:
        """Return what people should know of a campaign that is finished."""
        told = []
        for post in self._posts:
            problem = post.doubts.problem if post.doubts is not None else None
            if post.broken is not None:
                told.append(f"{post.key} stopped: {post.broken.reason}")
            elif post.outcome is not None:
                problem = post.outcome.reason
            told += [f"{post.key}: {problem}"] if problem else []
        return "; ".join(told)

    async def _dismiss(self) -> None:
        """Whatever the run ends with: nobody goes on without it."""
        for post in self._posts:
            if post.runner is not None:
                post.runner.stop()
        # What one of them failed with is on its way; the others fail with the same, if they do.
        jobs = [post.job for post in self._posts if post.job is not None]
        await asyncio.gather(*jobs, return_exceptions=True)

    async def _sleep(self, seconds: float) -> None:
        """Wait, but not after a stop."""
        self._wake.clear()
        if self._stopping:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _call(self, function: Callable[..., T], *args: object, **options: object) -> T:
        """Run a ledger method on its thread; tried again for as long as a lease would last."""
        deadline = self._clock() + self._options.lease_seconds
        while True:
            try:
                work = partial(function, *args, **options)
                return await asyncio.get_running_loop().run_in_executor(self._thread, work)
            except LedgerUnavailableError:
                if self._stopping or self._clock() > deadline:
                    raise
                await self._sleep(RETRY_SECONDS)
