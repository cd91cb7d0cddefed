"""Write a campaign and its recipients, all in one transaction, or find it as it was planned."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from whatsapp_provider.campaigns.campaign import Campaign, Fingerprint
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
    """Return the campaign's row, locked against other plans where the database can."""
    query = select(campaigns).where(campaigns.c.campaign_id == campaign_id)
    return connection.execute(query.with_for_update()).one_or_none()


def plan(
    connection: Connection,
    campaign: Campaign,
    template: str,
    people: Iterable[Planned],
    left_out: LeftOut,
    now: float,
) -> CampaignRecord:
    """Plan a campaign, or check that it is the one that was planned under its id.

    :param template: its text, part of the fingerprint.
    :raises CampaignMismatchError: if the ledger has another audience or template under the id.
    """
    fingerprint = Fingerprint(template)
    people = _fingerprinted(people, fingerprint)
    number = _insert_campaign(connection, campaign, now)
    if number is None:
        for _ in people:  # to the end, for its fingerprint and its errors
            pass
        return _check(connection, campaign, fingerprint.hexdigest())
    sequence = 0
    while batch := list(islice(people, BATCH)):
        rows = [
            {
                "campaign": number,
                "seq": sequence + offset,
                "recipient": person.recipient,
                "address": person.address,
                "variables": person.variables,
                "body_hash": person.body_hash,
                "state": DeliveryState.PLANNED,
                "attempt": 0,
                "updated_at": now,
            }
            for offset, person in enumerate(batch)
        ]
        connection.execute(insert(delivery), rows)
        sequence += len(rows)
    connection.execute(
        update(campaigns)
        .where(campaigns.c.id == number)
        .values(fingerprint=fingerprint.hexdigest(), skipped=json.dumps(dict(left_out())))
    )
    return CampaignRecord(
        number, campaign.campaign_id, campaign.channel_key, CampaignState.RUNNING, fresh=True
    )


def _fingerprinted(people: Iterable[Planned], fingerprint: Fingerprint) -> Iterator[Planned]:
    for person in people:
        fingerprint.add(person.recipient, person.variables)
        yield person


def _insert_campaign(connection: Connection, campaign: Campaign, now: float) -> int | None:
    """Return the new campaign's number, ``None`` if there is one of that id."""
    if find(connection, campaign.ledger_id) is not None:
        return None
    values = {
        "campaign_id": campaign.ledger_id,
        "fingerprint": "",
        "channel": campaign.channel_key,
        "state": CampaignState.RUNNING,
        "created_at": now,
        "updated_at": now,
    }
    try:
        # Another task planning the same id commits first or rolls back; the savepoint outlives either.
        with connection.begin_nested():
            return insert_one(connection, campaigns, values)
    except IntegrityError:
        return None


def _check(connection: Connection, campaign: Campaign, fingerprint: str) -> CampaignRecord:
    row = find(connection, campaign.ledger_id)
    if row is None or row.fingerprint != fingerprint:
        raise CampaignMismatchError(
            f"Campaign {campaign.campaign_id!r} is in the ledger with another audience or template. To go on with "
            "it, give what it was planned with; for a new one, give another campaign_id."
        )
    if row.channel != campaign.channel_key:
        raise CampaignMismatchError(
            f"Campaign {campaign.campaign_id!r} was planned for channel {row.channel!r}, not "
            f"{campaign.channel_key!r}. Give that channel, or another campaign_id."
        )
    return CampaignRecord(row.id, row.campaign_id, row.channel, CampaignState(row.state), fresh=False)
