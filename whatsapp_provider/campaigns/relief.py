"""What becomes of a channel's people when it stops while the campaign's other channels go on."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from whatsapp_provider.campaigns.campaign import OnInDoubt
from whatsapp_provider.campaigns.ledger.doubts import Delays
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.parting import Shares
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.outcome import Ending, Outcome, Progress
from whatsapp_provider.campaigns.posts import Post
from whatsapp_provider.campaigns.reconcile import Call, Reconciler

log = logging.getLogger(__name__)


class Relief:
    """Notes that channels stopped, hands what they have left to others, looks their doubts up.

    :param record: the whole campaign's.
    :param call: runs a method of the ledger.
    :param failover: whether other channels send what one of them can't; else people keep the number they know.
    :param weights: by key, how many of such people each of the others gets.
    """

    def __init__(
        self,
        ledger: Ledger,
        record: CampaignRecord,
        call: Call,
        *,
        failover: bool,
        weights: Mapping[str, float],
    ) -> None:
        self._ledger, self._record, self._call = ledger, record, call
        self._failover, self._weights = failover, weights

    async def recall(self, posts: Sequence[Post]) -> None:
        """Remember which channels stopped: they are tried again when somebody runs the task, not after a wait."""
        resumed = posts[0].member.options.resumed
        stopped = await self._call(self._ledger.stopped_channels, self._record, forget=not resumed)
        for post in posts:
            if post.key in stopped:
                post.probing = True
                if resumed:
                    post.broken = Outcome(Ending.PAUSED, reason=stopped[post.key], of_channel=True)

    async def note(self, post: Post, outcome: Outcome) -> None:
        """Note that a channel stopped."""
        log.warning("Channel %s stopped: %s", post.key, outcome.reason)
        await self._call(self._ledger.note_stop, self._record.through(post.key), outcome.reason)

    async def hand_over(self, post: Post, others: Sequence[str]) -> bool:
        """Let others send what a channel that stopped has left; return whether there was anything."""
        if not self._failover or not others:
            return False
        part = self._record.through(post.key)
        shares = Shares(tuple(others), {key: self._weights[key] for key in others if key in self._weights})
        moved = await self._call(self._ledger.hand_over, part, shares)
        post.rest(Progress.of(await self._call(self._ledger.counts, part), settled_here=0, seconds=0.0))
        if moved:
            log.warning(
                "%d people to whom %s certainly sent nothing are sent to through %s.",
                moved,
                post.key,
                ", ".join(others),
            )
        return bool(moved)

    async def look_up(self, stopped: Sequence[Post]) -> float | None:
        """Look up what is in doubt with channels that stopped; return in how many seconds the next look is due."""
        waits = []
        for post in stopped:
            post.doubts = post.doubts or self._reconciler(post)
            wait = None if post.doubts is None else (await post.doubts.look()).wait
            waits += [] if wait is None else [wait]
        return min(waits, default=None)

    def _reconciler(self, post: Post) -> Reconciler | None:
        member, options = post.member, post.member.options
        if member.history is None or member.campaign.on_in_doubt is not OnInDoubt.RECONCILE:
            return None
        part, delays = self._record.through(post.key), Delays(options.settle, options.send_timeout)
        return Reconciler(self._ledger, part, member.history, delays, self._call, label=options.label)
