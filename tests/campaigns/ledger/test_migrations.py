"""A ledger of an older version is upgraded in place at its first use, and processes of that version go on meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.engine import make_url

from tests import servers
from tests.campaigns.ledger.book import at_once
from tests.campaigns.recorded import version_1
from tests.campaigns.recorded.tables import rows_of, tables_of, versions
from tests.campaigns.recorded.version_1 import OldRunner, engine
from tests.campaigns.support import SEND_TIMEOUT, Desk, number
from tests.campaigns.test_reconcile import SETTLE, Remembering, run
from tests.campaigns.virtual_time import Time
from whatsapp_provider.campaigns.campaign import OnInDoubt
from whatsapp_provider.campaigns.ledger.doubts import Delays
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Result, Settled
from whatsapp_provider.campaigns.ledger.schema import VERSION, campaign, delivery, metadata, version
from whatsapp_provider.campaigns.ledger.states import DeliveryState, Proof
from whatsapp_provider.campaigns.outcome import Ending
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.model import MessageStatus

OpenLedger = Callable[..., Ledger]


@pytest.fixture
def old_url(url: str, time: Time) -> str:
    """A ledger of version 1, at the moment at which it was recorded."""
    version_1.write(url)
    time.now = version_1.NOW
    return url


@pytest.fixture
def new_url(url: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Another place of the same kind."""
    kind = make_url(url).get_backend_name()
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    if kind == "postgresql":
        return servers.new_schema(request.getfixturevalue("postgres_server"))
    return servers.new_database(request.getfixturevalue("mariadb_server"))


@pytest.fixture
def phones(desk: Desk) -> Remembering:
    desk.phones = Remembering(desk=desk)
    return desk.phones


def found(ledger: Ledger, name: str) -> CampaignRecord:
    record = ledger.find(name)
    assert record is not None
    return record


def test_an_old_ledger_is_upgraded_at_its_first_use_and_nothing_is_lost(
    old_url: str, open_ledger: OpenLedger
) -> None:
    before = rows_of(old_url)
    ledger = open_ledger()
    assert {
        name: ledger.counts(found(ledger, name)).to_dict() for name in version_1.COUNTS
    } == version_1.COUNTS
    after = rows_of(old_url)
    assert versions(old_url) == [1, VERSION]
    for name, rows in before.items():
        kept = [{key: row[key] for key in rows[0]} for row in after[name]]
        assert [row for row in kept if row != {"version": VERSION}] == rows


def test_upgraded_tables_are_like_new_ones(old_url: str, new_url: str, open_ledger: OpenLedger) -> None:
    open_ledger().prepare()
    new = Ledger(new_url)
    new.prepare()
    new.dispose()
    upgraded, fresh = tables_of(old_url), tables_of(new_url)
    assert set(upgraded) == set(metadata.tables)
    assert upgraded == fresh


