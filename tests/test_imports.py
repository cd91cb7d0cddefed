"""What importing a module of ours adds to a process that has Airflow's SDK, told by names and without a clock.

``make bench`` holds the milliseconds; these names are what made them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

from tests.test_architecture import EDGE_MODULES, HEAVY, LIGHT_MODULES, ROOT, within

US = ROOT.name
#: Needed by tasks and triggers that run, and not to read a DAG file. What the SDK itself loads costs nobody anything
#: here and is not seen, so the list may name it.
LATER = (
    *HEAVY,
    # Each class of a message is a pydantic model: 40 ms for all.
    *(f"{US}.{name}" for name in ("messages", "model", "templates", "campaigns", "exchange", "dispositions")),
    *(f"{US}.{name}" for name in ("http", "transport", "media", "emulator", "demo")),
    # A trigger's base class loads those of the SDK's other triggers: 15 ms.
    "airflow.triggers",
    "airflow.providers.standard",
    *("alembic", "asgiref", "croniter", "psycopg", "pyarrow", "pymysql", "requests", "wtforms"),
    *("http.cookiejar", "multiprocessing", "smtplib", "sqlite3", "statistics", "tarfile", "unittest", "xml"),
)
#: What a module can't do without, since it extends it or is about it.
NEEDED = {
    "hooks.media": (f"{US}.media",),
    "operators.approval": ("airflow.providers.standard", "airflow.triggers", "asgiref"),
    "triggers.campaign": ("airflow.triggers",),
    "triggers.channel": ("airflow.triggers",),
    "triggers.ending": ("airflow.triggers",),
    "triggers.moment": ("airflow.triggers",),
}
#: Of ours; each is a file to find and to read. The most are 33.
MOST_MODULES = 40
SCRIPT = """
import json, sys
from importlib import import_module
from airflow.sdk import DAG, BaseHook, BaseOperator, BaseSensorOperator, task
from tests.bench.forks import in_a_fork_of

def news(name):
    before = set(sys.modules)
    import_module(name)
    return sorted(set(sys.modules) - before)

print(json.dumps({name: in_a_fork_of(news, name) for name in sys.argv[1:]}))
"""


@cache
def loaded() -> dict[str, list[str]]:
    """Return what each module loads, asked in one process, for the SDK takes seconds to load."""
    names = {name: f"{US}.{name}" if name != "__init__" else US for name in EDGE_MODULES + LIGHT_MODULES}
    command = [sys.executable, "-c", SCRIPT, *names.values()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT.parent)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    return {name: told[module] for name, module in names.items()}


@pytest.mark.parametrize("name", EDGE_MODULES + LIGHT_MODULES)
def test_reading_a_dag_file_loads_nothing_that_only_a_running_task_needs(name: str) -> None:
    too_early = {found for found in loaded()[name] if within(found, LATER)}
    assert {found for found in too_early if not within(found, NEEDED.get(name, ()))} == set()


@pytest.mark.parametrize("name", EDGE_MODULES + LIGHT_MODULES)
def test_an_import_at_airflows_edge_loads_few_modules_of_ours(name: str) -> None:
    assert len([found for found in loaded()[name] if within(found, (US,))]) <= MOST_MODULES
