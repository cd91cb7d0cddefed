"""Send a planned campaign's message to one's own numbers first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators.base import Private, reveal, run_key
from whatsapp_provider.operators.jobs import planned_job
from whatsapp_provider.operators.running import WhatsAppSendingOperator, superseded_attempts_refused
from whatsapp_provider.operators.singles import send_single

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.campaigns.campaign import Campaign
    from whatsapp_provider.campaigns.identity import Recipient
    from whatsapp_provider.messages import Message
    from whatsapp_provider.operators.jobs import Job


class WhatsAppTestCampaignOperator(WhatsAppSendingOperator):
    """Send what the first people of a planned campaign would get to named numbers instead: one's own.

    The first number gets the first person's message, the second the second's, and so on, through each channel of the
    campaign. Nobody of the audience gets anything. A cleared task sends nothing again; a plan with another message
    does. Returns how many were ``sent`` and, for ``already_sent``, by an earlier attempt.

    :param campaign: what ``WhatsAppPlanCampaignOperator`` returned, or its ``campaign_id``.
    :param to: numbers with country code, or WhatsApp ids.
    :param region: ISO country code for numbers written without country code.
    """

    template_fields: Sequence[str] = ("campaign", "to")
    private_fields: Sequence[str] = ("to",)

    def __init__(
        self, *, campaign: Any, to: Sequence[str] | str, region: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.campaign = campaign
        self.to = to
        self.region = region

    def work(self, context: Context) -> dict[str, Any]:
        """Render the first messages, and send them."""
        from whatsapp_provider.campaigns.identity import parse_recipient

        recipients = [parse_recipient(number, region=self.region) for number in self._numbers()]
        ledger = open_ledger()
        try:
            job = planned_job(ledger, self.campaign, 1, "reconcile")
            values = ledger.first_values(job.record, len(recipients))
        finally:
            ledger.dispose()
        if not values:
            raise ConfigurationError(
                f"Campaign {job.record.campaign_id!r} has nobody left to send to: no message to try."
            )
        superseded_attempts_refused(context)
        told = {"sent": 0, "already_sent": 0}
        for number, recipient in enumerate(recipients):
            message = job.template.render(values[number % len(values)])
            for done in self._through_each(job, message, recipient, context):
                told["already_sent" if done else "sent"] += 1
        return {"campaign_id": job.record.campaign_id, **told}

    def private(self, field: str, value: Any) -> Private:
        """Show how many numbers there are."""
        return Private(value, f"<{1 if isinstance(value, str) else len(value)} numbers>")

    def _numbers(self) -> list[str]:
        given = reveal(self.to)
        found = given.split(",") if isinstance(given, str) else given
        if not isinstance(found, Iterable) or isinstance(found, Mapping) or not (numbers := list(found)):
            raise ConfigurationError("to must be a list of numbers, or numbers with commas between.")
        return [str(number) for number in numbers]

    def _through_each(
        self, job: Job, message: Message, recipient: Recipient, context: Context
    ) -> Iterable[bool]:
        """Send through each channel; yield whether it was sent before."""
        from whatsapp_provider.campaigns.render import FixedMessage

        fixed = FixedMessage(message.model_dump(exclude_none=True))
        for reach in job.everywhere:
            campaign = self._single(job, fixed, recipient, reach)
            label = run_key(context, with_map_index=True)
            done = send_single(reach.hook, campaign, fixed, recipient, self.follow, label=label)
            self.log.info("Test message to %s through %s.", recipient.masked, reach.key)
            yield done.already_sent

    def _single(self, job: Job, message: Any, recipient: Recipient, reach: Any) -> Campaign:
        from whatsapp_provider.campaigns.campaign import Campaign
        from whatsapp_provider.campaigns.pacing import Pace
        from whatsapp_provider.campaigns.rules import Rules
        from whatsapp_provider.campaigns.single import PREFIX

        what = "\n".join([job.record.campaign_id, reach.key, recipient.key, message.canonical()])
        return Campaign(
            # The number itself is in no key.
            campaign_id=f"{PREFIX}test/{job.record.campaign_id}/{hashlib.sha256(what.encode()).hexdigest()[:16]}",
            channel=reach.channel,
            pace=Pace.unlimited(),
            concurrency=1,
            channel_scope=reach.hook.gateway.channel_scope,
            rules=Rules(lists=()),
        )
