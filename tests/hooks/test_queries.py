"""An audience out of a database, over Airflow's own hooks."""

from __future__ import annotations

import copy
import json
import pickle
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pymysql
import pytest
from airflow.providers.common.sql.hooks import sql as common_sql
from pymysql.cursors import SSCursor
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests import servers
from tests.hooks.world import ADA, BOB
from tests.reporting import needs
from whatsapp_provider.audiences import SqlAudience
from whatsapp_provider.errors import (
    AudienceError,
    AudienceUnavailableError,
    ConfigurationError,
    WhatsAppError,
)
from whatsapp_provider.hooks.queries import BATCH, _streaming_cursor, query_rows

PEOPLE = ((ADA, "Ada", 1), (BOB, "Bo", 0))
ALL = "SELECT phone, name FROM people ORDER BY phone"


@pytest.fixture
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database of two people in a file, and a connection ``crm`` to it."""
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE people (phone TEXT, name TEXT, agreed INTEGER)")
        connection.executemany("INSERT INTO people VALUES (?, ?, ?)", PEOPLE)
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return path


def read(sql: str, parameters: Any = None, conn_id: str = "crm") -> list[dict[str, Any]]:
    return [dict(row.values) for row in query_rows(SqlAudience(conn_id, sql, parameters))]


def refusal(sql: str = ALL, parameters: Any = None, conn_id: str = "crm") -> WhatsAppError:
    with pytest.raises(WhatsAppError) as caught:
        read(sql, parameters, conn_id)
    error = caught.value
    # A traceback is logged, and what lies under an error with it.
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    return error


def test_the_rows_of_a_query_are_people_with_its_columns_names(crm: Path) -> None:
    rows = list(query_rows(SqlAudience("crm", f"{ALL};\n")))
    assert [dict(row.values) for row in rows] == [
        {"phone": ADA, "name": "Ada"},
        {"phone": BOB, "name": "Bo"},
    ]
    assert rows[1].place == "query on 'crm', row 2"


@pytest.mark.parametrize(("mark", "given"), [("?", [1]), (":agreed", {"agreed": 1})])
def test_a_query_has_parameters_in_its_drivers_form(crm: Path, mark: str, given: Any) -> None:
    assert read(f"SELECT phone FROM people WHERE agreed = {mark}", given) == [{"phone": ADA}]


def test_a_query_without_an_answer_has_columns_and_nobody(crm: Path) -> None:
    assert read("SELECT phone FROM people WHERE agreed = 7") == []


def test_what_a_statement_changes_is_not_kept(crm: Path) -> None:
    assert "gives no rows" in str(refusal("DELETE FROM people"))
    assert len(read(ALL)) == 2


def test_a_long_answer_is_fetched_in_batches(crm: Path) -> None:
    count = 2 * BATCH + 1
    counting = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1})"
    assert len(read(f"{counting} SELECT i AS phone FROM n")) == count


@pytest.mark.parametrize(
    ("sql", "kind", "told"),
    [
        ("SELECT phone, phone FROM people", AudienceError, "query on 'crm': each column needs a name"),
        ("SELECT phone FROM persons", AudienceError, "no such table: persons"),
        ("SELECT mobile FROM people", AudienceError, "no such column: mobile"),
        ("SELECT phone FORM people", AudienceError, 'near "people": syntax error'),
        ("SELECT phone FROM people WHERE", AudienceError, "incomplete input"),
        ("SELECT phone FROM people WHERE name = ?", AudienceError, "'crm' failed .ProgrammingError"),
        ("SELECT 1; SELECT 2", AudienceError, "one statement at a time"),
        ("SELECT x'00' AS phone", AudienceError, "column 'phone' holds a bytes"),
    ],
)
def test_a_wrong_query_is_told_with_its_connection(
    crm: Path, sql: str, kind: type[WhatsAppError], told: str
) -> None:
    error = refusal(sql)
    assert type(error) is kind
    assert told.replace(".Prog", "(Prog") in str(error)


def test_a_file_that_is_locked_or_out_of_reach_may_be_read_by_a_retry(
    crm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = {"conn_type": "sqlite", "host": str(crm), "extra": {"timeout": 0}}
    gone = {"conn_type": "sqlite", "host": str(crm.parent / "nowhere" / "crm.db")}
    with sqlite3.connect(crm, isolation_level=None) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        for connection, told in ((held, "database is locked"), (gone, "unable to open database file")):
            monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps(connection))
            error = refusal()
            assert type(error) is AudienceUnavailableError
            assert told in str(error)
        writer.execute("ROLLBACK")


class Failing:
    """A connection of a driver that has every kind of error of PEP 249, and quotes in it what it was given."""

    def __init__(self, kind: str, said: str, **values: Any) -> None:
        self._error = type(kind, (Exception,), values)(said)
        self.executed: list[tuple[Any, ...]] = []

    def cursor(self) -> Failing:
        return self

    def execute(self, *given: Any) -> None:
        self.executed.append(given)
        raise self._error

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("DataError", AudienceError),
        ("IntegrityError", AudienceError),
        ("ProgrammingError", AudienceError),
        ("OperationalError", AudienceUnavailableError),
        ("SomeError", AudienceUnavailableError),
    ],
)
def test_no_failure_of_a_driver_tells_a_row_or_a_parameter(
    crm: Path, monkeypatch: pytest.MonkeyPatch, kind: str, told: type[WhatsAppError]
) -> None:
    from airflow.providers.sqlite.hooks.sqlite import SqliteHook

    row = "Grace" if kind in ("DataError", "IntegrityError") else ""
    said = f'bad value "{row}" for Lovelace and {ADA}\nDETAIL: Failing row contains (Hopper).'
    monkeypatch.setattr(SqliteHook, "get_conn", lambda _: Failing(kind, said))
    for given in (["Lovelace"], {"name": "Lovelace"}):
        error = refusal(ALL, given)
        assert type(error) is told
        assert kind in str(error)
        assert not any(word in str(error) for word in ("Grace", "Lovelace", "Hopper", ADA))


def test_a_table_that_is_changed_while_it_is_read_may_be_read_by_a_retry(
    crm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.providers.sqlite.hooks.sqlite import SqliteHook

    driver = Failing(
        "OperationalError", "database schema has changed", sqlite_errorcode=sqlite3.SQLITE_SCHEMA
    )
    monkeypatch.setattr(SqliteHook, "get_conn", lambda _: driver)
    assert type(refusal()) is AudienceUnavailableError


@pytest.mark.parametrize("given", [None, [], {}])
def test_a_percent_sign_of_a_query_without_parameters_is_itself(
    crm: Path, monkeypatch: pytest.MonkeyPatch, given: Any
) -> None:
    from airflow.providers.sqlite.hooks.sqlite import SqliteHook

    driver, sql = Failing("DataError", ""), "SELECT phone FROM people WHERE name LIKE 'A%'"
    monkeypatch.setattr(SqliteHook, "get_conn", lambda _: driver)
    refusal(sql, given)
    # Some drivers fill in the values of an empty list, too.
    assert driver.executed == [(sql,)]


def test_a_connection_that_is_not_there_may_come_back(crm: Path) -> None:
    assert isinstance(refusal(conn_id="gone"), AudienceUnavailableError)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("http", "Connection 'other' is of type 'http', which is no SQL database"),
        ("nosuch", "no provider that is installed has a hook for it"),
    ],
)
def test_a_connection_without_sql_is_refused(monkeypatch: pytest.MonkeyPatch, kind: str, told: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps({"conn_type": kind, "host": "h"}))
    error = refusal(conn_id="other")
    assert isinstance(error, ConfigurationError)
    assert told in str(error)


def test_without_airflows_sql_provider_its_package_is_named(
    crm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, common_sql.__name__, ModuleType("empty"))
    error = refusal()
    assert isinstance(error, ConfigurationError)
    assert "pip install apache-airflow-providers-common-sql" in str(error)


def test_a_result_stays_with_mysql_until_it_is_read() -> None:
    connection = pymysql.connect(host="nowhere", defer_connect=True)
    assert isinstance(_streaming_cursor(connection), SSCursor)


# -- what a DAG's author writes -------------------------------------------------------------------


def test_a_query_is_data_that_survives_being_copied_and_stored() -> None:
    query = SqlAudience("crm", "SELECT 1", {"a": 1})
    assert query == {"conn_id": "crm", "sql": "SELECT 1", "parameters": {"a": 1}}
    for other in (copy.deepcopy(query), pickle.loads(pickle.dumps(query)), json.loads(json.dumps(query))):
        assert SqlAudience.of(other) == query


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"sql": "SELECT 1"}, "conn_id is missing"),
        ({"sql": " ", "conn_id": "crm"}, "sql is missing"),
        ({"sql": None, "conn_id": "crm"}, "sql is missing"),
        ({"sql": "SELECT 1", "conn_id": "crm", "params": []}, "no params"),
        ({"sql": "SELECT 1", "conn_id": "crm", "parameters": "1"}, "parameters are a str"),
    ],
)
def test_a_query_that_lacks_something_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        SqlAudience.of(given)


@pytest.mark.parametrize("given", [None, [], "SELECT 1", {"contacts": {}}, [{"sql": "a column"}]])
def test_other_audiences_are_no_query(given: Any) -> None:
    assert SqlAudience.of(given) is None


# -- PostgreSQL -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A server with 3,000 people."""
    needs(servers.POSTGRES.name, available=servers.POSTGRES.available, how_to_get=servers.POSTGRES.how_to_get)
    with servers.postgres_server() as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(
                text(
                    "CREATE TABLE people AS SELECT (15550000000 + i)::numeric AS phone, 'N' || i AS name, "
                    "10.50::numeric AS price, ARRAY['a', 'b'] AS tags, DATE '2030-03-01' AS due, "
                    "gen_random_uuid() AS key FROM generate_series(1, 3000) AS i"
                )
            )
        engine.dispose()
        yield url


