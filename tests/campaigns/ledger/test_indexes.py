"""However many deliveries a ledger has, a turn and a batch of a plan look at those that they are about."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from tests.campaigns.conftest import POSTGRES
from tests.campaigns.support import CHANNEL, Desk, entry, number
from tests.scale import queries
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger import persons, suppression
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.planning import BATCH
from whatsapp_provider.campaigns.ledger.records import Planned
from whatsapp_provider.campaigns.ledger.schema import alias
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.rules import FrequencyCap

#: PostgreSQL guesses wrong about a table that just grew; one that it has looked at is to be large enough to matter.
GROWN, ANALYZED = 20_000, 100_000


@pytest.mark.parametrize(("rows", "analyzed"), [(GROWN, False), (ANALYZED, True)], ids=["grown", "analyzed"])
def test_the_hot_path_finds_its_rows_by_an_index(url: str, rows: int, analyzed: bool) -> None:
    assert queries.problems_of(url, rows, analyzed=analyzed) == []


@pytest.mark.parametrize("url", [POSTGRES], indirect=True)
def test_a_campaign_that_no_statistics_know_of_is_not_read_whole_at_each_turn(desk: Desk) -> None:
    """Where they know all campaigns that there were, PostgreSQL would take the next one for empty."""
    desk.ledger.plan(Campaign("before", CHANNEL), "text", [entry(index) for index in range(BATCH)])
    for state in ("sending", "accepted", "delivered", "read"):
        with desk.ledger._database.transaction() as connection:
            connection.exec_driver_sql(f"UPDATE wa_delivery SET state = '{state}'")
    with desk.ledger._database.transaction() as connection:
        connection.exec_driver_sql(_ANALYZE["postgresql"])
    people = [entry(index) for index in range(2 * queries.MOST_ROWS)]
    record = desk.ledger.plan(Campaign("now", CHANNEL), "text", people)
    lease = desk.ledger.begin(record, label="", seconds=60)
    with queries.captured(desk.ledger) as statements:
        turn = desk.ledger.turn(lease, [], places=queries.PLACES, pace=Pace.unlimited())
    assert len(turn.tasks) == queries.PLACES
    assert [why for each in statements for why in queries.explain(desk.ledger, *each)] == []


def test_a_statement_that_reads_the_whole_table_is_noticed(desk: Desk) -> None:
    queries.load(desk.ledger, 5000)
    statement = "SELECT id FROM wa_delivery WHERE body_hash = 'hash' ORDER BY updated_at"
    assert queries.explain(desk.ledger, statement, ()) != []


_ANALYZE = {
    "postgresql": "ANALYZE",
    "sqlite": "ANALYZE",
    "mysql": "ANALYZE TABLE wa_delivery, wa_alias",
}


@pytest.mark.parametrize("analyzed", [False, True], ids=["grown", "analyzed"])
def test_other_forms_of_people_are_found_by_an_index(desk: Desk, analyzed: bool) -> None:
    """For a batch of a plan, for what it takes back of the rows before it, and for a cap before a turn."""
    record = queries.load(desk.ledger, GROWN)
    links = [
        {"alias": lid(index), "recipient": number(index), "source": "gateway", "learned_at": 0.0}
        for index in range(0, GROWN, 2)
    ]
    with desk.ledger._database.transaction() as connection:
        connection.execute(insert(alias), links)
        if analyzed:
            connection.exec_driver_sql(_ANALYZE[connection.dialect.name])
    batch = [Planned(lid(index), lid(index), "{}", None) for index in range(BATCH - 1)]
    last = GROWN - 1
    batch.append(Planned(number(last), number(last), "{}", None, aliases=(lid(last - 1),)))
    recipients = [number(index) for index in range(queries.PLACES)]
    with (
        queries.captured(desk.ledger, a_look_up) as statements,
        desk.ledger._database.transaction() as connection,
    ):
        repeats = persons.learn(connection, record.id, batch, {number(last): last + 1}, 0.0)
        capped = suppression.capped(connection, recipients, FrequencyCap(1, 2e9), 1e9)
    assert (len(repeats.recipients), repeats.taken_back, len(capped)) == (BATCH // 2, 1, queries.PLACES)
    assert [
        why for each in statements if "wa_alias" in each[0] for why in read_whole(desk.ledger, *each)
    ] == []
    of_deliveries = [each for each in statements if "wa_delivery" in each[0]]
    assert len(of_deliveries) >= 4
    problems = {each[0]: why for each in of_deliveries if (why := queries.explain(desk.ledger, *each))}
    assert problems == {}


def lid(index: int) -> str:
    return f"2{index:014d}@lid"


def a_look_up(statement: str) -> bool:
    """Whether a statement reads or changes by look-ups; whether anybody is known by another form is told by any row."""
    return not statement.startswith("INSERT") and "LIMIT" not in statement


def read_whole(ledger: Ledger, statement: str, values: Any) -> list[str]:
    """Return where a statement reads all links between forms."""
    how = "EXPLAIN QUERY PLAN" if ledger._database.dialect == "sqlite" else "EXPLAIN"
    with ledger._database.engine.connect() as connection:
        told = [" ".join(map(str, row)) for row in connection.exec_driver_sql(f"{how} {statement}", values)]
    return [
        line
        for line in told
        if "Seq Scan on wa_alias" in line
        or ("SCAN" in line and "VIRTUAL TABLE" not in line)
        or (" ALL " in line and "json_table" not in line)
    ]
