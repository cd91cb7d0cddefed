"""Wait until a campaign is planned, has begun, is paused, is finished, or has arrived at a share of its people."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseSensorOperator, conf

from whatsapp_provider.errors import WhatsAppError
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators.base import no_vain_retries
from whatsapp_provider.operators.choices import check_choice
from whatsapp_provider.operators.named_campaign import campaign_id_of
from whatsapp_provider.sensors.channel import WhatsAppWaitFailedError, WhatsAppWaitTimeoutError
from whatsapp_provider.triggers.due import HOLD_SECONDS
from whatsapp_provider.waiting import Decision, Verdict

if TYPE_CHECKING:
    from datetime import timedelta

    from airflow.sdk import Context

    from whatsapp_provider.triggers.campaign import WhatsAppCampaignTrigger

DAY = 86_400.0


class WhatsAppCampaignSensor(BaseSensorOperator):
    """Wait for a campaign that another task, DAG or person runs.

    It looks into the ledger and needs no connection to a gateway.

    :param campaign: what a task returned that planned the campaign, or its ``campaign_id``.
    :param until: ``planned``, ``begun``, ``paused`` (by itself or a person, e.g. to tell somebody), ``finished`` (or
        expired) or ``delivered``.
    :param share: for ``delivered``, how many of those it is sent to must have got the message, from 0 to 1. It needs
        status reports of the gateway, which your code records with ``Ledger.record_status``.
    :param poke_interval: seconds between looks, or a ``timedelta``.
    :param timeout: seconds until the wait fails, or a ``timedelta``, counted from its start and kept through
        deferral.
    :param deferrable: wait in the triggerer, which takes no worker slot.
    :param end_from_trigger: let the triggerer finish the task. Airflow runs no ``on_success_callback`` and
        reports no ``outlets`` then, so it is off by itself where the task has either.
    """

    template_fields: Sequence[str] = ("campaign",)
    ui_color = "#d9fdd3"

    def __init__(
        self,
        *,
        campaign: Any,
        until: Literal["planned", "begun", "paused", "finished", "delivered"] = "finished",
        share: float = 1.0,
        poke_interval: timedelta | float = 60.0,
        timeout: timedelta | float = 7 * DAY,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        end_from_trigger: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, **kwargs)
        check_choice("until", until, "planned", "begun", "paused", "finished", "delivered")
        if not 0 < share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, not {share!r}")
        self.campaign = campaign
        self.until = until
        self.share = share
        self.deferrable = deferrable
        self.end_from_trigger = end_from_trigger

    def execute(self, context: Context) -> Any:
        """Look once, then wait in the triggerer, or poll to the end."""
        if not self.deferrable:
            return super().execute(context)
        deadline = time.time() + self.timeout
        decision = self._look(deadline)
        if decision.verdict is Verdict.WAIT:
            self.defer(trigger=self._trigger(deadline), method_name="execute_complete")
        self._end(decision.verdict, decision.reason)
        return None

    def _trigger(self, deadline: float) -> WhatsAppCampaignTrigger:
        from whatsapp_provider.triggers.campaign import WhatsAppCampaignTrigger

        return WhatsAppCampaignTrigger(
            campaign_id=campaign_id_of(self.campaign),
            until=self.until,
            deadline=deadline,
            poke_interval=self.poke_interval,
            share=self.share,
            end_from_trigger=self.end_from_trigger and not self.on_success_callback and not self.outlets,
            resume_after=time.time() + HOLD_SECONDS,
        )

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None = None) -> None:
        """Read what the trigger saw; whatever is not plainly a success fails."""
        told = event or {}
        status = told.get("status")
        verdict = Verdict(status) if status in (Verdict.DONE, Verdict.TIMED_OUT) else Verdict.FAILED
        self._end(verdict, str(told.get("reason") or "the trigger gave no reason"))

    def poke(self, context: Context) -> bool:
        """Look once; Airflow's own timeout bounds the wait."""
        decision = self._look(float("inf"))
        if decision.verdict is Verdict.WAIT:
            self.log.info("Waiting until %s: %s.", self.until, decision.reason)
            return False
        self._end(decision.verdict, decision.reason)
        return True

    def _look(self, deadline: float) -> Decision:
        from whatsapp_provider.campaigns.watching import CampaignWait, Until
        from whatsapp_provider.triggers.campaign import overview_of

        wait = CampaignWait(Until(self.until), deadline, self.share)
        with no_vain_retries():
            campaign_id, ledger = campaign_id_of(self.campaign), open_ledger()
        try:
            return wait.after_look(overview_of(ledger, campaign_id), time.time())
        except WhatsAppError as error:
            return wait.after_error(error, time.time())
        finally:
            ledger.dispose()

    def _end(self, verdict: Verdict, reason: str) -> None:
        if verdict is not Verdict.DONE:
            self._fail(verdict, reason)
        self.log.info("Done: %s.", reason)

    def _fail(self, verdict: Verdict, reason: str) -> NoReturn:
        if self.soft_fail or self.never_fail:
            raise AirflowSkipException(f"Skipped instead of failed: {reason}.")
        if verdict is Verdict.TIMED_OUT:
            raise WhatsAppWaitTimeoutError(
                f"The wait ran out of time: {reason}. Raise timeout= if it only needs longer."
            )
        raise WhatsAppWaitFailedError(f"The wait can't succeed: {reason}.")
