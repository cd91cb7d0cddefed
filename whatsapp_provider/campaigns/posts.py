"""One channel of a campaign that goes over several: what it needs to send, and how its runs ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.options import RunOptions
from whatsapp_provider.campaigns.outcome import Outcome, Progress
from whatsapp_provider.campaigns.reconcile import Historian, Reconciler
from whatsapp_provider.campaigns.runner import CampaignRunner
from whatsapp_provider.gateways.base import Sender


@dataclass(frozen=True, slots=True)
class Member:
    """A channel that a campaign goes over.

    :param key: its name in the ledger; one of the campaign's ``pool``.
    :param campaign: with this channel's pace, and its share of the sends under way at once.
    :param history: where its gateway remembers what it sent; without it doubts are held.
    """

    key: str
    campaign: Campaign
    sender: Sender
    options: RunOptions
    history: Historian | None = None


@dataclass(slots=True)
class Post:
    """A member at work, or resting.

    :param begun: whether it was at work in this run of the campaign.
    :param probing: whether it stopped the last time that somebody ran the campaign.
    :param moment: when it is to go on, by the run's clock.
    :param broken: how it stopped, if it did: it is not used again in this run.
    """

    member: Member
    begun: bool = False
    probing: bool = False
    runner: CampaignRunner | None = None
    job: asyncio.Task[Outcome] | None = None
    outcome: Outcome | None = None
    moment: float | None = None
    broken: Outcome | None = None
    doubts: Reconciler | None = None
    _last: Progress = field(default_factory=Progress)

    @property
    def key(self) -> str:
        """The channel's name in the ledger."""
        return self.member.key

    @property
    def is_done(self) -> bool:
        """Whether it has nothing left to send, as far as it knows."""
        return self.broken is None and self.job is None and self.moment is None

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return self._last if self.runner is None else self.runner.progress

    def options(self) -> RunOptions:
        """Return how its next run behaves: the first of them does what was asked for once."""
        options = self.member.options
        if self.begun:
            return replace(options, resumed=True, again=())
        return replace(options, probing=options.probing or self.probing)

    def begin(self, runner: CampaignRunner) -> None:
        """Go to work."""
        self.begun, self.moment, self.outcome = True, None, None
        self.runner, self.job = runner, asyncio.create_task(runner.run())

    def rest(self, progress: Progress | None = None) -> None:
        """Forget the run that ended."""
        self._last = replace(self.progress if progress is None else progress, rate=0.0)
        self.runner = self.job = None
