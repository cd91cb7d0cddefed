"""When may be sent: the sender's working hours, and the quiet hours of those who receive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from math import inf
from typing import Any

from whatsapp_provider.campaigns.hours import (
    DAYS,
    SEARCHED_DAYS,
    Span,
    days_of,
    first_moment,
    local,
    spans_of,
    within,
    written,
    zone,
)
from whatsapp_provider.errors import ConfigurationError

_EVERY_DAY = tuple(range(7))


@dataclass(frozen=True, slots=True)
class Calendar:
    """The hours in which a campaign sends.

    A span over midnight belongs to the day on which it begins. On a holiday nothing is sent from midnight to midnight.

    :param time_zone: of the hours, such as ``America/Sao_Paulo``.
    :param week: the spans of each day from Monday on.
    """

    time_zone: str
    week: tuple[tuple[Span, ...], ...]
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        zone(self.time_zone)
        if len(self.week) != 7 or not any(self.week):
            raise ConfigurationError("A calendar without hours on any day would never send; give it hours.")

    @classmethod
    def from_value(cls, value: Mapping[str, Any] | Calendar) -> Calendar:
        """Read what DAG authors write.

        ``{"time_zone": "America/Sao_Paulo", "days": "mon-fri", "hours": "09:00-18:00", "holidays": ["2026-12-25"]}``;
        ``hours`` may be a list of spans, or a mapping from days to spans instead of ``days``.

        :raises ConfigurationError: saying what is wrong with it.
        """
        if isinstance(value, Calendar):
            return value
        given = _checked(
            value, "calendar", {"time_zone", "days", "hours", "holidays"}, {"time_zone", "hours"}
        )
        hours = given["hours"]
        if not isinstance(hours, Mapping):
            days = days_of(given.get("days", _ALL), "calendar days")
            hours = {DAYS[day]: hours for day in days}
        elif "days" in given:
            raise ConfigurationError("calendar: hours already say their days; leave days out.")
        week: list[tuple[Span, ...]] = [()] * 7
        for name, spans in hours.items():
            for day in days_of(name, "calendar hours"):
                week[day] += spans_of(spans, f"calendar hours of {name}")
        return cls(
            str(given["time_zone"]), tuple(tuple(sorted(day)) for day in week), _dates(given.get("holidays"))
        )

    from_dict = from_value

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON keeps it; :meth:`from_dict` reads it."""
        hours = {DAYS[day]: [written(span) for span in spans] for day, spans in enumerate(self.week) if spans}
        holidays = [day.isoformat() for day in sorted(self.holidays)]
        return {"time_zone": self.time_zone, "hours": hours} | ({"holidays": holidays} if holidays else {})

    def opens(self, moment: float) -> float:
        """Return the first moment from ``moment`` on at which sending is allowed; ``inf`` if none is in a year.

        :param moment: seconds since the epoch, as what is returned.
        """
        return self._first(moment, wanted=True)

    def closes(self, moment: float) -> float:
        """Return the first moment from ``moment`` on at which sending is not allowed; ``inf`` if none is in a year."""
        return self._first(moment, wanted=False)

    def spans(self, moment: float) -> Iterator[tuple[float, float]]:
        """Yield from when until when sending is allowed, from ``moment`` on."""
        while (begin := self.opens(moment)) < inf:
            moment = self.closes(begin)
            yield begin, moment
            if moment == inf:
                return

    def _first(self, moment: float, *, wanted: bool) -> float:
        edges = {minute for day in self.week for span in day for minute in span}
        return first_moment(moment, zone(self.time_zone), edges, lambda shown: self._allows(shown) is wanted)

    def _allows(self, shown: datetime) -> bool:
        if shown.date() in self.holidays:
            return False
        minute, today = shown.hour * 60 + shown.minute, shown.weekday()
        if any(within(minute, span) for span in self.week[today]):
            return True
        # Most calendars have nothing over midnight, and then yesterday is of no interest.
        late = [span for span in self.week[today - 1] if within(minute, span, began_yesterday=True)]
        return bool(late) and shown.date() - timedelta(days=1) not in self.holidays


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The hours in which nobody is written to, on the clock of whoever would receive it.

    :param quiet: spans of each day; what is over midnight goes on in the next morning.
    :param days: whole days that are quiet, Monday is 0.
    :param time_zone: of those whose number tells none.
    """

    quiet: tuple[Span, ...]
    days: tuple[int, ...] = ()
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        zone(self.time_zone)
        if self._first(_A_MONDAY, "UTC", wanted=True) == inf:
            raise ConfigurationError("Quiet hours that leave no hour of the week would never send.")

    @classmethod
    def from_value(cls, value: str | Mapping[str, Any] | QuietHours) -> QuietHours:
        """Read what DAG authors write.

        ``"21:00-08:00"``, or ``{"hours": "21:00-08:00", "days": "sun", "time_zone": "America/Sao_Paulo"}``.

        :raises ConfigurationError: saying what is wrong with it.
        """
        if isinstance(value, QuietHours):
            return value
        if isinstance(value, str):
            value = {"hours": value}
        given = _checked(value, "quiet_hours", {"hours", "days", "time_zone"}, set())
        if not given.get("hours") and not given.get("days"):
            raise ConfigurationError('quiet_hours: give hours such as "21:00-08:00", or days.')
        return cls(
            spans_of(given["hours"], "quiet_hours") if given.get("hours") else (),
            days_of(given.get("days") or (), "quiet_hours days"),
            str(given.get("time_zone") or "UTC"),
        )

    from_dict = from_value

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON keeps it; :meth:`from_dict` reads it."""
        return {
            "hours": [written(span) for span in self.quiet],
            "days": [DAYS[day] for day in self.days],
            "time_zone": self.time_zone,
        }

    def opens(self, moment: float, zones: Sequence[str]) -> float:
        """Return the first moment from ``moment`` on at which all the zones allow it; ``inf`` if none is in a year.

        :param zones: where the person may be; without any, the time zone of those whose number tells none.
        """
        return both_open(moment, None, self, zones)

    def closes(self, moment: float, zones: Sequence[str]) -> float:
        """Return the first moment from ``moment`` on at which one of the zones does not allow it."""
        return min(self._first(moment, name, wanted=False) for name in tuple(zones) or (self.time_zone,))

    def _first(self, moment: float, name: str, *, wanted: bool) -> float:
        edges = {minute for span in self.quiet for minute in span}
        return first_moment(moment, zone(name), edges, lambda shown: self._allows(shown) is wanted)

    def _allows(self, shown: datetime) -> bool:
        minute, today = shown.hour * 60 + shown.minute, shown.weekday()
        return today not in self.days and not any(
            within(minute, span) or within(minute, span, began_yesterday=True) for span in self.quiet
        )


