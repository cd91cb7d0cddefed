"""A planned campaign with everything that sending it needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.operators.choices import historian
from whatsapp_provider.operators.named_campaign import campaign_id_of
from whatsapp_provider.operators.routes import Reach, of_routes

if TYPE_CHECKING:
    from whatsapp_provider.campaigns.campaign import Campaign
    from whatsapp_provider.campaigns.fleet import Fleet, Member
    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.campaigns.ledger.records import CampaignRecord
    from whatsapp_provider.campaigns.options import RunOptions
    from whatsapp_provider.campaigns.render import MessageTemplate
    from whatsapp_provider.campaigns.runner import CampaignRunner
    from whatsapp_provider.campaigns.terms import Terms


@dataclass(frozen=True, slots=True)
class Job:
    """What a task sends.

    :param everywhere: the channels that it goes through.
    """

    record: CampaignRecord
    campaign: Campaign
    template: MessageTemplate
    everywhere: tuple[Reach, ...]
    failover: bool = True


def campaign_of(
    campaign_id: str, terms: Terms, everywhere: tuple[Reach, ...], concurrency: int, on_in_doubt: str
) -> Campaign:
    """Return a campaign as it is asked for; over several channels its own is the first one."""
    from whatsapp_provider.campaigns.campaign import Campaign, OnInDoubt

    first = everywhere[0]
    return Campaign(
        campaign_id=campaign_id,
        channel=first.channel,
        pace=terms.pace,
        concurrency=concurrency,
        on_in_doubt=OnInDoubt(on_in_doubt),
        channel_scope=first.hook.gateway.channel_scope,
        rules=terms.rules,
        pool=tuple(reach.key for reach in everywhere) if len(everywhere) > 1 else (),
    )


def planned_job(ledger: Ledger, value: Any, concurrency: int, on_in_doubt: str) -> Job:
    """Return what another task planned.

    :raises ConfigurationError: if the ledger has no such campaign, or not what it was planned with.
    """
    from whatsapp_provider.campaigns.render import MessageTemplate

    campaign_id = campaign_id_of(value)
    record = ledger.find(campaign_id)
    terms = None if record is None else ledger.terms(record)
    if record is None or terms is None:
        raise ConfigurationError(
            f"The ledger has no plan of campaign {campaign_id!r}. Run the task that plans it, or give audience and "
            "message here."
        )
    everywhere = of_routes(terms.routes)
    campaign = campaign_of(campaign_id, terms, everywhere, concurrency, on_in_doubt)
    template = MessageTemplate(terms.message, shared=terms.shared)
    return Job(record, campaign, template, everywhere, terms.failover)


def runner_of(ledger: Ledger, job: Job, options: RunOptions) -> CampaignRunner | Fleet:
    """Return what sends it: one runner, or a fleet of them where it goes through several channels."""
    from whatsapp_provider.campaigns.fleet import Fleet
    from whatsapp_provider.campaigns.runner import CampaignRunner

    members = [_member(job, reach, options) for reach in job.everywhere]
    if len(members) > 1:
        weights = {reach.key: reach.weight for reach in job.everywhere}
        return Fleet(ledger, job.record, job.template, members, failover=job.failover, weights=weights)
    (only,) = members
    return CampaignRunner(
        ledger, job.record, job.campaign, job.template, only.sender, only.options, history=only.history
    )


def _member(job: Job, reach: Reach, options: RunOptions) -> Member:
    from whatsapp_provider.campaigns.fleet import Member

    gateway = reach.hook.gateway
    channel = gateway.channel(reach.channel)
    return Member(
        key=reach.key,
        campaign=replace(job.campaign, channel=reach.channel, channel_scope=gateway.channel_scope),
        sender=channel,
        options=replace(options, send_timeout=gateway.send_timeout),
        history=historian(gateway.capabilities, channel),
    )
