"""Write a campaign and its recipients, all in one transaction, or find it as it was planned."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.exc import IntegrityError

from whatsapp_provider.campaigns.campaign import Campaign, Frozen
from whatsapp_provider.campaigns.ledger import erased
from whatsapp_provider.campaigns.ledger.database import insert_one
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Planned
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.errors import CampaignMismatchError

BATCH = 1000

#: Says at the end who was left out and why.
LeftOut = Callable[[], Mapping[str, int]]


def find(connection: Connection, campaign_id: str) -> Row | None:  # type: ignore[type-arg]  # a row of any shape
    """Return the campaign's row."""
    return connection.execute(select(campaigns).where(campaigns.c.campaign_id == campaign_id)).one_or_none()


def plan(
    connection: Connection,
    campaign: Campaign,
    frozen: Frozen,
    fingerprint: str,
    people: Sequence[Planned],
    left_out: Mapping[str, int],
    now: float,
) -> CampaignRecord:
    """Plan a campaign, or check that it is the one that was planned under its id at the same moment.

    :param frozen: what is kept of its template.
    :param fingerprint: the hash of its template and audience.
    :raises CampaignMismatchError: if the ledger has another audience or template under the id.
    """
    values = {
        "campaign_id": campaign.ledger_id,
        "fingerprint": fingerprint,
        "template": frozen.template,
        "shared": frozen.shared,
        "channel": campaign.channel_key,
        "state": CampaignState.RUNNING,
        "skipped": json.dumps(dict(left_out)),
        "created_at": now,
        "updated_at": now,
    }
    number = _insert_campaign(connection, campaign, values)
    if number is None:
        return check(connection, campaign, fingerprint)
    for start in range(0, len(people), BATCH):
        rows = [
            {
                "campaign": number,
                "seq": sequence,
                "recipient": person.recipient,
                "address": person.address,
                "variables": person.variables,
                "body_hash": person.body_hash,
                "state": DeliveryState.PLANNED,
                "attempt": 0,
                "postponed": 0,
                "updated_at": now,
            }
            for sequence, person in enumerate(people[start : start + BATCH], start)
        ]
        connection.execute(insert(delivery), rows)
    return CampaignRecord(number, campaign.ledger_id, campaign.channel_key, CampaignState.RUNNING, fresh=True)


def _insert_campaign(connection: Connection, campaign: Campaign, values: Mapping[str, Any]) -> int | None:
    """Return the new campaign's number, ``None`` if there is one of that id."""
    if find(connection, campaign.ledger_id) is not None:
        return None
    try:
        # Another task planning the same id commits first or rolls back; the savepoint outlives either.
        with connection.begin_nested():
            return insert_one(connection, campaigns, values)
    except IntegrityError:
        return None


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
        raise CampaignMismatchError(
            f"Campaign {campaign.campaign_id!r} was planned for channel {row.channel!r}, not "
            f"{campaign.channel_key!r}. Give that channel, or another campaign_id."
        )
    return CampaignRecord(row.id, row.campaign_id, row.channel, CampaignState(row.state), fresh=False)