@pytest.fixture(params=["psycopg", "psycopg2"])
def on_postgres(postgres: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A connection ``crm`` to it, by each of the drivers that Airflow's hook knows."""
    hooks = pytest.importorskip("airflow.providers.postgres.hooks.postgres")
    if not hasattr(hooks, "USE_PSYCOPG3"):
        pytest.skip("this version of the hook knows one driver")
    monkeypatch.setattr(hooks, "USE_PSYCOPG3", request.param == "psycopg")
    url = make_url(postgres)
    monkeypatch.setenv(
        "AIRFLOW_CONN_CRM",
        json.dumps(
            {
                "conn_type": "postgres",
                "host": url.host or url.query.get("host"),
                "port": url.port,
                "login": url.username,
                "password": url.password,
                "schema": url.database,
            }
        ),
    )


@pytest.mark.postgres
def test_a_result_stays_with_postgres_until_it_is_read(
    on_postgres: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = query_rows(SqlAudience("crm", "SELECT * FROM people WHERE phone > %s", [15550000000]))
    first = next(rows)
    assert dict(first.values) | {"key": ""} == {
        "phone": 15550000001,
        "name": "N1",
        "price": "10.50",
        "tags": ["a", "b"],
        "due": "2030-03-01",
        "key": "",
    }
    (waiting,) = read("SELECT count(*) AS n FROM pg_cursors UNION ALL SELECT 1 WHERE false")
    assert waiting == {"n": 1}, "the one of this very query"
    assert sum(1 for _ in rows) == 2999


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT phone FROM persons", 'relation "persons" does not exist'),
        ("SELECT name::int AS phone FROM people", "failed (InvalidTextRepresentation)."),
        ("DELETE FROM people RETURNING phone", "syntax error"),
        ("SELECT 1, 2", "each column needs a name of its own"),
    ],
)
def test_postgres_tells_what_is_wrong_and_no_rows(on_postgres: None, sql: str, told: str) -> None:
    error = refusal(sql)
    assert isinstance(error, AudienceError)
    assert told in str(error)
    assert "N1" not in str(error)
