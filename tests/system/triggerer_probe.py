"""A trigger that looks at the triggerer from the inside, and the task that starts it.

It runs in the same process and on the same loop as all other triggers, and writes what it sees into a
file: the loop's lag, how many TLS contexts and connection pools there are, CPU and memory.
"""

from __future__ import annotations

import asyncio
import gc
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NoReturn

import psutil
from airflow.providers.common.compat.sdk import BaseOperator
from airflow.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent

TICK = 0.02
NOTE_EVERY = 2.0


class ProbeOperator(BaseOperator):
    """Starts the probe; it ends when somebody makes the file ``stop`` in its folder."""

    def __init__(self, *, folder: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = folder

    def execute(self, context: Any) -> NoReturn:
        self.defer(trigger=ProbeTrigger(self.folder), method_name="never")


class ProbeTrigger(BaseTrigger):
    """Writes a line of JSON into ``probe.jsonl`` every two seconds; the file ``count`` asks for a census."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.folder = folder

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{type(self).__module__}.{type(self).__qualname__}", {"folder": self.folder}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        folder = Path(self.folder)
        lags, busy, rubbish = list[float](), list[float](), Rubbish()
        noted_at = time.monotonic()
        with (folder / "probe.jsonl").open("a", buffering=1) as file:
            while not (folder / "stop").exists():
                begun, used = time.monotonic(), time.thread_time() - rubbish.seconds
                await asyncio.sleep(TICK)
                now = time.monotonic()
                lags.append(now - begun - TICK)
                busy.append(time.thread_time() - rubbish.seconds - used)
                if now - noted_at >= NOTE_EVERY:
                    waits = sum("/wait/" in task.get_name() for task in asyncio.all_tasks())
                    entry = {
                        "lags": lags,
                        "busy": busy,
                        "waits": waits,
                        "rubbish": rubbish.longest,
                        **usage(),
                    }
                    if (folder / "count").exists():
                        entry |= await asyncio.to_thread(census)
                        (folder / "count").unlink()
                    file.write(json.dumps(entry) + "\n")
                    lags, busy, noted_at = [], [], now
                    rubbish.longest = 0.0
        yield TaskSuccessEvent()


class Rubbish:
    """How long Python's garbage collection, which looks at all that Airflow has loaded too, stopped this thread."""

    def __init__(self) -> None:
        self.seconds = self.longest = 0.0
        self._thread = threading.get_ident()
        self._begun = 0.0
        gc.callbacks.append(self._note)

    def _note(self, phase: str, _info: object) -> None:
        if threading.get_ident() != self._thread:
            return
        if phase == "start":
            self._begun = time.thread_time()
        else:
            took = time.thread_time() - self._begun
            self.seconds += took
            self.longest = max(self.longest, took)


def usage() -> dict[str, float]:
    """Return the time, and what the triggerer and its supervisor have used."""
    process = psutil.Process()
    supervisor = process.parent()
    assert supervisor is not None
    return {
        "at": time.time(),
        "rss": process.memory_info().rss,
        "cpu": sum(process.cpu_times()[:2]),
        "supervisor_cpu": sum(supervisor.cpu_times()[:2]),
        "supervisor_rss": supervisor.memory_info().rss,
    }


def census() -> dict[str, int]:
    """Count what must not grow with the number of waits; to look at every object takes a tenth of a second."""
    import httpx

    from whatsapp_provider import transport

    gc.unfreeze()  # what is frozen is not told
    found = Counter(type(item) for item in gc.get_objects())
    return {
        "contexts": found[ssl.SSLContext],
        "clients": found[httpx.AsyncClient],
        "wires": found[transport.Wire],
    }
