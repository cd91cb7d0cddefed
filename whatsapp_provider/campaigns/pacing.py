"""Pace: how many messages a channel may send in which time. What was sent is counted in the ledger."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any, Self

from whatsapp_provider.errors import ConfigurationError

DAY = 86_400.0
_UNITS = {"day": DAY, "hour": 3600.0, "minute": 60.0, "second": 1.0}


def spelled(seconds: float) -> str:
    """Return a length of time as people say it."""
    for name, size in _UNITS.items():
        # "In a day" would be read as a day of the calendar.
        if seconds >= size * 1.5 or (seconds == size and name != "day"):
            number = round(seconds / size, 1)
            return f"{number:g} {name if number == 1 else f'{name}s'}"
    return f"{seconds:g} seconds"


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``limit`` messages in any ``seconds``, a day at the longest: what was sent before is forgotten."""

    limit: int
    seconds: float

    def __post_init__(self) -> None:
        if not isinstance(self.limit, int) or isinstance(self.limit, bool) or self.limit < 1:
            raise ConfigurationError(f"A pace's limit must be a whole number from 1 on, not {self.limit!r}.")
        if not 0 < self.seconds <= DAY:
            raise ConfigurationError(
                f"A pace's window must be a day at the longest, not {self.seconds!r} seconds."
            )

    def __str__(self) -> str:
        return f"{self.limit} in {spelled(self.seconds)}"


@dataclass(frozen=True, slots=True)
class WarmUp:
    """How many messages a day a number may send that has not been used for long.

    :param steps: from which age in days on, and how many in any 24 hours; ``None`` for no further limit.
    :param since: seconds since the epoch at which the number was first used; by default the channel's first message
        that this ledger counted.
    """

    steps: tuple[tuple[float, int | None], ...]
    since: float | None = None

    def __post_init__(self) -> None:
        ages = [age for age, _ in self.steps]
        if not ages or ages[0] != 0 or any(after <= age for age, after in pairwise(ages)):
            raise ConfigurationError(
                "A warm-up's steps must begin at an age of 0 days, each later than the one before."
            )
        for _, limit in self.steps:
            if limit is not None:
                Window(limit, DAY)

    def window(self, age: float) -> Window | None:
        """Return the limit of a day at an age in seconds, ``None`` for none."""
        limits = [limit for days, limit in self.steps if days * DAY <= max(age, 0.0)]
        return None if limits[-1] is None else Window(limits[-1], DAY)


