"""A task for each person: how many end in the time, and what kills of tasks under way do.

It is one run: undisturbed for as long as is given, or until half of the people have it; then tasks are killed while
they run, each once. When Airflow has run those again, the DAG is paused: what it has not come to by then was
not sent, which is a matter of time and counted as ``unaccounted``.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psutil

from tests.peers.judge import judge
from tests.peers.settings import KILLED, MAP_LENGTH, MAPPED
from tests.peers.site import Site
from tests.peers.waiting import comes, until
from whatsapp_provider.demo.airflow import ENDED
from whatsapp_provider.demo.errors import DemoError
from whatsapp_provider.demo.rest import Json, RunRef

RANDOM_KILLS = 15
#: So many kills of a task alone, then one of the executor's worker with it, as when a host is lost.
EVERY = 5
PAUSE = 1.0  #: seconds between them
AIMED_KILLS = 5  #: as soon as the phone has the message
AIMED_SECONDS = 60.0
LOOK = 1.0  #: seconds for which a list of running tasks is good
PATIENCE = 240.0  #: seconds until all that were killed have been run again

_Key = tuple[str, int]


def mapped(site: Site, minutes: float, chance: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the rate, and what became of those whose task was killed."""
    phones = site.phones(KILLED)
    before = phones.received()
    half = before + len(site.audience.phones) // 2
    ref = site.start(MAPPED, KILLED)
    began = time.monotonic()
    comes(lambda: phones.received() >= half, minutes * 60, every=0.5)
    seconds, sent = time.monotonic() - began, phones.received() - before
    rate = {"per_s": round(sent / seconds, 2), "seconds": round(seconds, 1), "sent": sent}
    killing = _Killing(site, ref)
    killing.at_random(chance)
    killing.aimed()
    until("another run of the killed tasks", killing.is_over, PATIENCE, every=2)
    site.server.rest.call("PATCH", f"/dags/{ref.dag_id}?update_mask=is_paused", {"is_paused": True})
    until("the end of what runs", lambda: not _under_way(site, ref), PATIENCE, every=1)
    told = {_person(site, _key(task)) for task in site.task_instances(ref, "success") if _is_send(task)}
    received = phones.counts(MAPPED.channel(KILLED))
    site.server.rest.patch_run(ref, {"state": "failed"})
    verdict = judge(site.audience.phones, received, sent=told)
    return rate, {**verdict.to_dict(), **killing.found(received)}


class _Killing:
    """Kills running tasks, each once."""

    def __init__(self, site: Site, ref: RunRef) -> None:
        self._site, self._ref = site, ref
        self._by_chance, self._aimed = set[_Key](), set[_Key]()
        self._workers = 0

    def at_random(self, chance: random.Random) -> None:
        """Kill some at whatever they are doing."""
        for _ in range(3 * RANDOM_KILLS):
            if len(self._by_chance) == RANDOM_KILLS:
                return
            time.sleep(PAUSE)
            if not (candidates := sorted(self._targets())):
                continue
            key = chance.choice(candidates)
            with_worker = len(self._by_chance) % EVERY == EVERY - 1
            if self._kill(key, with_worker=with_worker):
                self._by_chance.add(key)
                self._workers += with_worker

    def aimed(self) -> None:
        """Kill some after their message is out and before Airflow knows of it, if they are caught in time."""
        ends = time.monotonic() + AIMED_SECONDS
        with self._site.full.tail() as tail:
            while len(self._aimed) < AIMED_KILLS and time.monotonic() < ends:
                tail.read()
                targets = {_person(self._site, key): (key, task) for key, task in self._targets().items()}
                if phone := tail.next_of(targets.keys(), LOOK):
                    key, task = targets[phone]
                    with suppress(psutil.NoSuchProcess):
                        task.kill()
                        self._aimed.add(key)

    def _targets(self) -> dict[_Key, psutil.Process]:
        """Return the processes of the tasks that may be killed."""
        processes = {process.pid: process for process in self._site.server.supervisor.processes()}
        running = self._site.task_instances(self._ref, "running")
        victims = self._by_chance | self._aimed
        return {
            _key(task): processes[task["pid"]]
            for task in running
            if _is_send(task)
            and task["try_number"] == 1
            and task["pid"] in processes
            and _key(task) not in victims
        }

    def _kill(self, key: _Key, *, with_worker: bool) -> bool:
        """Kill one task, unless it has ended meanwhile."""
        try:
            processes = self._site.server.find_task_processes(self._ref, *key)
            if with_worker:
                processes.kill_all()
            else:
                processes.task.kill()
        except (DemoError, psutil.NoSuchProcess):
            return False
        return True

    def is_over(self) -> bool:
        """Whether each of the killed tasks has succeeded or failed since."""
        rest = self._site.server.rest
        return all(rest.task(self._ref, *key)["state"] in ENDED for key in self._by_chance | self._aimed)

    def found(self, received: Mapping[str, int]) -> dict[str, int]:
        """Return how many were killed, and how many of them got it twice."""

        def twice(keys: set[_Key]) -> int:
            return sum(received.get(_person(self._site, key), 0) > 1 for key in keys)

        return {
            "kills": len(self._by_chance) + len(self._aimed),
            "kills_of_workers": self._workers,
            "kills_at_random": len(self._by_chance),
            "twice_of_random": twice(self._by_chance),
            "kills_aimed": len(self._aimed),
            "twice_of_aimed": twice(self._aimed),
        }


def _under_way(site: Site, ref: RunRef) -> list[Json]:
    return [task for state in ("queued", "running", "restarting") for task in site.task_instances(ref, state)]


def _is_send(task: Json) -> bool:
    return bool(task["map_index"] >= 0)


def _key(task: Json) -> _Key:
    return task["task_id"], task["map_index"]


def _person(site: Site, key: _Key) -> str:
    task_id, index = key
    return site.audience.phones[int(task_id.rpartition("_")[2]) * MAP_LENGTH + index]
