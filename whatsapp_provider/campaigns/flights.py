"""The sends of a run that are under way: begun, counted, waited for at its end, and cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from whatsapp_provider.campaigns.ledger.records import Task

CUT_SECONDS = 0.3  #: for sends that are cut off to notice it


class Flights:
    """The sends under way.

    :param send: sends one, to its end.
    :param landed: set whenever one of them has ended.
    """

    def __init__(self, send: Callable[[Task], Awaitable[None]], landed: asyncio.Event) -> None:
        self._send, self._landed = send, landed
        self._jobs: dict[asyncio.Task[None], Task] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def ids(self) -> set[int]:
        """Their deliveries."""
        return {task.id for task in self._jobs.values()}

    def begin(self, task: Task) -> None:
        """Begin one."""
        self._jobs[asyncio.create_task(self._fly(task))] = task

    async def _fly(self, task: Task) -> None:
        try:
            await self._send(task)
        finally:
            current = asyncio.current_task()
            if current is not None:
                self._jobs.pop(current, None)
            self._landed.set()

    async def drain(self, patience: float, seconds: float, hurried: Callable[[], bool]) -> None:
        """Let them end, and cut off those that take too long.

        :param patience: how long they may take while nobody is in a hurry; ``seconds`` more from then on.
        """
        await self._let_end(patience, until=hurried)
        await self._let_end(seconds)
        for job in self._jobs:
            job.cancel()
        await self._let_end(CUT_SECONDS)

    async def _let_end(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._jobs and not until():
                    self._landed.clear()
                    await self._landed.wait()
