"""A long and busy run takes its turns at the ledger in another process, and is none the worse when that ends."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from tests.campaigns.conftest import MARIADB, POSTGRES
from tests.campaigns.support import CHANNEL, SEND_TIMEOUT, Phones, number
from whatsapp_provider import errors
from whatsapp_provider.campaigns.audience import AudienceOptions
from whatsapp_provider.campaigns.calendars import Calendar, QuietHours
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.fleet import Fleet
from whatsapp_provider.campaigns.leasing import MANY
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Lease, Result, Task, Turn
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.ledger_process import LedgerProcess
from whatsapp_provider.campaigns.outcome import Ending
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.plan import plan_campaign
from whatsapp_provider.campaigns.posts import Member
from whatsapp_provider.campaigns.readers import rows_of
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.rules import FrequencyCap, Rules
from whatsapp_provider.campaigns.runner import CampaignRunner, RunOptions
from whatsapp_provider.errors import LeaseLostError, LedgerUnavailableError, WhatsAppError
from whatsapp_provider.messages import Message
from whatsapp_provider.model import SendResult

PATIENCE = 30.0
PEOPLE, CONCURRENCY = 400, 32
UNLIMITED = Pace.unlimited()
RUN = RunOptions(SEND_TIMEOUT, apart_from=PEOPLE)


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    opened = Ledger(url)
    yield opened
    opened.dispose()


def campaign(at_once: int = CONCURRENCY, **options: Any) -> Campaign:
    return Campaign("spring", CHANNEL, UNLIMITED, at_once, **options)


def plan(ledger: Ledger, people: int = PEOPLE, planned: Campaign | None = None) -> CampaignRecord:
    rows = rows_of([{"phone": number(index)} for index in range(people)], recipient_field="phone")
    return plan_campaign(ledger, planned or campaign(), MessageTemplate("Hi"), rows, AudienceOptions())


def accepted(tasks: tuple[Task, ...]) -> list[Result]:
    return [Result(task, DeliveryState.ACCEPTED, message_id=f"id-{task.id}") for task in tasks]


async def ready(process: LedgerProcess) -> None:
    process.start()
    assert process._starting is not None
    await asyncio.shield(process._starting)


@asynccontextmanager
async def started(ledger: Ledger) -> AsyncIterator[LedgerProcess]:
    process = LedgerProcess(ledger.url)
    await ready(process)
    try:
        yield process
    finally:
        await process.close()


def pid(process: LedgerProcess) -> int:
    assert process._process is not None
    return process._process.pid


def is_there(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def ends(number: int) -> bool:
    """Wait for the end of a process that is not this one's child."""
    with suppress(ProcessLookupError), open(os.pidfd_open(number)) as process:
        return bool(select.select([process], [], [], PATIENCE)[0])
    return True


class Watched(LedgerProcess):
    """Notes how many turns it took."""

    turns = 0

    async def turn(self, lease: Lease, results: Any, **asked: Any) -> Turn:
        turn = await super().turn(lease, results, **asked)
        self.turns += 1
        return turn


