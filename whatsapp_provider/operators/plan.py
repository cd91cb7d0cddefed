"""Plan a campaign: everything is checked and written down, and nothing is sent."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from whatsapp_provider.errors import CampaignMismatchError
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators.campaigning import Asked, WhatsAppCampaignOperator
from whatsapp_provider.operators.choices import is_true
from whatsapp_provider.operators.files import Files
from whatsapp_provider.operators.forecasts import estimate
from whatsapp_provider.operators.preview import show_samples
from whatsapp_provider.operators.staleness import skip_stale_run

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.campaigns.campaign import Campaign
    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.campaigns.plan import Plan
    from whatsapp_provider.campaigns.preflight import Preflight
    from whatsapp_provider.media.findings import MediaReport
    from whatsapp_provider.operators.jobs import Job


class WhatsAppPlanCampaignOperator(WhatsAppCampaignOperator):
    """Freeze a campaign's audience into the ledger, render and check every message, and report; nothing is sent.

    ``WhatsAppSendCampaignOperator(campaign=plan.output)`` sends it: exactly what was checked. Returns the preflight
    report, which names nobody: how many are sent to, who is left out and why, when it will be done and which limit
    binds, what it costs, and warnings.

    A plan that was not begun is made anew when the task runs again with another audience or text. One that was begun
    is not.

    :param thresholds: when the plan is refused: ``min_recipients``, ``max_recipients``, ``max_left_out`` (a share from
        0 to 1), ``max_days``, ``max_cost``.
    :param prices: the price of a message by country code, for ``max_cost`` and the report, e.g.
        ``{"55": 0.0625, "default": 0.1, "currency": "USD"}``: those of your provider for this kind of message.
    :param needs_approval: whether it is sent only when somebody has approved it (``WhatsAppApproveCampaignOperator``).
    :param samples: how many rendered messages are shown in the task's log, whole.
    """

    template_fields: Sequence[str] = (*WhatsAppCampaignOperator.template_fields, "thresholds")

    def __init__(
        self,
        *,
        thresholds: Mapping[str, Any] | None = None,
        prices: Mapping[str, Any] | None = None,
        needs_approval: bool = False,
        samples: int = 3,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if self.audience is None or self.message is None:
            raise ValueError("A plan needs audience and message.")
        self.thresholds = thresholds
        self.prices = prices
        self.needs_approval = needs_approval
        self.samples = samples

    def work(self, context: Context) -> dict[str, Any]:
        """Plan, look, report."""
        from whatsapp_provider.campaigns.preflight import Prices, Thresholds

        thresholds, prices = Thresholds.from_value(self.thresholds), Prices.from_value(self.prices)
        thresholds.need(prices)
        ledger = open_ledger()
        try:
            asked, files = self.asked(context), Files(self.media)
            if ledger.find(asked.campaign.campaign_id) is None:
                skip_stale_run(context, self.max_staleness)
            job, plan = self._plan(ledger, asked, files)
            if not job.record.fresh and (known := ledger.preflight(job.record)):
                self.log.info("Campaign %s is planned already.", job.record.campaign_id)
                return known
            show_samples(self.log, plan.preview.samples[: self.samples])
            media = files.look()
            found = self._preflight(ledger, job, prices, media)
            refused = [*thresholds.refusals(found), *(map(str, media.refusals) if media else ())]
            if refused:
                self.refuse(ledger, job.record, refused)
            report = found.to_dict()
            ledger.keep_preflight(job.record, report)
            self._tell(report)
            return report
        finally:
            ledger.dispose()

    def _plan(self, ledger: Ledger, asked: Asked, files: Files) -> tuple[Job, Plan]:
        """Plan it, or find it; a plan that was never begun gives way to another one."""
        from whatsapp_provider.campaigns.ledger.states import CampaignState

        approval = is_true("needs_approval", self.needs_approval)
        ready: dict[str, Any] = {"state": CampaignState.READY, "needs_approval": approval}
        plan = partial(self.plan, ledger, asked, seen=files.note, **ready)
        try:
            found = plan()
        except CampaignMismatchError:
            if not self._gave_way(ledger, asked.campaign):
                raise
            return plan()
        terms = {**asked.terms.columns(), "expires_at": self.expiry(), "needs_approval": int(approval)}
        same = found[0].record.fresh or ledger.has_terms(found[0].record, terms)
        # The same people and text at another pace, or with an approval, is another plan.
        return plan() if not same and self._gave_way(ledger, asked.campaign) else found

    def _gave_way(self, ledger: Ledger, campaign: Campaign) -> bool:
        """Remove a plan that nobody has begun, for another one."""
        record = ledger.find(campaign.campaign_id)
        if record is None or not ledger.discard(record):
            return False
        self.log.info(
            "Campaign %s was planned otherwise and not begun; it is planned anew.", record.campaign_id
        )
        return True

    def _preflight(self, ledger: Ledger, job: Job, prices: Any, media: MediaReport | None) -> Preflight:
        from whatsapp_provider.campaigns.preflight import Preflight

        counts = ledger.counts(job.record)
        when = estimate(ledger, job, time.time())
        warnings = [*(when.warnings(self.expiry()) if counts.open else ()), *_empty_lists(ledger, job)]
        return Preflight(
            campaign_id=job.record.campaign_id,
            channels=[reach.key for reach in job.everywhere],
            total=counts.open,
            left_out=ledger.left_out(job.record),
            estimate=when,
            cost=prices and prices.cost(ledger.by_country_code(job.record)),
            warnings=[*warnings, *map(str, media.warnings if media else ())],
        )

    def _tell(self, report: Mapping[str, Any]) -> None:
        from whatsapp_provider.campaigns.preflight import lines

        for line in lines(report):
            self.log.info(line.replace("**", "").replace("`", ""))


def _empty_lists(ledger: Ledger, job: Job) -> list[str]:
    """Return a warning for each suppression list that is asked for and has nobody on it: it may be misspelt."""
    asked = job.campaign.rules.lists
    if not asked:
        return []
    there = ledger.suppression_lists()
    return [
        f"Nobody is on the suppression list {name!r}; is it spelt right?"
        for name in asked
        if name not in there
    ]
