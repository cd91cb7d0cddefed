"""The doctor in this process, with a metadata database of the test run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.campaigns.conftest import mariadb_server, mariadb_url, postgres_server, postgres_url
from tests.hooks.keeping import keeping
from tests.hooks.world import World
from tests.hooks.world import world as running_world
from whatsapp_provider.cli import main

__all__ = ["keeping", "mariadb_server", "mariadb_url", "postgres_server", "postgres_url", "running_world"]


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor printed as JSON, and how it ended."""

    code: int
    findings: list[dict[str, str]]
    printed: str
    log: str

    def of(self, topic: str, looked_at: str | None = None) -> dict[str, str]:
        """Return the one finding of a topic, or of a part of it."""
        (found,) = [
            finding
            for finding in self.findings
            if finding["topic"] == topic and looked_at in {None, finding["looked_at"]}
        ]
        return found

    def parts(self, topic: str) -> list[str]:
        """Return what was looked at of a topic."""
        return [finding["looked_at"] for finding in self.findings if finding["topic"] == topic]


@pytest.fixture
def world(running_world: World) -> World:
    """An emulator, and no connection to it yet."""
    running_world.monkeypatch.delenv("AIRFLOW_CONN_WHATSAPP_DEFAULT")
    return running_world


@pytest.fixture(scope="session")
def migrated() -> None:
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)


@pytest.fixture
def doctor(migrated: None, capfd: pytest.CaptureFixture[str]) -> Callable[..., Diagnosis]:
    """Run ``doctor --json``."""

    def run(*arguments: str) -> Diagnosis:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["doctor", "--json", *arguments])
        written = capfd.readouterr()
        told = json.loads(written.out)
        assert told["healthy"] is (ended.value.code == 0)
        return Diagnosis(ended.value.code, told["findings"], written.out, written.err)

    return run


@pytest.fixture
def stored(migrated: None) -> Iterator[Callable[..., None]]:
    """Put rows into Airflow's metadata database, and take them out again."""
    from airflow.utils.session import create_session

    rows: list[Any] = []

    def store(row: Any) -> None:
        with create_session() as session:
            session.add(row)
            session.flush()
            session.expunge(row)
        rows.append(row)

    yield store
    with create_session() as session:
        for row in rows:
            session.delete(session.merge(row))
