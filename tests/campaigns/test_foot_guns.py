"""What happens if … : each test's docstring is a line of docs/what-happens-if.md. Those that need no Airflow."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from tests.campaigns.support import SEND_TIMEOUT, Desk, number
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.identities import LearnedFrom
from whatsapp_provider.campaigns.outcome import Ending
from whatsapp_provider.campaigns.pacing import Pace, Window
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.rules import FrequencyCap, Rules
from whatsapp_provider.campaigns.runner import CampaignRunner, RunOptions
from whatsapp_provider.errors import CampaignMismatchError, LedgerError

EVERYBODY = {number(index): 1 for index in range(20)}


def test_two_live_runs_of_one_campaign(desk: Desk) -> None:
    """two runs of one campaign are live at once"""
    record = desk.plan(20)
    desk.phones.seconds = 1

    async def both() -> Any:
        runs = (desk.runner(record, ledger=desk.open_ledger()).run() for _ in range(2))
        return await asyncio.gather(*runs)

    assert {outcome.ending for outcome in desk.time.run(both())} == {Ending.FINISHED}
    assert desk.phones.received == EVERYBODY


def test_clear_of_a_finished_task(desk: Desk) -> None:
    """a finished task is cleared"""
    assert desk.run(desk.plan(20)).ending is Ending.FINISHED
    assert desk.run(desk.plan(20)).ending is Ending.FINISHED
    assert desk.phones.received == EVERYBODY


def test_a_changed_audience_or_template_under_the_same_id(desk: Desk) -> None:
    """the audience or the text has changed under the same id"""
    desk.run(desk.plan(20))
    for count, words in ((21, "Hi {{ name }}"), (19, "Hi {{ name }}"), (20, "Ho {{ name }}")):
        with pytest.raises(CampaignMismatchError):
            desk.plan(count, text=words)
    assert desk.phones.received == EVERYBODY


def test_two_dags_with_the_same_campaign_id(desk: Desk) -> None:
    """two DAGs have the same campaign_id"""
    first, second = desk.plan(20), desk.open_ledger()
    same = desk.plan(20)
    assert same.id == first.id
    with pytest.raises(CampaignMismatchError):
        desk.plan(5)
    desk.run(first)
    desk.run(same, ledger=second)
    assert desk.phones.received == EVERYBODY


@pytest.mark.parametrize("cap", [None, FrequencyCap(1, 7 * 86_400.0)], ids=["no cap", "a cap"])
def test_a_person_in_two_campaigns(desk: Desk, cap: FrequencyCap | None) -> None:
    """a person is in two campaigns"""
    pace = Pace("five", (Window(5, 100),))
    began = desk.time.now
    for name in ("spring", "summer"):
        campaign: Campaign = desk.campaign(name, pace=pace, rules=Rules(cap=cap))
        assert desk.run(desk.plan(5, campaign), campaign).ending is Ending.FINISHED
        desk.time.now += 1
    each = 2 if cap is None else 1
    assert desk.phones.received == {number(index): each for index in range(5)}
    if cap is None:
        assert desk.time.now - began > 100  # the pace is the channel's


def test_a_person_by_two_forms(desk: Desk) -> None:
    """an audience names a person by a number and by a hidden id"""
    hidden = "100000000000001@lid"
    rows = [{"phone": hidden, "name": "Ada"}, {"phone": number(1), "name": "Ada"}]
    desk.ledger.link([[number(1), hidden]], LearnedFrom.GATEWAY)
    record = desk.plan_rows(rows)
    assert desk.run(record).ending is Ending.FINISHED
    assert desk.phones.received == {hidden: 1}
    assert desk.ledger.left_out(record) == {"duplicate": 1}


def test_a_workers_clock_is_wrong(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """a worker's clock is wrong"""
    record = desk.plan(20)
    desk.phones.seconds = 1
    astray = CampaignRunner(
        desk.open_ledger(),
        record,
        desk.campaign(),
        MessageTemplate("Hi {{ name }}"),
        desk.phones,
        RunOptions(send_timeout=SEND_TIMEOUT),
        clock=lambda: desk.time() + 86_400.0,
    )
    monkeypatch.setattr("time.time", lambda: 86_400.0 * 365 * 90)

    async def both() -> Any:
        return await asyncio.gather(astray.run(), desk.runner(record, ledger=desk.open_ledger()).run())

    assert {outcome.ending for outcome in desk.time.run(both())} == {Ending.FINISHED}
    assert desk.phones.received == EVERYBODY


def test_the_ledgers_disk_is_full(desk: Desk) -> None:
    """the ledger's disk is full"""
    record = desk.plan(20)
    full = desk.open_ledger()
    commit = full._database.engine.dialect.do_commit

    def do_commit(connection: Any) -> None:
        if len(desk.phones.calls) >= 3:
            raise OperationalError("COMMIT", {}, Exception("database or disk is full"))
        commit(connection)

    full._database.engine.dialect.do_commit = do_commit  # type: ignore[method-assign]
    with pytest.raises(LedgerError, match="disk is full"):
        desk.run(record, desk.campaign(concurrency=1), ledger=full)
    assert len(desk.phones.calls) == 3
    desk.time.now += 120
    assert desk.run(desk.plan(20)).ending is Ending.FINISHED
    assert max(desk.phones.received.values()) == 1
    assert desk.counts(record) == {"accepted": 19, "in_doubt": 1}
