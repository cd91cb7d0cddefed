"""What became of a campaign's last messages, in this and earlier runs of it, as far as they go on from each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, func, select

from whatsapp_provider.campaigns.forecast import ChannelHistory
from whatsapp_provider.campaigns.ledger import lanes, windows
from whatsapp_provider.campaigns.ledger.database import again_after_deadlock
from whatsapp_provider.campaigns.ledger.order import LAST_OF_LANE
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import delivery, lane, permit, suppression
from whatsapp_provider.campaigns.ledger.states import SENT, DeliveryState
from whatsapp_provider.campaigns.ledger.store import Store
from whatsapp_provider.campaigns.ledger.suppression import Source
from whatsapp_provider.campaigns.pacing import DAY

_STATES = sorted({*SENT, DeliveryState.REJECTED, DeliveryState.IN_DOUBT})
#: Entries of the suppression list that are looked through: newer ones have larger numbers.
LOOKED_THROUGH = 5000


@dataclass(frozen=True, slots=True)
class StopShare:
    """How many of those that a campaign wrote to asked to be left alone, and how many messages its channels sent.

    Both within a day, and since the campaign last began anew.
    """

    stops: int = 0
    sent: int = 0


class Recollecting(Store):
    """The part of the ledger that remembers how a campaign went."""

    @again_after_deadlock
    def recent(self, record: CampaignRecord, over: int) -> tuple[DeliveryState, ...]:
        """Return what the last ``over`` attempts came to, the latest last; none from before a pause."""
        with self._database.transaction() as connection:
            found = [
                row
                for number in lanes.each(connection, record)
                for row in _last(connection, record.id, number, over)
            ]
            since = _since(connection, record.id)
        found = sorted((row.intended_at, row.state) for row in found if (row.intended_at or 0.0) >= since)
        return tuple(DeliveryState(state) for _, state in found[-over:])

    @again_after_deadlock
    def stops(self, record: CampaignRecord) -> StopShare:
        """Return how many asked to be left alone."""
        with self._database.transaction() as connection:
            since = max(_since(connection, record.id), self._database.now(connection) - DAY)
            values: dict[str, Any] = {"b_since": since, "b_campaign": record.id}
            stops = int(connection.execute(_stops, values).scalar_one())
            if not stops:
                return StopShare()
            values["b_channels"] = _channels(connection, record)
            return StopShare(stops, int(connection.execute(_sent, values).scalar_one()))

    @again_after_deadlock
    def channel_history(self, channel: str) -> ChannelHistory:
        """Return what a channel sent within a day, since when it is used, and whether it is to wait."""
        self.prepare()
        with self._database.transaction() as connection:
            return windows.history(connection, channel, self._database.now(connection))


def _since(connection: Connection, campaign: int) -> float:
    """When the campaign came into its state: whoever begins it again after a pause begins anew."""
    asked = select(campaigns.c.updated_at).where(campaigns.c.id == campaign)
    return float(connection.execute(asked).scalar_one())


@cache
def _last_of(*, in_lane: bool) -> Select[Any]:
    """Return the question for the last rows of a state and lane, for which the index has the order."""
    return (
        select(delivery.c.state, delivery.c.intended_at)
        .where(
            delivery.c.campaign == bindparam("b_campaign"),
            delivery.c.state == bindparam("b_state"),
            delivery.c.lane == bindparam("b_lane") if in_lane else delivery.c.lane.is_(None),
        )
        .order_by(*LAST_OF_LANE)
        .limit(bindparam("b_over"))
    )


def _last(connection: Connection, campaign: int, of_lane: int | None, over: int) -> list[Any]:
    values: dict[str, Any] = {"b_campaign": campaign, "b_over": over}
    values |= {} if of_lane is None else {"b_lane": of_lane}
    asked = _last_of(in_lane=of_lane is not None)
    return [row for state in _STATES for row in connection.execute(asked, {**values, "b_state": state})]


def _channels(connection: Connection, record: CampaignRecord) -> list[str]:
    """Return all that a campaign goes through: people ask to be left alone by it, not by one of its channels."""
    of_lanes = select(lane.c.channel).where(lane.c.campaign == record.id).distinct()
    return [*connection.execute(of_lanes).scalars()] or [record.channel]


_mine = exists().where(
    delivery.c.campaign == bindparam("b_campaign"),
    delivery.c.recipient == suppression.c.recipient,
    delivery.c.attempt > 0,
)
_stops = select(func.count(suppression.c.recipient.distinct())).where(
    suppression.c.id
    > select(func.coalesce(func.max(suppression.c.id), 0) - LOOKED_THROUGH).scalar_subquery(),
    suppression.c.source == Source.STOP,
    suppression.c.added_at >= bindparam("b_since"),
    _mine,
)
_sent = select(func.coalesce(func.sum(permit.c.count), 0)).where(
    permit.c.channel.in_(bindparam("b_channels", expanding=True)), permit.c.taken_at >= bindparam("b_since")
)