@pytest.mark.parametrize("steps", [1, 3, 5, 6])
def test_an_upgrade_that_was_broken_off_goes_on(
    old_url: str, new_url: str, open_ledger: OpenLedger, steps: int
) -> None:
    """On MariaDB each step stays; elsewhere the upgrade begins anew."""
    left = iter(range(steps))

    @event.listens_for(Engine, "before_cursor_execute")
    def break_off(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith(("ALTER", "CREATE")) and next(left, None) is None:
            raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            open_ledger().prepare()
    finally:
        event.remove(Engine, "before_cursor_execute", break_off)
    assert versions(old_url) == [1]
    ledger = open_ledger()
    ledger.prepare()
    new = Ledger(new_url)
    new.prepare()
    new.dispose()
    assert tables_of(old_url) == tables_of(new_url)
    assert versions(old_url) == [1, VERSION]
    assert ledger.counts(found(ledger, "spring")).to_dict() == version_1.COUNTS["spring"]


def test_a_creation_that_was_broken_off_goes_on(url: str, open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    metadata.create_all(ledger._database.engine, tables=[version, campaign, delivery])
    ledger.prepare()
    assert set(tables_of(url)) == set(metadata.tables)
    assert versions(url) == [VERSION]


@pytest.mark.parametrize("there", ["nothing", "version 1"])
def test_processes_that_come_first_at_once_make_one_ledger(
    url: str, time: Time, open_ledger: OpenLedger, there: str
) -> None:
    if there == "version 1":
        version_1.write(url)
    ledgers = [open_ledger() for _ in range(4)]
    at_once(*(ledger.prepare for ledger in ledgers))
    assert versions(url) == ([1, VERSION] if there == "version 1" else [VERSION])
    assert set(tables_of(url)) == set(metadata.tables)


def test_a_campaign_of_version_1_resumes_and_its_doubts_are_held(old_url: str, desk: Desk) -> None:
    record = desk.plan(10)
    assert not record.fresh
    outcome = desk.run(record, desk.campaign(on_in_doubt=OnInDoubt.HOLD))
    assert outcome.ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 6, "in_doubt": 3, "rejected": 1}
    assert sorted(desk.phones.received) == [number(index) for index in (3, 6, 7, 8, 9)]


def test_doubts_of_version_1_are_looked_up(old_url: str, desk: Desk, phones: Remembering) -> None:
    sent_at = desk.time.database() - 100
    for index in (2, 4):
        phones.remember(number(index), f"old-{index}", "text", f"Hi N{index}")
    phones.chats = {
        chat: [type(entry)(entry.message_id, sent_at, entry.kind, entry.text) for entry in entries]
        for chat, entries in phones.chats.items()
    }
    record = desk.plan(10)
    assert run(desk, record).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 9, "rejected": 1}
    # The one that the history never saw was sent again, once.
    assert sorted(phones.received) == [number(index) for index in (3, 5, 6, 7, 8, 9)]
    assert desk.ledger.settlements(record) == {
        (Proof.HISTORY, DeliveryState.ACCEPTED): 2,
        (Proof.HISTORY, DeliveryState.PLANNED): 1,
    }


def test_a_living_runner_of_version_1_keeps_its_deliveries(old_url: str, desk: Desk) -> None:
    record = desk.plan(4, desk.campaign("autumn"))
    lease = desk.ledger.begin(record, label="new", seconds=60)
    turn = desk.ledger.turn(lease, [], places=9, pace=desk.campaign().pace)
    assert [task.recipient for task in turn.tasks] == [number(2), number(3)]
    assert desk.counts(record) == {"sending": 4}


def test_a_runner_of_version_1_goes_on_while_the_ledger_is_upgraded(
    old_url: str, desk: Desk, phones: Remembering
) -> None:
    now = desk.time.database
    old, other = OldRunner(old_url, campaign=5, token=5), OldRunner(old_url, campaign=5, token=0)
    assert old.result(18, "accepted", now(), "old-0")
    desk.ledger.prepare()
    first, second = old.take(now()), old.take(now())
    assert old.result(first, "in_doubt", now())
    desk.time.now += old.seconds + 1
    other.begin(now())
    other.take_over(old.token, now())
    assert not other.result(second, "accepted", now(), "not its own")
    record = desk.plan(4, desk.campaign("autumn"))
    assert desk.counts(record) == {"accepted": 1, "in_doubt": 3}
    phones.remember(number(1), "old-1", "text", "Hi N1")
    phones.remember(number(2), "old-2", "text", "Hi N2")
    assert run(desk, record, campaign=desk.campaign("autumn")).ending is Ending.FINISHED
    # Nothing here shows that the history works, so that absence from it proves nothing.
    assert desk.counts(record) == {"accepted": 3, "in_doubt": 1}
    assert phones.calls == []
    old.close()
    other.close()


def test_runners_of_version_1_and_an_upgrade_do_not_lock_each_other_out(
    old_url: str, time: Time, open_ledger: OpenLedger
) -> None:
    ledgers = [open_ledger() for _ in range(2)]
    runners = [OldRunner(old_url, campaign=4, token=0), OldRunner(old_url, campaign=4, token=0)]

    def send(runner: OldRunner) -> None:
        runner.begin(time.database())
        for _ in range(2):
            number = runner.take(time.database())
            assert runner.result(number, "accepted", time.database(), f"id-{number}")

    at_once(*(ledger.prepare for ledger in ledgers), *(partial(send, runner) for runner in runners))
    ledger = open_ledger()
    assert ledger.counts(found(ledger, "spring"))[DeliveryState.ACCEPTED] == 5
    assert versions(old_url) == [1, VERSION]
    for runner in runners:
        runner.close()


