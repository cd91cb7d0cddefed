"""Part a campaign's people into lanes: through which of its channels, and in which time zones they live.

A person keeps the number they know: the channel of the latest message to them, of any campaign. Everybody else is
spread by a hash of who they are, so that a plan that is made again after a crash comes to the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from math import inf, log
from typing import Any

from sqlalchemy import JSON, Connection, Select, bindparam, func, literal, select

from whatsapp_provider.campaigns.calendars import QuietHours
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger import lanes
from whatsapp_provider.campaigns.ledger.planning import Order
from whatsapp_provider.campaigns.ledger.records import Planned
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import delivery, lane
from whatsapp_provider.campaigns.ledger.states import SENT, DeliveryState
from whatsapp_provider.campaigns.zones import zones_of
from whatsapp_provider.errors import ConfigurationError

AT_ONCE = 100  #: people asked for in one statement: of more, MariaDB would not look up each
_RANKS = 2**48 + 2
#: Their phone shows the message, or may.
_SHOWING = sorted({*SENT, DeliveryState.IN_DOUBT})


@dataclass(frozen=True, slots=True)
class Shares:
    """How people whom no channel knows are spread over channels.

    :param weights: by channel; who has none counts 1.
    """

    channels: tuple[str, ...]
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if unknown := sorted(self.weights.keys() - set(self.channels)):
            raise ConfigurationError(
                f"Weights are given for {', '.join(unknown)}, no channel of the campaign."
            )
        if any(not 0 < weight < inf for weight in self.weights.values()):
            raise ConfigurationError("A channel's weight is a number above 0.")

    def of(self, recipient: str) -> str:
        """Return the channel of a person, the same each time.

        Everybody ranks all channels by a hash of their own, so that those of one that is gone spread over the others.
        """
        return max(self.channels, key=partial(self._rank, recipient))

    def _rank(self, recipient: str, channel: str) -> float:
        digest = hashlib.sha256(f"{channel}\n{recipient}".encode()).digest()
        # The weight's share of people ranks the channel first, whatever the others are.
        return self.weights.get(channel, 1.0) / -log((int.from_bytes(digest[:6]) + 1) / _RANKS)


@dataclass(frozen=True, slots=True)
class Parting:
    """Puts people into lanes.

    :param quiet: the hours at which recipients are left alone; without them their time zones do not count.
    """

    shares: Shares
    quiet: QuietHours | None = None

    def lanes(
        self, connection: Connection, campaign: int, people: Sequence[Planned], now: float
    ) -> Mapping[str, int]:
        """Return each person's lane, which is made where there is none."""
        several = len(self.shares.channels) > 1
        known = known_channels(connection, self.shares.channels, people) if several else {}
        numbers: dict[tuple[str, tuple[str, ...]], int] = {}
        found = {}
        for person in people:
            channel = known.get(person.recipient) or self.shares.of(person.recipient)
            this = channel, self._zones(person.recipient)
            if this not in numbers:
                numbers[this] = lanes.enter(connection, campaign, *this)
            found[person.recipient] = numbers[this]
        return found

    def _zones(self, recipient: str) -> tuple[str, ...]:
        return () if self.quiet is None else zones_of(recipient, self.quiet.time_zone)


# No joins: of tables that grow by a million rows a server knows nothing yet, and would begin with the campaigns.
_of_lane = select(lane.c.channel).where(lane.c.id == delivery.c.lane).scalar_subquery()
_of_campaign = select(campaigns.c.channel).where(campaigns.c.id == delivery.c.campaign).scalar_subquery()
_channel = func.coalesce(_of_lane, _of_campaign)
_at = func.coalesce(delivery.c.intended_at, delivery.c.updated_at)
_showing = delivery.c.state.in_(_SHOWING)
_latest = (
    select(delivery.c.recipient, _channel.label("channel"), func.max(_at).label("at"))
    .where(delivery.c.recipient.in_(bindparam("b_recipients", expanding=True)), _showing)
    .group_by(delivery.c.recipient, _channel)
)


@cache
def _latest_of_each() -> Select[Any]:
    """Return the same question for PostgreSQL, person by person, or it would read the table."""
    people = func.json_array_elements_text(bindparam("b_recipients", type_=JSON)).column_valued("wanted")
    latest = (
        select(_channel)
        .where(
            delivery.c.recipient == people, _showing, _channel.in_(bindparam("b_channels", expanding=True))
        )
        .order_by(_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(people.label("recipient"), latest.label("channel"), literal(0.0).label("at"))


def known_channels(
    connection: Connection, channels: Sequence[str], people: Sequence[Planned]
) -> dict[str, str]:
    """Return for those who have heard from one of the channels which of them it was, the last time."""
    by_person = connection.dialect.name == "postgresql"
    query, shared = (_latest_of_each(), {"b_channels": list(channels)}) if by_person else (_latest, {})
    latest: dict[str, tuple[float, str]] = {}
    for start in range(0, len(people), AT_ONCE):
        recipients = [person.recipient for person in people[start : start + AT_ONCE]]
        for row in connection.execute(query, {"b_recipients": recipients, **shared}):
            if row.channel in channels:
                latest[row.recipient] = max((row.at, row.channel), latest.get(row.recipient, (0.0, "")))
    return {recipient: channel for recipient, (_, channel) in latest.items()}


def parted(order: Order, campaign: Campaign, weights: Mapping[str, float] | None = None) -> Order:
    """Return a plan that parts its people, where several channels or the recipients' hours make that necessary.

    :param weights: by the channels' names in the ledger, how many of the people whom no channel knows each gets.
    :raises ConfigurationError: if a weight is none, or of no channel of the campaign.
    """
    shares = Shares(campaign.channel_keys, weights or {})
    if len(shares.channels) == 1 and campaign.rules.quiet is None:
        return order
    return replace(order, lanes=Parting(shares, campaign.rules.quiet), terms={**order.terms, "lanes": 1})
