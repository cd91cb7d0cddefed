"""Who is next: beyond those whom others hold, and first those who were put off, though not asked for in each turn."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, event, update

from tests.campaigns.conftest import MARIADB, POSTGRES
from tests.campaigns.support import Desk, number
from whatsapp_provider.campaigns.ledger import standing
from whatsapp_provider.campaigns.ledger.database import Database
from whatsapp_provider.campaigns.ledger.due import LOOK_BACK_SECONDS, Due
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Lease, Result, Stop, StopKind
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.pacing import Pace, Window

SERVERS = pytest.mark.parametrize("url", [POSTGRES, MARIADB], indirect=True)
ALL = pytest.mark.parametrize("url", ["sqlite", POSTGRES, MARIADB], indirect=True)
FREE = Pace.unlimited()


def begun(desk: Desk, people: int) -> tuple[CampaignRecord, Lease]:
    record = desk.plan(people, desk.campaign(pace=FREE))
    return record, desk.ledger.begin(record, label="", seconds=60)


def given(desk: Desk, lease: Lease, places: int, *results: Result) -> list[str]:
    """Take a turn, and return who is to be sent to."""
    turn = desk.ledger.turn(lease, results, places=places, pace=FREE)
    return [task.recipient for task in turn.tasks]


def put_off(desk: Desk, lease: Lease, seconds: float) -> None:
    """Let the next person be put off."""
    (task,) = desk.ledger.turn(lease, [], places=1, pace=FREE).tasks
    given(desk, lease, 0, Result(task, DeliveryState.POSTPONED, not_before=seconds))


@SERVERS
@pytest.mark.parametrize("held", [4, 2])
def test_a_run_gets_those_after_whom_another_holds_and_waits_for_nobody(
    desk: Desk, url: str, held: int
) -> None:
    record, lease = begun(desk, 12)
    assert given(desk, lease, 3) == [number(0), number(1), number(2)]
    other = Database(url)
    with other.transaction() as connection:
        assert len(Due().first(connection, record.id, [None], held, desk.time.database())) == held
        assert given(desk, lease, 4) == [number(3 + index) for index in range(held, held + 4)]
    other.dispose()
    assert given(desk, lease, 9) == [*map(number, range(3, 3 + held)), *map(number, range(7 + held, 12))]


@ALL
def test_who_was_put_off_is_next_when_their_time_has_come(desk: Desk) -> None:
    _, lease = begun(desk, 9)
    put_off(desk, lease, 5.0)
    desk.time.now += 4.9
    assert given(desk, lease, 1) == [number(1)]
    desk.time.now += LOOK_BACK_SECONDS
    assert given(desk, lease, 2) == [number(0), number(2)]


@ALL
def test_between_two_looks_at_those_who_were_put_off_the_audience_goes_on(desk: Desk) -> None:
    _, lease = begun(desk, 9)
    put_off(desk, lease, 0.01)
    desk.time.now += LOOK_BACK_SECONDS / 2
    assert given(desk, lease, 1) == [number(1)]
    desk.time.now += LOOK_BACK_SECONDS / 2
    assert given(desk, lease, 1) == [number(0)]


@ALL
def test_where_nobody_else_is_left_nobody_who_was_put_off_waits_for_the_next_look(desk: Desk) -> None:
    _, lease = begun(desk, 2)
    put_off(desk, lease, 0.01)
    desk.time.now += LOOK_BACK_SECONDS / 2
    assert given(desk, lease, 2) == [number(1), number(0)]


@SERVERS
@pytest.mark.parametrize("waited", [0.0, standing.OLD_SECONDS * 2])
def test_a_turn_that_waited_for_a_lock_looks_at_its_campaign_again(
    desk: Desk, url: str, monkeypatch: pytest.MonkeyPatch, waited: float
) -> None:
    record, lease = begun(desk, 9)
    given(desk, lease, 1)
    other, clock = Database(url), [0.0]
    monkeypatch.setattr(standing, "uptime", lambda: clock[0])

    def meanwhile(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE wa_runner"):
            clock[0] += waited
            with other.transaction() as connection:
                paused = update(campaigns).where(campaigns.c.id == record.id)
                connection.execute(paused.values(state=CampaignState.PAUSED, reason="a person's word"))

    event.listen(desk.ledger._database.engine, "before_cursor_execute", meanwhile)
    turn = desk.ledger.turn(lease, [], places=2, pace=FREE)
    other.dispose()
    assert turn.stop == (Stop(StopKind.PAUSED, "a person's word") if waited else None)
    assert len(turn.tasks) == (0 if waited else 2)


@ALL
def test_a_turn_that_waited_for_its_channel_asks_at_once_what_the_hours_are_by_now(
    desk: Desk,
) -> None:
    pace = Pace("hourly", (Window(99, 3600.0),))
    lease = desk.ledger.begin(desk.plan(9, desk.campaign(pace=pace)), label="", seconds=60)

    def meanwhile(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT wa_channel"):
            desk.time.now += standing.OLD_SECONDS * 2

    event.listen(desk.ledger._database.engine, "before_cursor_execute", meanwhile)
    turn = desk.ledger.turn(lease, [], places=2, pace=pace)
    assert (turn.tasks, turn.wait) == ((), 0.0)
