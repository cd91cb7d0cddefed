"""Count what a channel sends, and say how many places its windows have free.

All of a channel's runs, on whatever host, go by what stands here and by the database's clock. Whoever takes a place
sees to its own pace; what others sent counts, whatever theirs was.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from whatsapp_provider.campaigns.forecast import ChannelHistory
from whatsapp_provider.campaigns.ledger.columns import kept
from whatsapp_provider.campaigns.ledger.database import Clock, insert_one
from whatsapp_provider.campaigns.ledger.schema import channel as channels
from whatsapp_provider.campaigns.ledger.schema import permit
from whatsapp_provider.campaigns.pacing import DAY, Pace, Window

KEPT_SECONDS = 2 * DAY
LONGEST_QUIET = DAY  #: a gateway that asks for more is asked again after a day
_QUIET = "the gateway asked to wait"

# Made once: see turns.py.
_mine = channels.c.channel == bindparam("b_channel")
_channel = select(channels).where(_mine)
_locked_channel = _channel.with_for_update()
_counted = (permit.c.channel == bindparam("b_channel")) & (permit.c.count > 0)
_used = select(
    func.coalesce(func.sum(permit.c.count), 0).label("used"), func.min(permit.c.taken_at).label("oldest")
).where(_counted, permit.c.taken_at > bindparam("b_after"))
# Not min and max: MariaDB would read all of the channel's permits for them.
_first = select(permit.c.taken_at).where(_counted).order_by(permit.c.taken_at).limit(1)
_last = select(permit.c.taken_at).where(_counted).order_by(permit.c.taken_at.desc()).limit(1)
_keep_distance = update(channels).where(_mine).values(next_at=bindparam("b_next"))


@dataclass(frozen=True, slots=True)
class Room:
    """How many messages may be sent at a moment, and else in how many seconds there may be a place.

    :param limit: what binds where there is no place.
    :param now: the moment, which is later than when it was asked for where the channel was held by others.
    :param gap: seconds until the channel's next message, once one of these is sent.
    """

    places: int
    wait: float
    limit: str
    now: float
    gap: float | None = None


def lock_channel(connection: Connection, channel: str) -> Row[Any]:
    """Make other transactions that look at this channel's windows wait, and return its row."""
    values = {"b_channel": channel}
    found = connection.execute(_locked_channel, values).one_or_none()
    if found is None:
        try:
            with connection.begin_nested():
                connection.execute(insert(channels).values(channel=channel))
        except IntegrityError:
            pass  # another was first
        found = connection.execute(_locked_channel, values).one()
    return found


def room(
    connection: Connection,
    channel: str,
    pace: Pace,
    wanted: int,
    clock: Clock,
    chance: random.Random,
) -> Room:
    """Return how many of ``wanted`` places all limits of a bounded pace have; the channel is locked by it.

    :param chance: what gaps are drawn from.
    """
    row = lock_channel(connection, channel)
    # The wait for the lock may have been long, and permits are dated by when they are taken.
    now = clock.now()
    places, wait, limit = min(wanted, pace.at_once), 0.0, ""
    for free, until_free, name in _limits(connection, channel, pace, row, now):
        places = min(places, free)
        if free <= 0 and until_free >= wait:
            wait, limit = until_free, name
    return Room(max(int(places), 0), wait, limit, now, pace.gap(chance))


def unless_quiet(wanted: int, quiet_until: float | None, now: float) -> Room:
    """Return ``wanted`` places, as a pace without bounds has them; none while the gateway asked to wait.

    :param quiet_until: until when it did.
    """
    if quiet_until is not None and quiet_until > now:
        return Room(0, quiet_until - now, _QUIET, now)
    return Room(wanted, 0.0, "", now)


