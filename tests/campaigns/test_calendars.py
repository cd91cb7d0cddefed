"""Working hours and quiet hours open and close when a clock on the wall in that place says so."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers.timezone
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from whatsapp_provider.campaigns.calendars import Calendar, QuietHours, both_open
from whatsapp_provider.campaigns.zones import zones_of
from whatsapp_provider.errors import ConfigurationError

OFFICE = {"time_zone": "America/Sao_Paulo", "days": "mon-fri", "hours": "09:00-18:00"}
#: Where clocks are put forward or back in odd ways: at midnight, at a minute past, by half an hour, by a whole day.
CHANGES = [
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/Sao_Paulo", "2018-11-04"),
    ("America/Sao_Paulo", "2018-02-18"),
    ("America/St_Johns", "2006-10-29"),
    ("America/St_Johns", "2007-03-11"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Pacific/Apia", "2011-12-30"),
    ("Africa/Casablanca", "2026-02-15"),
    ("Asia/Kathmandu", "2026-06-01"),
]


def at(text: str, zone: str = "America/Sao_Paulo") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def shown(moment: float, zone: str = "America/Sao_Paulo") -> str:
    return f"{datetime.fromtimestamp(moment, ZoneInfo(zone)):%a %Y-%m-%d %H:%M:%S}"


def open_minutes(calendar: Calendar) -> dict[int, int]:
    """Return the minutes of a week that are open, and on which day before them their span began."""
    found: dict[int, int] = {}
    for day, spans in enumerate(calendar.week):
        for begin, end in spans:
            for minute in range(begin, end if end > begin else end + 1440):
                key = (day * 1440 + minute) % 10080
                found[key] = min(minute // 1440, found.get(key, 1))
    return found


def by_minutes(calendar: Calendar, moment: float, *, days: int, wanted: bool) -> float:
    """Return the same as ``opens`` and ``closes``, found by looking at the wall clock each minute."""
    minutes = open_minutes(calendar)
    zone = ZoneInfo(calendar.time_zone)
    for step in range(days * 1440):
        look = moment if step == 0 else (moment // 60 + step) * 60
        clock = datetime.fromtimestamp(look, UTC).astimezone(zone)
        began = minutes.get(clock.weekday() * 1440 + clock.hour * 60 + clock.minute)
        holiday = clock.date() in calendar.holidays
        if began == 1:
            holiday |= clock.date() - timedelta(days=1) in calendar.holidays
        if (began is not None and not holiday) is wanted:
            return look
    return inf


spans = (
    st.tuples(st.integers(0, 95), st.integers(0, 96))
    .filter(lambda span: span[0] != span[1])
    .map(lambda span: (span[0] * 15, span[1] * 15))
)
weeks = st.lists(st.lists(spans, max_size=2), min_size=7, max_size=7).filter(any)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    place=st.sampled_from(CHANGES),
    week=weeks,
    hours=st.floats(-40, 40, allow_subnormal=False),
    off=st.sets(st.integers(-2, 2), max_size=2),
)
@example(("Europe/Berlin", "2026-03-29"), [[(150, 240)]] * 7, 0.0, set())
@example(("Europe/Berlin", "2026-10-25"), [[(30, 150)]] * 7, 2 + 40 / 60, set())
@example(("America/St_Johns", "2006-10-29"), [[(1410, 1420)]] * 7, -0.1, set())
@example(("Pacific/Apia", "2011-12-30"), [[], [], [], [], [(0, 1440)], [], []], -1.0, set())
def test_they_open_and_close_at_the_minute_the_wall_clock_says(
    place: tuple[str, str], week: list[list[tuple[int, int]]], hours: float, off: set[int]
) -> None:
    zone, day = place
    holidays = frozenset(date.fromisoformat(day) + timedelta(days=days) for days in off)
    calendar = Calendar(zone, tuple(tuple(sorted(spans)) for spans in week), holidays)
    moment = at(day, zone) + hours * 3600
    for wanted, ask in ((True, calendar.opens), (False, calendar.closes)):
        expected = by_minutes(calendar, moment, days=4, wanted=wanted)
        found = ask(moment)
        assert found == expected or (expected == inf and found > moment + 4 * 86_400 - 60)


def test_a_weekend_and_a_holiday_are_waited_for() -> None:
    calendar = Calendar.from_value({**OFFICE, "holidays": ["2026-12-25", date(2026, 12, 28)]})
    assert calendar.opens(at("2026-12-24T17:59")) == at("2026-12-24T17:59")
    assert shown(calendar.opens(at("2026-12-24T18:00"))) == "Tue 2026-12-29 09:00:00"
    assert shown(calendar.closes(at("2026-12-24T10:00"))) == "Thu 2026-12-24 18:00:00"


def test_there_may_be_a_lunch_break_and_other_hours_on_saturday() -> None:
    hours = {"mon-fri": ["09:00-12:00", "14:00-18:00"], "sat": "09:00-13:00"}
    calendar = Calendar.from_value({"time_zone": "America/Sao_Paulo", "hours": hours})
    spans = calendar.spans(at("2026-11-27T13:00"))
    told = [(shown(begin), shown(end)[-8:]) for (begin, end), _ in zip(spans, range(3), strict=False)]
    assert told == [
        ("Fri 2026-11-27 14:00:00", "18:00:00"),
        ("Sat 2026-11-28 09:00:00", "13:00:00"),
        ("Mon 2026-11-30 09:00:00", "12:00:00"),
    ]


def test_a_span_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    calendar = Calendar.from_value({"time_zone": "America/Sao_Paulo", "days": "fri", "hours": "22:00-02:00"})
    assert shown(calendar.opens(at("2026-11-27T03:00"))) == "Fri 2026-11-27 22:00:00"
    assert shown(calendar.closes(at("2026-11-27T23:00"))) == "Sat 2026-11-28 02:00:00"
    closed = Calendar.from_value({**calendar.to_dict(), "holidays": ["2026-11-28"]})
    assert shown(closed.closes(at("2026-11-27T23:00"))) == "Sat 2026-11-28 00:00:00"


def test_a_day_has_24_hours_to_send_in_and_all_week_never_closes() -> None:
    calendar = Calendar.from_value({"time_zone": "Europe/Berlin", "hours": "00:00-24:00"})
    assert calendar.closes(at("2026-03-28T10:00")) == inf
    assert list(calendar.spans(5.0)) == [(5.0, inf)]


def test_holidays_for_more_than_a_year_are_never() -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(800)]
    calendar = Calendar.from_value({**OFFICE, "holidays": days})
    assert calendar.opens(at("2026-02-01")) == inf
    assert list(calendar.spans(at("2026-02-01"))) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("office", "must be a mapping"),
        ({"hours": "09:00-18:00"}, "time_zone is missing"),
        ({**OFFICE, "day": "mon"}, "day is unknown; there is days, holidays, hours, time_zone"),
        ({**OFFICE, "time_zone": "Brasilia"}, "Time zone 'Brasilia' is unknown"),
        ({**OFFICE, "time_zone": "../etc/passwd"}, "is unknown"),
        ({**OFFICE, "hours": "9-18"}, "'9-18' is no span of hours"),
        ({**OFFICE, "hours": "09:00-25:00"}, "is outside of a day"),
        ({**OFFICE, "hours": "09:60-10:00"}, "is no span of hours"),
        ({**OFFICE, "hours": "09:00-09:00"}, 'a whole day is "00:00-24:00"'),
        ({**OFFICE, "hours": 9}, "must be hours such as"),
        ({**OFFICE, "days": "monday"}, "'monday' is no day; days are mon, tue"),
        ({**OFFICE, "days": 5}, "must be days such as"),
        ({**OFFICE, "days": []}, "would never send"),
        ({**OFFICE, "hours": {"mon": "09:00-18:00"}}, "leave days out"),
        ({**OFFICE, "holidays": "2026-12-25"}, "must be a list of dates"),
        ({**OFFICE, "holidays": ["25.12.2026"]}, "'25.12.2026' is no date"),
    ],
)
def test_a_calendar_that_says_nothing_clear_is_refused(value: Any, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Calendar.from_value(value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("from 21 to 8", "is no span of hours"),
        ({}, "give hours such as"),
        ({"hours": "00:00-24:00"}, "leave no hour of the week"),
        ({"days": "mon-sun"}, "leave no hour of the week"),
        ({"hours": "21:00-08:00", "zone": "UTC"}, "zone is unknown"),
    ],
)
def test_quiet_hours_that_say_nothing_clear_or_never_end_are_refused(value: Any, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        QuietHours.from_value(value)
    assert words in str(caught.value)


@pytest.mark.parametrize("days", ["fri-mon", ["fri-mon"], "fri,sat,sun,mon", ["mon", "fri-sun"]])
def test_days_are_written_as_ranges_and_lists_and_both_survive_json(days: Any) -> None:
    calendar = Calendar.from_value({**OFFICE, "days": days, "holidays": ["2026-12-25"]})
    assert [bool(spans) for spans in calendar.week] == [True, False, False, False, True, True, True]
    assert Calendar.from_dict(json.loads(json.dumps(calendar.to_dict()))) == calendar
    quiet = QuietHours.from_value(
        {"hours": ["21:00-08:00", "12:00-13:00"], "days": days, "time_zone": "Asia/Tokyo"}
    )
    assert QuietHours.from_dict(json.loads(json.dumps(quiet.to_dict()))) == quiet
    assert (Calendar.from_value(calendar), QuietHours.from_value(quiet)) == (calendar, quiet)


def test_a_person_in_several_zones_is_left_alone_until_all_of_them_are_awake() -> None:
    quiet = QuietHours.from_value("21:00-08:00")
    both = ("America/New_York", "America/Los_Angeles")
    assert (
        shown(quiet.opens(at("2026-11-27T07:00", "America/New_York"), both[:1]), both[0])[-8:] == "08:00:00"
    )
    assert shown(quiet.opens(at("2026-11-27T07:00", "America/New_York"), both), both[0])[-8:] == "11:00:00"
    assert shown(quiet.closes(at("2026-11-27T12:00", "America/New_York"), both), both[0])[-8:] == "21:00:00"
    awake = at("2026-11-27T12:00:30", "America/New_York")
    assert quiet.opens(awake, both) == awake


def test_zones_that_are_never_awake_together_are_never_written_to() -> None:
    quiet = QuietHours.from_value("19:00-09:00")
    assert quiet.opens(0.0, ("Europe/Berlin", "Pacific/Auckland")) == inf


def test_sender_and_recipient_wait_for_each_other_and_know_when_it_is_in_vain() -> None:
    office, quiet = Calendar.from_value(OFFICE), QuietHours.from_value("20:00-08:00")
    assert both_open(at("2026-11-27T10:00"), office, quiet, ("Asia/Tokyo",)) == inf
    friday_noon = at("2026-11-27T12:00")
    assert shown(both_open(friday_noon, office, quiet, ("America/Los_Angeles",))) == "Fri 2026-11-27 13:00:00"
    assert both_open(friday_noon, office, quiet, ("Europe/Berlin",)) == friday_noon
    assert (
        shown(both_open(at("2026-11-27T17:00"), office, quiet, ("Europe/Berlin",)))
        == "Mon 2026-11-30 09:00:00"
    )
    assert both_open(friday_noon, None, None, ()) == friday_noon


def test_a_quiet_sunday_is_their_sunday() -> None:
    quiet = QuietHours.from_value({"hours": "21:00-08:00", "days": "sun"})
    saturday_night = at("2026-11-28T22:00", "Asia/Tokyo")
    assert shown(quiet.opens(saturday_night, ("Asia/Tokyo",)), "Asia/Tokyo") == "Mon 2026-11-30 08:00:00"
    assert quiet.opens(saturday_night, ("Europe/Berlin",)) == saturday_night


def test_without_a_zone_the_quiet_hours_own_counts() -> None:
    quiet = QuietHours.from_value({"hours": "21:00-08:00", "time_zone": "Asia/Tokyo"})
    night = at("2026-11-27T23:00", "Asia/Tokyo")
    assert (
        quiet.opens(night, ()) == quiet.opens(night, ("Asia/Tokyo",)) == at("2026-11-28T08:00", "Asia/Tokyo")
    )


@pytest.mark.parametrize(
    ("key", "zones"),
    [
        ("12125550123", ("America/New_York",)),
        ("5511900000001", ("America/Sao_Paulo",)),
        ("4915112345678", ("Europe/Berlin",)),
        ("120363000000000000@g.us", ("Asia/Tokyo",)),
        ("123456789012345@lid", ("Asia/Tokyo",)),
        ("80000000000", ("Asia/Tokyo",)),
        ("0", ("Asia/Tokyo",)),
    ],
)
def test_a_number_tells_its_zones_and_what_tells_none_gets_the_default(
    key: str, zones: tuple[str, ...]
) -> None:
    assert zones_of(key, "Asia/Tokyo") == zones


def test_a_number_of_a_large_country_may_be_in_many_zones() -> None:
    russian = zones_of("79161234567")
    assert {"Europe/Moscow", "Asia/Vladivostok"} <= set(russian)
    assert list(russian) == sorted(russian)


def test_a_number_newer_than_the_librarys_tables_is_somewhere_in_its_country() -> None:
    assert "America/Los_Angeles" in zones_of("15550000001")


def test_every_zone_that_numbers_may_be_in_is_known_here() -> None:
    names = {name for zones in phonenumbers.timezone.TIMEZONE_DATA.values() for name in zones}
    quiet = QuietHours.from_value("21:00-08:00")
    assert len(names) > 200
    assert all(quiet.opens(0.0, (name,)) < inf for name in names)
