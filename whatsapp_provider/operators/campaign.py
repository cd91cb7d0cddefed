"""Send a campaign."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import conf

from whatsapp_provider.errors import (
    CampaignCancelledError,
    CampaignPausedError,
    CampaignStoppedError,
    ConfigurationError,
)
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators.base import no_vain_retries, run_key
from whatsapp_provider.operators.campaigning import Asked, WhatsAppCampaignOperator
from whatsapp_provider.operators.choices import ON_IN_DOUBT, check_choice, is_true, settle_seconds
from whatsapp_provider.operators.events import tell_outlets
from whatsapp_provider.operators.files import Files
from whatsapp_provider.operators.jobs import Job, planned_job, runner_of
from whatsapp_provider.operators.mapping import warn_of_a_task_each
from whatsapp_provider.operators.preview import show_preview
from whatsapp_provider.operators.routes import message_check
from whatsapp_provider.operators.staleness import skip_stale_run
from whatsapp_provider.operators.telling import tell, tellers
from whatsapp_provider.triggers.due import check_due

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.campaigns.options import RunOptions
    from whatsapp_provider.campaigns.outcome import Outcome

#: A wait longer than this gives the worker slot back, where the task may defer.
PATIENCE_SECONDS = 60.0
#: Mapped tasks that wait for the same moment wake apart.
JITTER_SECONDS = 5.0


class WhatsAppSendCampaignOperator(WhatsAppCampaignOperator):
    """Send a message to everyone of an audience, each at most once, however often the task runs.

    Retry, Clear, a lost worker and a duplicate of the task all resume the same campaign. Returns a report:
    counts, reasons of failures, and who is in doubt, with numbers masked.

    Either it plans the campaign itself, from ``audience`` and ``message``, or it sends what another task planned:
    ``campaign=plan.output``. What was planned then counts, for pace, hours and channels too.

    :param campaign: what ``WhatsAppPlanCampaignOperator`` returned, or its ``campaign_id``.
    :param concurrency: sends under way at once on each channel, and the most that a crash leaves in doubt there.
    :param on_in_doubt: what becomes of what may or may not have been sent: ``reconcile`` looks it up in the
        gateway's history, where there is one, and holds the rest; ``hold`` lists it; ``resend`` sends it again
        (at least once): when nothing else is left, each is in doubt for ``[whatsapp] settle_seconds`` first, and at
        most 9 times, or until 5 sends in a row get no answer and the campaign pauses.
    :param on_rejected: ``keep`` lists what the gateway refused; ``resend`` tries those again when the task is
        run anew, e.g. after an outage in which everybody was refused.
    :param breaker: shares of what goes wrong from which on the campaign pauses itself, e.g. ``{"failures": 0.2}``.
    :param on_paused: notifiers that are told when the campaign paused itself, with ``reason`` in their context.
    :param preview: check everything, show a few rendered messages in the log, send nothing.
    :param deferrable: give the worker slot back when the pace asks for a wait of more than a minute.
    """

    template_fields: Sequence[str] = (*WhatsAppCampaignOperator.template_fields, "campaign", "preview")

    def __init__(
        self,
        *,
        campaign: Any = None,
        concurrency: int = 5,
        on_in_doubt: Literal["reconcile", "hold", "resend"] = "reconcile",
        on_rejected: Literal["keep", "resend"] = "keep",
        breaker: Mapping[str, Any] | None = None,
        on_paused: Any = None,
        preview: bool | str = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_choice("on_in_doubt", on_in_doubt, *ON_IN_DOUBT)
        check_choice("on_rejected", on_rejected, "keep", "resend")
        if campaign is None and (self.audience is None or self.message is None):
            raise ValueError("Give audience and message, or campaign=plan.output of a task that planned it.")
        if campaign is not None and not (self.audience is None and self.message is None):
            raise ValueError("campaign= has its audience and message from its plan; leave them out here.")
        self.campaign = campaign
        self.concurrency = concurrency
        self.on_in_doubt = on_in_doubt
        self.on_rejected = on_rejected
        self.breaker = breaker
        self.on_paused = on_paused
        self.preview = preview
        self.deferrable = deferrable

    def work(self, context: Context) -> dict[str, Any]:
        """Plan, send, report."""
        return self._go(context, resumed=False)

    def resume(self, context: Context, event: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Go on after a wait, with the audience and the values that were planned."""
        check_due(event)
        with no_vain_retries():
            return self._go(context, resumed=True)

    def _go(self, context: Context, *, resumed: bool) -> dict[str, Any]:
        told = tellers(self.on_paused, "on_paused")
        if is_true("preview", self.preview):
            return self._preview()
        ledger = open_ledger()
        try:
            job = self._job(ledger, context, resumed=resumed)
            self._announce(ledger, job, context)
            outcome = self.follow(runner_of(ledger, job, self._options(context, resumed=resumed)))
            try:
                return self._conclude(context, outcome, ledger, job)
            except CampaignPausedError as error:
                tell(told, context, str(error), self.log)
                raise
        finally:
            ledger.dispose()

    def _job(self, ledger: Ledger, context: Context, *, resumed: bool) -> Job:
        """Return what is to be sent: the plan of another task, or this task's own."""
        if self.campaign is not None:
            return planned_job(ledger, self.campaign, self.concurrency, self.on_in_doubt)
        asked = self.asked(context, self.concurrency, self.on_in_doubt)
        if resumed:
            return self.resumed_job(ledger, asked)
        if ledger.find(asked.campaign.campaign_id) is None:
            skip_stale_run(context, self.max_staleness)
        return self._planned(ledger, asked)

    def _planned(self, ledger: Ledger, asked: Asked) -> Job:
        """Plan it, or find it; its files are looked at before anything of it is sent.

        :raises PlanRefusedError: if one of them can't be had.
        """
        from whatsapp_provider.campaigns.ledger.states import CampaignState

        files = Files(self.media)
        job, _ = self.plan(ledger, asked, seen=files.note, state=CampaignState.READY)
        # One that is running was looked at before it began.
        found = files.look() if job.record.state is CampaignState.READY else None
        if found is not None:
            for warning in found.warnings:
                self.log.warning("%s", warning)
            if refused := found.refusals:
                self.refuse(ledger, job.record, [str(one) for one in refused])
        return job

    def _options(self, context: Context, *, resumed: bool) -> RunOptions:
        from whatsapp_provider.campaigns.breaker import BreakerLimits
        from whatsapp_provider.campaigns.ledger.states import DeliveryState
        from whatsapp_provider.campaigns.options import RunOptions

        return RunOptions(
            send_timeout=0.0,
            settle=settle_seconds(),
            label=run_key(context, with_map_index=True),
            patience=PATIENCE_SECONDS if self.deferrable else inf,
            resumed=resumed,
            limits=BreakerLimits.from_value(self.breaker),
            # Once for each time that somebody runs the task, not at each end of a wait.
            again=(DeliveryState.REJECTED,) if self.on_rejected == "resend" and not resumed else (),
        )

    def _announce(self, ledger: Ledger, job: Job, context: Context) -> None:
        counts = ledger.counts(job.record)
        warn_of_a_task_each(context, counts.total, self.log)
        self.log.info(
            "Campaign %s %s: %d recipients, %d still to be sent to. Ledger: %s.",
            job.record.campaign_id,
            "planned" if job.record.fresh else "resumed",
            counts.total,
            counts.open,
            ledger.name,
        )
        pace, share = job.campaign.pace, -(-counts.open // len(job.everywhere))
        self.log.info("Pace %s: at least %.0f s for the rest.", pace.name, pace.forecast(share))

    def _conclude(self, context: Context, outcome: Outcome, ledger: Ledger, job: Job) -> dict[str, Any]:
        from whatsapp_provider.campaigns.outcome import Ending
        from whatsapp_provider.campaigns.report import lines, report

        summary = report(ledger, job.record)
        for line in lines(summary):
            self.log.info(line)
        if outcome.ending is Ending.WAITING:
            self._wait(outcome, job.record.campaign_id)
        self._refuse(outcome, job.record.campaign_id, summary["open"])
        if outcome.ending is Ending.EXPIRED:
            self.log.warning("The campaign's deadline has passed; the rest is not sent: %s.", outcome.reason)
        if summary["in_doubt"]:
            self.log.warning(
                "Some messages are in doubt, and are listed above.%s",
                f" Why: {outcome.reason}." if outcome.reason else " They were not resent.",
            )
        tell_outlets(context, self.outlets, summary)
        return summary

    def _wait(self, outcome: Outcome, campaign_id: str) -> None:
        """Give the slot back until the campaign can go on.

        :raises TaskDeferred: always.
        """
        from whatsapp_provider.triggers.campaign import WhatsAppCampaignResumeTrigger
        from whatsapp_provider.triggers.moment import WhatsAppMomentTrigger

        why = f" ({outcome.reason})" if outcome.reason else ""
        if outcome.until_let_go:
            self.log.info("Nothing may be sent now%s; until somebody lets it go on, the slot is free.", why)
            trigger = WhatsAppCampaignResumeTrigger(campaign_id, outcome.seconds)
            self.defer(trigger=trigger, method_name="resume")
        self.log.info(
            "The next message may go in %.0f s%s; until then the slot is free.", outcome.seconds, why
        )
        moment = time.time() + outcome.seconds + random.uniform(0, JITTER_SECONDS)  # noqa: S311 - no secret
        self.defer(trigger=WhatsAppMomentTrigger(moment), method_name="resume")

    def _refuse(self, outcome: Outcome, campaign_id: str, left: int) -> None:
        """Fail the task if the campaign did not come to its end.

        :raises CampaignError: saying why, and what to do next.
        """
        from whatsapp_provider.campaigns.outcome import Ending

        if outcome.ending is Ending.PAUSED:
            raise CampaignPausedError(
                f"Campaign {campaign_id!r} stopped itself with {left} recipients left: "
                f"{outcome.reason} They are kept: run the task again when the cause is gone, with "
                'on_rejected="resend" for those who were refused because of it.'
            ) from outcome.error
        if outcome.ending is Ending.CANCELLED:
            raise CampaignCancelledError(
                f"Campaign {campaign_id!r} was {outcome.reason}. What was not sent by then is not sent."
            )
        if outcome.ending is Ending.STOPPED:
            raise CampaignStoppedError(
                f"Campaign {campaign_id!r} was stopped with {left} recipients left. Run the task again to go on."
            )

    def _preview(self) -> dict[str, Any]:
        if self.campaign is not None:
            raise ConfigurationError("preview is for a task that plans; that one shows samples in its log.")
        everywhere = self.everywhere()
        terms = self.terms(everywhere)
        template = self.template(terms, self.frozen(terms))
        check = message_check(everywhere, template.kind)
        with self.rows(everywhere[0]) as rows:
            return show_preview(self.log, template, rows, self.audience_options(), check)
