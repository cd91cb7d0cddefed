"""Find a campaign as it was planned."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from whatsapp_provider.campaigns.campaign import SEVERAL, Campaign
from whatsapp_provider.campaigns.ledger import erased
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.states import CampaignState
from whatsapp_provider.errors import CampaignMismatchError


def find(connection: Connection, campaign_id: str) -> Row | None:  # type: ignore[type-arg]  # a row of any shape
    """Return the campaign's row."""
    return connection.execute(select(campaigns).where(campaigns.c.campaign_id == campaign_id)).one_or_none()


def check(connection: Connection, campaign: Campaign, fingerprint: str) -> CampaignRecord:
    """Find a planned campaign.

    :raises CampaignMismatchError: if the ledger has another audience, template or channel under the id.
    """
    row = find(connection, campaign.ledger_id)
    if row is None or row.fingerprint not in (fingerprint, erased.sealed(connection, fingerprint)):
        raise CampaignMismatchError(
            f"Campaign {campaign.campaign_id!r} is in the ledger with another audience or template. To go on with "
            "it, give what it was planned with. Another campaign_id makes a new campaign, which sends to everyone "
            "of its audience, also to those whom this one has reached."
        )
    return _found(row, campaign)


def resume(connection: Connection, campaign: Campaign, template: str) -> tuple[CampaignRecord, str]:
    """Find a campaign that waited, with the values that every message sees.

    :param template: the hash of its text.
    :raises CampaignMismatchError: if its text or channel was changed meanwhile, or it is not there.
    """
    row = find(connection, campaign.ledger_id)
    if row is None or row.template != template:
        raise CampaignMismatchError(
            f"Campaign {campaign.campaign_id!r} waited to go on, and the ledger has it with another message text "
            "or not at all. Give the task the text that the campaign began with, and run it again."
        )
    return _found(row, campaign), str(row.shared)


def _found(row: Row[Any], campaign: Campaign) -> CampaignRecord:
    if row.channel != campaign.channel_key:
        several = row.channel.startswith(f"{SEVERAL}/")
        raise CampaignMismatchError(
            f"Campaign {campaign.campaign_id!r} was planned for "
            f"{'several channels' if several else f'channel {row.channel!r}'}, not "
            f"{', '.join(map(repr, campaign.channel_keys))}. Give what it was planned for, or another campaign_id."
        )
    return CampaignRecord(row.id, row.campaign_id, row.channel, CampaignState(row.state), fresh=False)
