"""How a run ended, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from whatsapp_provider.campaigns.ledger.records import Counts, Stop, StopKind
from whatsapp_provider.errors import WhatsAppError


class Ending(StrEnum):
    """Why a run returned."""

    FINISHED = "finished"  #: nothing is left to do
    WAITING = "waiting"  #: the next message may go only later
    STOPPED = "stopped"  #: it was told to stop
    PAUSED = "paused"  #: it stopped itself
    CANCELLED = "cancelled"  #: a person ended the campaign
    EXPIRED = "expired"  #: the campaign's deadline has passed


_OVER = {StopKind.CANCELLED: Ending.CANCELLED, StopKind.EXPIRED: Ending.EXPIRED}
#: How soon it is noticed that a campaign may go on which somebody holds back.
LET_GO_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run.

    :param seconds: until the campaign can go on, for ``waiting``.
    :param error: what made it pause.
    :param until_let_go: whether it waits for a person or a planner, and not for a moment.
    :param of_channel: whether it paused for what its channel did, and not for what people or other runs did.
    """

    ending: Ending
    seconds: float = 0.0
    reason: str = ""
    error: WhatsAppError | None = field(default=None, repr=False)
    until_let_go: bool = False
    of_channel: bool = False

    @classmethod
    def stopped_by(cls, stop: Stop) -> Self:
        """Return the end of a run that found its campaign stopped."""
        if stop.kind is StopKind.PAUSED:
            return cls(Ending.PAUSED, reason=f"Another run paused the campaign: {stop.reason}")
        if stop.waits:
            return cls(Ending.WAITING, seconds=LET_GO_SECONDS, reason=stop.reason, until_let_go=True)
        return cls(_OVER[stop.kind], reason=stop.reason)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign has come.

    :param settled: recipients for whom nothing remains to be done.
    :param sent: messages that gateways took, in this and earlier runs.
    :param rate: messages a second in this run.
    """

    total: int = 0
    settled: int = 0
    sent: int = 0
    rate: float = 0.0

    @classmethod
    def of(cls, counts: Counts, *, settled_here: int, seconds: float) -> Self:
        """Return the progress that counts and this run's share make."""
        rate = settled_here / seconds if seconds > 0 else 0.0
        return cls(counts.total, counts.total - counts.open, counts.sent, rate)

    @property
    def left(self) -> int:
        """Recipients for whom something remains to be done."""
        return self.total - self.settled

    @property
    def eta(self) -> float | None:
        """Seconds to the end at this rate, ``None`` while there is no rate."""
        return self.left / self.rate if self.rate > 0 else None

    def __str__(self) -> str:
        share = 100 * self.settled / self.total if self.total else 100
        eta = "unknown" if self.eta is None else f"{self.eta:.0f} s"
        return (
            f"{self.settled} of {self.total} done ({share:.0f} %), {self.sent} sent, {self.rate:.1f} a second, "
            f"time left {eta}"
        )
