"""Run DAG files with ``dag.test()``, one after another, in a process of its own; the tests beside it ask for them.

Each line of the input is a job: the file, the run's configuration, what HTTP addresses answer, and the
environment's variables. A line that begins with the mark answers it; all others are Airflow's log.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import traceback
from datetime import timedelta
from functools import cache
from types import FunctionType
from typing import Any

import requests_mock
from airflow.sdk.execution_time import supervisor

MARK = "@@ran "


def main() -> None:
    """Do jobs until there are no more."""
    # Airflow 3.1 makes a new API for each task, which takes more than a second; 3.3 makes one, as here.
    supervisor.in_process_api_server = cache(supervisor.in_process_api_server)
    for line in sys.stdin:
        job = json.loads(line)
        os.environ.clear()
        os.environ.update(job["environment"])
        try:
            result = run(job["file"], job["conf"], job["answers"])
        except Exception:  # the test shows it
            traceback.print_exc(file=sys.stdout)
            result = {"state": "broken", "tasks": {}}
        print(f"{MARK}{json.dumps(result)}", flush=True)  # noqa: T201 - read by the test


def run(file: str, conf: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    """Run one file and return the states of its run and tasks."""
    # A function under @dag gives its DAG at each call.
    names = runpy.run_path(file)
    [make] = [
        found for found in names.values() if isinstance(found, FunctionType) and hasattr(found, "__wrapped__")
    ]
    dag = make()
    # Airflow 3.3 can't end a run with a deadline here: it looks for what only a DAG processor stores.
    dag.deadline = None
    for task in dag.tasks:
        if hasattr(task, "poke_interval"):
            task.poke_interval = 0.1  # the emulator is quicker than a gateway
        task.retry_delay = timedelta(seconds=0.2)
    with requests_mock.Mocker(real_http=True) as mocker:
        for url, answer in answers.items():
            mocker.get(url, json=answer)
        ran: Any = dag.test(run_conf=conf)
    states = {f"{ti.task_id}[{ti.map_index}]": str(ti.state) for ti in ran.get_task_instances()}
    return {"state": str(ran.state), "tasks": states}


if __name__ == "__main__":
    main()
