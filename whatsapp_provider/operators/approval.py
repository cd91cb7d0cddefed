"""Ask a person whether a planned campaign may be sent."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators.base import no_vain_retries
from whatsapp_provider.operators.named_campaign import campaign_id_of

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.campaigns.ledger.records import CampaignRecord


class WhatsAppApproveCampaignOperator(ApprovalOperator):
    """Show a plan's report in Airflow's UI and wait for a yes or no, without a worker slot.

    A yes is noted in the ledger with who gave it; a campaign planned with ``needs_approval=True`` is not sent without,
    however its tasks are cleared or started. A no removes the plan, so that it can be made anew, and skips what
    follows. What is shown names nobody: counts, time, price, warnings, and the message as its author wrote it.

    :param campaign: what ``WhatsAppPlanCampaignOperator`` returned, or its ``campaign_id``.
    :param subject: the question; the campaign's id is put behind it.

    Further arguments are those of Airflow's ``ApprovalOperator``, e.g. ``response_timeout``, ``defaults``,
    ``assigned_users`` and ``notifiers``.
    """

    template_fields: Collection[str] = (*ApprovalOperator.template_fields, "campaign")
    ui_color = "#d9fdd3"

    def __init__(self, *, campaign: Any, subject: str = "Send this campaign?", **kwargs: Any) -> None:
        super().__init__(subject=subject, **kwargs)
        self.campaign = campaign

    def execute(self, context: Context) -> Any:
        """Ask, unless it is approved already."""
        with no_vain_retries():
            ledger = open_ledger()
            try:
                record = self._record(ledger)
                if by := ledger.approved_by(record):
                    self.log.info("Campaign %s was approved by %s.", record.campaign_id, by)
                    return {"chosen_options": [self.APPROVE], "approved_by": by}
                self.subject = f"{self.subject} ({record.campaign_id})"
                self.body = self._report(ledger, record)
                planned_at = ledger.planned_at(record)
            finally:
                ledger.dispose()
        try:
            return super().execute(context)
        except BaseException as waits:
            # Airflow 3.1 and 3.2 defer, 3.3 has a wait of its own; what both keep comes back with the answer.
            if hasattr(waits, "method_name"):
                waits.kwargs = {**(getattr(waits, "kwargs", None) or {}), "planned_at": planned_at}  # type: ignore[attr-defined]  # of both
            raise

    def execute_complete(
        self, context: Context, event: dict[str, Any], planned_at: float | None = None
    ) -> Any:
        """Note the answer.

        :param planned_at: when the plan was made that was shown.
        """
        # First what Airflow makes of any answer: it checks the event, and raises for one that is none. What it makes
        # of a no comes last, as it ends the task.
        answer = HITLOperator.execute_complete(self, context, event)
        with no_vain_retries():
            ledger = open_ledger()
            try:
                record = self._record(ledger)
                if planned_at not in (None, ledger.planned_at(record)):
                    raise ConfigurationError(
                        f"Campaign {record.campaign_id!r} was planned anew since it was shown, and the answer was to "
                        "the plan before. Clear this task: it asks about the plan that there is."
                    )
                if answer["chosen_options"] == [self.APPROVE]:
                    ledger.approve(record, by=_who(answer))
                elif ledger.discard(record):
                    self.log.info("The plan of campaign %s is removed; nothing was sent.", record.campaign_id)
            finally:
                ledger.dispose()
        return super().execute_complete(context, event)

    def _record(self, ledger: Ledger) -> CampaignRecord:
        campaign_id = campaign_id_of(self.campaign)
        record = ledger.find(campaign_id)
        if record is None:
            raise ConfigurationError(
                f"The ledger has no campaign {campaign_id!r} to be approved: run the task that plans it."
            )
        return record

    def _report(self, ledger: Ledger, record: CampaignRecord) -> str:
        from whatsapp_provider.campaigns.preflight import lines

        terms, found = ledger.terms(record), ledger.preflight(record)
        told = lines(found) if found else ["It was planned without a preflight report."]
        message = terms.message if terms else ""
        text = message if isinstance(message, str) else _indented(message)
        quoted = "\n".join(f"> {line}" for line in text.splitlines())
        shared = [
            f"For everybody: `{name}` = {value}" for name, value in (terms.shared if terms else {}).items()
        ]
        return "\n\n".join([*told, "The message:", quoted, *shared, *filter(None, [self.body])])


def _indented(message: Any) -> str:
    import json

    return json.dumps(message, indent=2, ensure_ascii=False)


def _who(answer: dict[str, Any]) -> str:
    user = answer.get("responded_by_user") or {}
    return str(user.get("name") or user.get("id") or "nobody: the answer that was set for no answer in time")
