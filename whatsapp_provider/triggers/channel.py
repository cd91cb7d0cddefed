"""Wait for a channel in the triggerer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import time
from typing import Any

from airflow.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent

from whatsapp_provider.errors import WhatsAppError
from whatsapp_provider.waiting import ChannelGoal, ChannelWait, Decision, Verdict

#: Airflow 3.3 can fail a healthy task that resumes within seconds of being deferred; none did after 25 s.
HOLD_SECONDS = 25.0
SHORTEST_PAUSE = 0.05


class WhatsAppChannelTrigger(BaseTrigger):
    """Looks at a channel until it is where it should be, can't get there, or the time is over.

    Only ids travel: Airflow stores a trigger's arguments in the clear.

    :param channel: what ``ChannelRef.to_dict`` gives; a name or id, where that could not be had yet.
    :param goal: ``initialized`` or ``connected``.
    :param deadline: seconds since the epoch (UTC).
    :param poke_interval: seconds between looks.
    :param end_from_trigger: succeed here, without another run on a worker. Airflow then runs no
        ``on_success_callback``.
    :param resume_after: seconds since the epoch before which the task is not resumed.
    """

    def __init__(
        self,
        *,
        whatsapp_conn_id: str,
        channel: dict[str, str] | str | None,
        goal: str,
        deadline: float,
        poke_interval: float,
        end_from_trigger: bool = True,
        resume_after: float = 0.0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's has no annotations
        self.whatsapp_conn_id = whatsapp_conn_id
        self.channel = channel
        self.goal = goal
        self.deadline = deadline
        self.poke_interval = poke_interval
        self.end_from_trigger = end_from_trigger
        self.resume_after = resume_after

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "whatsapp_conn_id": self.whatsapp_conn_id,
            "channel": self.channel,
            "goal": self.goal,
            "deadline": self.deadline,
            "poke_interval": self.poke_interval,
            "end_from_trigger": self.end_from_trigger,
            "resume_after": self.resume_after,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look, decide, sleep."""
        wait = ChannelWait(ChannelGoal(self.goal), self.deadline)
        told = ""
        while True:
            decision = await self._look(wait)
            if decision.verdict is not Verdict.WAIT:
                break
            if decision.reason != told:
                told = decision.reason
                self.log.info("Waiting until %s: %s.", self.goal, told)
            pause = max(self.poke_interval, decision.pause, SHORTEST_PAUSE)
            await asyncio.sleep(max(0.0, min(pause, self.deadline - time())))
        self.log.info("Wait is over: %s.", decision.reason)
        if decision.verdict is Verdict.DONE and self.end_from_trigger:
            yield TaskSuccessEvent()
            return
        await asyncio.sleep(max(0.0, self.resume_after - time()))
        yield TriggerEvent({"status": decision.verdict.value, "reason": decision.reason})

    async def _look(self, wait: ChannelWait) -> Decision:
        from airflow.providers.common.compat.sdk import AirflowNotFoundException

        from whatsapp_provider.hooks.whatsapp import WhatsAppHook

        try:
            # A hook for each look: a token changed in the connection is seen within one interval.
            channel = await WhatsAppHook(self.whatsapp_conn_id).open_channel(self.channel)
            return wait.after_look(await channel.status(), time())
        except WhatsAppError as error:
            return wait.after_error(error, time())
        except AirflowNotFoundException:
            return wait.without_connection(self.whatsapp_conn_id, time())
