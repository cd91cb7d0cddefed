"""An Airflow whose tasks run on two Celery workers, with Redis between, and the ledger beside its own database.

Each worker has a host name, a session and processes of its own, so that killing all of them is what losing a host
is to everybody else.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from tests.airflow_server import airflow_with_dags
from tests.servers import new_database, postgres_server, redis_server
from tests.system.world import CONN_ID, World, a_world
from whatsapp_provider.demo.airflow import AirflowServer
from whatsapp_provider.demo.errors import RestError
from whatsapp_provider.demo.rest import Json, RunRef

FIRST, SECOND = "first", "second"
SLOTS = 2  #: of each worker
LEDGER_CONN_ID = "whatsapp_ledger"
#: Role and schema of the ledger: its own, in the database that Airflow uses too.
LEDGER_ROLE = "whatsapp"
SEND_LATENCY = 0.5
SETTLE_SECONDS = 2.0
_WORKER = "WHATSAPP_TESTS_WORKER"
_READY_WITHIN = 120.0


@dataclass(frozen=True)
class Fleet:
    """Airflow's components, its two workers, the gateway and the database."""

    server: AirflowServer
    world: World
    #: Airflow's database, as somebody who may read everything.
    database: str

    @property
    def ledger(self) -> str:
        """The URL of the ledger, as tasks have it."""
        return make_url(self.database).set(username=LEDGER_ROLE).render_as_string(hide_password=False)

    def connect_ledger(self) -> None:
        """Tell Airflow where the ledger is."""
        where = make_url(self.database)
        fields = {
            "conn_type": "postgres",
            "host": str(where.query["host"]),
            "login": LEDGER_ROLE,
            "schema": where.database,
        }
        self.server.rest.put_connection(LEDGER_CONN_ID, fields)

    def disconnect_ledger(self) -> None:
        """Let Airflow know no ledger's connection."""
        try:
            self.server.rest.call("DELETE", f"/connections/{LEDGER_CONN_ID}")
        except RestError as error:
            if error.status != 404:
                raise

    def start_workers(self) -> None:
        """Start both, and wait until they take tasks."""
        for name in (FIRST, SECOND):
            command = _worker_command(name, self.server.settings.home)
            self.server.supervisor.start(name, command, {**self.server.environment, _WORKER: name})
        for name in (FIRST, SECOND):
            self.server.wait_until(f"the {name} worker", partial(self._is_ready, name), _READY_WITHIN)

    def where(self, task: Json) -> str | None:
        """Return the worker that runs a task instance now, ``None`` if no process of a worker does."""
        if task["state"] != "running" or task["pid"] is None:
            return None
        try:
            return psutil.Process(task["pid"]).environ().get(_WORKER)
        except psutil.Error:
            return None

    def parts_on(self, ref: RunRef, name: str) -> list[int]:
        """Return which mapped tasks of a run a worker runs now."""
        tasks = self.server.rest.tasks(ref)
        return sorted(task["map_index"] for task in tasks if self.where(task) == name)

    def lose(self, name: str) -> int:
        """SIGKILL every process of a worker at once, and return how many there were."""
        component = self.server.supervisor.components.pop(name)
        killed: set[int] = set()
        while left := self._processes(name):
            # The parent first, so that it neither reports a dead child nor starts another.
            for process in sorted(left, key=lambda process: process.pid != component.process.pid):
                with _gone_is_fine():
                    process.kill()
                    killed.add(process.pid)
            component.process.poll()
            time.sleep(0.01)
        component.process.wait()
        return len(killed)

    def _processes(self, name: str) -> list[psutil.Process]:
        found = []
        for process in self.server.supervisor.processes():
            with _gone_is_fine():
                if process.environ().get(_WORKER) == name:
                    found.append(process)
        return found

    def _is_ready(self, name: str) -> bool:
        log = self.server.supervisor.components[name].log
        return f"celery@{name} ready" in log.read_text(errors="replace")


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except psutil.NoSuchProcess:
        return


@contextmanager
def a_fleet(folder: Path, dags: dict[str, str], **config: str) -> Iterator[Fleet]:
    """Run all of it; the ledger's connection is made, and its tables are made by the first task."""
    with postgres_server() as postgres, redis_server() as redis, a_world(send_latency=SEND_LATENCY) as world:
        database = new_database(postgres)
        _execute(
            database,
            f"CREATE ROLE {LEDGER_ROLE} LOGIN",
            f"CREATE SCHEMA {LEDGER_ROLE} AUTHORIZATION {LEDGER_ROLE}",
            f"ALTER ROLE {LEDGER_ROLE} SET search_path = {LEDGER_ROLE}",
        )
        options: dict[str, Any] = {
            "connections": {CONN_ID: world.connection},
            "config": {**_settings(database, redis), **config},
            "database": database,
            "parallelism": 32,
        }
        with airflow_with_dags(folder, dags, **options) as server:
            fleet = Fleet(server, world, database)
            fleet.connect_ledger()
            fleet.start_workers()
            yield fleet


def _settings(database: str, redis: str) -> dict[str, str]:
    return {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database,
        "AIRFLOW__CELERY__BROKER_URL": redis,
        "AIRFLOW__CELERY__RESULT_BACKEND": redis,
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(SLOTS),
        # A lost worker is noticed within half a minute.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "AIRFLOW__WHATSAPP__SETTLE_SECONDS": str(SETTLE_SECONDS),
    }


def _worker_command(name: str, home: Path) -> Sequence[str]:
    return [
        *(sys.executable, "-m", "airflow", "celery", "worker"),
        *("--celery-hostname", name),
        *("--pid", str(home / f"{name}.pid")),
        "--skip-serve-logs",
        "--without-gossip",
        "--without-mingle",
    ]


def _execute(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
