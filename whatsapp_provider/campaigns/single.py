"""One message under the same care as a campaign: it is a campaign of one, named by its message key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from whatsapp_provider.campaigns.body import body_hash
from whatsapp_provider.campaigns.campaign import SINGLE, Campaign
from whatsapp_provider.campaigns.identity import Recipient
from whatsapp_provider.campaigns.ledger.endings import MAX_RESENDS
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Entry, Planned
from whatsapp_provider.campaigns.ledger.states import SENT, DeliveryState
from whatsapp_provider.campaigns.ledger.turns import UNSENT
from whatsapp_provider.campaigns.outcome import Ending, Outcome
from whatsapp_provider.campaigns.render import Renderer
from whatsapp_provider.errors import (
    CampaignCancelledError,
    CampaignMismatchError,
    CampaignPausedError,
    CampaignStoppedError,
    ConfigurationError,
    InDoubtError,
    RecipientRejectedError,
    RecipientSuppressedError,
)

PREFIX = SINGLE


@dataclass(frozen=True, slots=True)
class SingleResult:
    """A message that a gateway took.

    :param already_sent: whether an earlier attempt with the same key sent it.
    """

    message_id: str
    already_sent: bool


def plan_single(
    ledger: Ledger, campaign: Campaign, template: Renderer, recipient: Recipient
) -> CampaignRecord:
    """Write the message into the ledger, or find it there.

    :raises ConfigurationError: if the key was used for another message.
    """
    planned = Planned(recipient.key, recipient.address, "{}", body_hash(template.render({})))
    try:
        return ledger.plan(campaign, template.canonical(), [planned])
    except CampaignMismatchError:
        raise _other_message(campaign) from None


def sent_before(ledger: Ledger, campaign: Campaign, recipient: Recipient) -> SingleResult | None:
    """Return the result of an earlier attempt that sent it, whatever its text is by now.

    :raises ConfigurationError: if the key was used for another recipient, who would be lost.
    """
    record = ledger.find(campaign.campaign_id)
    if record is None:
        return None
    entry = _entry(ledger, record)
    if entry.recipient not in ledger.names_of(recipient.key):
        raise _other_message(campaign)
    return SingleResult(entry.message_id or "", already_sent=True) if entry.state in SENT else None


def _other_message(campaign: Campaign) -> ConfigurationError:
    key = campaign.campaign_id.removeprefix(PREFIX)
    return ConfigurationError(
        f"message_key {key!r} stands for another message, recipient or channel in the ledger. Give this one a "
        "key of its own."
    )


def result_after(
    ledger: Ledger, record: CampaignRecord, outcome: Outcome, *, resend: bool = False
) -> SingleResult:
    """Return what a run made of the message.

    :param resend: whether a message in doubt is sent again.
    :raises CampaignError: if the run ended before that; running it again goes on.
    :raises RecipientRejectedError: if the gateway refused it for this recipient.
    :raises RecipientSuppressedError: if the recipient is not to be written to.
    :raises InDoubtError: if nobody knows whether it was sent.
    :raises WhatsAppError: whatever made the run pause.
    """
    entry = _entry(ledger, record)
    if entry.state in SENT:
        return SingleResult(entry.message_id or "", already_sent=False)
    if resend and entry.state is DeliveryState.IN_DOUBT and outcome.ending is not Ending.FINISHED:
        raise _not_resent(entry, outcome)
    raise _FAILURES.get(entry.state, _not_sent)(entry, outcome)


def _entry(ledger: Ledger, record: CampaignRecord) -> Entry:
    for state in DeliveryState:
        if found := ledger.entries(record, state, limit=1):
            return found[0]
    raise ConfigurationError(f"The ledger has no recipient for {record.campaign_id!r}.")


def _rejected(entry: Entry, _outcome: Outcome) -> Exception:
    return RecipientRejectedError(entry.reason or "The gateway refused the message.", code=entry.code)


def _suppressed(entry: Entry, _outcome: Outcome) -> Exception:
    return RecipientSuppressedError(
        f"The message was not sent: its recipient is not to be written to ({entry.reason or entry.code}). Pass "
        "ignore_suppression=True for what they must be told all the same.",
        code=entry.code,
    )


def _in_doubt(entry: Entry, _outcome: Outcome) -> Exception:
    if entry.code == UNSENT:
        return InDoubtError(f"The message was {entry.reason}.", code=entry.code)
    return InDoubtError(
        f"The message may have been sent ({entry.reason}); it is not sent again by itself. Look at the "
        'recipient\'s chat, then either leave it or run the task with on_in_doubt="resend".',
        code=entry.code,
    )


def _not_resent(entry: Entry, outcome: Outcome) -> Exception:
    kind = CampaignStoppedError if outcome.ending is Ending.STOPPED else CampaignPausedError
    return kind(
        f"The message may have been sent ({entry.reason}), and is sent again when the task runs again, at most "
        f"{MAX_RESENDS} times in all. This run ended: {outcome.reason}"
    )


def _not_sent(_entry: Entry, outcome: Outcome) -> Exception:
    if outcome.error is not None:
        return outcome.error
    if outcome.ending in (Ending.CANCELLED, Ending.EXPIRED):
        return CampaignCancelledError(f"The message was not sent, and is not any more: {outcome.reason}.")
    if outcome.ending is Ending.STOPPED:
        return CampaignStoppedError("The task was told to stop before the message was sent.")
    return CampaignPausedError(f"The message was not sent: {outcome.reason}")


_FAILURES: dict[DeliveryState, Callable[[Entry, Outcome], Exception]] = {
    DeliveryState.REJECTED: _rejected,
    DeliveryState.SUPPRESSED: _suppressed,
    DeliveryState.IN_DOUBT: _in_doubt,
}
