"""The forecast agrees with sending message by message, and says what takes the time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from math import inf
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whatsapp_provider.campaigns.calendars import Calendar, QuietHours
from whatsapp_provider.campaigns.forecast import ChannelHistory, Forecast, forecast
from whatsapp_provider.campaigns.pacing import DAY, Pace, Window

SAO_PAULO = "America/Sao_Paulo"
OFFICE = Calendar.from_value({"time_zone": SAO_PAULO, "days": "mon-fri", "hours": "09:00-18:00"})
LUNCH = Calendar.from_value({"time_zone": SAO_PAULO, "hours": ["08:00-12:00", "14:00-20:00"]})
NIGHT = QuietHours.from_value("21:00-08:00")


def at(text: str, zone: str = SAO_PAULO) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def told(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, ZoneInfo(SAO_PAULO)):%a %m-%d %H:%M}"


MONDAY = at("2026-11-23T09:00")


def one_by_one(count: int, pace: Pace, start: float, opens: Callable[[float], float]) -> float:
    """Return when the last message goes if each goes as soon as it may."""
    times: list[float] = []
    for number in range(count):
        moment = times[-1] + pace.mean_gap if times else start
        for window in pace.windows:
            if number >= window.limit:
                moment = max(moment, times[number - window.limit] + window.seconds)
        moment = opens(moment)
        while pace.warm_up and (window := pace.warm_up.window(moment - (times[0] if times else start))):
            if number < window.limit or times[number - window.limit] + DAY <= moment:
                break
            steps = [times[0] + days * DAY for days, _ in pace.warm_up.steps]
            later = [step for step in steps if step > moment]
            moment = opens(min([times[number - window.limit] + DAY, *later]))
        times.append(moment)
    return times[-1]


paces = st.builds(
    lambda windows, spacing: Pace("drawn", tuple(Window(*window) for window in windows), spacing),
    st.lists(
        st.tuples(st.integers(1, 40), st.sampled_from([60, 900, 3600, DAY])),
        max_size=3,
        unique_by=lambda pair: pair[1],
    ),
    st.sampled_from([None, None, (5.0, 30.0), (0.0, 100.0)]),
).filter(lambda pace: pace.is_bounded)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    count=st.integers(1, 600),
    pace=paces,
    calendar=st.sampled_from([None, OFFICE, LUNCH]),
    hours=st.floats(0, 100, allow_subnormal=False),
)
def test_it_agrees_with_sending_message_by_message(
    count: int, pace: Pace, calendar: Calendar | None, hours: float
) -> None:
    start = MONDAY + hours * 3600
    exact = one_by_one(count, pace, start, calendar.opens if calendar else float)
    found = forecast(count, pace, start=start, calendar=calendar)
    assert found.earliest == found.latest
    # What is left of a short window at closing time is what it may be wrong by.
    assert abs(found.latest - exact) <= max(3600.0, 0.05 * (exact - start))


@pytest.mark.parametrize("people", [1, 20, 21, 100, 1000, 5000])
@pytest.mark.parametrize("calendar", [None, LUNCH])
def test_a_warm_up_is_forecast_too(people: int, calendar: Calendar | None) -> None:
    pace = Pace.from_value({"based_on": "cautious", "warm_up": True})
    exact = one_by_one(people, pace, MONDAY, calendar.opens if calendar else float)
    found = forecast(people, pace, start=MONDAY, calendar=calendar)
    assert abs(found.latest - exact) <= max(3600.0, 0.05 * (exact - MONDAY))


def test_a_step_of_the_warm_up_in_the_middle_of_a_day_is_seen() -> None:
    pace = Pace.from_value({"warm_up": [[0, 20], [0.5, 100]]})
    assert told(forecast(100, pace, start=MONDAY).latest) == "Mon 11-23 21:00"


@pytest.mark.parametrize(
    ("people", "pace", "end", "limit"),
    [
        (240, Pace.cautious(), "Mon 11-23 14:49", "10 in 15 minutes"),
        (1000, Pace.cautious(), "Fri 11-27 09:49", "240 in 24 hours"),
        (1201, Pace.cautious(), "Mon 11-30 09:00", "240 in 24 hours"),
        (1000, Pace.from_value({"spacing": [60, 180]}), "Thu 11-26 15:18", "working hours"),
        (1000, Pace.official(), "Mon 11-23 09:00", "80 in 1 second"),
        (1000, Pace.from_value({"based_on": "cautious", "warm_up": True}), "Wed 12-09 11:49", "warm-up"),
        (1000, Pace.unlimited(), "Mon 11-23 09:00", ""),
    ],
)
def test_it_names_what_takes_most_of_the_time(people: int, pace: Pace, end: str, limit: str) -> None:
    found = forecast(people, pace, start=MONDAY, calendar=OFFICE)
    assert (told(found.latest), found.limit) == (end, limit)


def test_what_the_channel_sent_before_is_in_the_way() -> None:
    pace = Pace.from_value({"per_day": 100, "per_hour": 50})
    sent = ChannelHistory(sent=[(MONDAY - 3600 * 5, 60), (MONDAY - 60, 30)])
    assert told(forecast(10, pace, start=MONDAY, history=sent).latest) == "Mon 11-23 09:00"
    assert told(forecast(11, pace, start=MONDAY, history=sent).latest) == "Tue 11-24 04:00"
    full = ChannelHistory(sent=[(MONDAY - 600, 50)])
    assert told(forecast(1, pace, start=MONDAY, history=full).latest) == "Mon 11-23 09:50"


def test_a_gateway_that_asked_to_wait_is_waited_for() -> None:
    known = ChannelHistory(quiet_until=MONDAY + 7200)
    assert forecast(5, Pace.official(), start=MONDAY, history=known) == Forecast(
        MONDAY + 7200, MONDAY + 7200, "the gateway asked to wait"
    )


def test_an_old_number_needs_no_warm_up() -> None:
    pace = Pace.from_value({"warm_up": True})
    known = ChannelHistory(first_used_at=MONDAY - 40 * DAY)
    assert forecast(5000, pace, start=MONDAY, history=known).latest == MONDAY


def test_people_in_several_zones_make_it_a_span() -> None:
    pace = Pace.from_value({"per_hour": 60})
    found = forecast(600, pace, start=MONDAY, quiet=NIGHT, lanes={(SAO_PAULO,): 300, ("Asia/Tokyo",): 300})
    # Brazil's three hundred take four hours and a bit, and Tokyo wakes at 20:00: ten hours of work in all, in turns.
    assert told(found.earliest) == "Tue 11-24 00:00"
    assert told(found.latest) == "Tue 11-24 00:00"
    both = {(SAO_PAULO,): 300, ("Europe/Lisbon",): 300}
    found = forecast(600, pace, start=MONDAY, quiet=NIGHT, lanes=both)
    assert told(found.earliest) == "Mon 11-23 18:00"
    assert told(found.latest) == "Tue 11-24 05:00"
    alone = forecast(600, pace, start=MONDAY, quiet=NIGHT, lanes={(SAO_PAULO,): 600})
    assert told(alone.earliest) == told(alone.latest) == "Mon 11-23 18:00"


def test_people_who_are_never_awake_while_the_sender_works_are_never_reached() -> None:
    working = Calendar.from_value({"time_zone": "UTC", "hours": "13:00-15:00"})
    found = forecast(
        10, Pace.unlimited(), start=MONDAY, calendar=working, quiet=NIGHT, lanes={("Asia/Tokyo",): 10}
    )
    assert (found.earliest, found.latest, found.limit) == (inf, inf, "working hours and quiet hours")


def test_nobody_to_send_to_takes_no_time() -> None:
    assert forecast(0, Pace.cautious(), start=MONDAY, calendar=OFFICE) == Forecast(MONDAY, MONDAY, "")


@pytest.mark.parametrize("pace", [Pace.cautious(), Pace.official(), Pace.from_value({"spacing": [1, 3]})])
def test_a_million_people_are_forecast_in_a_moment(pace: Pace) -> None:
    begin = process_time()
    found = forecast(1_000_000, pace, start=MONDAY, calendar=OFFICE)
    assert process_time() - begin < 5
    assert (found.latest == inf) is (pace == Pace.cautious())
