"""Permits: no window of a channel ever holds more than its limit, whoever asks and whenever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.campaigns.support import CHANNEL, Desk, entry
from whatsapp_provider.campaigns.ledger.records import Lease, Result
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.pacing import Pace, Window
from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.model import ChannelRef

_names = count()


def begin(desk: Desk, people: int = 60, channel: ChannelRef = CHANNEL) -> Lease:
    campaign = desk.campaign(f"paced {next(_names)}", channel=channel)
    record = desk.ledger.plan(campaign, "text", [entry(index) for index in range(people)])
    return desk.ledger.begin(record, label="", seconds=1e9)


def pace(*windows: tuple[int, float]) -> Pace:
    return Pace("test", tuple(Window(limit, seconds) for limit, seconds in windows))


def test_no_more_tasks_are_given_than_the_window_has_places(desk: Desk) -> None:
    lease, three = begin(desk), pace((3, 60))
    assert len(desk.ledger.turn(lease, [], places=10, pace=three).tasks) == 3
    turn = desk.ledger.turn(lease, [], places=10, pace=three)
    assert (turn.tasks, turn.wait) == ((), 60)
    desk.time.now += 59.5
    assert desk.ledger.turn(lease, [], places=10, pace=three).wait == pytest.approx(0.5)
    desk.time.now += 0.5
    assert len(desk.ledger.turn(lease, [], places=2, pace=three).tasks) == 2
    assert len(desk.ledger.turn(lease, [], places=2, pace=three).tasks) == 1


def test_the_tightest_of_several_windows_rules(desk: Desk) -> None:
    lease, both = begin(desk), pace((2, 10), (3, 100))
    assert len(desk.ledger.turn(lease, [], places=9, pace=both).tasks) == 2
    desk.time.now += 10
    assert len(desk.ledger.turn(lease, [], places=9, pace=both).tasks) == 1
    assert desk.ledger.turn(lease, [], places=9, pace=both).wait == pytest.approx(90)


def test_a_channels_windows_are_shared_by_its_campaigns_and_by_nobody_elses(desk: Desk) -> None:
    here, there, elsewhere = begin(desk), begin(desk), begin(desk, channel=ChannelRef("whapi", "OTHER"))
    three = pace((3, 60))
    assert len(desk.ledger.turn(here, [], places=2, pace=three).tasks) == 2
    assert len(desk.ledger.turn(there, [], places=9, pace=three).tasks) == 1
    assert len(desk.ledger.turn(elsewhere, [], places=9, pace=three).tasks) == 3


def test_messages_outside_campaigns_and_of_unlimited_ones_count_too(desk: Desk) -> None:
    lease, free = begin(desk), begin(desk)
    desk.ledger.count_send("whapi/TESTER-1")
    assert len(desk.ledger.turn(free, [], places=1, pace=Pace.unlimited()).tasks) == 1
    assert len(desk.ledger.turn(lease, [], places=9, pace=pace((3, 60))).tasks) == 1


def test_a_permit_that_was_not_used_returns_and_a_used_one_does_not(desk: Desk) -> None:
    lease, three = begin(desk), pace((3, 60))
    one, two, third = desk.ledger.turn(lease, [], places=3, pace=three).tasks
    results = [
        Result(one, DeliveryState.PLANNED),
        Result(two, DeliveryState.IN_DOUBT),
        Result(third, DeliveryState.ACCEPTED, "id"),
    ]
    assert len(desk.ledger.turn(lease, results, places=9, pace=three).tasks) == 1


def test_a_permit_returns_once_however_often_its_result_is_written(desk: Desk) -> None:
    lease, three = begin(desk), pace((3, 60))
    one = desk.ledger.turn(lease, [], places=3, pace=three).tasks[0]
    for _ in range(3):
        desk.ledger.turn(lease, [Result(one, DeliveryState.PLANNED)], places=0, pace=three)
    assert len(desk.ledger.turn(lease, [], places=9, pace=three).tasks) == 1


def test_permits_of_intents_that_were_never_heard_of_return(desk: Desk) -> None:
    lease, three = begin(desk), pace((3, 60))
    desk.ledger.turn(lease, [], places=3, pace=three)
    assert len(desk.ledger.turn(lease, [], places=9, pace=three, held=set()).tasks) == 3
    desk.ledger.end(lease, held=set())
    assert len(desk.ledger.turn(begin(desk), [], places=9, pace=three).tasks) == 3


def test_permits_older_than_every_window_are_forgotten(desk: Desk) -> None:
    day = pace((5, 86_400))
    desk.ledger.turn(begin(desk), [], places=5, pace=day)
    desk.time.now += 3 * 86_400
    desk.ledger.turn(begin(desk), [], places=2, pace=day)
    with desk.ledger._database.transaction() as connection:
        assert connection.exec_driver_sql("SELECT sum(count) FROM wa_permit").scalar_one() == 2


def test_many_runners_at_one_moment_get_no_more_than_the_window_has(desk: Desk) -> None:
    leases = [begin(desk) for _ in range(6)]
    start, seven = Barrier(6), pace((7, 60))

    def go(lease: Lease) -> int:
        ledger = desk.open_ledger()
        ledger.prepare()
        start.wait()
        return sum(len(ledger.turn(lease, [], places=2, pace=seven).tasks) for _ in range(4))

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(go, leases)) == 7


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    windows=st.lists(st.tuples(st.integers(1, 6), st.sampled_from([1.0, 7.5, 60.0])), min_size=1, max_size=3),
    claims=st.lists(
        st.tuples(st.floats(0, 30, allow_subnormal=False), st.integers(1, 8), st.integers(0, 3)), max_size=25
    ),
)
def test_whatever_the_times_no_window_is_ever_exceeded(
    desk: Desk, windows: list[tuple[int, float]], claims: list[tuple[float, int, int]]
) -> None:
    """Each claim: time that passes before it, places asked for, and how many of them are given back."""
    lease = begin(desk, people=200, channel=ChannelRef("whapi", f"channel {next(_names)}"))
    rules = pace(*windows)
    taken: list[float] = []
    for wait, places, unused in claims:
        desk.time.now += wait
        turn = desk.ledger.turn(lease, [], places=places, pace=rules)
        back = turn.tasks[:unused]
        used = len(turn.tasks) - len(back)
        taken += [desk.time.now] * used
        full = any(sum(at > desk.time.now - seconds for at in taken) >= limit for limit, seconds in windows)
        assert turn.tasks or full
        assert turn.tasks or (turn.wait is not None and turn.wait > 0)
        desk.ledger.turn(lease, [Result(task, DeliveryState.PLANNED) for task in back], places=0, pace=rules)
    for limit, seconds in windows:
        for moment in taken:
            assert sum(moment <= at < moment + seconds for at in taken) <= limit


def test_the_presets_have_names() -> None:
    assert Pace.named("cautious").windows[1] == Window(10, 900)
    assert Pace.named(Pace.official()) == Pace.official()
    with pytest.raises(ConfigurationError, match="use one of cautious, official, unlimited"):
        Pace.named("fast")


@pytest.mark.parametrize(("people", "seconds"), [(0, 0), (1, 0), (2, 0), (3, 60), (11, 900), (241, 86_400)])
def test_the_forecast_is_what_the_windows_take_at_the_least(people: int, seconds: float) -> None:
    assert Pace.cautious().forecast(people) == seconds
    assert Pace.unlimited().forecast(people) == 0
