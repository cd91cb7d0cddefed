"""Finding every process of one run, wherever it has gone.

Airflow's processes change session, change parent and rename themselves, so neither a process
group nor a parent nor a title finds them all. What they cannot shed is the environment they
inherited: each run puts a marker of its own there, and a process belongs to the run when its
environment carries it.

``setproctitle`` (which Airflow calls in every worker) reuses the memory that holds the
environment, and the marker would vanish from the view of other processes. ``SPT_NOENV`` tells it
not to, and therefore travels with the marker.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable

import psutil

MARKER = "WHATSAPP_DEMO_RUN"
_LOOKS_WITHOUT_FINDING = 2
_BETWEEN_LOOKS = 0.1


def marked_environment(run_id: str) -> dict[str, str]:
    """Return the variables that make a process, and all its descendants, part of the run."""
    return {MARKER: run_id, "SPT_NOENV": "1"}


def find_marked(run_id: str, *, spare: Collection[int] = ()) -> list[psutil.Process]:
    """Return the living processes of the run, except this one and those to spare."""
    spared = {os.getpid(), *spare}
    return [process for process in psutil.process_iter() if _belongs(process, run_id, spared)]


def sweep(run_id: str, *, spare: Collection[int] = (), deadline: float = 10.0) -> list[int]:
    """Kill every process of the run until none is found, and return those that would not die.

    A process that forks while it is being killed leaves a child that the list did not hold, so
    the search is repeated until it comes back empty twice.
    """
    until = time.monotonic() + deadline
    empty_looks = 0
    remaining: list[psutil.Process] = []
    while empty_looks < _LOOKS_WITHOUT_FINDING:
        remaining = find_marked(run_id, spare=spare)
        empty_looks = 0 if remaining else empty_looks + 1
        if remaining and time.monotonic() > until:
            break
        kill_all(remaining)
        time.sleep(_BETWEEN_LOOKS)
    return [process.pid for process in remaining]


def kill_all(processes: Iterable[psutil.Process]) -> None:
    """SIGKILL each process that still exists; a process that has gone is no error."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def _belongs(process: psutil.Process, run_id: str, spared: Collection[int]) -> bool:
    if process.pid in spared:
        return False
    try:
        return process.environ().get(MARKER) == run_id and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False
