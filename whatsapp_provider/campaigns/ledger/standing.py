"""Where a run stands: whether its campaign may send now, if not, why, and for how long its channel keeps quiet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from whatsapp_provider.campaigns.ledger.database import Clock
from whatsapp_provider.campaigns.ledger.moments import NOW
from whatsapp_provider.campaigns.ledger.records import Lease, Stop, StopKind
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import channel as channels
from whatsapp_provider.campaigns.ledger.states import CampaignState
from whatsapp_provider.campaigns.uptime import uptime

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
# One question: a turn is made of few, and each is a round trip.
_standing = (
    select(*_columns, channels.c.quiet_until, NOW)
    .select_from(campaigns.outerjoin(channels, channels.c.channel == bindparam("b_channel")))
    .where(_mine)
)
locked = select(*_columns).where(_mine).with_for_update()
_begin = (
    update(campaigns)
    .where(campaigns.c.id == bindparam("b_campaign"), campaigns.c.state == CampaignState.READY)
    .values(state=CampaignState.RUNNING, updated_at=bindparam("b_now"))
)

#: Whoever waited longer than this for a lock looks again.
OLD_SECONDS = 0.5

_KINDS = {
    CampaignState.PLANNING: StopKind.PLANNING,
    CampaignState.CANCELLED: StopKind.CANCELLED,
    CampaignState.EXPIRED: StopKind.EXPIRED,
    CampaignState.PAUSED: StopKind.PAUSED,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands at a moment.

    :param stop: what keeps its campaign from sending, if anything does.
    :param now: the moment, by the database's clock.
    :param is_ready: whether the campaign has not begun yet.
    :param has_lanes: whether it is parted into lanes.
    :param quiet_until: until when the gateway wants nothing from the channel, if it asked for that.
    :param looked: the moment by this machine's uptime.
    """

    stop: Stop | None
    now: float
    is_ready: bool
    has_lanes: bool
    quiet_until: float | None
    looked: float

    @property
    def is_old(self) -> bool:
        """Whether somebody's lock kept the run waiting since: much may have changed."""
        return uptime() - self.looked > OLD_SECONDS


def look(connection: Connection, lease: Lease, clock: Clock) -> Standing:
    """Return where a run stands."""
    values = {"b_campaign": lease.campaign, "b_channel": lease.channel}
    looked, row = uptime(), connection.execute(_standing, values).one()
    now = clock.told(row)
    return Standing(
        stop=stop_of(row, now),
        now=now,
        is_ready=row.state == CampaignState.READY,
        has_lanes=bool(row.lanes),
        quiet_until=row.quiet_until,
        looked=looked,
    )


def enter(connection: Connection, campaign: int, now: float) -> Stop | None:
    """Set a campaign running that is ready: its plan can't be taken back any more.

    :return: what keeps it from sending after all.
    """
    begun = connection.execute(_begin, {"b_campaign": campaign, "b_now": now}).rowcount == 1
    return None if begun else Stop(StopKind.PLANNING, "its plan has just changed")


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
