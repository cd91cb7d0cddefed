"""Send one message under a campaign's care."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.hooks.whatsapp import WhatsAppHook
from whatsapp_provider.operators.choices import historian, settle_seconds

if TYPE_CHECKING:
    from whatsapp_provider.campaigns.campaign import Campaign
    from whatsapp_provider.campaigns.identity import Recipient
    from whatsapp_provider.campaigns.outcome import Outcome
    from whatsapp_provider.campaigns.render import FixedMessage
    from whatsapp_provider.campaigns.runner import CampaignRunner
    from whatsapp_provider.campaigns.single import SingleResult

    Follow = Callable[[CampaignRunner], Outcome]


def send_single(
    hook: WhatsAppHook,
    campaign: Campaign,
    message: FixedMessage,
    recipient: Recipient,
    follow: Follow,
    *,
    label: str,
) -> SingleResult:
    """Write the intent, send, write the result.

    :param campaign: of one, named by the message's key.
    :param follow: runs it from the task's thread.
    :param label: who runs, for people who read the ledger.
    :raises WhatsAppError: as ``campaigns.single.result_after``.
    """
    from whatsapp_provider.campaigns.campaign import OnInDoubt
    from whatsapp_provider.campaigns.ledger.states import DeliveryState
    from whatsapp_provider.campaigns.runner import CampaignRunner, RunOptions
    from whatsapp_provider.campaigns.single import plan_single, result_after, sent_before

    ledger = open_ledger()
    try:
        if before := sent_before(ledger, campaign, recipient):
            return before
        hook.message_check(message.kind, channel=campaign.channel)(message.render({}))
        record = plan_single(ledger, campaign, message, recipient)
        options = RunOptions(
            send_timeout=hook.gateway.send_timeout,
            settle=settle_seconds(),
            label=label,
            # A refusal proves that nothing was sent, so running the task again may try again; so may it when the
            # recipient is not on the list any more.
            again=(DeliveryState.REJECTED, DeliveryState.SUPPRESSED),
        )
        sender = hook.gateway.channel(campaign.channel)
        history = historian(hook.gateway.capabilities, sender)
        outcome = follow(CampaignRunner(ledger, record, campaign, message, sender, options, history=history))
        return result_after(ledger, record, outcome, resend=campaign.on_in_doubt is OnInDoubt.RESEND)
    finally:
        ledger.dispose()
