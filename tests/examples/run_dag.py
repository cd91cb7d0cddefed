"""Run one DAG file with ``dag.test()`` in a process of its own; called by the tests beside it.

Arguments: the file, the run's configuration as JSON, and what HTTP addresses answer as JSON.
"""

from __future__ import annotations

import json
import runpy
import sys
from types import FunctionType
from typing import Any

import requests_mock


def main(file: str, conf: str, answers: str) -> None:
    """Run it and print the state of each task as the last line."""
    # A function under @dag gives its DAG at each call.
    names = runpy.run_path(file)
    [make] = [
        found for found in names.values() if isinstance(found, FunctionType) and hasattr(found, "__wrapped__")
    ]
    dag = make()
    for task in dag.tasks:
        if hasattr(task, "poke_interval"):
            task.poke_interval = 0.1  # the emulator is quicker than a gateway
    with requests_mock.Mocker(real_http=True) as mocker:
        for url, answer in json.loads(answers).items():
            mocker.get(url, json=answer)
        run: Any = dag.test(run_conf=json.loads(conf))
    states = {f"{ti.task_id}[{ti.map_index}]": str(ti.state) for ti in run.get_task_instances()}
    print(json.dumps({"state": str(run.state), "tasks": states}))  # noqa: T201 - read by the test


if __name__ == "__main__":
    main(*sys.argv[1:])
