"""All that the ledger holds about one person, for themselves to read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from whatsapp_provider.campaigns.identity import address_forms
from whatsapp_provider.campaigns.ledger import erased, identities, keys
from whatsapp_provider.campaigns.ledger.schema import (
    alias,
    campaign,
    delivery,
    number,
    settlement,
    suppression,
)


def disclosed(connection: Connection, person: str, now: float) -> dict[str, Any]:
    """Return it as JSON has it; of somebody who was erased, what is left.

    :param person: one form of theirs, canonical.
    """
    [forms] = identities.known_forms(connection, [{person}])
    return {
        "person": person,
        "exported_at": _moment(now),
        "forms": list(_forms(connection, forms)),
        "messages": list(_messages(connection, forms)),
        "suppression": list(_suppression(connection, forms)),
        "number_checks": list(_checks(connection, forms)),
    }


def _forms(connection: Connection, forms: Collection[str]) -> Iterator[dict[str, Any]]:
    learned = select(alias).where(alias.c.alias.in_(list(forms)))
    links = {row.alias: row for row in connection.execute(learned)}
    for form in sorted(forms):
        told = (
            {"source": links[form].source, "learned_at": _moment(links[form].learned_at)}
            if form in links
            else {}
        )
        yield {"form": form, **told}


def _messages(connection: Connection, forms: Collection[str]) -> Iterator[dict[str, Any]]:
    names = [name for form in forms for name in erased.names_of(connection, form)]
    of_campaign = ("campaign_id", "channel", "message", "shared", "created_at")
    query = (
        select(delivery, *(campaign.c[name].label(f"campaign_{name}") for name in of_campaign))
        .join(campaign, campaign.c.id == delivery.c.campaign)
        .where(delivery.c.recipient.in_(names))
        .order_by(delivery.c.id)
    )
    for row in connection.execute(query).all():
        yield {
            "campaign": row.campaign_campaign_id,
            "channel": row.campaign_channel,
            "recipient": row.recipient,
            "address": row.address or None,
            "message": _read(row.campaign_message),
            "shared_values": _read(row.campaign_shared),
            "values": _read(row.variables),
            "state": row.state,
            "code": row.code,
            "reason": row.reason,
            "message_id": row.message_id,
            "attempts": row.attempt,
            "planned_at": _moment(row.campaign_created_at),
            "sent_at": _moment(row.intended_at),
            "updated_at": _moment(row.updated_at),
            "settled": list(_settled(connection, row)),
        }


def _settled(connection: Connection, row: Row[Any]) -> Iterator[dict[str, Any]]:
    query = select(settlement).where(settlement.c.delivery == row.id).order_by(settlement.c.id)
    for one in connection.execute(query):
        yield {
            "state": one.state,
            "proof": one.proof,
            "by": one.settled_by,
            "note": one.note,
            "at": _moment(one.settled_at),
        }


def _suppression(connection: Connection, forms: Collection[str]) -> Iterator[dict[str, Any]]:
    key = keys.key_of(connection)
    people = [keys.hashed(key, form) for form in forms]
    query = select(suppression).where(suppression.c.person.in_(people)).order_by(suppression.c.id)
    for row in connection.execute(query):
        yield {
            "list": row.list,
            "form": row.recipient,
            "reason": row.reason,
            "source": row.source,
            "added_by": row.added_by,
            "added_at": _moment(row.added_at),
            "until": _moment(row.until),
        }


def _checks(connection: Connection, forms: Collection[str]) -> Iterator[dict[str, Any]]:
    addresses = {address for form in forms for address in address_forms(form)}
    of_theirs = or_(number.c.recipient.in_(list(forms)), number.c.address.in_(list(addresses)))
    for row in connection.execute(select(number).where(of_theirs).order_by(number.c.checked_at)):
        yield {
            "gateway": row.gateway,
            "number": row.recipient,
            "address": row.address,
            "on_whatsapp": bool(row.on_whatsapp),
            "checked_at": _moment(row.checked_at),
            "believed_until": _moment(row.until),
        }


def _read(kept: str | None) -> Any:
    return None if kept is None else json.loads(kept)


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
