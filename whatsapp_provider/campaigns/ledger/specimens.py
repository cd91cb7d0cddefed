"""Messages that the gateway is known to have sent: a history that works must show them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from whatsapp_provider.campaigns.ledger import lanes
from whatsapp_provider.campaigns.ledger.order import LAST_OF_LANE
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Specimen
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import delivery, settlement
from whatsapp_provider.campaigns.ledger.schema import lane as lane_table
from whatsapp_provider.campaigns.ledger.states import DeliveryState

NEWEST = 200  #: of a campaign's messages in each state, and of all that were settled
OTHERS = 10  #: parts of other campaigns through the channel, the newest, that are asked besides its own
_TAKEN = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.READ)
_taken = select(delivery.c.address, delivery.c.message_id, delivery.c.intended_at).where(
    delivery.c.message_id.is_not(None), delivery.c.intended_at.is_not(None)
)


def specimen(
    connection: Connection, record: CampaignRecord, since: float, shown_by: float
) -> Specimen | None:
    """Return the newest message known of that the channel's gateway took and that speaks for ``since``.

    One from long before says nothing: the history may have stopped storing meanwhile. So it was intended at or
    after ``since``, or at most :data:`GRACE_SECONDS` before it, for after the last message of a campaign comes none.
    The campaign's own are asked first. Of a campaign of any size only the last in the order of the audience are
    read, and those that came out of doubt lately, which may be of any place.

    Where other runs send on, the newest may be too new for the history: one that it must have by now comes first.

    :param since: seconds since the epoch by the database's clock: when the intent was committed of what is in doubt.
    :param shown_by: what was intended until then must be shown by now.
    """
    found = _settled(connection, record.channel)
    for campaign, lane in _parts(connection, record):
        found += _newest(connection, campaign, lane)
        shown = [one for one in found if since <= one.since <= shown_by]
        newest = max(shown or found, key=lambda one: one.since, default=None)
        if newest is not None and newest.speaks_for(since):
            return newest
    return None


def _parts(connection: Connection, record: CampaignRecord) -> Iterator[tuple[int, int | None]]:
    """Yield what went through the channel, campaign by campaign and lane by lane, its own first."""
    yield from ((record.id, lane) for lane in lanes.each(connection, record))
    others = (
        select(campaigns.c.id, lane_table.c.id)
        .outerjoin(lane_table, lane_table.c.campaign == campaigns.c.id)
        .where(lanes.through == record.channel, campaigns.c.id != record.id)
        .order_by(campaigns.c.id.desc())
        .limit(OTHERS)
    )
    yield from ((campaign, lane) for campaign, lane in connection.execute(others).all())


def _newest(connection: Connection, campaign: int, lane: int | None) -> list[Specimen]:
    """Return the last of a lane: in the order of the index, without sorting a million rows for one."""
    own = _taken.where(delivery.c.campaign == campaign, delivery.c.lane == lane)
    queries = (own.where(delivery.c.state == state).order_by(*LAST_OF_LANE) for state in _TAKEN)
    return [Specimen(*row) for query in queries for row in connection.execute(query.limit(NEWEST))]


def _settled(connection: Connection, channel: str) -> list[Specimen]:
    latest = select(settlement.c.delivery).order_by(settlement.c.id.desc()).limit(NEWEST)
    numbers = connection.execute(latest).scalars().all()
    query = lanes.with_channel(_taken).where(
        delivery.c.id.in_(numbers), delivery.c.state.in_(_TAKEN), lanes.through == channel
    )
    return [Specimen(*row) for row in connection.execute(query)]
