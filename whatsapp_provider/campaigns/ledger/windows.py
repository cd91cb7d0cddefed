"""Count what a channel sends, and say how many places its windows have free."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from whatsapp_provider.campaigns.ledger.database import insert_one
from whatsapp_provider.campaigns.ledger.schema import channel as channels
from whatsapp_provider.campaigns.ledger.schema import permit
from whatsapp_provider.campaigns.pacing import Pace, Window

KEPT_SECONDS = 2 * 86_400.0


@dataclass(frozen=True, slots=True)
class Room:
    """How many messages may be sent now, and else in how many seconds there may be a place."""

    places: int
    wait: float = 0.0


def lock_channel(connection: Connection, channel: str) -> None:
    """Make other transactions that look at this channel's windows wait."""
    query = select(channels).where(channels.c.channel == channel).with_for_update()
    if connection.execute(query).one_or_none() is None:
        try:
            with connection.begin_nested():
                connection.execute(insert(channels).values(channel=channel))
        except IntegrityError:
            connection.execute(query).one()


def room(connection: Connection, channel: str, pace: Pace, wanted: int, now: float) -> Room:
    """Return how many of ``wanted`` places all windows have; the channel must be locked."""
    places, wait = wanted, 0.0
    for window in pace.windows:
        free, until_free = _free(connection, channel, window, now)
        places = min(places, free)
        wait = max(wait, until_free)
    return Room(max(places, 0), wait)


def _free(connection: Connection, channel: str, window: Window, now: float) -> tuple[int, float]:
    inside = (permit.c.channel == channel) & (permit.c.taken_at > now - window.seconds)
    used, oldest = connection.execute(
        select(func.coalesce(func.sum(permit.c.count), 0), func.min(permit.c.taken_at)).where(
            inside, permit.c.count > 0
        )
    ).one()
    free = window.limit - int(used)
    if free > 0 or oldest is None:
        return free, 0.0
    return 0, max(0.0, float(oldest) + window.seconds - now)


def take(connection: Connection, channel: str, count: int, now: float) -> int:
    """Note that ``count`` messages are about to be sent; return the group's number."""
    values = {"channel": channel, "taken_at": now, "count": count}
    return insert_one(connection, permit, values)


def give_back(connection: Connection, group: int, count: int = 1) -> None:
    """Return places of a group that were not used."""
    connection.execute(update(permit).where(permit.c.id == group).values(count=permit.c.count - count))


def forget(connection: Connection, channel: str, now: float) -> None:
    """Drop what no window can reach any more."""
    old = (permit.c.channel == channel) & (permit.c.taken_at < now - KEPT_SECONDS)
    connection.execute(delete(permit).where(old))
