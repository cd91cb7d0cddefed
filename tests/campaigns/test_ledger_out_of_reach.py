"""What a run does while the ledger can't be reached: nothing new, and what is known is written later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from tests.campaigns.support import LOGGED_OUT, NO_ANSWER, SENDING, Desk, Phones, number
from tests.campaigns.test_reconcile import Remembering
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import Result, Turn
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.outcome import Ending
from whatsapp_provider.campaigns.pacing import Pace, Window
from whatsapp_provider.campaigns.runner import CampaignRunner
from whatsapp_provider.errors import LeaseLostError, LedgerUnavailableError


class Line:
    """The line to the database, which can be cut before a commit or, worse, just after it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.down = False
        self.cut_after: Callable[[], bool] = lambda: False
        engine = ledger._database.engine
        event.listen(engine, "begin", self._begin)
        commit = engine.dialect.do_commit

        def do_commit(connection: Any) -> None:
            commit(connection)
            if self.cut_after():
                raise OperationalError("COMMIT", {}, Exception("the server closed the connection"))

        engine.dialect.do_commit = do_commit  # type: ignore[method-assign]

    def _begin(self, _connection: Any) -> None:
        if self.down:
            raise OperationalError("BEGIN", {}, Exception("connection refused"))


@pytest.fixture
def line(desk: Desk) -> Line:
    return Line(desk.open_ledger())


def test_a_short_outage_is_waited_out_and_nobody_is_lost_or_doubled(desk: Desk, line: Line) -> None:
    record = desk.plan(30)
    desk.phones.seconds = 1
    runner = desk.runner(record, ledger=line.ledger)

    async def with_outage() -> Any:
        job = asyncio.create_task(runner.run())
        await asyncio.sleep(2.5)
        line.down = True
        sent = len(desk.phones.calls)
        await asyncio.sleep(10)
        assert len(desk.phones.calls) == sent
        line.down = False
        return await job

    assert desk.time.run(with_outage()).ending is Ending.FINISHED
    assert desk.phones.received == {number(index): 1 for index in range(30)}
    assert desk.counts(record) == {"accepted": 30}


def test_an_outage_longer_than_the_lease_leaves_at_most_the_concurrency_in_doubt(
    desk: Desk, line: Line
) -> None:
    record = desk.plan(30)
    desk.phones.seconds = 1
    runner = desk.runner(record, ledger=line.ledger)

    async def with_outage() -> None:
        job = asyncio.create_task(runner.run())
        await asyncio.sleep(2.5)
        line.down = True
        with pytest.raises(LedgerUnavailableError, match="can't be used"):
            await job

    desk.time.run(with_outage())
    assert desk.counts(record)["sending"] == 5
    sent = len(desk.phones.calls)
    assert desk.run(record).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 25, "in_doubt": 5}
    assert sent < len(desk.phones.calls) == 30
    assert set(desk.phones.received.values()) == {1}


def test_a_stop_during_an_outage_does_not_wait_for_the_ledger(desk: Desk, line: Line) -> None:
    record = desk.plan(30)
    desk.phones.seconds = 1
    runner = desk.runner(record, ledger=line.ledger)

    async def stopped() -> float:
        job = asyncio.create_task(runner.run())
        await asyncio.sleep(2.5)
        line.down = True
        await asyncio.sleep(5)
        asked = desk.time.now
        runner.stop()
        with pytest.raises(LedgerUnavailableError):
            await job
        return desk.time.now - asked

    assert desk.time.run(stopped()) < 4.5


@pytest.mark.parametrize("commit", range(2, 12))
def test_an_answer_of_a_commit_that_is_lost_makes_no_row_an_orphan(
    desk: Desk, line: Line, commit: int
) -> None:
    """The commit happened; the run does not know it, nor the tasks that it was given."""
    pace = Pace("day", (Window(20, 86_400),))
    campaign = desk.campaign(concurrency=4, pace=pace)
    record = desk.plan(20, campaign)
    looker, rows = desk.open_ledger(), list[int]()
    desk.phones.at_send.append(lambda: rows.append(looker.counts(record)[SENDING]))
    desk.phones.seconds = 1
    commits: list[int] = []

    def cut() -> bool:
        commits.append(1)
        return len(commits) == commit

    runner = desk.runner(record, campaign, ledger=line.ledger)
    line.cut_after = cut
    try:
        outcome = desk.time.run(runner.run())
    except LedgerUnavailableError:
        # Lost at the count, which is not tried again: the next run goes on.
        outcome = desk.run(record, campaign)
    assert outcome.ending is Ending.FINISHED
    assert desk.phones.received == {number(index): 1 for index in range(20)}
    assert desk.counts(record) == {"accepted": 20}
    assert max(rows) <= 4