class Crowd(Phones):
    """Answers nobody but the first until the process is ready, so that the rest go through it.

    :param then: done before each answer from then on.
    """

    def __init__(self, process: LedgerProcess, then: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._process, self._then = process, then

    async def send(self, recipient: str, message: Message) -> SendResult:
        if len(self.calls) >= CONCURRENCY:
            await ready(self._process)
            self._then()
        return await super().send(recipient, message)


async def run(
    ledger: Ledger, phones: Phones, process: LedgerProcess, *, at_once: int = CONCURRENCY
) -> Ending:
    record = ledger.find("spring")
    assert record is not None
    runner = CampaignRunner(ledger, record, campaign(at_once), MessageTemplate("Hi"), phones, RUN)
    runner.share(process)
    try:
        return (await runner.run()).ending
    finally:
        await process.close()


@pytest.mark.parametrize("url", ["sqlite", POSTGRES, MARIADB], indirect=True)
async def test_a_long_and_busy_run_takes_its_turns_in_another_process(ledger: Ledger) -> None:
    record, process = plan(ledger), Watched(ledger.url)
    phones = Crowd(process)
    assert await run(ledger, phones, process) is Ending.FINISHED
    assert process.turns >= 5
    assert phones.most_under_way <= CONCURRENCY
    assert ledger.counts(record).to_dict() == {"accepted": PEOPLE}
    assert sorted(phones.received.values()) == [1] * PEOPLE


async def test_a_short_run_has_no_other_process(ledger: Ledger) -> None:
    plan(ledger, PEOPLE - 1)
    process = LedgerProcess(ledger.url)
    assert await run(ledger, Phones(), process) is Ending.FINISHED
    assert process._starting is None


async def test_a_run_of_few_at_once_has_no_other_process(ledger: Ledger) -> None:
    plan(ledger)
    process = LedgerProcess(ledger.url)
    assert await run(ledger, Phones(), process, at_once=MANY - 1) is Ending.FINISHED
    assert process._starting is None


async def test_channels_of_one_campaign_share_a_process(ledger: Ledger) -> None:
    keys = ("whapi/TESTER-1", "whapi/TESTER-2")
    shared = campaign(pool=keys)
    record, process = plan(ledger, 2 * PEOPLE, shared), Watched(ledger.url)
    members = [Member(key, shared, Crowd(process), RUN) for key in keys]
    fleet = Fleet(ledger, record, MessageTemplate("Hi"), members)
    fleet._process = process
    assert (await fleet.run()).ending is Ending.FINISHED
    assert ledger.counts(record).to_dict() == {"accepted": 2 * PEOPLE}
    assert process.turns >= 10
    assert not is_there(pid(process))


@pytest.mark.parametrize("url", ["sqlite", POSTGRES, MARIADB], indirect=True)
async def test_everybody_is_sent_to_once_when_the_process_is_killed_in_the_middle(
    ledger: Ledger,
) -> None:
    record, process = plan(ledger), Watched(ledger.url)
    killed: list[int] = []

    def kill() -> None:
        if not killed and process.turns >= 2:
            killed.append(pid(process))
            os.kill(killed[0], signal.SIGKILL)

    phones = Crowd(process, kill)
    assert await run(ledger, phones, process) is Ending.FINISHED
    assert killed
    assert ledger.counts(record).to_dict() == {"accepted": PEOPLE}
    assert sorted(phones.received.values()) == [1] * PEOPLE


async def test_a_turn_there_is_what_it_is_here(ledger: Ledger) -> None:
    record = plan(ledger, 20)
    lease = ledger.begin(record, label="", seconds=60)
    async with started(ledger) as process:
        first = await process.turn(lease, [], places=8, pace=UNLIMITED)
        second = await process.turn(lease, accepted(first.tasks), places=8, pace=UNLIMITED)
    third = ledger.turn(lease, accepted(second.tasks), places=8, pace=UNLIMITED)
    people = [task.recipient for turn in (first, second, third) for task in turn.tasks]
    assert people == [number(index) for index in range(20)]
    assert ledger.counts(record).to_dict() == {"accepted": 16, "sending": 4}


async def test_a_turn_there_keeps_to_all_that_a_campaign_may_be_bound_by(ledger: Ledger) -> None:
    always = {"time_zone": "America/Sao_Paulo", "days": "mon-sun", "hours": "00:00-24:00"}
    rules = Rules(
        calendar=Calendar.from_value(always | {"holidays": ["2020-12-25"]}),
        lists=("spring",),
        cap=FrequencyCap.from_value({"messages": 1, "days": 7}),
    )
    pace = Pace.from_value({"per_minute": 2, "spacing": [5, 30], "warm_up": True})
    lease = ledger.begin(plan(ledger, 2), label="", seconds=60)
    async with started(ledger) as process:
        first, second = [await process.turn(lease, [], places=8, pace=pace, rules=rules) for _ in range(2)]
    assert (len(first.tasks), len(second.tasks), second.limit) == (1, 0, "spacing")
    # Whether people sleep depends on when this runs.
    quiet = QuietHours.from_value({"hours": "22:00-08:00", "days": "sun", "time_zone": "America/Sao_Paulo"})
    assert pickle.loads(pickle.dumps(quiet)) == quiet


async def test_what_goes_wrong_there_is_raised_here(ledger: Ledger) -> None:
    record = plan(ledger, 2)
    lease = ledger.begin(record, label="", seconds=60)
    ledger.end(lease)
    async with started(ledger) as process:
        with pytest.raises(LeaseLostError, match="another run goes on"):
            await process.turn(lease, [], places=1, pace=UNLIMITED)
        # And the next one is asked for as before.
        lease = ledger.begin(record, label="", seconds=60)
        assert len((await process.turn(lease, [], places=1, pace=UNLIMITED)).tasks) == 1


@pytest.mark.parametrize(
    "kind",
    [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, WhatsAppError)],
)
def test_every_error_of_ours_comes_whole_from_one_process_to_another(kind: type[WhatsAppError]) -> None:
    error = kind("What is wrong.")
    error.retry_after, error.code = 3.0, "a code"
    found = pickle.loads(pickle.dumps(error))
    assert (type(found), str(found)) == (kind, "What is wrong.")
    assert vars(found) == vars(error)


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_to_all_processes_of_a_task_is_the_runs_to_heed(ledger: Ledger, told: int) -> None:
    lease = ledger.begin(plan(ledger, 3), label="", seconds=60)
    async with started(ledger) as process:
        os.kill(pid(process), told)
        assert len((await process.turn(lease, [], places=3, pace=UNLIMITED)).tasks) == 3


