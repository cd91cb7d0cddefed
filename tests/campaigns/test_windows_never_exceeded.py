"""Whatever eight processes do in whatever order, a channel sends no more than its pace allows, and no place is lost.

``EXAMPLES=2000`` looks at more of them. What is shown: a window that is counted by the database's clock is never
exceeded. If that clock is put back, everybody waits so much longer. If it is put forward, that much of what was sent is
forgotten, and no more. The clocks of the hosts don't matter.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from time import time as time_of_host
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.campaigns.conftest import MARIADB, POSTGRES
from tests.campaigns.ledger.book import at_once
from tests.campaigns.pacing_world import ENDS, PROCESSES, World, many
from tests.campaigns.virtual_time import Time
from whatsapp_provider.campaigns.calendars import Calendar, QuietHours
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.pacing import DAY, Pace, WarmUp, Window
from whatsapp_provider.campaigns.rules import Rules

LONG = os.environ.get("EXAMPLES")
OFFICE = Calendar.from_value(
    {"time_zone": "America/Sao_Paulo", "hours": ["05:00-05:30", "08:00-12:00", "14:00-23:30"]}
)
NIGHT = QuietHours.from_value({"hours": "21:00-08:00", "time_zone": "America/Sao_Paulo"})

windows = st.lists(
    st.builds(Window, st.integers(1, 6), st.sampled_from([1.0, 20.0, 60.0, 900.0, DAY])),
    max_size=3,
    unique_by=lambda window: window.seconds,
)
paces = st.builds(
    Pace,
    st.just("drawn"),
    windows.map(tuple),
    st.sampled_from([None, None, (2.0, 2.0), (5.0, 30.0)]),
    st.sampled_from([None, None, WarmUp(((0, 2), (0.5, 4), (1, None)))]),
)
rules = st.builds(Rules, st.sampled_from([None, None, OFFICE]), st.sampled_from([None, None, NIGHT]))
process = st.integers(0, PROCESSES - 1)
places = st.integers(1, 6)
turns = st.tuples(st.just("turn"), process, places)
acts = st.one_of(
    turns,
    turns,
    turns,
    st.tuples(st.just("answer"), process, st.sampled_from(ENDS)),
    st.tuples(st.just("answer"), process, st.sampled_from(ENDS)),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 1.0, 5.0, 19.0, 20.0, 61.0, 900.0, 7200.0, 40_000.0])),
    st.tuples(st.just("slow_down"), process, st.sampled_from([3.0, 100.0])),
    st.tuples(st.just("lose_answer"), process, places),
    st.tuples(st.sampled_from(["die", "end"]), process),
    st.tuples(st.just("send_single")),
    st.tuples(st.just("step_clock"), st.sampled_from([-30.0, -0.5, 0.5, 30.0])),
)
schedules = st.lists(acts, min_size=5, max_size=40)


def play(world: World, schedule: list[tuple[Any, ...]]) -> None:
    for name, *how in schedule:
        getattr(world, name)(*how)
    world.check()
    world.settle_all()
    world.full_rate()
    world.check()


def examples(usual: int) -> Any:
    return settings(
        max_examples=int(LONG or usual),
        deadline=None,
        derandomize=os.environ.get("CI") == "true",
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture
def ledgers(open_ledger: Callable[..., Ledger]) -> list[Ledger]:
    return many(open_ledger)


@pytest.fixture(params=["sqlite", POSTGRES])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


def test_no_window_is_exceeded_and_no_permit_leaks(url: str, time: Time, ledgers: list[Ledger]) -> None:
    @examples(100 if url.startswith("sqlite") else 25)
    @given(st.integers(1, PROCESSES), st.lists(paces, min_size=1, max_size=3), rules, schedules)
    def look(processes: int, drawn: list[Pace], kept: Rules, schedule: list[tuple[Any, ...]]) -> None:
        time.now, time.slept = time.now + 3 * DAY, 0.0
        play(World(time, ledgers[:processes], drawn, kept), schedule)

    look()


def test_threads_that_ask_at_one_moment_get_no_more_together(time: Time, ledgers: list[Ledger]) -> None:
    pace = Pace("test", (Window(7, 60), Window(10, 900)))
    world = World(time, ledgers, [pace, pace])

    def work(index: int) -> int:
        return sum(world.turn(index, 3) for _ in range(4))

    got = [sum(at_once(*((lambda index=index: work(index)) for index in range(PROCESSES))))]
    world.wait(60)
    got.append(sum(at_once(*((lambda index=index: work(index)) for index in range(PROCESSES)))))
    assert got == [7, 3]
    world.check()
    world.settle_all()


@pytest.mark.parametrize("server", [POSTGRES, MARIADB])
def test_the_clocks_of_the_hosts_do_not_matter(
    server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(request.getfixturevalue(f"{server}_url"))

    def host(far: float) -> Ledger:
        for name in ("time.time", "whatsapp_provider.campaigns.ledger.database.time"):
            monkeypatch.setattr(name, lambda: time_of_host() + far)
        return Ledger(url)

    hosts = [host(0.0), host(7200.0), host(-7200.0)]
    world = World(Time(), hosts, [Pace("test", (Window(3, 900),))])
    assert world.turn(0, 2) == 2
    assert world.turn(1, 9) == 1
    assert world.turn(2, 9) == 0
    for ledger in hosts:
        ledger.dispose()
