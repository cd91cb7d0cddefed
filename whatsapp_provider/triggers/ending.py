"""How a wait ends in the triggerer, whatever is waited for."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator
from time import time

from airflow.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent

from whatsapp_provider.waiting import Decision, Verdict


class WaitTrigger(BaseTrigger):
    """Base of the triggers that look at something until it is where it should be, or the time is over."""

    end_from_trigger: bool
    resume_after: float

    @abstractmethod
    async def until_over(self) -> Decision:
        """Look, decide, sleep; return the decision that ends it."""

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, then end the task here where that is wanted, or resume it on a worker, not too early."""
        decision = await self.until_over()
        self.log.info("Wait is over: %s.", decision.reason)
        if decision.verdict is Verdict.DONE and self.end_from_trigger:
            yield TaskSuccessEvent()
            return
        await asyncio.sleep(max(0.0, self.resume_after - time()))
        yield TriggerEvent({"status": decision.verdict.value, "reason": decision.reason})