@pytest.mark.postgres
def test_an_upgrade_does_not_wait_for_a_runner_that_waits_for_it(postgres_url: str) -> None:
    """It takes the strongest lock of a table first; a weaker one before it would close the circle."""
    version_1.write(postgres_url)
    runner, ledger = engine(postgres_url), Ledger(postgres_url)
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'wa_delivery'::regclass")
    with runner.begin() as connection, runner.connect() as looker, ThreadPoolExecutor(1) as pool:
        # Who meets a circle first ends it by giving up: here that would be the runner.
        connection.execute(text("SET LOCAL deadlock_timeout = '1ms'"))
        connection.execute(text("SELECT id FROM wa_delivery WHERE id = 14 FOR UPDATE"))
        upgrading = pool.submit(ledger.prepare)
        deadline = monotonic() + 60
        while not looker.execute(waiting).scalar_one():
            assert monotonic() < deadline
        connection.execute(text("UPDATE wa_delivery SET updated_at = updated_at + 1 WHERE id = 14"))
        connection.commit()
        upgrading.result(60)
    runner.dispose()
    ledger.dispose()
    assert versions(postgres_url) == [1, VERSION]


def test_an_old_messages_id_proves_nothing_of_an_attempt_of_version_1(old_url: str, desk: Desk) -> None:
    """A message that failed is planned again; that version does not clear what is known of the one before."""
    now, pace = desk.time.database, Pace.unlimited()
    record = found(desk.ledger, "done")
    desk.ledger.record_status(record.channel, f"id-{number(0)}-1", MessageStatus.FAILED)
    desk.ledger.end(desk.ledger.begin(record, label="", seconds=60, again={DeliveryState.FAILED}))
    old = OldRunner(old_url, campaign=record.id, token=0)
    old.begin(now())
    old.take(now())
    old.close()
    desk.time.now += old.seconds + 1
    lease = desk.ledger.begin(record, label="", seconds=60)
    assert desk.counts(record) == {"accepted": 2, "in_doubt": 1}
    assert desk.ledger.turn(lease, [], places=1, pace=pace).tasks == ()


def test_looks_at_an_attempt_are_not_counted_for_the_next_one_of_version_1(
    old_url: str, desk: Desk, phones: Remembering
) -> None:
    """That version leaves our columns as they are, so that they may speak of the attempt before."""
    now, delays = desk.time.database, Delays(settle=SETTLE, send=SEND_TIMEOUT)
    record = found(desk.ledger, "halted")
    lease = desk.ledger.begin(record, label="", seconds=60)
    (task,) = desk.ledger.turn(lease, [], places=1, pace=Pace.unlimited()).tasks
    desk.ledger.end(lease, [Result(task, DeliveryState.IN_DOUBT)])
    for _ in range(2):
        desk.time.now += 100
        (doubt,) = desk.ledger.doubtful(record, delays)
        desk.ledger.was_absent(doubt, Settled(Proof.HISTORY, "test"))
    assert desk.counts(record) == {"planned": 3}
    desk.time.now += 1
    old = OldRunner(old_url, campaign=record.id, token=0)
    old.begin(now())
    assert old.take(now()) == task.id
    assert old.result(task.id, "in_doubt", now())
    old.close()
    (again,) = desk.ledger.doubtful(record, delays)
    assert (again.attempt, again.looks, again.ripe, again.due) == (3, 0, False, SETTLE)
    desk.time.now += 100
    (again,) = desk.ledger.doubtful(record, delays)
    assert again.ripe
    assert not desk.ledger.was_absent(again, Settled(Proof.HISTORY, "test")), "one look is not two"
    desk.time.now += 100
    (again,) = desk.ledger.doubtful(record, delays)
    assert (again.looks, desk.ledger.was_absent(again, Settled(Proof.HISTORY, "test"))) == (1, True)
