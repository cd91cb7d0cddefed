"""What the tasks that plan and that send a campaign have in common: channels, rows, the plan itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from whatsapp_provider.operators.arguments import CampaignArguments
from whatsapp_provider.operators.base import run_key
from whatsapp_provider.operators.jobs import Job, campaign_of
from whatsapp_provider.operators.routes import Reach, message_check, reaches

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import Context

    from whatsapp_provider.campaigns.campaign import Campaign
    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.campaigns.plan import Plan
    from whatsapp_provider.messages import Message


class WhatsAppCampaignOperator(CampaignArguments):
    """Base of the tasks that plan a campaign."""

    def everywhere(self) -> tuple[Reach, ...]:
        """Return the channels that are meant, and say which in the log."""
        if self.channels is None:
            return (Reach(self.hook, self.channel_ref(self.channel)),)
        found = reaches(self.channels, self.hook)
        for reach in found:
            self.log.info("Channel %s of connection %s.", reach.key, reach.hook.whatsapp_conn_id)
        return found

    def campaign_of(
        self,
        context: Context,
        everywhere: tuple[Reach, ...],
        concurrency: int = 1,
        on_in_doubt: str = "reconcile",
    ) -> Campaign:
        """Return the campaign as it is asked for."""
        campaign_id = self.campaign_id or run_key(context, with_map_index=False)
        return campaign_of(campaign_id, self.terms(everywhere), everywhere, concurrency, on_in_doubt)

    def plan(
        self,
        ledger: Ledger,
        campaign: Campaign,
        everywhere: tuple[Reach, ...],
        *,
        seen: Callable[[Message], None] | None = None,
        **begins: Any,
    ) -> tuple[Job, Plan]:
        """Plan the campaign, or find it as it was planned.

        :param seen: is shown each message once it is checked.
        :param begins: where the campaign is then, and whether it needs an approval; see ``order_for``.
        """
        from whatsapp_provider.campaigns.ordering import order_for
        from whatsapp_provider.campaigns.plan import make_plan

        terms = self.terms(everywhere)
        template = self.template(terms)
        refuse = message_check(everywhere, template.kind)

        def check(message: Message) -> None:
            refuse(message)
            if seen is not None:
                seen(message)

        weights = {reach.key: reach.weight for reach in everywhere}
        gateway = everywhere[0].hook.gateway.name
        order = order_for(terms, campaign, gateway, weights=weights, expires_at=self.expiry(), **begins)
        with self.rows(everywhere[0]) as rows:
            found = make_plan(
                ledger,
                campaign,
                template,
                rows,
                self.audience_options(),
                self.frozen(terms),
                check=check,
                order=order,
            )
        return Job(found.record, campaign, template, everywhere, terms.failover), found

    def resumed_job(self, ledger: Ledger, campaign: Campaign, everywhere: tuple[Reach, ...]) -> Job:
        """Return a campaign that waited, with the values that it began with."""
        from whatsapp_provider.campaigns.render import MessageTemplate

        terms = self.terms(everywhere)
        record, kept = ledger.resume(campaign, self.frozen(terms))
        template = MessageTemplate(terms.message, shared=kept.values())
        return Job(record, campaign, template, everywhere, terms.failover)
