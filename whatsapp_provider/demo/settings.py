"""The environment that a throw-away Airflow runs in: every setting, with its reason."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

USERNAME = "admin"
LOOPBACK = "127.0.0.1"
_PASSWORDS = "passwords.json"


@dataclass(frozen=True)
class AirflowSettings:
    """Where one Airflow lives and what it should do differently from its defaults."""

    home: Path
    dags_folder: Path
    port: int
    database: str | None = None
    parallelism: int = 4

    @property
    def url(self) -> str:
        """Where the UI and the REST API answer."""
        return f"http://{LOOPBACK}:{self.port}"

    def environment(self, config: Mapping[str, str]) -> dict[str, str]:
        """Return the whole environment of the components; the caller's settings come last and win."""
        return {**_inherited(), **self._paths(), **self._airflow(), **config}

    def password(self) -> str:
        """Return the admin's password, made on the first call and kept in the home folder."""
        file = self.home / _PASSWORDS
        if not file.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(json.dumps({USERNAME: secrets.token_urlsafe(9)}))
        password: str = json.loads(file.read_text())[USERNAME]
        return password

    def _paths(self) -> dict[str, str]:
        return {
            "AIRFLOW_HOME": str(self.home),
            # Components start `airflow` and `python` by name.
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        }

    def _airflow(self) -> dict[str, str]:
        return {
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags_folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            # A scheduled example must not start by itself; triggering a DAG unpauses it.
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            # SQLite locks under the default of 32 workers, and the scheduler dies of it.
            "AIRFLOW__CORE__PARALLELISM": str(self.parallelism),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.database or f"sqlite:///{self.home / 'airflow.db'}",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USERNAME}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / _PASSWORDS),
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__API__HOST": LOOPBACK,
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.home / "logs"),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }


def free_port() -> int:
    """Return a port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _inherited() -> dict[str, str]:
    """Take over the caller's environment, but no setting of another Airflow."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    direct = f"{LOOPBACK},localhost"
    for name in ("NO_PROXY", "no_proxy"):
        kept[name] = ",".join(filter(None, [kept.get(name), direct]))
    if sys.platform == "darwin":
        kept["OBJC_DISABLE_INITIALIZE_FORK_SAFETY"] = "YES"  # tasks fork from a threaded parent
    return kept
