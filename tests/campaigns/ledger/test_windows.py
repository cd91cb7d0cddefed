"""Permits: no window of a channel ever holds more than its limit, whoever asks and whenever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from random import Random
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, func, select

from tests.campaigns.support import CHANNEL, Desk, entry
from whatsapp_provider.campaigns.ledger.records import Lease, Result, Task
from whatsapp_provider.campaigns.ledger.schema import permit
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.ledger.windows import history
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


def test_a_channel_without_campaigns_keeps_the_permits_of_a_few_days_and_knows_since_when_it_is_used(
    desk: Desk,
) -> None:
    kept, since = [], set()
    for _ in range(30):
        desk.time.now += 43_200
        desk.ledger.count_send("whapi/ALERTS")
        with desk.ledger._database.transaction() as connection:
            kept.append(connection.execute(select(func.count()).select_from(permit)).scalar_one())
            since.add(history(connection, "whapi/ALERTS", 0.0).first_used_at)
    assert max(kept) <= 8
    assert min(kept[8:]) >= 4
    assert len(since) == 1


def test_old_permits_are_dropped_once_a_day_and_not_for_each_message(desk: Desk) -> None:
    dropped: list[float] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith("DELETE FROM wa_permit"):
            dropped.append(desk.time.now)

    desk.ledger.prepare()
    event.listen(Engine, "before_cursor_execute", note)
    try:
        for _ in range(10 * 24):
            desk.time.now += 3600
            desk.ledger.count_send("whapi/ALERTS")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert 6 <= len(dropped) <= 8


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


# -- spacing, warm-up, and what the gateway asks for ------------------------------------------------


def tasks(desk: Desk, lease: Lease, pace: Pace, places: int = 9) -> int:
    return len(desk.ledger.turn(lease, [], places=places, pace=pace).tasks)


def test_messages_keep_their_distance_whoever_sends_them(desk: Desk) -> None:
    spaced = Pace.from_value({"spacing": [5, 30]})
    here, there = begin(desk), begin(desk)
    assert tasks(desk, here, spaced) == 1
    turn = desk.open_ledger().turn(there, [], places=9, pace=spaced)
    assert (turn.tasks, turn.limit) == ((), "spacing")
    assert turn.wait is not None
    assert 5 <= turn.wait <= 30
    desk.time.now += turn.wait - 0.01
    assert tasks(desk, here, spaced) == 0
    desk.time.now += 0.01
    assert tasks(desk, there, spaced) == 1


def test_the_distance_is_kept_from_messages_of_other_paces_too(desk: Desk) -> None:
    spaced, lease = Pace.from_value({"spacing": [5, 5]}), begin(desk)
    desk.ledger.count_send(CHANNEL.key())
    assert desk.ledger.turn(lease, [], places=9, pace=spaced).wait == pytest.approx(5)
    desk.time.now += 5
    assert tasks(desk, lease, spaced) == 1
    assert tasks(desk, lease, Pace.unlimited(), places=2) == 2


def test_distances_are_drawn_anew_and_from_what_the_ledger_was_given(desk: Desk) -> None:
    def waits(seed: int) -> list[float]:
        ledger = desk.open_ledger(chance=Random(seed))
        lease, found = begin(desk, channel=ChannelRef("whapi", f"drawn {next(_names)}")), []
        spaced = Pace.from_value({"spacing": [5, 30]})
        for _ in range(4):
            ledger.turn(lease, [], places=1, pace=spaced)
            found.append(round(ledger.turn(lease, [], places=1, pace=spaced).wait or 0.0, 3))
            desk.time.now += 100
        return found

    assert waits(1) == waits(1) != waits(2)
    assert len(set(waits(1))) == 4


def test_a_new_number_sends_a_few_a_day_and_more_as_it_ages(desk: Desk) -> None:
    warm = Pace.from_value({"warm_up": [[0, 2], [4, 3], [6, None]]})
    lease, sent = begin(desk), []
    for _ in range(8):
        sent.append(tasks(desk, lease, warm, places=9))
        assert tasks(desk, lease, warm) == 0 or sent[-1] == 9
        desk.time.now += 86_400
    assert sent == [2, 2, 2, 2, 3, 3, 9, 9]


def test_a_numbers_age_outlives_the_permits_that_told_of_its_first_message(desk: Desk) -> None:
    warm = Pace.from_value({"warm_up": [[0, 1], [10, 5]]})
    assert tasks(desk, begin(desk), warm) == 1
    desk.time.now += 9 * 86_400
    assert tasks(desk, begin(desk), warm) == 1
    desk.time.now += 86_400
    assert tasks(desk, begin(desk), warm) == 5
    told = desk.ledger.channel_history(CHANNEL.key())
    assert told.first_used_at == desk.time.database() - 10 * 86_400
    assert sum(count for _, count in told.sent) == 5


def test_a_number_that_was_used_elsewhere_is_as_old_as_it_is_said_to_be(desk: Desk) -> None:
    since = desk.time.database() - 5 * 86_400
    warm = Pace.from_value({"warm_up": [[0, 1], [4, 3]], "number_since": since})
    assert tasks(desk, begin(desk), warm) == 3


def test_a_warm_up_says_that_it_is_what_binds(desk: Desk) -> None:
    warm, lease = Pace.from_value({"warm_up": [[0, 1]], "per_minute": 1}), begin(desk)
    tasks(desk, lease, warm)
    assert desk.ledger.turn(lease, [], places=9, pace=warm).limit == "warm-up: 1 in 24 hours"


def test_a_gateway_that_asks_one_run_to_wait_is_believed_by_all_of_them(desk: Desk) -> None:
    free = Pace.unlimited()
    here, there, elsewhere = begin(desk), begin(desk), begin(desk, channel=ChannelRef("whapi", "OTHER"))
    (task,) = desk.ledger.turn(here, [], places=1, pace=free).tasks
    told = Result(task, DeliveryState.POSTPONED, not_before=100, slow_down=100, reason="Too many.")
    assert desk.ledger.turn(here, [told], places=9, pace=free).tasks == ()
    turn = desk.open_ledger().turn(there, [], places=9, pace=free)
    assert (turn.tasks, turn.wait, turn.limit) == ((), 100, "the gateway asked to wait")
    assert tasks(desk, there, pace((99, 60))) == 0
    assert tasks(desk, elsewhere, free) == 9
    desk.time.now += 100
    assert tasks(desk, there, free) == 9


def test_the_longest_wait_that_was_asked_for_counts_and_no_wait_is_longer_than_a_day(desk: Desk) -> None:
    free, lease = Pace.unlimited(), begin(desk)
    one, two, third = desk.ledger.turn(lease, [], places=3, pace=free).tasks

    def wait_after(*told: tuple[Task, float]) -> float | None:
        results = [Result(task, DeliveryState.IN_DOUBT, slow_down=seconds) for task, seconds in told]
        return desk.ledger.turn(lease, results, places=9, pace=free).wait

    assert wait_after((one, 50), (two, 90)) == 90
    assert wait_after((third, 10)) == 90
    assert wait_after((third, 1e9)) == 86_400
    assert desk.ledger.channel_history(CHANNEL.key()).quiet_until == desk.time.database() + 86_400
