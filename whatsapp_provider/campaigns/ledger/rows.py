"""A campaign's deliveries one by one and over time, for a report: paged by key, however many they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Integer, Row, cast, func, select

from whatsapp_provider.campaigns.ledger.database import again_after_deadlock
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.schema import campaign, delivery, lane
from whatsapp_provider.campaigns.ledger.states import SENT, DeliveryState
from whatsapp_provider.campaigns.ledger.store import Store

PAGE = 1000
#: So many periods at most: of minutes, else of hours, else of days.
MOST_PERIODS = 120
PERIODS = (60, 3600, 86_400)


@dataclass(frozen=True, slots=True)
class ReportRow:
    """What became of one recipient. Moments are seconds since the epoch by the database's clock.

    :param sent_at: when the send was begun that the gateway took.
    :param updated_at: when it came into its state.
    """

    delivery: int
    recipient: str = field(repr=False)
    state: DeliveryState
    code: str | None
    reason: str | None
    message_id: str | None
    attempt: int
    channel: str
    planned_at: float
    sent_at: float | None
    updated_at: float


@dataclass(frozen=True, slots=True)
class Failure:
    """How many deliveries ended badly with one code.

    :param reason: of one of them, in the gateway's words.
    """

    state: DeliveryState
    code: str
    count: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class OverTime:
    """How many messages were sent in each period; periods without any are left out.

    :param seconds: how long a period is.
    :param sent: the number by the period's begin, in seconds since the epoch.
    """

    seconds: int
    sent: Mapping[int, int]


class Rows(Store):
    """Reads of all of a campaign's deliveries."""

    def rows(self, record: CampaignRecord, *, page: int = PAGE) -> Iterator[ReportRow]:
        """Yield every delivery of a campaign in the order of the recipients, each as it is when its page is read."""
        after: str | None = None
        while found := self._page(record, after, page):
            yield from found
            if len(found) < page:
                return
            after = found[-1].recipient

    @again_after_deadlock
    def _page(self, record: CampaignRecord, after: str | None, limit: int) -> Sequence[ReportRow]:
        # By the key of (campaign, recipient): an OFFSET would read again what was read.
        query = (
            select(
                delivery,
                func.coalesce(lane.c.channel, campaign.c.channel).label("through"),
                campaign.c.created_at,
            )
            .join(campaign, campaign.c.id == delivery.c.campaign)
            .outerjoin(lane, lane.c.id == delivery.c.lane)
            .where(delivery.c.campaign == record.id)
            .order_by(delivery.c.recipient)
            .limit(limit)
        )
        if after is not None:
            query = query.where(delivery.c.recipient > after)
        with self._database.transaction() as connection:
            return [_report_row(row) for row in connection.execute(query)]

    @again_after_deadlock
    def failures(self, record: CampaignRecord) -> Sequence[Failure]:
        """Return how many deliveries ended badly, by state and code."""
        bad = [DeliveryState.REJECTED, DeliveryState.FAILED, DeliveryState.IN_DOUBT]
        code = func.coalesce(delivery.c.code, "")
        query = (
            select(delivery.c.state, code, func.count(), func.min(delivery.c.reason))
            .where(delivery.c.campaign == record.id, delivery.c.state.in_(bad))
            .group_by(delivery.c.state, delivery.c.code)
            .order_by(delivery.c.state, code)
        )
        with self._database.transaction() as connection:
            found = connection.execute(query).all()
        return [Failure(DeliveryState(state), name, count, reason) for state, name, count, reason in found]

    @again_after_deadlock
    def over_time(self, record: CampaignRecord) -> OverTime:
        """Return how many messages the gateway took, by minute, or by hour or day where that makes too many."""
        ours = (delivery.c.campaign == record.id, delivery.c.state.in_(sorted(SENT)))
        with self._database.transaction() as connection:
            first, last = connection.execute(
                select(func.min(delivery.c.intended_at), func.max(delivery.c.intended_at)).where(*ours)
            ).one()
            if first is None:
                return OverTime(PERIODS[0], {})
            fitting = (length for length in PERIODS if (last - first) / length < MOST_PERIODS - 1)
            seconds = next(fitting, PERIODS[-1])
            number = _whole(connection, delivery.c.intended_at / float(seconds)).label("number")
            query = (
                select(number, func.count())
                .where(*ours, delivery.c.intended_at.is_not(None))
                .group_by(number)
                .order_by(number)
            )
            return OverTime(
                seconds, {int(period) * seconds: count for period, count in connection.execute(query)}
            )


def _whole(connection: Connection, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a number without its fraction: SQLite may lack ``floor``, and the others round in a cast."""
    if connection.dialect.name == "sqlite":
        return cast(value, Integer)
    return cast(func.floor(value), BigInteger)


def _report_row(row: Row[Any]) -> ReportRow:
    state = DeliveryState(row.state)
    return ReportRow(
        delivery=row.id,
        recipient=row.recipient,
        state=state,
        code=row.code,
        reason=row.reason,
        message_id=row.message_id,
        attempt=row.attempt,
        channel=row.through,
        planned_at=row.created_at,
        sent_at=row.intended_at if state in SENT else None,
        updated_at=row.updated_at,
    )
