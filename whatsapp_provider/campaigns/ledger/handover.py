"""What a campaign over several channels asks of the ledger: what each of them has left, and to hand it to the others.

Only what was certainly not sent changes its channel. What may have been sent, in an attempt before that nobody
disproved, stays: through another number the same person might get it twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, case, func, select, update

from whatsapp_provider.campaigns.ledger import endings, lanes
from whatsapp_provider.campaigns.ledger.batches import BATCH, WAITING
from whatsapp_provider.campaigns.ledger.columns import kept
from whatsapp_provider.campaigns.ledger.database import again_after_deadlock
from whatsapp_provider.campaigns.ledger.parting import Shares
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Counts
from whatsapp_provider.campaigns.ledger.schema import delivery, lane, settlement
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.ledger.store import Store

_disproved = (
    select(func.count())
    .where(settlement.c.delivery == delivery.c.id, settlement.c.state == DeliveryState.PLANNED)
    .scalar_subquery()
)
#: Each time that it was planned again out of doubt, somebody had proved that it was not sent.
certainly_not_sent = _disproved >= endings.RESENDS


@dataclass(frozen=True, slots=True)
class Left:
    """Which channels of a campaign have something left.

    :param waiting: those with people to be sent to.
    :param under_way: those whose messages some run is sending.
    """

    waiting: frozenset[str]
    under_way: frozenset[str]


@dataclass(frozen=True, slots=True)
class ChannelPart:
    """What went through one of a campaign's channels.

    :param stopped: why it stopped, if it did.
    """

    counts: Counts = field(default_factory=lambda: Counts({}))
    stopped: str | None = None


class HandingOver(Store):
    """The ledger's side of several channels."""

    @again_after_deadlock
    def left(self, record: CampaignRecord) -> Left:
        """Return what is left to do; rows of runs that died are in doubt from now on."""
        with self._database.transaction() as connection:
            endings.take_over(connection, record.id, self._database.now(connection))
            rows = connection.execute(
                select(
                    lane.c.channel,
                    case((_any(DeliveryState.PLANNED), 1), (_any(DeliveryState.POSTPONED), 1), else_=0),
                    case((_any(DeliveryState.SENDING), 1), else_=0),
                ).where(lane.c.campaign == record.id)
            ).all()
        return Left(
            frozenset(channel for channel, waiting, _ in rows if waiting),
            frozenset(channel for channel, _, under_way in rows if under_way),
        )

    def hand_over(self, part: CampaignRecord, shares: Shares) -> int:
        """Let other channels send what was certainly not sent through one; return how many people that concerns.

        :param part: of the campaign, through the channel that stopped.
        :param shares: who of them goes through which of the others.
        """
        with self._database.transaction() as connection:
            sources = [number for number in lanes.each(connection, part) if number is not None]
        moved = 0
        for source in sources:
            while some := self._hand_over_some(part, source, shares):
                moved += some
        return moved

    @again_after_deadlock
    def _hand_over_some(self, part: CampaignRecord, source: int, shares: Shares) -> int:
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            zones = lanes.zones_of(connection, source)
            # First, as they lock the campaign, which comes before its deliveries.
            targets = {
                channel: lanes.enter(connection, part.id, channel, zones) for channel in shares.channels
            }
            mine = (delivery.c.campaign == part.id, delivery.c.lane == source)
            people: dict[int, list[int]] = {}
            for state in WAITING:
                rows = connection.execute(
                    select(delivery.c.id, delivery.c.recipient)
                    .where(*mine, delivery.c.state == state, certainly_not_sent)
                    .order_by(delivery.c.seq)
                    .limit(BATCH)
                    .with_for_update(of=delivery)
                )
                for row in rows:
                    people.setdefault(targets[shares.of(row.recipient)], []).append(row.id)
            return sum(_move(connection, ids, source, target, now) for target, ids in people.items())

    @again_after_deadlock
    def note_stop(self, part: CampaignRecord, reason: str) -> None:
        """Note that the channel of a part stopped, and why."""
        with self._database.transaction() as connection:
            connection.execute(
                update(lane)
                .where(lane.c.campaign == part.id, lane.c.channel == part.channel)
                .values(stopped=kept(reason, 500))
            )

    @again_after_deadlock
    def stopped_channels(self, record: CampaignRecord, *, forget: bool = False) -> Mapping[str, str]:
        """Return which of a campaign's channels stopped, and why.

        :param forget: whether they are tried again from now on.
        """
        stopped = (lane.c.campaign == record.id, lane.c.stopped.is_not(None))
        with self._database.transaction() as connection:
            found = {
                channel: str(reason)
                for channel, reason in connection.execute(
                    select(lane.c.channel, lane.c.stopped).where(*stopped)
                )
            }
            if found and forget:
                connection.execute(update(lane).where(*stopped).values(stopped=None))
        return found

    @again_after_deadlock
    def by_channel(self, record: CampaignRecord) -> Mapping[str, ChannelPart]:
        """Return what went through each of a campaign's channels; nothing where its one channel has no lanes."""
        query = (
            select(lane.c.channel, lane.c.stopped, delivery.c.state, func.count(delivery.c.id))
            .outerjoin(delivery, (delivery.c.campaign == lane.c.campaign) & (delivery.c.lane == lane.c.id))
            .where(lane.c.campaign == record.id)
            .group_by(lane.c.channel, lane.c.stopped, delivery.c.state)
            .order_by(lane.c.channel)
        )
        counts: dict[str, Counter[DeliveryState]] = {}
        stopped: dict[str, str | None] = {}
        with self._database.transaction() as connection:
            for channel, reason, state, count in connection.execute(query):
                stopped[channel] = stopped.get(channel) or reason
                found = counts.setdefault(channel, Counter())
                if state is not None:
                    found[DeliveryState(state)] += count
        return {channel: ChannelPart(Counts(found), stopped[channel]) for channel, found in counts.items()}


def _any(state: DeliveryState) -> ColumnElement[bool]:
    rows = select(delivery.c.id).where(
        delivery.c.campaign == lane.c.campaign, delivery.c.state == state, delivery.c.lane == lane.c.id
    )
    return rows.correlate(lane).exists()


def _move(connection: Connection, ids: list[int], source: int, target: int, now: float) -> int:
    """Put people into another lane; how often their own channel tried says nothing of that one."""
    # Without the campaign: SQLite would go through all of its people instead of these.
    these = (delivery.c.id.in_(ids), delivery.c.state.in_(WAITING), delivery.c.lane == source)
    values = {"lane": target, "state": DeliveryState.PLANNED, "postponed": 0, "not_before": None}
    moved = update(delivery).where(*these).values(**values, updated_at=now)
    return int(connection.execute(moved).rowcount)
