"""Telling the two processes of a running task apart, for tests that kill one of them.

Seen on Linux with Airflow 3.3.2, the LocalExecutor and a task that sleeps::

    airflow scheduler
    `-- airflow worker -- LocalExecutor: <task instance id>   the supervisor: talks to the API server,
        |                                                     heartbeats, writes the log
        `-- airflow worker -- <task instance id>              the task: forked, runs execute()
            `-- sleep 301                                     what a BashOperator starts, in its own session

The supervisor is the executor's worker itself (``<idle>`` between tasks), not a process of its own,
and both stay in the scheduler's session. Both titles hold the task instance's id; macOS sets no
titles. The REST API reports the task's process id as the task instance's ``pid``, so the task is
found by that number, and its supervisor is its parent.
"""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from whatsapp_provider.demo.errors import DemoError
from whatsapp_provider.demo.rest import Json


@dataclass(frozen=True)
class TaskProcesses:
    """The living processes of one running task instance."""

    supervisor: psutil.Process
    task: psutil.Process
    children: tuple[psutil.Process, ...]

    def kill_all(self) -> None:
        """SIGKILL the supervisor first, so that it reports nothing, then the rest: a lost host."""
        for process in (self.supervisor, self.task, *self.children):
            process.kill()


def find_task_processes(task: Json, of_this_run: list[psutil.Process]) -> TaskProcesses:
    """Return the processes of the task instance as the REST API describes it."""
    pids = {process.pid for process in of_this_run}
    if task["state"] != "running" or task["pid"] not in pids:
        message = f"{task['task_id']} has no process here (state {task['state']!r}, pid {task['pid']})."
        raise DemoError(message)
    process = psutil.Process(task["pid"])
    supervisor = process.parent()
    if supervisor is None or supervisor.pid not in pids:
        message = f"The supervisor of {task['task_id']} has gone; its task is process {process.pid}."
        raise DemoError(message)
    return TaskProcesses(supervisor, process, tuple(process.children(recursive=True)))
