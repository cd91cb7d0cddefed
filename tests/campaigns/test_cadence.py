"""Few commits of many results while the loop is busy, and no wait for company while it is not."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

import pytest
from sqlalchemy import text

from tests.campaigns.support import Desk, Phones, number
from tests.campaigns.virtual_time import Time
from whatsapp_provider.campaigns import cadence
from whatsapp_provider.campaigns.leasing import MANY, LeaseKeeper
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import Result, Turn
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.uptime import uptime
from whatsapp_provider.messages import Message
from whatsapp_provider.model import SendResult


async def _answers(results: list[int], count: int, every: int) -> None:
    """One result in so many rounds of the loop."""
    for answer in range(count):
        for _ in range(every):
            await asyncio.sleep(0)
        results.append(answer)


@pytest.mark.parametrize(("every", "gathered"), [(1, 12), (2, 12), (20, 0)])
async def test_answers_that_are_at_hand_share_a_commit_and_later_ones_do_not(
    every: int, gathered: int
) -> None:
    results: list[int] = []
    answers = asyncio.create_task(_answers(results, 12, every))
    await cadence.gather(results, 1000)
    assert len(results) == gathered
    answers.cancel()


async def test_no_more_results_are_waited_for_than_are_enough() -> None:
    results: list[int] = []
    answers = asyncio.create_task(_answers(results, 50, 1))
    await cadence.gather(results, 20)
    assert len(results) == 20
    answers.cancel()


class UnevenPhones(Phones):
    """Answer one after the other, in a round of the loop each."""

    async def send(self, recipient: str, message: Message) -> SendResult:
        for _ in range(20 + int(recipient[-2:]) % 50):
            await asyncio.sleep(0)
        return await super().send(recipient, message)


def test_a_campaign_at_full_speed_waits_for_company_before_each_commit(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[int] = []
    turn = Ledger.turn

    def counted(ledger: Ledger, lease: object, results: list[Result], **options: object) -> Turn:
        turns.append(len(results))
        return turn(ledger, lease, results, **options)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(Ledger, "turn", counted)
    campaign, phones = desk.campaign(concurrency=50), UnevenPhones()
    desk.run(desk.plan(300, campaign), campaign, phones=phones)
    assert sum(turns) == len(phones.calls) == 300
    # The first hands out what the second is about, which without company would be about one.
    assert turns[1] >= 10


def test_the_collector_passes_over_what_was_loaded_before_the_run(desk: Desk) -> None:
    gc.unfreeze()  # what an earlier test left
    spared: list[int] = []
    desk.phones.at_send.append(lambda: spared.append(gc.get_freeze_count()))
    desk.run(desk.plan(3))
    assert min(spared) > 10_000
    assert gc.get_freeze_count() == 0


def test_what_somebody_else_keeps_from_the_collector_stays_kept() -> None:
    gc.freeze()
    try:
        with cadence.collector_spared():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


async def test_a_busy_loop_gives_way_to_a_commit_for_a_moment_and_not_for_long(
    open_ledger: Callable[..., Ledger], time: Time
) -> None:
    desk = Desk(time, open_ledger)
    record = desk.plan(2 * MANY)
    keeper = LeaseKeeper(desk.ledger, record, seconds=60, clock=uptime, hurried=lambda: False)
    await keeper.begin(label="", again=(), resumed=False)
    pace = Pace.unlimited()
    first = await keeper.turn([], places=MANY, pace=pace, held=())
    results = [Result(task, DeliveryState.ACCEPTED, message_id=f"id-{task.id}") for task in first.tasks]
    with desk.open_ledger()._database.transaction() as connection:
        if connection.dialect.name != "sqlite":  # where each transaction has the file to itself
            connection.execute(text("SELECT id FROM wa_runner FOR UPDATE"))
        turn = asyncio.create_task(keeper.turn(results, places=MANY, pace=pace, held=()))
        await asyncio.sleep(0)  # begins it
        await asyncio.sleep(0)  # the loop is back, though the commit waits for the lock
        assert not turn.done()
    assert [task.recipient for task in (await turn).tasks] == [number(MANY + index) for index in range(MANY)]
    keeper.close()
    assert desk.counts(record) == {"accepted": MANY, "sending": MANY}
