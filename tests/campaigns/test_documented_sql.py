"""The SQL of the documentation does to a real ledger what the pages say of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from tests import servers
from tests.campaigns.support import NO_ANSWER, REFUSED, Desk, number
from tests.campaigns.virtual_time import Time
from whatsapp_provider.campaigns.export import COLUMNS
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.errors import LedgerUnavailableError
from whatsapp_provider.model import MessageStatus

PROJECT = Path(__file__).parent.parent.parent


def run_sql(url: str, body: str) -> list[Any]:
    """Run what a block of a page shows, for the campaign ``spring``, and return the rows of its last statement."""
    engine = create_engine(url)
    rows: list[Any] = []
    try:
        with engine.begin() as connection:
            for statement in filter(str.strip, body.replace("news/send/…", "spring").split(";")):
                done = connection.execute(text(statement))
                rows = list(done) if done.returns_rows else []
    finally:
        engine.dispose()
    return rows


def sql_of(page: str, language: str = "sql") -> list[str]:
    """Return the blocks of SQL that a page shows."""
    return re.findall(rf"```{language}\n(.*?)```", (PROJECT / page).read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("name", ["docs/campaigns.md", "README.md"])
def test_those_in_doubt_are_listed_with_number_and_reason(desk: Desk, url: str, name: str) -> None:
    desk.phones.answer = lambda to, _: NO_ANSWER if to == number(1) else None
    desk.run(desk.plan(3))
    ((recipient, reason),) = run_sql(url, sql_of(name)[0])
    assert recipient == number(1)
    assert reason


def test_what_a_channel_sent_is_counted(desk: Desk, url: str) -> None:
    desk.run(desk.plan(3))
    ((_, messages),) = run_sql(url, sql_of("docs/troubleshooting.md")[0])
    assert messages == 3


def test_every_column_of_a_report_and_of_the_views_is_described(desk: Desk, url: str) -> None:
    desk.plan(1)
    page = (PROJECT / "docs/reports.md").read_text("utf-8")
    tables = re.findall(r"\| column \| meaning \|\n\|[-|]+\n((?:\|.*\n)+)", page)
    files, counts = ([name for line in table.splitlines() for name in named(line)] for table in tables)
    assert files == list(COLUMNS)
    report, campaigns = (
        list(run_sql(url, f"SELECT * FROM {view}")[0]._fields) for view in ("wa_report", "wa_campaign_counts")
    )
    assert sorted(report) == sorted([*COLUMNS, "campaign_id"])
    assert counts == campaigns


def named(line: str) -> list[str]:
    """Return what the first cell of a table's line names."""
    return re.findall(r"`(\w+)`", line.split("|")[1])


def test_why_messages_did_not_arrive_is_told_by_a_view(desk: Desk, url: str) -> None:
    desk.phones.answer = lambda to, _: {number(1): NO_ANSWER, number(2): REFUSED, number(3): REFUSED}.get(to)
    desk.run(desk.plan(4))
    found = [tuple(row) for row in run_sql(url, sql_of("docs/reports.md")[0])]
    assert found == [
        ("rejected", "not_on_whatsapp", "Not on WhatsApp.", 2),
        ("in_doubt", "ReadTimeout", "The line went dead.", 1),
    ]


def test_how_many_read_a_campaign_is_told_by_a_view(desk: Desk, url: str) -> None:
    record = desk.plan(4)
    desk.run(record)
    desk.ledger.record_status(record.channel, f"id-{number(0)}-1", MessageStatus.READ)
    desk.plan(1, desk.campaign("nobody was sent to"))
    ((name, sent, delivered, seen, percent),) = run_sql(url, sql_of("docs/reports.md")[1])
    assert (name, sent, delivered, seen, float(percent)) == ("spring", 4, 1, 1, 25.0)


@pytest.mark.postgres
def test_on_postgres_an_analyst_reads_the_views_and_no_table(postgres_server: str, time: Time) -> None:
    url = make_url(servers.new_schema(postgres_server))
    ledger = Ledger(url.render_as_string(hide_password=False), clock=time.database)
    desk = Desk(time, lambda **_options: ledger)
    desk.run(desk.plan(2))
    schema = re.findall(r"search_path=(\w+)", str(url.query["options"]))[0]
    [statements] = sql_of("docs/reports.md", "postgresql")
    run_sql(postgres_server, statements.replace("whatsapp", schema).replace("'…'", "'secret'"))
    analyst = url.set(username="analyst", password="secret").render_as_string(hide_password=False)
    found = run_sql(analyst, "SELECT recipient FROM wa_report ORDER BY recipient")
    assert [tuple(row) for row in found] == [("…0000",), ("…0001",)]
    assert run_sql(analyst, "SELECT sent FROM wa_campaign_counts") == [(2,)]
    with pytest.raises(ProgrammingError, match="permission denied"):
        run_sql(analyst, "SELECT recipient FROM wa_delivery")
    ledger.dispose()


@pytest.mark.postgres
def test_on_a_shared_postgres_one_role_owns_the_tables_and_another_uses_them(
    postgres_server: str, time: Time
) -> None:
    [statements] = sql_of("docs/campaigns.md", "postgresql")
    # Roles belong to the whole server, which other tests use too.
    run_sql(postgres_server, statements.replace("whatsapp", "shared").replace("'…'", "'secret'"))
    owner, user = (
        make_url(postgres_server).set(username=name, password="secret").render_as_string(hide_password=False)
        for name in ("shared_owner", "shared")
    )
    with pytest.raises(LedgerUnavailableError, match="airflow whatsapp ledger upgrade"):
        Ledger(user).prepare()
    Ledger(owner).upgrade()
    desk = Desk(time, lambda **_options: Ledger(user, clock=time.database))
    record = desk.plan(3)
    desk.run(record)
    assert desk.counts(record) == {"accepted": 3}
    tables = "SELECT DISTINCT schemaname, tableowner FROM pg_tables WHERE tablename LIKE 'wa\\_%'"
    assert ("shared", "shared_owner") in [tuple(row) for row in run_sql(owner, tables)]