async def test_a_turn_that_nobody_waits_for_any_more_is_over_before_anything_else_is_done(
    ledger: Ledger,
) -> None:
    record = plan(ledger, 8)
    lease = ledger.begin(record, label="", seconds=60)
    async with started(ledger) as process:
        number = pid(process)
        os.kill(number, signal.SIGSTOP)  # so that the turn is under way for as long as this test wants
        turn = asyncio.create_task(process.turn(lease, [], places=8, pace=UNLIMITED))
        await asyncio.sleep(0)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        assert not is_there(number)
        with pytest.raises(LedgerUnavailableError, match="goes on without it"):
            await process.turn(lease, [], places=8, pace=UNLIMITED)
    ledger.end(lease, [], held=[])
    assert ledger.counts(record).to_dict() == {"planned": 8}


async def test_the_process_ends_with_its_run(ledger: Ledger) -> None:
    plan(ledger, 1)
    async with started(ledger) as process:
        number = pid(process)
        assert is_there(number)
    assert not is_there(number)


async def test_a_run_that_ends_before_the_process_is_ready_leaves_none(ledger: Ledger) -> None:
    process = LedgerProcess(ledger.url)
    process.start()
    await asyncio.sleep(0)  # begins it
    number = pid(process)
    await process.close()
    assert not is_there(number)


_KILLED = """
import asyncio, os, signal, sys
from sqlalchemy.engine import make_url
from whatsapp_provider.campaigns.ledger_process import LedgerProcess

async def main():
    process = LedgerProcess(make_url(sys.argv[1]))
    process.start()
    await process._starting
    print(process._process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_the_process_ends_when_its_run_is_killed(ledger: Ledger) -> None:
    ledger.prepare()
    assert ledger.url is not None
    command = [sys.executable, "-c", _KILLED, ledger.url.render_as_string(hide_password=False)]
    killed = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert await asyncio.to_thread(ends, int(killed.stdout))


async def test_a_run_goes_on_where_no_process_can_be_started(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    record, process = plan(ledger), LedgerProcess(ledger.url)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    phones = Phones()
    with caplog.at_level(logging.WARNING):
        assert await run(ledger, phones, process) is Ending.FINISHED
    assert ledger.counts(record).to_dict() == {"accepted": PEOPLE}
    assert "gets no process of its own (FileNotFoundError); the run goes on without" in caplog.text


async def test_a_ledger_that_no_other_process_finds_has_none(sqlite_url: str) -> None:
    for ledger in (Ledger("sqlite://"), Ledger(sqlite_url, clock=lambda: 0.0)):
        assert ledger.url is None
        process = LedgerProcess(ledger.url)
        process.start()
        assert process._starting is None