def _limits(
    connection: Connection, channel: str, pace: Pace, row: Row[Any], now: float
) -> Iterator[tuple[float, float, str]]:
    """Yield of each limit how many places are free, in how many seconds there may be one, and its name."""
    if row.quiet_until is not None and row.quiet_until > now:
        yield 0, row.quiet_until - now, _QUIET
    if pace.spacing is not None:
        last = connection.execute(_last, {"b_channel": channel}).scalar_one_or_none()
        # Another pace may have sent the last one, and drawn no gap or a shorter one.
        opens = max(row.next_at or -inf, -inf if last is None else last + pace.spacing[0])
        if opens > now:
            yield 0, opens - now, "spacing"
    for window in pace.windows:
        yield _free(connection, channel, window, now, str(window))
    if pace.warm_up is not None:
        since = pace.warm_up.since
        if since is None:
            since = _first_used(connection, channel, row)
        window_now = pace.warm_up.window(0.0 if since is None else now - since)
        if window_now is not None:
            yield _free(connection, channel, window_now, now, f"warm-up: {window_now}")


def _first_used(connection: Connection, channel: str, row: Row[Any] | None) -> float | None:
    if row is not None and row.first_used_at is not None:
        return float(row.first_used_at)
    # Noted before the first permit is forgotten.
    first: float | None = connection.execute(_first, {"b_channel": channel}).scalar_one_or_none()
    return first


def _free(
    connection: Connection, channel: str, window: Window, now: float, name: str
) -> tuple[int, float, str]:
    found = connection.execute(_used, {"b_channel": channel, "b_after": now - window.seconds}).one()
    free = window.limit - int(found.used)
    if free > 0 or found.oldest is None:
        return free, 0.0, name
    return 0, max(0.0, float(found.oldest) + window.seconds - now), name


def history(connection: Connection, channel: str, now: float) -> ChannelHistory:
    """Return what a forecast needs to know of a channel."""
    row = connection.execute(_channel, {"b_channel": channel}).one_or_none()
    sent = select(permit.c.taken_at, permit.c.count).where(_counted, permit.c.taken_at > now - DAY)
    return ChannelHistory(
        sent=[(at, count) for at, count in connection.execute(sent, {"b_channel": channel})],
        first_used_at=_first_used(connection, channel, row),
        quiet_until=None if row is None else row.quiet_until,
    )


def take(connection: Connection, channel: str, count: int, now: float, gap: float | None = None) -> int:
    """Note that ``count`` messages are about to be sent; return the group's number.

    :param gap: seconds for which the next one keeps its distance; the channel must be locked.
    """
    if gap is not None:
        connection.execute(_keep_distance, {"b_channel": channel, "b_next": now + gap})
    values = {"channel": channel, "taken_at": now, "count": count}
    return insert_one(connection, permit, values)


def count_one(connection: Connection, channel: str, now: float) -> None:
    """Note a message of no campaign; what no window reaches any more is dropped about once a day.

    A channel may have no campaign whose runs would do that.
    """
    take(connection, channel, 1, now)
    oldest = connection.execute(_first, {"b_channel": channel}).scalar_one()
    if oldest < now - KEPT_SECONDS - DAY:
        forget(connection, channel, now)


def give_back(connection: Connection, group: int, count: int = 1) -> None:
    """Return places of a group that were not used."""
    connection.execute(update(permit).where(permit.c.id == group).values(count=permit.c.count - count))


def slow_down(connection: Connection, channel: str, seconds: float, reason: str | None, now: float) -> None:
    """Note that the gateway asked to wait: every run on the channel does, once."""
    until = now + min(seconds, LONGEST_QUIET)
    row = lock_channel(connection, channel)
    if row.quiet_until is None or row.quiet_until < until:
        values = {"quiet_until": until, "quiet_reason": kept(reason, 500)}
        connection.execute(update(channels).where(channels.c.channel == channel).values(values))


def forget(connection: Connection, channel: str, now: float) -> None:
    """Drop what no window can reach any more; when the channel was first used stays known."""
    row = connection.execute(_channel, {"b_channel": channel}).one_or_none()
    first = _first_used(connection, channel, row)
    old = (permit.c.channel == channel) & (permit.c.taken_at < now - KEPT_SECONDS)
    connection.execute(delete(permit).where(old))
    if first is not None and (row is None or row.first_used_at is None):
        lock_channel(connection, channel)
        unknown = (channels.c.channel == channel) & channels.c.first_used_at.is_(None)
        connection.execute(update(channels).where(unknown).values(first_used_at=first))
