"""Settings that every test relies on, made before anything imports Airflow.

Airflow reads its configuration once, at its first import, and writes into its home folder then. So
the home is a new folder of this test run, and no setting of the person's own Airflow reaches a test.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import reporting, spreading, temporary

if TYPE_CHECKING:
    from fastapi import FastAPI

temporary.use_memory()
_HOME = Path(tempfile.mkdtemp(prefix="whatsapp-tests-airflow-"))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)

for _name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
    del os.environ[_name]
os.environ.update(
    {
        "AIRFLOW_HOME": str(_HOME),
        "AIRFLOW__CORE__DAGS_FOLDER": str(_HOME / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of the tests, as long as the algorithm wants its keys to be",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_HOME / 'airflow.db'}",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
)

pytest_plugins = ["pytester"]


@pytest.fixture
def require() -> Callable[..., None]:
    """Skip the test, or fail it in CI, when the machine lacks what it needs."""
    return reporting.needs


@pytest.fixture(scope="session")
def airflow_app() -> FastAPI:
    """Airflow's own web application, with everything that is installed in it."""
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)
    from airflow.api_fastapi.app import create_app

    return create_app(apps="core")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest where several processes share the work."""
    if hasattr(config, "workerinput"):
        spreading.sort_servers_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> spreading.Spread:
    """Share the work as these tests need it."""
    return spreading.Spread(config, log)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the first process what could not be tested in this one."""
    if hasattr(session.config, "workeroutput"):
        reporting.tell(session.config.workeroutput)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear what could not be tested in another process."""
    reporting.take_over(getattr(node, "workeroutput", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what could not be tested here."""
    reporting.write_missing(terminalreporter)
