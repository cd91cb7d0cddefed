"""Wait for a channel in the triggerer."""

from __future__ import annotations

import asyncio
import random
from time import time
from typing import Any

from whatsapp_provider.errors import WhatsAppError
from whatsapp_provider.triggers.crowd import crowd
from whatsapp_provider.triggers.ending import WaitTrigger
from whatsapp_provider.triggers.pairing import PairingNotice
from whatsapp_provider.waiting import ChannelGoal, ChannelWait, Decision, Verdict

SHORTEST_PAUSE = 0.05
MOST_DOUBLINGS = 40  #: of an interval; no number grows beyond bounds


class WhatsAppChannelTrigger(WaitTrigger):
    """Looks at a channel until it is where it should be, can't get there, or the time is over.

    Only ids travel: Airflow stores a trigger's arguments in the clear.

    :param channel: what ``ChannelRef.to_dict`` gives; a name or id, where that could not be had yet.
    :param goal: ``initialized`` or ``connected``.
    :param deadline: seconds since the epoch (UTC).
    :param poke_interval: seconds between looks.
    :param end_from_trigger: succeed here, without another run on a worker. Airflow then runs no
        ``on_success_callback``.
    :param resume_after: seconds since the epoch before which the task is not resumed.
    :param longest_interval: seconds up to which the interval doubles from look to look; ``None`` keeps it.
    :param on_pairing: what ``PairingNotice.to_dict`` gives.
    """

    def __init__(  # noqa: PLR0913 - each is stored under its name
        self,
        *,
        whatsapp_conn_id: str,
        channel: dict[str, str] | str | None,
        goal: str,
        deadline: float,
        poke_interval: float,
        end_from_trigger: bool = True,
        resume_after: float = 0.0,
        longest_interval: float | None = None,
        on_pairing: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's has no annotations
        self.whatsapp_conn_id = whatsapp_conn_id
        self.channel = channel
        self.goal = goal
        self.deadline = deadline
        self.poke_interval = poke_interval
        self.end_from_trigger = end_from_trigger
        self.resume_after = resume_after
        self.longest_interval = longest_interval
        self.on_pairing = on_pairing
        self._notice: PairingNotice | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments; those that came later only where they say something."""
        later = {"longest_interval": self.longest_interval, "on_pairing": self.on_pairing}
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "whatsapp_conn_id": self.whatsapp_conn_id,
            "channel": self.channel,
            "goal": self.goal,
            "deadline": self.deadline,
            "poke_interval": self.poke_interval,
            "end_from_trigger": self.end_from_trigger,
            "resume_after": self.resume_after,
            **{name: value for name, value in later.items() if value is not None},
        }

    async def until_over(self) -> Decision:
        """Look, decide, sleep."""
        with crowd:
            return await self._until_over()

    async def _until_over(self) -> Decision:
        wait = ChannelWait(ChannelGoal(self.goal), self.deadline)
        told, looks = "", 0
        if self.on_pairing is not None:
            self._notice = PairingNotice.from_dict(self.on_pairing, self.whatsapp_conn_id, self.log)
        # Waits that begin together, as after a restart of the triggerer, must not look in step for ever.
        interval = _part_of(self.poke_interval)
        while True:
            decision = await self._look(wait)
            if decision.verdict is not Verdict.WAIT:
                return decision
            crowd.settle()
            if decision.reason != told:
                told = decision.reason
                self.log.info("Waiting until %s: %s.", self.goal, told)
            asked = decision.pause + _part_of(self.poke_interval) if decision.pause else 0.0
            pause = max(interval, asked, SHORTEST_PAUSE)
            await asyncio.sleep(max(0.0, min(pause, self.deadline - time())))
            interval = self._interval(looks := looks + 1)

    def _interval(self, looks: int) -> float:
        if self.longest_interval is None:
            return self.poke_interval
        return min(self.poke_interval * 2.0 ** min(looks - 1, MOST_DOUBLINGS), self.longest_interval)

    async def _look(self, wait: ChannelWait) -> Decision:
        decision = await self._look_once(wait, max_age=self.poke_interval)
        if decision.verdict is Verdict.FAILED:
            # Its cause may be a connection that was mended since it was read.
            decision = await self._look_once(wait, max_age=0.0)
        return decision

    async def _look_once(self, wait: ChannelWait, *, max_age: float) -> Decision:
        from airflow.providers.common.compat.sdk import AirflowNotFoundException

        from whatsapp_provider.hooks.channels import resolve
        from whatsapp_provider.hooks.sharing import shared_gateway

        try:
            gateway = await shared_gateway(self.whatsapp_conn_id, max_age=max_age)
            ref = await resolve(gateway, self.channel)
            status = await gateway.channel(ref).status()
            if self._notice is not None:
                await self._notice.after_look(gateway, ref, status, within=self.deadline - time())
            return wait.after_look(status, time())
        except WhatsAppError as error:
            return wait.after_error(error, time())
        except AirflowNotFoundException:
            return wait.without_connection(self.whatsapp_conn_id, time())


def _part_of(seconds: float) -> float:
    return seconds * random.random()  # noqa: S311 - no secret
