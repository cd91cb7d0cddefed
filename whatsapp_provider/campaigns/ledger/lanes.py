"""The lanes of a campaign: its parts that go through one channel to people who live in the same time zones.

A campaign through one channel at any hour has none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, insert, select
from sqlalchemy.exc import IntegrityError

from whatsapp_provider.campaigns.calendars import both_open
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Lease
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.schema import lane as lanes
from whatsapp_provider.campaigns.rules import DAY, Rules

#: The channel that a delivery goes through, in a query that :func:`with_channel` returned.
through = func.coalesce(lanes.c.channel, campaigns.c.channel)

_of_channel = (
    select(lanes.c.id, lanes.c.zones)
    .where(lanes.c.campaign == bindparam("b_campaign"), lanes.c.channel == bindparam("b_channel"))
    .order_by(lanes.c.id)
)


@dataclass(frozen=True, slots=True)
class Hours:
    """Which lanes of a run are open now; ``None`` stands for a campaign without any.

    :param mine: all lanes of the run's channel.
    :param open: those that may be sent to.
    :param next_opening: when the first of the closed ones opens, in seconds since the epoch.
    :param never: those whose people sleep whenever the sender works.
    """

    mine: tuple[int | None, ...]
    open: tuple[int | None, ...]
    next_opening: float | None = None
    never: tuple[int | None, ...] = ()


def hours(connection: Connection, lease: Lease, rules: Rules, now: float, *, has_lanes: bool) -> Hours:
    """Return which lanes of the run's channel are open at a moment."""
    found: dict[int | None, tuple[str, ...]] = {None: ()}
    if has_lanes:
        values = {"b_campaign": lease.campaign, "b_channel": lease.channel}
        found = {row.id: _zones(row.zones) for row in connection.execute(_of_channel, values)}
    opens = {lane: both_open(now, rules.calendar, rules.quiet, zones) for lane, zones in found.items()}
    later = [moment for moment in opens.values() if now < moment < inf]
    works = rules.calendar is None or rules.calendar.opens(now) < inf
    if not works:
        # A year of holidays, in which somebody may change them.
        later.append(now + DAY)
    return Hours(
        mine=tuple(found),
        open=tuple(lane for lane, moment in opens.items() if moment <= now),
        next_opening=min(later, default=None),
        never=tuple(lane for lane, moment in opens.items() if moment == inf and works),
    )


def of_run(lease: Lease, run: Hours) -> ColumnElement[bool]:
    """Return what a run's deliveries have in common."""
    of_campaign = delivery.c.campaign == lease.campaign
    if None in run.mine:
        return of_campaign
    return and_(of_campaign, delivery.c.lane.in_(run.mine))


def with_channel(query: Select[Any]) -> Select[Any]:
    """Join to deliveries their campaign and, where they are in one, their lane."""
    return query.join(campaigns, campaigns.c.id == delivery.c.campaign).outerjoin(
        lanes, lanes.c.id == delivery.c.lane
    )


def each(connection: Connection, record: CampaignRecord) -> list[int | None]:
    """Return the lanes of a campaign or a part of it; ``None`` stands for a campaign without any."""
    found = select(lanes.c.id).where(lanes.c.campaign == record.id).order_by(lanes.c.id)
    if record.part:
        return [*connection.execute(found.where(lanes.c.channel == record.channel)).scalars()]
    return [*connection.execute(found).scalars()] or [None]


def of_record(connection: Connection, record: CampaignRecord) -> ColumnElement[bool]:
    """Return what the deliveries of a campaign, or of a part of it, have in common."""
    of_campaign = delivery.c.campaign == record.id
    return and_(of_campaign, delivery.c.lane.in_(each(connection, record))) if record.part else of_campaign


@lru_cache(maxsize=4096)
def _zones(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def zones_of(connection: Connection, lane: int) -> tuple[str, ...]:
    """Return the time zones of a lane's people."""
    return _zones(connection.execute(select(lanes.c.zones).where(lanes.c.id == lane)).scalar_one())


def enter(connection: Connection, campaign: int, channel: str, zones: Sequence[str]) -> int:
    """Return the number of a campaign's lane, which is made where there is none."""
    text = json.dumps(sorted(set(zones)))
    name = hashlib.sha256(text.encode()).hexdigest()
    this = select(lanes.c.id).where(
        lanes.c.campaign == campaign, lanes.c.channel == channel, lanes.c.name == name
    )
    found = connection.execute(this).scalar_one_or_none()
    if found is None:
        try:
            with connection.begin_nested():
                connection.execute(
                    insert(lanes).values(campaign=campaign, channel=channel, name=name, zones=text)
                )
        except IntegrityError:
            pass  # another process has just made it
        found = connection.execute(this).scalar_one()
    return int(found)
