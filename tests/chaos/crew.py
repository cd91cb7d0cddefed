"""The worker processes of one campaign: forked from a warm one, killed, replaced."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from itertools import count
from multiprocessing.context import ForkServerContext, ForkServerProcess

from tests.chaos.frost import freeze
from tests.chaos.worker import Job, work

#: Starting Python costs a second of a core, forking a process that has imported everything some milliseconds.
WARM = "tests.chaos.warm"


def warm_context() -> ForkServerContext:
    """Return the context whose processes are forked from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([WARM])
    return context


class CrashError(Exception):
    """A worker ended by itself before the campaign did."""


class Crew:
    """Workers by their place; a place whose worker has finished stays empty.

    :param job: makes the job of a label.
    """

    def __init__(self, context: ForkServerContext, job: Callable[[str], Job]) -> None:
        self._context, self._job = context, job
        self._numbers = count(1)
        self._workers: dict[int, tuple[str, ForkServerProcess]] = {}
        self._freezers: dict[int, ForkServerProcess] = {}

    def start(self, place: int) -> None:
        """Start a worker."""
        job = self._job(f"{place}-{next(self._numbers)}")
        process = self._context.Process(target=work, args=(job,), daemon=True)
        process.start()
        self._workers[place] = (job.label, process)

    def alive(self) -> list[int]:
        """Return the places at work.

        :raises CrashError: if a worker ended otherwise than by finishing.
        """
        for place, (label, process) in list(self._workers.items()):
            if process.exitcode is not None:
                self._let_go(place)
                del self._workers[place]
                if process.exitcode:
                    raise CrashError(f"Worker {label} ended with exit code {process.exitcode}.")
        return sorted(self._workers)

    def freeze(self, place: int, seconds: float) -> None:
        """Suspend a worker for so long."""
        self._let_go(place)
        _, worker = self._workers[place]
        freezer = self._context.Process(target=freeze, args=(worker.pid, seconds), daemon=True)
        freezer.start()
        self._freezers[place] = freezer

    def kill(self, places: Sequence[int]) -> tuple[list[str], float]:
        """Kill with SIGKILL and wait until all are gone; return their labels and the moment of their death.

        No process runs another instruction of its own once the signal is there; to take it apart may last.
        """
        for place in places:
            self._let_go(place)
        killed = [self._workers.pop(place) for place in places]
        for _, process in killed:
            process.kill()
        dead = time.time()
        for _, process in killed:
            process.join()
            process.close()
        return [label for label, _ in killed], dead

    def _let_go(self, place: int) -> None:
        # Its number may soon be another process's, which must not be stopped in its stead.
        freezer = self._freezers.pop(place, None)
        if freezer is not None:
            freezer.kill()
            freezer.join()

    def stop(self) -> None:
        """Kill who is left."""
        for place in list(self._freezers):
            self._let_go(place)
        self.kill(list(self._workers))
