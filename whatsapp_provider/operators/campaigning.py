"""What the tasks that plan and that send a campaign have in common: channels, rows, the plan itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from whatsapp_provider.errors import PlanRefusedError
from whatsapp_provider.operators.arguments import CampaignArguments
from whatsapp_provider.operators.base import run_key
from whatsapp_provider.operators.jobs import Job, campaign_of
from whatsapp_provider.operators.routes import Reach, message_check, reaches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow.sdk import Context

    from whatsapp_provider.campaigns.campaign import Campaign
    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.campaigns.ledger.records import CampaignRecord
    from whatsapp_provider.campaigns.plan import Plan
    from whatsapp_provider.campaigns.terms import Terms
    from whatsapp_provider.messages import Message


@dataclass(frozen=True, slots=True)
class Asked:
    """What a task's arguments ask for, read once.

    :param everywhere: the channels that are meant.
    """

    everywhere: tuple[Reach, ...]
    terms: Terms
    campaign: Campaign


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

    def asked(self, context: Context, concurrency: int = 1, on_in_doubt: str = "reconcile") -> Asked:
        """Return the campaign as it is asked for."""
        everywhere = self.everywhere()
        terms = self.terms(everywhere)
        campaign_id = self.campaign_id or run_key(context, with_map_index=False)
        campaign = campaign_of(campaign_id, terms, everywhere, concurrency, on_in_doubt)
        return Asked(everywhere, terms, campaign)

    def plan(
        self,
        ledger: Ledger,
        asked: Asked,
        *,
        seen: Callable[[Message], None],
        **begins: Any,
    ) -> tuple[Job, Plan]:
        """Plan the campaign, or find it as it was planned.

        :param seen: is shown each message once it is checked.
        :param begins: where the campaign is then, and whether it needs an approval; see ``order_for``.
        """
        from whatsapp_provider.campaigns.ordering import order_for
        from whatsapp_provider.campaigns.plan import make_plan

        everywhere, terms, campaign = asked.everywhere, asked.terms, asked.campaign
        frozen = self.frozen(terms)
        template = self.template(terms, frozen)
        refuse = message_check(everywhere, template.kind)

        def check(message: Message) -> None:
            refuse(message)
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
                frozen,
                check=check,
                order=order,
            )
        return Job(found.record, campaign, template, everywhere, terms.failover), found

    def resumed_job(self, ledger: Ledger, asked: Asked) -> Job:
        """Return a campaign that waited, with the values that it began with."""
        terms = asked.terms
        record, kept = ledger.resume(asked.campaign, self.frozen(terms))
        return Job(record, asked.campaign, self.template(terms, kept), asked.everywhere, terms.failover)

    def refuse(self, ledger: Ledger, record: CampaignRecord, reasons: Sequence[str]) -> NoReturn:
        """Leave the ledger as it was, where nothing of the plan was begun, and say what is wrong.

        :raises PlanRefusedError: always.
        """
        removed = ledger.discard(record)
        told = "\n".join(f"- {reason}" for reason in reasons)
        became = (
            "it is removed, and nothing was sent"
            if removed
            else "it stays, as it was begun or a person holds it back: cancel it if it is not to be sent"
        )
        raise PlanRefusedError(f"The plan of campaign {record.campaign_id!r} is refused; {became}.\n{told}")
