"""A pace is what its author wrote, whatever the form, and what cannot be meant is refused when it is read."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime
from math import inf
from typing import Any

import pytest

from whatsapp_provider.campaigns.pacing import DAY, WARM_UP, Pace, WarmUp, Window, spelled
from whatsapp_provider.errors import ConfigurationError

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC).timestamp()


def test_all_limits_may_be_written_together() -> None:
    pace = Pace.from_value(
        {
            "per_minute": 2,
            "per_hour": 20,
            "per_day": 240,
            "windows": [[10, 900]],
            "spacing": [5, 30],
            "warm_up": True,
        }
    )
    assert pace.windows == (Window(2, 60), Window(10, 900), Window(20, 3600), Window(240, DAY))
    assert pace.spacing == (5, 30)
    assert pace.warm_up == WARM_UP
    assert pace.name == str(pace)
    assert str(pace) == (
        "2 in 1 minute, 10 in 15 minutes, 20 in 1 hour, 240 in 24 hours, 5 to 30 seconds apart, a warm-up"
    )


def test_a_preset_is_a_base_whose_windows_are_replaced_or_added_to() -> None:
    pace = Pace.from_value({"based_on": "cautious", "per_day": 100, "per_hour": 30, "name": "our own"})
    assert pace.windows == (Window(2, 60), Window(10, 900), Window(30, 3600), Window(100, DAY))
    assert pace.name == "our own"
    assert Pace.from_value({"based_on": "unlimited", "spacing": [1, 2]}).windows == ()


@pytest.mark.parametrize("since", ["2026-11-01", date(2026, 11, 1), NOVEMBER, "2026-10-31T21:00:00-03:00"])
def test_a_warm_up_counts_from_the_day_that_is_given(since: Any) -> None:
    pace = Pace.from_value({"warm_up": [[0, 20], [4, 50], [30, None]], "number_since": since})
    assert pace.warm_up == WarmUp(((0, 20), (4, 50), (30, None)), NOVEMBER)


def test_a_warm_up_allows_more_as_the_number_ages_and_ends() -> None:
    days = [-5, 0, 3.99, 4, 8, 15, 30.9, 31, 500]
    limits = [window.limit if (window := WARM_UP.window(age * DAY)) else None for age in days]
    assert limits == [20, 20, 20, 50, 100, 200, 200, None, None]


@pytest.mark.parametrize(
    "value",
    [
        "cautious",
        "unlimited",
        {"per_second": 5, "spacing": [0, 1.5]},
        {"based_on": "cautious", "warm_up": [[0, 10], [7, 50]], "number_since": "2026-11-01"},
        {"warm_up": True},
    ],
)
def test_what_was_read_survives_json(value: Any) -> None:
    pace = Pace.from_value(value)
    assert Pace.from_dict(json.loads(json.dumps(pace.to_dict()))) == pace
    assert Pace.from_value(pace) is pace


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("fast", "use one of cautious, official, unlimited"),
        (3, "must be a name or a mapping"),
        ({}, "says no limit"),
        ({"per_minutes": 2}, "per_minutes is unknown; there is based_on, name, number_since, per_day"),
        ({"per_minute": 0}, "a whole number from 1 on, not 0"),
        ({"per_minute": 1.5}, "a whole number from 1 on, not 1.5"),
        ({"per_minute": True}, "a whole number from 1 on, not True"),
        ({"windows": [[10, 100_000]]}, "a day at the longest"),
        ({"windows": [[10, 0]]}, "a day at the longest"),
        ({"windows": "10 in 900"}, "must be a list"),
        ({"windows": [10, 900]}, "10 is no pair"),
        ({"spacing": [30, 5]}, "the shorter one first"),
        ({"spacing": [0, 0]}, "the shorter one first"),
        ({"spacing": 5}, "5 is no pair"),
        ({"spacing": [5, None]}, "is no pair of numbers"),
        ({"spacing": [5, inf]}, "is no pair of numbers"),
        ({"warm_up": "yes"}, "must be true or steps"),
        ({"warm_up": [[1, 20]]}, "must begin at an age of 0 days"),
        ({"warm_up": [[0, 20], [0, 50]]}, "each later than the one before"),
        ({"warm_up": []}, "must begin at an age of 0 days"),
        ({"warm_up": [[0, 0]]}, "a whole number from 1 on"),
        ({"warm_up": True, "number_since": "1.11.2026"}, "is no date"),
        ({"per_day": 5, "number_since": "2026-11-01"}, "is for a warm-up"),
        ({"based_on": "fast"}, "use one of"),
    ],
)
def test_what_cannot_be_meant_is_refused(value: Any, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Pace.from_value(value)
    assert words in str(caught.value)


def test_gaps_are_drawn_from_the_whole_of_the_spacing() -> None:
    pace, chance = Pace.from_value({"spacing": [5, 30]}), random.Random(1)
    gaps = [pace.gap(chance) or 0.0 for _ in range(500)]
    assert 5 <= min(gaps) < 6
    assert 29 < max(gaps) <= 30
    assert Pace.cautious().gap(chance) is None


@pytest.mark.parametrize(
    ("people", "seconds"), [(0, 0), (1, 0), (2, 0), (3, 60), (10, 240), (11, 900), (100, 8340), (241, DAY)]
)
def test_the_time_that_an_idle_channel_takes_is_what_its_windows_leave(people: int, seconds: float) -> None:
    assert Pace.cautious().forecast(people) == seconds
    assert Pace.unlimited().forecast(people) == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (7.5, "7.5 seconds"),
        (60, "1 minute"),
        (900, "15 minutes"),
        (DAY, "24 hours"),
        (2 * DAY, "2 days"),
    ],
)
def test_lengths_of_time_are_told_as_people_say_them(seconds: float, words: str) -> None:
    assert spelled(seconds) == words
