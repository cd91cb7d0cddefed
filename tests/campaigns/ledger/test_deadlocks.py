"""A transaction that a server rolled back for another's sake is done again; one whose commit got no answer is not."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from whatsapp_provider.campaigns.ledger.database import TRIES, Database, DeadlockError, again_after_deadlock
from whatsapp_provider.errors import LedgerUnavailableError


@pytest.fixture(
    params=[
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A server's database with a table of two rows; a file has one writer at a time, and no deadlocks."""
    database = Database(request.getfixturevalue(f"{request.param}_url"))
    with database.transaction() as connection:
        connection.execute(text("CREATE TABLE pair (id INT PRIMARY KEY, n INT)"))
        connection.execute(text("INSERT INTO pair VALUES (1, 0), (2, 0)"))
    yield database
    database.dispose()


class Crossing:
    """Two threads that add one to both rows, each beginning with another: their first tries lock each other out."""

    def __init__(self, database: Database, *, in_savepoint: bool = False) -> None:
        self.database, self.in_savepoint = database, in_savepoint
        self.met = Barrier(2, timeout=20)
        self.begun: list[int] = []
        self.failed: list[Exception] = []

    def add(self, first: int, second: int) -> None:
        with self.database.transaction() as connection:
            is_first_try = self.begun.count(first) == 0
            self.begun.append(first)
            connection.execute(text("UPDATE pair SET n = n + 1 WHERE id = :id"), {"id": first})
            if is_first_try:
                self.met.wait()
            if not self.in_savepoint:
                connection.execute(text("UPDATE pair SET n = n + 1 WHERE id = :id"), {"id": second})
                return
            try:
                with connection.begin_nested():
                    connection.execute(text("UPDATE pair SET n = n + 1 WHERE id = :id"), {"id": second})
            except IntegrityError:
                return

    def run(self, add: Any) -> dict[int, int]:
        def job(first: int, second: int) -> None:
            try:
                add(first, second)
            except LedgerUnavailableError as error:
                self.failed.append(error)

        threads = [Thread(target=job, args=pair) for pair in ((1, 2), (2, 1))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with self.database.transaction() as connection:
            return {row.id: row.n for row in connection.execute(text("SELECT id, n FROM pair"))}


@pytest.mark.parametrize("in_savepoint", [False, True], ids=["plain", "savepoint"])
def test_a_deadlock_undoes_one_of_the_two_and_says_so(database: Database, in_savepoint: bool) -> None:
    crossing = Crossing(database, in_savepoint=in_savepoint)
    assert crossing.run(crossing.add) == {1: 1, 2: 1}
    (failed,) = crossing.failed
    assert isinstance(failed, DeadlockError)


@pytest.mark.parametrize("in_savepoint", [False, True], ids=["plain", "savepoint"])
def test_what_a_deadlock_undid_is_done_again_and_once(database: Database, in_savepoint: bool) -> None:
    crossing = Crossing(database, in_savepoint=in_savepoint)
    assert crossing.run(again_after_deadlock(crossing.add)) == {1: 2, 2: 2}
    assert crossing.failed == []
    assert len(crossing.begun) == 3


def test_a_commit_whose_answer_is_lost_is_not_done_again(database: Database) -> None:
    commit = database.engine.dialect.do_commit

    def do_commit(connection: Any) -> None:
        commit(connection)
        raise OperationalError("COMMIT", {}, Exception("the server closed the connection"))

    database.engine.dialect.do_commit = do_commit  # type: ignore[method-assign]
    tries: list[int] = []

    @again_after_deadlock
    def add() -> None:
        tries.append(1)
        with database.transaction() as connection:
            connection.execute(text("UPDATE pair SET n = n + 1"))

    with pytest.raises(LedgerUnavailableError) as caught:
        add()
    assert not isinstance(caught.value, DeadlockError)
    assert tries == [1]


def test_a_connection_that_is_killed_at_its_commit_is_no_deadlock(database: Database) -> None:
    def killed(connection: Any) -> None:
        is_postgres = database.dialect == "postgresql"
        own = "SELECT pg_backend_pid()" if is_postgres else "SELECT CONNECTION_ID()"
        number = connection.exec_driver_sql(own).scalar_one()
        other = create_engine(database._url, isolation_level="AUTOCOMMIT")
        with other.connect() as line:
            line.exec_driver_sql(
                f"SELECT pg_terminate_backend({number})" if is_postgres else f"KILL {number}"
            )
        other.dispose()

    event.listen(database.engine, "commit", killed)
    with (
        pytest.raises(LedgerUnavailableError, match="can't be used") as caught,
        database.transaction() as connection,
    ):
        connection.execute(text("UPDATE pair SET n = n + 1"))
    assert not isinstance(caught.value, DeadlockError)


def test_who_is_undone_again_and_again_is_told_so_in_the_end() -> None:
    tries: list[int] = []

    @again_after_deadlock
    def locked() -> None:
        tries.append(1)
        raise DeadlockError("locked")

    with pytest.raises(DeadlockError):
        locked()
    assert len(tries) == TRIES
