"""A connection to the ledger's server that ended while it rested costs a run nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from tests.campaigns.conftest import MARIADB, POSTGRES
from whatsapp_provider.campaigns.ledger import engines
from whatsapp_provider.campaigns.ledger.database import Database
from whatsapp_provider.errors import LedgerUnavailableError

NUMBER = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT CONNECTION_ID()"}
END = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}
SERVERS = pytest.mark.parametrize("url", [POSTGRES, MARIADB], indirect=True)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.dispose()


def number(database: Database) -> int:
    """Return the server's number of the connection that a transaction gets."""
    with database.transaction() as connection:
        return int(connection.execute(text(NUMBER[database.dialect])).scalar_one())


def end(database: Database, url: str, connection: int) -> None:
    """End a connection from the server's side."""
    other = Database(url)
    with other.transaction() as asking:
        asking.execute(text(END[database.dialect].format(connection)))
    other.dispose()


@SERVERS
def test_one_that_ended_while_it_rested_is_replaced(
    database: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "REST_SECONDS", 0.0)
    first = number(database)
    assert number(database) == first
    end(database, url, first)
    assert number(database) != first


@SERVERS
def test_one_that_ended_a_moment_after_its_use_fails_once(
    database: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "REST_SECONDS", 3600.0)
    first = number(database)
    end(database, url, first)
    with pytest.raises(LedgerUnavailableError):
        number(database)
    assert number(database) != first


@SERVERS
def test_what_was_left_open_on_a_connection_is_undone_when_it_rests(database: Database, url: str) -> None:
    with database.transaction() as connection:
        connection.execute(text("CREATE TABLE told (id INT PRIMARY KEY)"))
    with database.engine.connect() as connection:
        connection.execute(text("INSERT INTO told VALUES (1)"))
    other = Database(url)
    with other.transaction() as connection:
        connection.execute(text("INSERT INTO told VALUES (1)"))
    other.dispose()


@pytest.mark.mariadb
@pytest.mark.parametrize("url", [MARIADB], indirect=True)
def test_after_a_commit_the_server_is_not_asked_to_roll_back(database: Database) -> None:
    def rollbacks() -> int:
        with database.transaction() as connection:
            return int(connection.execute(text("SHOW SESSION STATUS LIKE 'Com_rollback'")).one()[1])

    first = rollbacks()
    assert rollbacks() == first
