"""Wait for a campaign in the triggerer: until somebody lets it go on, or until it is where it should be."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from time import time
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.triggers.base import BaseTrigger, TriggerEvent

from whatsapp_provider.errors import ConfigurationError, WhatsAppError
from whatsapp_provider.hooks.ledger import open_ledger_async
from whatsapp_provider.triggers.due import DUE
from whatsapp_provider.triggers.ending import WaitTrigger
from whatsapp_provider.waiting import Decision, Verdict

if TYPE_CHECKING:
    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.campaigns.ledger.overviews import Overview

#: Looks in vain, in a row, after which a worker looks: the triggerer's host may not reach the ledger.
MOST_VAIN_LOOKS = 10
T = TypeVar("T")


class WhatsAppCampaignResumeTrigger(BaseTrigger):
    """Fires when nobody holds a campaign back any more.

    :param campaign_id: the campaign's id.
    :param poke_interval: seconds between looks into the ledger.
    """

    def __init__(self, campaign_id: str, poke_interval: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's has no annotations
        self.campaign_id = campaign_id
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what Airflow stores in the clear: nothing private."""
        arguments = {"campaign_id": self.campaign_id, "poke_interval": self.poke_interval}
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look again and again; what can't be seen from here, a worker is to see."""
        vain = 0
        while vain < MOST_VAIN_LOOKS:
            await asyncio.sleep(self.poke_interval)
            try:
                stop = await _with_ledger(lambda ledger: ledger.stop_of(self.campaign_id))
            except WhatsAppError as error:
                vain += 1
                self.log.warning("Could not look whether the campaign may go on: %s", error)
                continue
            vain = 0
            if stop is None or not stop.waits:
                break
        yield TriggerEvent({"status": DUE})


class WhatsAppCampaignTrigger(WaitTrigger):
    """Looks at a campaign until it is where it should be, can't get there, or the time is over.

    :param campaign_id: the campaign's id.
    :param until: ``planned``, ``begun``, ``paused``, ``finished`` or ``delivered``.
    :param deadline: seconds since the epoch (UTC).
    :param poke_interval: seconds between looks into the ledger.
    :param share: for ``delivered``, how many of 1 must have got the message.
    :param end_from_trigger: succeed here, without another run on a worker. Airflow then runs no
        ``on_success_callback``.
    :param resume_after: seconds since the epoch before which the task is not resumed.
    """

    def __init__(
        self,
        *,
        campaign_id: str,
        until: str,
        deadline: float,
        poke_interval: float,
        share: float = 1.0,
        end_from_trigger: bool = True,
        resume_after: float = 0.0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's has no annotations
        self.campaign_id = campaign_id
        self.until = until
        self.deadline = deadline
        self.poke_interval = poke_interval
        self.share = share
        self.end_from_trigger = end_from_trigger
        self.resume_after = resume_after

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what Airflow stores in the clear: nothing private."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "campaign_id": self.campaign_id,
            "until": self.until,
            "deadline": self.deadline,
            "poke_interval": self.poke_interval,
            "share": self.share,
            "end_from_trigger": self.end_from_trigger,
            "resume_after": self.resume_after,
        }

    async def until_over(self) -> Decision:
        """Look, decide, sleep."""
        # Waits that begin together must not look in step for ever.
        pause, told = self.poke_interval * random.random(), ""  # noqa: S311 - no secret
        while (decision := await self._look()).verdict is Verdict.WAIT:
            if decision.reason != told:
                told = decision.reason
                self.log.info("Waiting until %s: %s.", self.until, told)
            await asyncio.sleep(max(0.0, min(pause, self.deadline - time())))
            pause = self.poke_interval
        return decision

    async def _look(self) -> Decision:
        from whatsapp_provider.campaigns.watching import CampaignWait, Until

        wait = CampaignWait(Until(self.until), self.deadline, self.share)
        try:
            seen = await _with_ledger(lambda ledger: overview_of(ledger, self.campaign_id))
        except WhatsAppError as error:
            return wait.after_error(error, time())
        return wait.after_look(seen, time())


def overview_of(ledger: Ledger, campaign_id: str) -> Overview | None:
    """Return where a campaign is, ``None`` if it is not in the ledger."""
    try:
        return ledger.overview(campaign_id)
    except ConfigurationError:
        return None


async def _with_ledger(work: Callable[[Ledger], T]) -> T:
    """Open the ledger for one look: a wait of weeks is to hold no connection."""
    ledger = await open_ledger_async(look_only=True)

    def look() -> T:
        try:
            return work(ledger)
        finally:
            ledger.dispose()

    return await asyncio.to_thread(look)
