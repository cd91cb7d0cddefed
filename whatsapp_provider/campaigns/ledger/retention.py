"""The end of people's data in campaigns that ended long ago: first who they were and their values, later the rows.

What is still needed stays, however old it is: campaigns that have not ended, messages in doubt, and whatever a
frequency cap still counts. Each function is a part of one short transaction; a purge that broke off goes on by being
done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from sqlalchemy import ColumnElement, Connection, and_, delete, false, func, or_, select, update

from whatsapp_provider.campaigns.ledger import erased, leftovers
from whatsapp_provider.campaigns.ledger.schema import campaign, control, delivery, lane, runner, settlement
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.rules import Rules

BATCH = 500
ENDED = (CampaignState.FINISHED, CampaignState.CANCELLED, CampaignState.EXPIRED)
#: Nobody knows whether these were sent, and a look or a person may still find out.
_UNCERTAIN = delivery.c.state.in_([DeliveryState.IN_DOUBT, DeliveryState.SENDING])


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge did, or would do.

    :param campaigns: whose people's data went.
    :param deliveries: of those campaigns: their recipients are keyed hashes now.
    :param deleted_campaigns: that went whole.
    :param deleted_deliveries: of those campaigns.
    :param kept_in_doubt: deliveries of old campaigns that stay as they are until their doubt is settled.
    :param kept_open: campaigns that are as old and have not ended: they stay until somebody ends them.
    """

    campaigns: int = 0
    deliveries: int = 0
    deleted_campaigns: int = 0
    deleted_deliveries: int = 0
    kept_in_doubt: int = 0
    kept_open: int = 0

    def __add__(self, other: Purged) -> Purged:
        return Purged(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


def widest_cap(connection: Connection) -> float:
    """Return for how many seconds back the frequency caps of campaigns in the ledger look."""
    rules = select(campaign.c.rules).distinct().where(campaign.c.rules.is_not(None))
    caps = (Rules.from_json(kept).cap for kept in connection.execute(rules).scalars())
    return max((cap.seconds for cap in caps if cap is not None), default=0.0)


def _ended(before: float) -> ColumnElement[bool]:
    return and_(campaign.c.state.in_(ENDED), campaign.c.updated_at < before)


#: One that was run again since then may have people again.
_unpurged = or_(campaign.c.purged_at.is_(None), campaign.c.purged_at <= campaign.c.updated_at)


def ended(connection: Connection, before: float, after: int, *, whole: bool) -> Sequence[int]:
    """Return the next campaigns that are to be purged.

    :param before: the moment before which they ended.
    :param after: the last one that was returned.
    :param whole: whether to be deleted.
    """
    query = select(campaign.c.id).where(_ended(before), campaign.c.id > after)
    if not whole:
        query = query.where(_unpurged)
    return connection.execute(query.order_by(campaign.c.id).limit(BATCH)).scalars().all()


def look(connection: Connection, before: float, delete_before: float | None) -> Purged:
    """Return what a purge would do, and what stays in any case."""
    old, named = _ended(before), ~erased.is_erased
    whole = false() if delete_before is None else and_(_ended(delete_before), ~_uncertain_of_campaign)
    return Purged(
        campaigns=_campaigns(connection, old, ~whole, _unpurged),
        deliveries=_deliveries(connection, old, ~whole, named, ~_UNCERTAIN),
        deleted_campaigns=_campaigns(connection, whole),
        deleted_deliveries=_deliveries(connection, whole),
        kept_in_doubt=_deliveries(connection, old, named, _UNCERTAIN),
        kept_open=_campaigns(connection, campaign.c.state.not_in(ENDED), campaign.c.updated_at < before),
    )


_uncertain_of_campaign = (
    select(delivery.c.id).where(delivery.c.campaign == campaign.c.id, _UNCERTAIN).correlate(campaign).exists()
)


def _campaigns(connection: Connection, *conditions: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(campaign).where(*conditions)
    return int(connection.execute(query).scalar_one())


def _deliveries(connection: Connection, *conditions: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(delivery.join(campaign)).where(*conditions)
    return int(connection.execute(query).scalar_one())


def _locked(connection: Connection, number: int, before: float) -> bool:
    """Whether the campaign has ended still: who runs it again waits for this transaction."""
    query = select(campaign.c.id).where(campaign.c.id == number, _ended(before)).with_for_update()
    return connection.execute(query).first() is not None


def take_names(connection: Connection, number: int, before: float, after: str) -> tuple[int, str | None]:
    """Take a page of a campaign's people out of it; return how many, and the last one, ``None`` at the end.

    :param after: the last recipient of the page before.
    """
    if not _locked(connection, number, before):
        return 0, None
    page = (
        select(delivery.c.id, delivery.c.campaign, delivery.c.recipient)
        .where(delivery.c.campaign == number, delivery.c.recipient > after)
        .where(~erased.is_erased, ~_UNCERTAIN)
        .order_by(delivery.c.recipient)
        .limit(BATCH)
        .with_for_update()
    )
    rows = connection.execute(page).all()
    erased.take_names(connection, rows)
    return len(rows), rows[-1].recipient if rows else None


def end_of(connection: Connection, number: int, before: float, now: float) -> bool:
    """Note that nobody's data is left in a campaign; ``False`` if somebody's is."""
    if not _locked(connection, number, before):
        return False
    leftovers.strip_campaign(connection, number)
    rest = select(delivery.c.id).where(delivery.c.campaign == number, ~erased.is_erased).limit(1)
    if connection.execute(rest).first() is not None:
        return False
    connection.execute(update(campaign).where(campaign.c.id == number).values(purged_at=now))
    return True


def delete_some(connection: Connection, number: int, before: float) -> int | None:
    """Delete some of a campaign's deliveries; return how many, ``None`` if it stays because of doubts or a new run.

    Their campaign goes last: while its row is there, a task that is run again sends to nobody.
    """
    if not _locked(connection, number, before):
        return None
    of_campaign = select(delivery.c.id).where(delivery.c.campaign == number)
    if connection.execute(of_campaign.where(_UNCERTAIN).limit(1)).first() is not None:
        return None
    some = connection.execute(of_campaign.limit(BATCH)).scalars().all()
    if some:
        connection.execute(delete(settlement).where(settlement.c.delivery.in_(some)))
        connection.execute(delete(delivery).where(delivery.c.id.in_(some)))
        return len(some)
    for table in (runner, lane, control):
        connection.execute(delete(table).where(table.c.campaign == number))
    connection.execute(delete(campaign).where(campaign.c.id == number))
    return 0
