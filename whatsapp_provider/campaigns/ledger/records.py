"""What goes into the ledger and comes out of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from whatsapp_provider.campaigns.ledger.states import SENT, CampaignState, DeliveryState, Proof


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Why a person of an audience is not sent to.

    :param code: counted by, e.g. ``no_consent``.
    :param reason: for people who read the report.
    """

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Planned:
    """One recipient to be planned.

    :param variables: their values, as JSON.
    :param seq: their row's number in the audience, from 1; counted where it is left out.
    :param place: of that row, for a message about it.
    :param exclusion: why they are written down and not sent to.
    :param aliases: other forms of theirs that the audience tells, canonical.
    """

    recipient: str = field(repr=False)
    address: str = field(repr=False)
    variables: str = field(repr=False)
    body_hash: str | None
    seq: int | None = None
    place: str = ""
    exclusion: Exclusion | None = None
    aliases: tuple[str, ...] = field(default=(), repr=False)

    def with_forms_of(self, other: Self) -> Self:
        """Return it with what another row of the same person tells of their forms."""
        return replace(self, aliases=tuple(dict.fromkeys((*self.aliases, *other.aliases))))


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """A campaign in the ledger.

    :param id: the ledger's own number for it.
    :param fresh: whether this plan made it, or found it.
    :param part: whether what goes through ``channel`` is meant, and not the whole campaign.
    """

    id: int
    campaign_id: str
    channel: str
    state: CampaignState
    fresh: bool
    part: bool = False

    def through(self, channel: str) -> Self:
        """Return the part of it that goes through one of its channels."""
        return replace(self, channel=channel, part=True)


@dataclass(frozen=True, slots=True)
class Task:
    """A delivery whose intent is committed: it may be sent, once, by the runner that holds it.

    :param attempt: the number of this attempt, which is handed out once.
    :param postponed: how many attempts before it were certainly not sent and put off.
    """

    id: int
    attempt: int
    permit: int | None
    recipient: str = field(repr=False)
    address: str = field(repr=False)
    variables: str = field(repr=False)
    body_hash: str | None = None
    postponed: int = 0

    def __reduce__(self) -> tuple[type[Task], tuple[object, ...]]:
        # Many go from one process to another, and what dataclasses do by themselves takes three times as long.
        values = (self.id, self.attempt, self.permit, self.recipient, self.address, self.variables)
        return Task, (*values, self.body_hash, self.postponed)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an attempt.

    :param not_before: seconds from now until it may be tried again, for ``postponed``.
    :param slow_down: seconds for which the gateway wants nothing at all from the channel.
    :param chat_ids: what the gateway calls the recipient.
    """

    task: Task
    state: DeliveryState
    message_id: str | None = None
    code: str | None = None
    reason: str | None = None
    not_before: float | None = None
    slow_down: float | None = None
    chat_ids: tuple[str, ...] = field(default=(), repr=False)

    def __reduce__(self) -> tuple[type[Result], tuple[object, ...]]:
        values = (self.task, self.state, self.message_id, self.code, self.reason, self.not_before)
        return Result, (*values, self.slow_down, self.chat_ids)


def told_to_wait(results: Iterable[Result]) -> list[tuple[float, str | None]]:
    """Return the longest wait that the gateway asked for, and its words; nothing if it asked for none."""
    told = [(result.slow_down, result.reason) for result in results if result.slow_down is not None]
    return [max(told, key=lambda each: each[0])] if told else []


@dataclass(frozen=True, slots=True)
class Lease:
    """A runner's right to send: its token, and how long each renewal lasts in seconds.

    :param probing: whether nothing is known to be accepted since the campaign paused.
    """

    token: int
    campaign: int
    channel: str
    seconds: float
    probing: bool = False


class StopKind(StrEnum):
    """What keeps a campaign from sending."""

    PLANNING = "planning"  #: its recipients are being written
    UNAPPROVED = "unapproved"  #: it waits for an approval
    PAUSED = "paused"  #: a run stopped it; the next one tries again
    HELD = "held"  #: a person paused it, and only a person lets it go on
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Stop:
    """That a campaign must not send now, and why."""

    kind: StopKind
    reason: str

    @property
    def waits(self) -> bool:
        """Whether a run waits for somebody to end it; what is neither waited for nor over pauses the run."""
        return self.kind in (StopKind.PLANNING, StopKind.UNAPPROVED, StopKind.HELD)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a runner may do next.

    :param tasks: to be sent now.
    :param open: how many deliveries of the run's channel are neither sent nor settled.
    :param wait: seconds until there may be more, ``None`` if there is nothing to wait for.
    :param stop: what keeps the campaign from sending, if anything does.
    :param limit: what it waits for, where that is one of the pace's limits.
    """

    tasks: tuple[Task, ...] = ()
    open: int = 0
    wait: float | None = None
    stop: Stop | None = None
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many deliveries are in which state."""

    by_state: Mapping[DeliveryState, int]

    def __getitem__(self, state: DeliveryState) -> int:
        return self.by_state.get(state, 0)

    @property
    def total(self) -> int:
        """All recipients of the campaign."""
        return sum(self.by_state.values())

    @property
    def sent(self) -> int:
        """Those whose message the gateway took."""
        return sum(self[state] for state in SENT)

    @property
    def open(self) -> int:
        """Those for whom something remains to be done."""
        return sum(count for state, count in self.by_state.items() if state.is_open)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts by name, zeros left out."""
        return {str(state): count for state, count in sorted(self.by_state.items()) if count}


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivery, for a report: the recipient is masked by whoever shows it.

    :param updated_at: seconds since the epoch by the database's clock: when it came into its state.
    """

    id: int
    state: DeliveryState
    recipient: str = field(repr=False)
    attempt: int = 0
    message_id: str | None = None
    code: str | None = None
    reason: str | None = None
    updated_at: float = 0.0


@dataclass(frozen=True, slots=True)
class NameClaim:
    """The answer to a claim on a channel's name.

    :param wait: seconds that another's claim lasts; ``None`` if the name is ours.
    :param resumed: whether we held it already, because an earlier attempt did not come to its end.
    """

    wait: float | None = None
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """A delivery in doubt, and what a look-up needs to settle it.

    :param since: seconds since the epoch by the database's clock: nothing of this attempt was sent before.
    :param ripe: whether its request can't be on its way any more, so that its absence counts.
    :param due: seconds until it is to be looked up.
    :param looks: how often it was absent when that counted.
    """

    id: int
    attempt: int
    address: str = field(repr=False)
    body_hash: str | None
    since: float
    ripe: bool
    due: float
    looks: int


#: A message that was intended so shortly before another may stand for it.
GRACE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Specimen:
    """A message that the gateway is known to have sent: a history that works must show it.

    :param since: seconds since the epoch by the database's clock: when its intent was committed.
    """

    address: str = field(repr=False)
    message_id: str
    since: float

    def speaks_for(self, moment: float) -> bool:
        """Whether a history that shows it stores, or stored just before, what was sent at a moment."""
        return self.since >= moment - GRACE_SECONDS


@dataclass(frozen=True, slots=True)
class Settled:
    """How a doubt ended: what proved it, and who said so.

    :param settled_by: a person, or the run that looked.
    :param note: in their words, why.
    """

    proof: Proof
    settled_by: str
    note: str | None = None