def both_open(
    moment: float, calendar: Calendar | None, quiet: QuietHours | None, zones: Sequence[str]
) -> float:
    """Return the first moment from ``moment`` on at which sender and recipients are awake; ``inf`` for never."""
    if quiet is None:
        return moment if calendar is None else calendar.opens(moment)
    names = tuple(zones) or (quiet.time_zone,)
    awake = all(quiet._allows(local(moment, zone(name))) for name in names)
    if awake and (calendar is None or calendar.opens(moment) == moment):
        return moment
    if _is_never(calendar, quiet, names, int(moment // _PERIOD)):
        return inf
    # Clocks are a whole number of minutes apart, so within a minute of quiet the answer is the same.
    return max(moment, _both_open(calendar, quiet, names, int(moment // 60)))


_ALL = "mon-sun"
_PERIOD = 30 * 86_400.0
_A_MONDAY = datetime(2024, 1, 1, tzinfo=UTC).timestamp()


@lru_cache(maxsize=4096)
def _both_open(
    calendar: Calendar | None,
    quiet: QuietHours,
    names: tuple[str, ...],
    minute: int,
    days: float = SEARCHED_DAYS,
) -> float:
    """Return the first moment from a minute on: asked in every turn for as long as somebody sleeps."""
    moment = minute * 60.0
    limit = moment + days * 86_400.0
    while moment < limit:
        opening = moment if calendar is None else calendar.opens(moment)
        if opening == inf:
            return inf
        later = max(quiet._first(opening, name, wanted=True) for name in names)
        if later == moment:
            return moment
        moment = later
    return inf


@lru_cache(maxsize=4096)
def _is_never(calendar: Calendar | None, quiet: QuietHours, names: tuple[str, ...], period: int) -> bool:
    """Whether no moment is found from a whole month on: to look for one each minute would take half a second."""
    return _both_open(calendar, quiet, names, int(period * _PERIOD // 60), SEARCHED_DAYS + 30) == inf


def _checked(value: object, what: str, known: set[str], needed: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{what} must be a mapping with {', '.join(sorted(known))}, not {value!r}.")
    if unknown := sorted(str(key) for key in value if key not in known):
        raise ConfigurationError(
            f"{what}: {', '.join(unknown)} is unknown; there is {', '.join(sorted(known))}."
        )
    if missing := sorted(key for key in needed if not value.get(key)):
        raise ConfigurationError(f"{what}: {', '.join(missing)} is missing.")
    return value


def _dates(value: object) -> frozenset[date]:
    if value is None:
        return frozenset()
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ConfigurationError(
            f'calendar holidays must be a list of dates such as "2026-12-25", not {value!r}.'
        )
    return frozenset(_date(each) for each in value)


def _date(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ConfigurationError(f"calendar holidays: {value!r} is no date such as 2026-12-25.") from None
