"""Hours of a day as people write them, and the first moment at which a wall clock shows them.

What is asked is always what the clock on a wall in that time zone shows. So an hour that is skipped in spring is not
waited for, and one that is shown twice in autumn counts twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import inf
from zoneinfo import ZoneInfo

from whatsapp_provider.errors import ConfigurationError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
SEARCHED_DAYS = 400  #: a year, and a holiday of four weeks
_BLOCK = 3
#: A clock that is put back just after midnight shows the day before once more.
_AROUND = 3 * 3600.0
_SPAN = re.compile(r"^(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})$", re.ASCII)

#: From and until, in minutes of a day; over midnight where ``until`` is not later than ``from``.
Span = tuple[int, int]
Holds = Callable[[datetime], bool]


def spans_of(value: object, what: str) -> tuple[Span, ...]:
    """Read ``"09:00-18:00"`` or a list of such.

    :param what: the argument's name, for the error.
    :raises ConfigurationError: saying what is wrong with it.
    """
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, Sequence) or not texts:
        raise ConfigurationError(
            f'{what} must be hours such as "09:00-18:00", or a list of them, not {value!r}.'
        )
    return tuple(sorted(_span(text, what) for text in texts))


def _span(text: object, what: str) -> Span:
    match = _SPAN.match(text.strip()) if isinstance(text, str) else None
    hours = [int(part) for part in match.groups()] if match else []
    if not hours or any(minute > 59 for minute in hours[1::2]):
        raise ConfigurationError(f'{what}: {text!r} is no span of hours such as "09:00-18:00".')
    begin, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if begin >= DAY_MINUTES or end > DAY_MINUTES:
        raise ConfigurationError(f"{what}: {text!r} is outside of a day, which goes from 00:00 to 24:00.")
    if begin == end:
        raise ConfigurationError(f'{what}: {text!r} begins when it ends; a whole day is "00:00-24:00".')
    return begin, end


def written(span: Span) -> str:
    """Return a span as it is written."""
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in span)


def days_of(value: object, what: str) -> tuple[int, ...]:
    """Read ``"mon-fri"``, ``"sat"``, ``"mon,wed"`` or a list of such; Monday is 0.

    :raises ConfigurationError: saying what is wrong with it.
    """
    texts = value.split(",") if isinstance(value, str) else value
    if not isinstance(texts, Iterable) or isinstance(texts, Mapping):
        raise ConfigurationError(f'{what} must be days such as "mon-fri", or a list of them, not {value!r}.')
    return tuple(sorted({day for text in texts for day in _day_range(text, what)}))


def _day_range(text: object, what: str) -> list[int]:
    names = [name.strip().lower() for name in text.split("-")] if isinstance(text, str) else []
    if not 1 <= len(names) <= 2 or any(name not in DAYS for name in names):
        raise ConfigurationError(
            f"{what}: {text!r} is no day; days are {', '.join(DAYS)}, or a range such as mon-fri."
        )
    first, last = DAYS.index(names[0]), DAYS.index(names[-1])
    return [day % 7 for day in range(first, last + 1 if first <= last else last + 8)]


def within(minute: int, span: Span, *, began_yesterday: bool = False) -> bool:
    """Whether a minute of a day is in a span that began on this day, or on the day before."""
    begin, end = span
    if end > begin:
        return begin <= minute < end and not began_yesterday
    return minute < end if began_yesterday else minute >= begin


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """Return a time zone.

    :raises ConfigurationError: if there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigurationError(f"Time zone {name!r} is unknown; write it as America/Sao_Paulo.") from None


def local(moment: float, where: ZoneInfo) -> datetime:
    """Return what the wall clock shows."""
    return datetime.fromtimestamp(moment, where)


def first_moment(moment: float, where: ZoneInfo, edges: Iterable[int], holds: Holds) -> float:
    """Return the first moment from ``moment`` on at which the wall clock's time ``holds``; ``inf`` if it never does.

    :param edges: the minutes of a day at which the answer may change; midnight is one always.
    """
    if holds(local(moment, where)):
        return moment
    times = [
        time(minute // 60, minute % 60) for minute in sorted({0, *(edge % DAY_MINUTES for edge in edges)})
    ]
    today = local(moment, where).date()
    for block in range(-1, SEARCHED_DAYS, _BLOCK):
        # Several at once: around midnight, a clock that is put back shows a later day first.
        days = [today + timedelta(days=block + step) for step in range(_BLOCK)]
        turns = (turn for day in days for turn in _turns(day, where, times))
        found = [turn for turn in turns if turn > moment and holds(local(turn, where))]
        if found:
            return min(found)
    return inf


def _turns(day: date, where: ZoneInfo, times: Iterable[time]) -> Iterable[float]:
    """Yield the moments of a day at which the wall clock shows one of the times, or is put forward or back."""
    begin = _midnight(day, where) - _AROUND
    end = _midnight(day + timedelta(days=1), where) + _AROUND
    if _offset(begin, where) == _offset(end, where):
        for shown in times:
            yield datetime.combine(day, shown, where).timestamp()
        return
    for shown in times:
        yield from (datetime.combine(day, shown, where).replace(fold=fold).timestamp() for fold in (0, 1))
    yield _change(begin, end, where)


def _midnight(day: date, where: ZoneInfo) -> float:
    return datetime.combine(day, time(), where).timestamp()


def _offset(moment: float, where: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(moment, UTC).astimezone(where).utcoffset()


def _change(begin: float, end: float, where: ZoneInfo) -> float:
    """Return the moment at which the clock is put forward or back."""
    before, low, high = _offset(begin, where), int(begin), int(end)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle, where) == before else (low, middle)
    return float(high)
