"""Where a campaign stands: whether a run of it may send now, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from whatsapp_provider.campaigns.ledger.database import Clock
from whatsapp_provider.campaigns.ledger.moments import NOW
from whatsapp_provider.campaigns.ledger.records import Stop, StopKind
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.states import CampaignState

_columns = (
    campaigns.c.state,
    campaigns.c.reason,
    campaigns.c.lanes,
    campaigns.c.expires_at,
    campaigns.c.held_by,
    campaigns.c.needs_approval,
    campaigns.c.approved_by,
)
_mine = campaigns.c.id == bindparam("b_campaign")
_standing = select(*_columns, NOW).where(_mine)
locked = select(*_columns).where(_mine).with_for_update()
_begin = (
    update(campaigns)
    .where(campaigns.c.id == bindparam("b_campaign"), campaigns.c.state == CampaignState.READY)
    .values(state=CampaignState.RUNNING, updated_at=bindparam("b_now"))
)

_KINDS = {
    CampaignState.PLANNING: StopKind.PLANNING,
    CampaignState.CANCELLED: StopKind.CANCELLED,
    CampaignState.EXPIRED: StopKind.EXPIRED,
    CampaignState.PAUSED: StopKind.PAUSED,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a campaign stands at a moment.

    :param stop: what keeps it from sending, if anything does.
    :param now: the moment, by the database's clock.
    :param has_lanes: whether it is parted into lanes.
    """

    stop: Stop | None
    now: float
    has_lanes: bool


def look(connection: Connection, campaign: int, clock: Clock) -> Standing:
    """Return where a campaign stands.

    One that may begin is running from now on: its plan can't be taken back any more.
    """
    row = connection.execute(_standing, {"b_campaign": campaign}).one()
    now = clock.told(row)
    stop = stop_of(row, now)
    if stop is None and row.state == CampaignState.READY:
        begun = connection.execute(_begin, {"b_campaign": campaign, "b_now": now}).rowcount == 1
        stop = None if begun else Stop(StopKind.PLANNING, "its plan has just changed")
    return Standing(stop, now, bool(row.lanes))


def stop_of(row: Any, now: float) -> Stop | None:
    """Return what keeps a campaign from sending; a person's word counts more than the breaker's.

    :param row: of the campaign.
    """
    state, reason = CampaignState(row.state), row.reason or "no reason was noted"
    if state.is_over or state is CampaignState.PLANNING:
        return Stop(_KINDS[state], reason)
    if row.expires_at is not None and row.expires_at <= now:
        return Stop(StopKind.EXPIRED, "its deadline has passed")
    if row.held_by is not None:
        return Stop(StopKind.HELD, f"{row.held_by} paused it")
    if row.needs_approval and row.approved_by is None:
        return Stop(StopKind.UNAPPROVED, "nobody has approved it yet")
    return Stop(_KINDS[state], reason) if state in _KINDS else None
