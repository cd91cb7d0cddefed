"""A whole Airflow that lives in one folder and ends with the ``with`` block."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from whatsapp_provider.demo.errors import DeadlineError, DemoError, RestError, RunFailedError
from whatsapp_provider.demo.processes import Supervisor
from whatsapp_provider.demo.rest import AirflowRest, Json, RunRef, task_name
from whatsapp_provider.demo.settings import USERNAME, AirflowSettings, free_port
from whatsapp_provider.demo.taskprocesses import TaskProcesses, find_task_processes

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
ENDED = frozenset({"success", "failed"})
_ARGUMENTS = {"scheduler": ["--skip-serve-logs"], "triggerer": ["--skip-serve-logs"]}
_HEALTH_NAMES = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}
_MIGRATE_SECONDS = 180.0
_POLL_SECONDS = 0.5

T = TypeVar("T")


class AirflowServer:
    """A scheduler, DAG processor, triggerer and API server of our own, on free ports.

    ``config`` holds environment variables of Airflow (``AIRFLOW__SCHEDULER__…``) and wins over the
    harness's own settings. ``database`` is an SQLAlchemy URL; SQLite in the home folder without it.
    """

    def __init__(
        self,
        home: Path,
        dags_folder: Path,
        *,
        connections: Mapping[str, Mapping[str, Any]] | None = None,
        config: Mapping[str, str] | None = None,
        database: str | None = None,
        parallelism: int = 4,
        components: Sequence[str] = COMPONENTS,
        supervisor: Supervisor | None = None,
    ) -> None:
        self.settings = AirflowSettings(home, dags_folder, free_port(), database, parallelism)
        self.connections = dict(connections or {})
        self.components = tuple(components)
        self.supervisor = supervisor or Supervisor(home / "logs" / "components")
        self.password = self.settings.password()
        self.rest = AirflowRest(self.url, USERNAME, self.password)
        self.environment = self.settings.environment(config or {})

    @property
    def url(self) -> str:
        """Where the UI and the REST API answer."""
        return self.settings.url

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait_healthy()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Create the database, then start every component without waiting for it."""
        self.settings.home.mkdir(parents=True, exist_ok=True)
        self.supervisor.run("db-migrate", _airflow("db", "migrate"), self.environment, _MIGRATE_SECONDS)
        for component in self.components:
            self.supervisor.start(component, component_command(component), self.environment)

    def stop(self) -> None:
        """Stop every process of this Airflow. Safe to call twice."""
        self.supervisor.stop()

    def restart(self, component: str) -> None:
        """Start a component again that a test has killed."""
        self.supervisor.restart(component, component_command(component), self.environment)

    def wait_healthy(self, timeout: float = 120.0) -> None:
        """Wait until all components report themselves healthy, and put the connections in place."""
        self.wait_until("the API server's answer", self._answers, timeout)
        for conn_id, fields in self.connections.items():
            self.rest.put_connection(conn_id, fields)
        self.wait_until("a healthy Airflow", self._all_healthy, timeout)

    def wait_dag(self, dag_id: str, timeout: float = 60.0) -> None:
        """Wait until Airflow has read the DAG; an error in the file that names it ends the wait."""

        def read() -> bool:
            if self.rest.has_dag(dag_id):
                return True
            for file, trace in self.rest.import_errors().items():
                if dag_id in (self.settings.dags_folder / file).read_text():
                    message = f"Airflow can't import {file}:\n{trace}"
                    raise DemoError(message)
            return False

        self.wait_until(f"reading of the DAG {dag_id}", read, timeout)

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> RunRef:
        """Start a run of a DAG as soon as Airflow has read it."""
        self.wait_dag(dag_id)
        return self.rest.trigger(dag_id, conf)

    def wait_run(
        self,
        ref: RunRef,
        timeout: float = 180.0,
        *,
        expect: str = "success",
        on_poll: Callable[[list[Json]], None] | None = None,
    ) -> Json:
        """Wait for the run's end and return it; raise :class:`RunFailedError` when it isn't as expected."""

        def ended() -> Json | None:
            if on_poll is not None:
                on_poll(self.rest.tasks(ref))
            run = self.rest.run(ref)
            return run if run["state"] in ENDED else None

        run = self.wait_until(f"the end of {ref.dag_id} {ref.run_id}", ended, timeout)
        if run["state"] != expect:
            raise RunFailedError(f"{ref.dag_id} {ref.run_id}", run["state"], self._outcomes(ref))
        return run

    def wait_task(
        self, ref: RunRef, task_id: str, states: Sequence[str], timeout: float = 90.0, map_index: int = -1
    ) -> Json:
        """Wait until the task instance is in one of the states, and return it."""

        def reached() -> Json | None:
            task = self.rest.task(ref, task_id, map_index)
            return task if task["state"] in states else None

        return self.wait_until(f"{task_id} in {' or '.join(states)}", reached, timeout)

    def find_task_processes(self, ref: RunRef, task_id: str, map_index: int = -1) -> TaskProcesses:
        """Return the supervisor and the task process of a running task instance."""
        task = self.rest.task(ref, task_id, map_index)
        return find_task_processes(task, self.supervisor.processes())

    def wait_until(self, awaited: str, look: Callable[[], T | None], timeout: float) -> T:
        """Look until something true comes back; a dead component ends the wait at once."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            self.supervisor.check()
            if found := look():
                return found
            time.sleep(_POLL_SECONDS)
        raise DeadlineError(awaited, timeout)

    def _outcomes(self, ref: RunRef) -> dict[str, str]:
        """Return each task's state, and for a failed one the exception that its log ends with."""
        outcomes = {}
        for task in self.rest.tasks(ref):
            state = task["state"] or "not started"
            failure = self.rest.failure(ref, task) if state == "failed" else ""
            outcomes[task_name(task)] = f"{state}: {failure}" if failure else state
        return outcomes

    def _answers(self) -> bool:
        try:
            self.rest.health()
        except (OSError, RestError):
            return False
        return True

    def _all_healthy(self) -> bool:
        health = self.rest.health()
        awaited = [name for component, name in _HEALTH_NAMES.items() if component in self.components]
        return all(health[name]["status"] == "healthy" for name in awaited)


def component_command(component: str) -> list[str]:
    """Return the command that runs a component in the foreground."""
    return _airflow(component, *_ARGUMENTS.get(component, []))


def _airflow(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *arguments]