def test_a_permit_returns_once_though_the_result_is_written_twice(desk: Desk, line: Line) -> None:
    campaign = desk.campaign(pace=Pace("two", (Window(2, 3600),)))
    record = desk.plan(6, campaign)
    lease = desk.ledger.begin(record, label="", seconds=100)
    turn = desk.ledger.turn(lease, [], places=5, pace=campaign.pace)
    assert len(turn.tasks) == 2
    unsent = [Result(turn.tasks[0], DeliveryState.PLANNED)]
    desk.ledger.turn(lease, unsent, places=0, pace=campaign.pace)
    desk.ledger.turn(lease, unsent, places=0, pace=campaign.pace)
    assert len(desk.ledger.turn(lease, unsent, places=5, pace=campaign.pace).tasks) == 1


def test_a_run_that_was_suspended_writes_late_results_and_sends_nothing_more(desk: Desk) -> None:
    record = desk.plan(20)
    desk.phones.seconds = 1
    runner = desk.runner(record)

    async def suspended() -> None:
        job = asyncio.create_task(runner.run())
        await asyncio.sleep(0.5)
        desk.time.slept = 1000
        lease = other.begin(record, label="other", seconds=50)
        assert desk.counts(record)["in_doubt"] == 5
        with pytest.raises(LeaseLostError):
            await job
        other.end(lease)

    other = desk.open_ledger()
    desk.time.run(suspended())
    assert desk.counts(record) == {"accepted": 5, "planned": 15}
    assert len(desk.phones.calls) == 5


def test_a_task_is_not_begun_when_the_rest_of_the_lease_is_shorter_than_a_send(
    desk: Desk, open_ledger: Callable[..., Ledger]
) -> None:
    """The commit that gives the tasks takes so long that the lease may end before an answer comes."""
    runners: list[CampaignRunner] = []
    slow = [True]
    ledger = open_ledger()
    turn = ledger.turn

    def slow_turn(*args: Any, **options: Any) -> Turn:
        if slow:
            slow.clear()
            desk.time.now += 25
        return turn(*args, **options)

    ledger.turn = slow_turn  # type: ignore[method-assign]  # the same, a moment later
    record = desk.plan(3)
    runners.append(desk.runner(record, ledger=ledger))
    remaining: list[float] = []
    desk.phones.at_send.append(lambda: remaining.append(runners[0]._keeper.remaining))
    assert desk.time.run(runners[0].run()).ending is Ending.FINISHED
    assert len(remaining) == 3
    assert min(remaining) > 30
    assert [item.attempt for item in desk.in_state(record, DeliveryState.ACCEPTED)] == [2, 2, 2]


def test_a_run_that_is_cancelled_while_it_tries_to_write_results_still_writes_them(
    desk: Desk, line: Line
) -> None:
    record = desk.plan(8)
    desk.phones.seconds = 1
    runner = desk.runner(record, ledger=line.ledger)

    async def cancelled() -> None:
        job = asyncio.create_task(runner.run())
        await asyncio.sleep(0.5)
        line.down = True
        await asyncio.sleep(2)
        line.down = False
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job

    desk.time.run(cancelled())
    assert desk.counts(record) == {"accepted": 5, "planned": 3}
    assert desk.run(record).ending is Ending.FINISHED
    assert desk.phones.received == {number(index): 1 for index in range(8)}


def test_an_outage_at_the_end_of_a_run_is_waited_out_too(desk: Desk, line: Line) -> None:
    record = desk.plan(3)

    class Uneven(Phones):
        async def send(self, recipient: str, message: Any) -> Any:
            await asyncio.sleep(0 if recipient == number(0) else 10)
            return await super().send(recipient, message)

    phones = Uneven(lambda recipient, _attempt: LOGGED_OUT if recipient == number(0) else None)
    runner = desk.runner(record, phones=phones, ledger=line.ledger)

    async def with_outage() -> Any:
        job = asyncio.create_task(runner.run())
        await asyncio.sleep(5)
        line.down = True
        await asyncio.sleep(10)
        line.down = False
        return await job

    assert desk.time.run(with_outage()).ending is Ending.PAUSED
    assert desk.counts(record) == {"accepted": 2, "planned": 1}


@pytest.mark.parametrize("asked", ["counts", "doubtful", "unclaimed", "specimen", "was_absent", "finish"])
def test_a_moment_without_the_ledger_ends_no_run_whatever_is_asked_of_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    phones = Remembering(desk=desk, delivers=lambda recipient, _attempt: recipient == number(1))
    lost = {number(1), number(2)}
    phones.answer = lambda recipient, attempt: NO_ANSWER if recipient in lost and attempt == 1 else None
    phones.seconds = 3
    record = desk.plan(20)
    ledger = desk.open_ledger()
    calls: list[bool] = []
    carried_out = getattr(ledger, asked)

    def cut(*args: Any, **options: Any) -> Any:
        calls.append(True)
        if len(calls) <= 2:
            raise LedgerUnavailableError("gone for a moment")
        return carried_out(*args, **options)

    monkeypatch.setattr(ledger, asked, cut)
    runner = desk.runner(record, phones=phones, ledger=ledger, history=phones)
    assert desk.time.run(runner.run()).ending is Ending.FINISHED
    assert len(calls) > 2
    assert desk.counts(record) == {"accepted": 20}
    assert set(phones.received.values()) == {1}
    assert desk.state() is CampaignState.FINISHED
