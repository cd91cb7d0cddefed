"""What each database says of how it carries out the statements of the hot path in a ledger of many deliveries.

PostgreSQL carries each out and counts the rows that it looks at; the others tell what they would do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, event, insert, text

from tests.campaigns.support import CHANNEL, entry, number
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger import bulk
from whatsapp_provider.campaigns.ledger.doubts import Delays
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.planning import BATCH, Order
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Planned, Result
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.pacing import Pace

PLACES = 50
#: Of a statement that looks up what it needs: a batch is of 1000 people, and each may be in a few campaigns.
MOST_ROWS = 5000
#: What reads a whole campaign, and when: the counts of a report and of a run's progress, and a run's begin. Doubts are
#: few, and sorted.
KNOWN = ("GROUP BY wa_delivery.state", "SET postponed=", "coalesce(wa_delivery.resends")

_NUMBERS = {
    "postgresql": "SELECT i FROM generate_series(0, CAST(:last AS integer)) AS numbers (i)",
    "mysql": "SELECT seq AS i FROM seq_0_to_{last}",
    "sqlite": "WITH RECURSIVE numbers (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < :last) "
    "SELECT i FROM numbers",
}
#: Half of the people have their message already.
_HAS = "CASE WHEN i * 2 < :last THEN {value} {other} END"
_LOAD = (
    "INSERT INTO wa_delivery (campaign, seq, recipient, address, variables, body_hash, state, message_id, "
    "intended_at, attempt, postponed, updated_at) "
    "SELECT :campaign, i + 1, {digits}, {digits}, '{{}}', 'hash', {state}, {message}, {moment}, 0, 0, 0 "
    "FROM ({numbers}) AS everybody"
)


def load(ledger: Ledger, rows: int) -> CampaignRecord:
    """Write a campaign of so many people by one statement."""
    ledger.prepare()
    dialect, last = ledger._database.dialect, rows - 1
    digits = "CAST(15550000000 + i AS CHAR(11))" if dialect != "sqlite" else "CAST(15550000000 + i AS TEXT)"
    statement = _LOAD.format(
        digits=digits,
        state=_HAS.format(value="'accepted'", other="ELSE 'planned'"),
        message=_HAS.format(value=digits, other=""),
        moment=_HAS.format(value="i", other=""),
        numbers=_NUMBERS[dialect].format(last=last),
    )
    row = {
        "campaign_id": f"loaded-{uuid4()}",
        "channel": CHANNEL.key(),
        "state": CampaignState.RUNNING,
        **dict.fromkeys(("fingerprint", "template", "shared"), ""),
        **dict.fromkeys(("created_at", "updated_at"), 0),
    }
    with ledger._database.transaction() as connection:
        connection.execute(insert(campaigns).values(row))
        number = connection.execute(text("SELECT max(id) FROM wa_campaign")).scalar_one()
        connection.execute(text(statement), {"campaign": number, "last": last})
    found = ledger.find(str(row["campaign_id"]))
    assert found is not None
    return found


def hot_path(ledger: Ledger, record: CampaignRecord) -> None:
    """Do what a run does again and again, and what a plan does."""
    lease = ledger.begin(record, label="", seconds=60)
    tasks = ledger.turn(lease, [], places=PLACES, pace=Pace.official()).tasks
    assert len(tasks) == PLACES
    ends = [DeliveryState.REJECTED, DeliveryState.IN_DOUBT, DeliveryState.POSTPONED, DeliveryState.PLANNED]
    states = [*ends, *[DeliveryState.ACCEPTED] * (PLACES - len(ends))]
    results = [
        Result(task, state, message_id=f"id-{task.id}", not_before=0.0)
        for task, state in zip(tasks, states, strict=True)
    ]
    last = ledger.turn(lease, results, places=PLACES, pace=Pace.cautious()).tasks
    ledger.counts(record)
    with ledger._database.transaction() as connection:
        # A batch of a plan asks it, of a campaign that grew to this size a moment ago.
        found = bulk.places(connection, record.id, [number(index) for index in range(BATCH)])
    assert len(found) == BATCH
    ledger.recent(record, PLACES)
    ledger.specimen(record, 0.0)
    ledger.doubtful(record, Delays(send=0.0, settle=0.0))
    ledger.finish(record)
    ledger.end(lease, [Result(task, DeliveryState.ACCEPTED, message_id=f"id-{task.id}") for task in last])
    _plans(ledger)


def _plans(ledger: Ledger) -> None:
    name, order = f"small-{uuid4()}", Order(batch=10)
    small = ledger.plan(Campaign(name, CHANNEL), "text", [entry(index) for index in range(25)], order=order)
    lease = ledger.begin(small, label="", seconds=60)
    tasks = ledger.turn(lease, [], places=PLACES, pace=Pace.unlimited()).tasks
    results = [Result(task, DeliveryState.POSTPONED, not_before=1000.0) for task in tasks]
    starved = ledger.turn(lease, results, places=PLACES, pace=Pace.unlimited())
    assert (len(tasks), starved.tasks, starved.open) == (25, (), 25)
    ledger.end(lease)
    try:
        ledger.plan(Campaign(f"{name}-fails", CHANNEL), "text", _failing(), order=order)
    except ZeroDivisionError:
        return
    raise AssertionError("the plan was to fail")


def _failing() -> Iterator[Planned]:
    yield from (entry(index) for index in range(25))
    raise ZeroDivisionError


def about_deliveries(statement: str) -> bool:
    """Whether a statement looks deliveries up."""
    return "wa_delivery" in statement and not statement.startswith(("INSERT", "ANALYZE"))


@contextmanager
def captured(
    ledger: Ledger, wanted: Callable[[str], bool] = about_deliveries
) -> Iterator[list[tuple[str, Any]]]:
    """Collect the wanted statements that are carried out, each with its values: those of one may differ."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        if wanted(statement):
            statements.append((statement, values[0] if many else values))

    event.listen(ledger._database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(ledger._database.engine, "before_cursor_execute", note)


def problems_of(url: str, rows: int, *, analyzed: bool) -> list[str]:
    """Return the statements of the hot path that look at more than they need, and why.

    :param analyzed: whether the database knows what is in its tables; of those that just grew it does not.
    """
    ledger = Ledger(url)
    try:
        record = load(ledger, rows)
        if analyzed:
            with ledger._database.transaction() as connection:
                connection.exec_driver_sql(_ANALYZE[ledger._database.dialect])
        with captured(ledger) as statements:
            hot_path(ledger, record)
        found = {
            f"{why}: {statement}": None
            for statement, values in statements
            if not any(known in statement for known in KNOWN)
            for why in explain(ledger, statement, values)
        }
        return list(found)
    finally:
        ledger.dispose()


def explain(ledger: Ledger, statement: str, values: Any) -> list[str]:
    """Return what is wrong with how a statement is carried out; nothing of it stays."""
    with ledger._database.engine.connect() as connection, connection.begin() as transaction:
        found = _EXPLAIN[ledger._database.dialect](connection, statement, values)
        transaction.rollback()
    return found


def _postgres(connection: Connection, statement: str, values: Any) -> list[str]:
    told = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values).scalar_one()
    (plan,) = told if isinstance(told, list) else json.loads(told)
    return list(_postgres_problems(plan["Plan"]))


