"""What the ledger tells, where it can live, and what its errors keep to themselves."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, text

from tests.campaigns.support import NO_ANSWER, REFUSED, Desk, Phones, number
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.report import lines, report
from whatsapp_provider.errors import LedgerError, LedgerUnavailableError


def test_the_report_counts_and_lists_without_whole_numbers(desk: Desk) -> None:
    answers = {number(1): REFUSED, number(2): NO_ANSWER}
    record = desk.plan(5)
    desk.run(record, phones=Phones(lambda recipient, _attempt: answers.get(recipient)))
    summary = report(desk.ledger, record)
    assert {key: summary[key] for key in ("total", "sent", "open", "counts")} == {
        "total": 5,
        "sent": 3,
        "open": 0,
        "counts": {"accepted": 3, "in_doubt": 1, "rejected": 1},
    }
    assert summary["failures"] == [
        {"state": "in_doubt", "code": "ReadTimeout", "count": 1, "reason": "The line went dead."},
        {"state": "rejected", "code": "not_on_whatsapp", "count": 1, "reason": "Not on WhatsApp."},
    ]
    assert summary["rates"] == {
        "sent": 0.6,
        "rejected": 0.2,
        "in_doubt": 0.2,
        "delivered_of_sent": 0.0,
        "read_of_sent": 0.0,
        "failed_of_sent": 0.0,
    }
    assert [item["recipient"] for item in summary["in_doubt"] + summary["rejected"]] == ["…0002", "…0001"]
    told = lines(summary)
    assert told[0] == "Campaign spring: 3 of 5 sent (3 accepted, 1 in_doubt, 1 rejected)."
    assert told[-1].startswith("In doubt, not resent: …0002 (delivery ")
    assert "1555000" not in str(summary)


def test_a_channels_name_is_claimed_by_one_owner_until_its_time_is_over(desk: Desk) -> None:
    def claim(owner: str, name: str = "Bot") -> tuple[float | None, bool]:
        answer = desk.ledger.claim_channel_name("account", name, owner=owner, seconds=60)
        return answer.wait, answer.resumed

    assert claim("a") == (None, False)
    assert claim("a") == (None, True)
    desk.time.now += 20
    assert claim("b") == (40, False)
    assert claim("b", "Other") == (None, False)
    desk.ledger.release_channel_name("account", "Bot", owner="b")
    assert claim("b") == (40, False)
    desk.time.now += 40
    assert claim("b") == (None, False)
    desk.ledger.release_channel_name("account", "Bot", owner="b")
    assert claim("a") == (None, False)


def test_errors_of_the_database_hold_no_numbers_and_no_texts(desk: Desk) -> None:
    record = desk.plan(1)
    whole = {
        "campaign": record.id,
        "seq": 0,
        "recipient": number(0),
        "address": number(0),
        "variables": "Ada",
        "state": "planned",
        "attempt": 0,
        "postponed": 0,
        "updated_at": 0,
    }
    wrong = (whole, whole | {"recipient": number(1), "campaign": 99}, whole | {"updated_at": None})
    for values in wrong:
        with pytest.raises(LedgerError) as caught, desk.ledger._database.transaction() as connection:
            connection.execute(insert(delivery).values(**values))
        assert "1555000" not in str(caught.value)
        assert "Ada" not in str(caught.value)
        assert caught.value.__suppress_context__


def test_a_ledger_of_another_version_is_refused(desk: Desk) -> None:
    desk.ledger.prepare()
    with desk.ledger._database.transaction() as connection:
        connection.execute(text("UPDATE wa_version SET version = 99, oldest_reader = 99"))
    with pytest.raises(LedgerError, match="is of version 99, and this package can use version"):
        desk.open_ledger().prepare()


def test_the_databases_own_clock_is_right_and_moves(desk: Desk) -> None:
    real = desk.open_ledger(clock=None)
    with real._database.transaction() as connection:
        assert real._database.now(connection) == pytest.approx(time.time(), abs=5)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "is not a database URL"),
        ("oracle://somewhere", "can't live in 'oracle'; use one of mysql, postgresql, sqlite"),
        ("sqlite:////proc/ledger.db", "unable to open database file"),
        ("sqlite:////dev/null/x/ledger.db", "folder '/dev/null/x' can't be made: Not a directory"),
        ("postgresql+psycopg://ada:geheim@127.0.0.1:1/x", "postgresql database 'x' on 127.0.0.1"),
    ],
)
def test_a_ledger_that_cannot_be_used_says_where_and_why(url: str, told: str) -> None:
    with pytest.raises(LedgerUnavailableError) as caught:
        Ledger(url).prepare()
    assert told in str(caught.value)
    assert "geheim" not in str(caught.value)


@contextmanager
def nobody() -> Iterator[None]:
    """Be a user without rights, if we are root."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


def test_a_folder_that_cannot_be_written_is_told() -> None:
    folder = Path(tempfile.mkdtemp(prefix="whatsapp-tests-ledger-"))
    folder.chmod(0o555)
    try:
        with (
            nobody(),
            pytest.raises(LedgerUnavailableError, match=f"SQLite file {folder}/l.db.*unable to open"),
        ):
            Ledger(f"sqlite:///{folder}/l.db").prepare()
        with nobody(), pytest.raises(LedgerUnavailableError, match="can't be made: Permission denied"):
            Ledger(f"sqlite:///{folder}/deeper/l.db").prepare()
    finally:
        folder.rmdir()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "l.db").write_text("phone,name\n" * 1000)
    with pytest.raises(LedgerUnavailableError, match="file is not a database"):
        Ledger(f"sqlite:///{tmp_path}/l.db").prepare()


def test_a_new_file_that_another_process_is_writing_to_is_waited_for(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "l.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE something (x)")
    # The wait itself is what is tested: nothing tells from outside that it has begun.
    release = threading.Timer(0.2, other.execute, ["COMMIT"])
    release.start()
    ledger = Ledger(f"sqlite:///{tmp_path}/l.db")
    ledger.prepare()
    release.join()
    other.close()
    ledger.dispose()


def test_an_sqlite_ledger_survives_a_power_cut_and_many_readers(sqlite_url: str) -> None:
    ledger = Ledger(sqlite_url)
    ledger.prepare()
    with ledger._database.transaction() as connection:
        told = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        ]
    assert told == ["wal", 2]
    assert ledger.name.startswith("SQLite file")
    ledger.dispose()


@pytest.mark.postgres
def test_a_postgres_user_without_the_right_to_make_tables_is_told(
    postgres_server: str, postgres_url: str
) -> None:
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS guest")
        connection.exec_driver_sql("CREATE ROLE guest LOGIN")
        schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO guest")
    guest = engine.url.set(username="guest")
    engine.dispose()
    ledger = Ledger(guest)
    with pytest.raises(LedgerUnavailableError, match=r"its user may not change tables.*ledger upgrade"):
        ledger.prepare()
    ledger.dispose()


def test_states_that_are_open_are_those_in_which_something_remains_to_be_done() -> None:
    assert {state for state in DeliveryState if state.is_open} == {"planned", "sending", "postponed"}
