"""Each test has a new SQLite file, a new PostgreSQL schema or a new MariaDB database for its ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import servers
from tests.campaigns.support import Desk
from tests.campaigns.virtual_time import Time
from tests.reporting import needs
from whatsapp_provider.campaigns.ledger.ledger import Ledger


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the test run."""
    _need(servers.POSTGRES)
    with servers.postgres_server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """A schema of its own."""
    return servers.new_schema(postgres_server)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    """The URL of a MariaDB server that lives as long as the test run."""
    _need(servers.MARIADB)
    with servers.mariadb_server() as url:
        yield url


@pytest.fixture
def mariadb_url(mariadb_server: str) -> str:
    """A database of its own."""
    return servers.new_database(mariadb_server)


def _need(program: servers.Program) -> None:
    needs(program.name, available=program.available, how_to_get=program.how_to_get)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger' / 'ledger.db'}"


POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)
MARIADB = pytest.param("mariadb", marks=pytest.mark.mariadb)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.again])])
def url(request: pytest.FixtureRequest) -> str:
    """Where the ledger is: ``make test`` runs the test on a file, ``make kill`` once more on a server.

    Tests of the ledger itself, and of processes that share one, run on all its databases.
    """
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def open_ledger(url: str, time: Time) -> Iterator[Callable[..., Ledger]]:
    """Open the test's ledger, as often as wanted: each is like another process's."""
    opened: list[Ledger] = []

    def open_one(**options: Any) -> Ledger:
        opened.append(Ledger(url, **{"clock": time.database, **options}))
        return opened[-1]

    yield open_one
    for ledger in opened:
        ledger.dispose()


@pytest.fixture
def desk(time: Time, open_ledger: Callable[..., Ledger]) -> Desk:
    return Desk(time, open_ledger)
