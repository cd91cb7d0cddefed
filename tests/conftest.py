"""Settings that every test relies on, made before anything imports Airflow.

Airflow reads its configuration once, at its first import, and writes into its home folder then. So
the home is a new folder of this test run, and no setting of the person's own Airflow reaches a test.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import reporting

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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what could not be tested here."""
    reporting.write_missing(terminalreporter)