def _postgres_problems(node: dict[str, Any]) -> Iterator[str]:
    kind, times = node["Node Type"], node["Actual Loops"]
    looked_at = times * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
    if node.get("Relation Name") == "wa_delivery" and kind == "Seq Scan":
        yield "reads the whole table"
    elif looked_at > MOST_ROWS:
        yield f"{kind} of {looked_at:.0f} rows"
    for below in node.get("Plans", ()):
        yield from _postgres_problems(below)


def _sqlite(connection: Connection, statement: str, values: Any) -> list[str]:
    told = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    return [
        line
        for line in told
        if ("SCAN wa_delivery" in line and "USING" not in line) or "TEMP B-TREE FOR ORDER BY" in line
    ]


def _mysql(connection: Connection, statement: str, values: Any) -> list[str]:
    told = connection.exec_driver_sql(f"EXPLAIN {statement}", values).mappings()
    return [
        f"{row['type']} {row['Extra']}"
        for row in told
        if row["table"] == "wa_delivery" and (row["type"] == "ALL" or "filesort" in (row["Extra"] or ""))
    ]


_ANALYZE = {
    "postgresql": "ANALYZE wa_delivery",
    "sqlite": "ANALYZE",
    "mysql": "ANALYZE TABLE wa_delivery",
}
_EXPLAIN = {"postgresql": _postgres, "sqlite": _sqlite, "mysql": _mysql}
