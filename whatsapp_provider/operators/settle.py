"""Settle messages in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import BaseOperator

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators.base import no_vain_retries, starter
from whatsapp_provider.operators.choices import check_choice

if TYPE_CHECKING:
    from airflow.sdk import Context

_OUTCOMES = ("sent", "not_sent")
#: Said in a word: what is to be computed, and came out as nothing, must not mean everybody.
ALL = "all"


class WhatsAppSettleDeliveriesOperator(BaseOperator):
    """Say of messages in doubt whether they arrived, because somebody looked.

    The ledger keeps who said so and when. What was not sent is planned again, and sent when the task that sends
    is run again. Returns ``campaign_id``, ``outcome`` and the numbers of the deliveries that were ``settled``.

    :param outcome: ``sent`` or ``not_sent``; templated, e.g. from what a person chose in a task that asked.
    :param campaign_id: the campaign's id, as in its report; or give ``message_key``.
    :param message_key: the key of a single message.
    :param deliveries: their numbers, as in the report, or ``all`` that are in doubt. ``None``, as of a task that
        returned nothing, is refused.
    :param by: who looked; by default who started the DAG run, and the task.
    :param note: what is to be remembered of it.
    """

    template_fields: Sequence[str] = ("outcome", "campaign_id", "message_key", "deliveries", "by", "note")
    ui_color = "#d9fdd3"

    def __init__(
        self,
        *,
        outcome: Literal["sent", "not_sent"] | str,
        campaign_id: str | None = None,
        message_key: str | None = None,
        deliveries: Sequence[int] | str = ALL,
        by: str | None = None,
        note: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if "{{" not in outcome:
            check_choice("outcome", outcome, *_OUTCOMES)
        self.outcome = outcome
        self.campaign_id = campaign_id
        self.message_key = message_key
        self.deliveries = deliveries
        self.by = by
        self.note = note

    def execute(self, context: Context) -> dict[str, Any]:
        """Settle them."""
        with no_vain_retries():
            return self._settle(context)

    def _settle(self, context: Context) -> dict[str, Any]:
        from whatsapp_provider.campaigns.ledger.settling import Verdict

        if self.outcome not in _OUTCOMES:
            raise ConfigurationError(f"outcome must be sent or not_sent, not {self.outcome!r}.")
        campaign_id, wanted = self._campaign_id(), self._deliveries()
        ledger = open_ledger()
        try:
            settled = ledger.settle(
                campaign_id, wanted, Verdict(self.outcome), by=self.by or starter(context), note=self.note
            )
        finally:
            ledger.dispose()
        self.log.info("Campaign %s: %d settled as %s.", campaign_id, len(settled), self.outcome)
        return {"campaign_id": campaign_id, "outcome": self.outcome, "settled": list(settled)}

    def _campaign_id(self) -> str:
        from whatsapp_provider.campaigns.single import PREFIX

        if bool(self.campaign_id) == bool(self.message_key):
            raise ConfigurationError("Give exactly one of campaign_id and message_key.")
        return self.campaign_id or f"{PREFIX}{self.message_key}"

    def _deliveries(self) -> list[int] | None:
        """Return the numbers, which a template may have made a text; ``None`` for all."""
        given = self.deliveries
        if given == ALL:
            return None
        parts = given.strip("[] ").split(",") if isinstance(given, str) else given
        try:
            return [int(part) for part in parts]
        except (TypeError, ValueError):
            raise ConfigurationError(
                f"deliveries must be numbers from the campaign's report, e.g. [12, 15], or 'all', not {given!r}."
            ) from None