#: What users of linked phones report to each other; no vendor's advice.
WARM_UP = WarmUp(((0, 20), (4, 50), (8, 100), (15, 200), (31, None)))


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits that all hold at once.

    :param name: shown in logs.
    :param spacing: from how many to how many seconds there are between two messages of the channel.
    """

    name: str
    windows: tuple[Window, ...] = ()
    spacing: tuple[float, float] | None = None
    warm_up: WarmUp | None = None

    def __post_init__(self) -> None:
        if self.spacing is not None:
            low, high = self.spacing
            if not 0 <= low <= high <= DAY or high == 0:
                raise ConfigurationError(
                    f"spacing must be two lengths in seconds, the shorter one first, not {low}, {high}."
                )

    @classmethod
    def cautious(cls) -> Self:
        """Return a vendor's advice for mailings from a linked phone: 2 a minute, 10 in 15 minutes, 6 hours a day."""
        return cls("cautious", (Window(2, 60), Window(10, 900), Window(240, DAY)))

    @classmethod
    def official(cls) -> Self:
        """Return the default throughput of a number on Meta's Cloud API: 80 a second."""
        return cls("official", (Window(80, 1),))

    @classmethod
    def unlimited(cls) -> Self:
        """Return no bound; sends are counted all the same."""
        return cls("unlimited", ())

    @classmethod
    def named(cls, value: str | Pace) -> Pace:
        """Return the preset of that name.

        :raises ConfigurationError: naming the presets there are.
        """
        if isinstance(value, Pace):
            return value
        presets = {"cautious": cls.cautious, "official": cls.official, "unlimited": cls.unlimited}
        if value not in presets:
            raise ConfigurationError(f"Pace {value!r} is unknown; use one of {', '.join(sorted(presets))}.")
        return presets[value]()

    @classmethod
    def from_value(cls, value: str | Mapping[str, Any] | Pace) -> Pace:
        """Read what DAG authors write: the name of a preset, or a mapping.

        ``{"per_minute": 2, "per_hour": 20, "per_day": 240, "spacing": [5, 30], "warm_up": True}``. ``warm_up`` may
        be steps, ``[[0, 20], [4, 50]]``, and ``number_since`` a date. ``based_on`` names the preset that the rest is
        added to, and which it replaces where both say something.

        :raises ConfigurationError: saying what is wrong with it.
        """
        if isinstance(value, str | Pace):
            return cls.named(value)
        if not isinstance(value, Mapping):
            raise ConfigurationError(f"pace must be a name or a mapping, not {value!r}.")
        found = cls.from_dict(value)
        if not found.is_bounded and not value.get("based_on"):
            raise ConfigurationError("pace says no limit; give one, or write unlimited.")
        return found

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Pace:
        """Read what :meth:`to_dict` wrote.

        :raises ConfigurationError: if somebody else wrote it.
        """
        if unknown := sorted(str(key) for key in value if key not in _KEYS):
            raise ConfigurationError(
                f"pace: {', '.join(unknown)} is unknown; there is {', '.join(sorted(_KEYS))}."
            )
        base = cls.named(value["based_on"]) if value.get("based_on") else cls("", ())
        windows = {window.seconds: window for window in (*base.windows, *_windows(value))}
        found = replace(
            base,
            windows=tuple(windows[seconds] for seconds in sorted(windows)),
            spacing=_spacing(value.get("spacing")),
            warm_up=_warm_up(value.get("warm_up"), value.get("number_since")),
        )
        return replace(found, name=str(value.get("name") or found))

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON keeps it."""
        kept: dict[str, Any] = {
            "name": self.name,
            "windows": [[each.limit, each.seconds] for each in self.windows],
        }
        if self.spacing is not None:
            kept["spacing"] = list(self.spacing)
        if self.warm_up is not None:
            kept["warm_up"] = [list(step) for step in self.warm_up.steps]
            kept["number_since"] = self.warm_up.since
        return kept

    def __str__(self) -> str:
        told = [str(window) for window in self.windows]
        if self.spacing is not None:
            told.append("{:g} to {:g} seconds apart".format(*self.spacing))
        if self.warm_up is not None:
            told.append("a warm-up")
        return ", ".join(told) or "no bound"

    @property
    def is_bounded(self) -> bool:
        """Whether a message may have to wait for its place."""
        return bool(self.windows) or self.spacing is not None or self.warm_up is not None

    @property
    def at_once(self) -> float:
        """How many messages may ever go at one moment."""
        return math.inf if self.spacing is None else 1

    def forecast(self, count: int) -> float:
        """Return about how many seconds pass from the first to the last of ``count`` messages of an idle channel."""
        return seconds_for(count, sorted(self.windows, key=lambda window: window.seconds), self.mean_gap)

    @property
    def mean_gap(self) -> float:
        """Seconds between two messages, on an average."""
        return 0.0 if self.spacing is None else sum(self.spacing) / 2

    def gap(self, chance: random.Random) -> float | None:
        """Return how long the next message keeps its distance from this one, ``None`` for no distance."""
        return None if self.spacing is None else chance.uniform(*self.spacing)


def seconds_for(count: int, windows: Sequence[Window], gap: float) -> float:
    """Return how long messages take that go as soon as they may: the longest window is full, again and again.

    What is left after its last round goes as the shorter ones allow.

    :param windows: the shortest first.
    """
    if count <= 0:
        return 0.0
    if not windows:
        return (count - 1) * gap
    *shorter, longest = windows
    if seconds_for(longest.limit + 1, shorter, gap) >= longest.seconds:
        # It is never full.
        return seconds_for(count, shorter, gap)
    rounds, rest = divmod(count - 1, longest.limit)
    return rounds * longest.seconds + seconds_for(rest + 1, shorter, gap)


_KEYS = {
    *(f"per_{name}" for name in _UNITS),
    *("windows", "spacing", "warm_up", "number_since", "based_on", "name"),
}


def _windows(value: Mapping[str, Any]) -> list[Window]:
    given = value.get("windows") or ()
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ConfigurationError(f"pace windows must be a list such as [[10, 900]], not {given!r}.")
    found = [Window(*_pair(each, "pace windows")) for each in given]
    units = ((f"per_{name}", size) for name, size in _UNITS.items())
    return [*found, *(Window(value[key], size) for key, size in units if value.get(key) is not None)]


def _pair(value: object, what: str) -> Any:
    numbers = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
    if len(numbers) != 2 or not all(_is_number(number) or number is None for number in numbers):
        raise ConfigurationError(f"{what}: {value!r} is no pair of numbers.")
    return numbers


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _spacing(value: object) -> tuple[float, float] | None:
    if value is None:
        return None
    low, high = _pair(value, "pace spacing")
    if low is None or high is None:
        raise ConfigurationError(f"pace spacing: {value!r} is no pair of numbers.")
    return float(low), float(high)


def _warm_up(value: object, since: object) -> WarmUp | None:
    if value is None or value is False:
        if since is not None:
            raise ConfigurationError("pace: number_since is for a warm-up; say warm_up too.")
        return None
    if value is True:
        return WarmUp(WARM_UP.steps, _moment(since))
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ConfigurationError(
            f"pace warm_up must be true or steps such as [[0, 20], [4, 50]], not {value!r}."
        )
    return WarmUp(tuple(tuple(_pair(step, "pace warm_up")) for step in value), _moment(since))


def _moment(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and _is_number(value):
        return float(value)
    try:
        day = value if isinstance(value, date) else datetime.fromisoformat(str(value))
    except ValueError:
        raise ConfigurationError(f"pace number_since: {value!r} is no date such as 2026-11-01.") from None
    moment = day if isinstance(day, datetime) else datetime(day.year, day.month, day.day)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
