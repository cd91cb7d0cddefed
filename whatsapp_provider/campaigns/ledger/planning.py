"""A campaign's people come into the ledger batch by batch, each batch a short transaction.

Until the last of them is there the campaign's state is ``planning`` and nothing is sent. Its planner holds it by a
token and a lease: every batch looks at the token and prolongs the lease. When the lease has ended its planner is dead,
and whoever comes next takes the campaign over, removes what was written and plans anew; a batch of the dead one that
comes late finds another token.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import sleep
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from whatsapp_provider.campaigns.campaign import Campaign, Frozen
from whatsapp_provider.campaigns.ledger import bulk, erased, persons
from whatsapp_provider.campaigns.ledger.columns import kept
from whatsapp_provider.campaigns.ledger.database import insert_one
from whatsapp_provider.campaigns.ledger.records import Planned
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.screens import Lanes, Screen
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.errors import LeaseLostError

BATCH = 1000
#: How long a planner that says nothing is believed to be alive.
LEASE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a plan makes of a campaign besides its people.

    :param state: where the campaign is once it is planned: running, or ready for somebody to begin it.
    :param terms: further columns of its row: ``message``, ``rules``, ``expires_at``, ``needs_approval``.
    :param screens: who is left out; asked one after the other.
    :param lanes: which part of the campaign a person is in; without it there are none.
    :param wait: lets seconds pass while another task plans the campaign.
    :param batch: how many people are written in one transaction.
    """

    state: CampaignState = CampaignState.RUNNING
    terms: Mapping[str, Any] = field(default_factory=dict)
    screens: Sequence[Screen] = ()
    lanes: Lanes | None = None
    wait: Callable[[float], None] = sleep
    batch: int = BATCH


@dataclass(frozen=True, slots=True)
class Held:
    """The right to write a campaign's people.

    :param leftover: whether a planner before has left some of them.
    """

    number: int
    token: str
    leftover: bool = False


class Busy:
    """Another planner is at work, and is believed to be alive."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch.

    :param count: how many rows were written.
    :param left_out: how many of them, and of those before them, are not sent to for it, by code.
    :param duplicates: who was there before, and in which row of the audience.
    """

    count: int
    left_out: Counter[str]
    duplicates: Sequence[tuple[Planned, int]]


def claim(
    connection: Connection, wanted: Campaign, frozen: Frozen, order: Order, token: str, now: float
) -> Held | Busy | None:
    """Ask for the right to plan a campaign; ``None`` if it is planned."""
    query = select(campaigns).where(campaigns.c.campaign_id == wanted.ledger_id)
    row = connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        number = _insert(connection, wanted, frozen, order, token, now)
        if number is not None:
            return Held(number, token)
        row = connection.execute(query.with_for_update()).one()
    if row.state != CampaignState.PLANNING:
        return None
    if row.plan_until is not None and row.plan_until > now:
        return Busy()
    taken = update(campaigns).where(campaigns.c.id == row.id)
    if row.planner is None:
        values = _values(wanted, frozen, order, token, now)
        # A person's deadline counts more than the plan's.
        values |= {} if row.expires_at is None else {"expires_at": row.expires_at}
        connection.execute(taken.values(values))
        return Held(row.id, token)
    connection.execute(taken.values(planner=token, plan_until=now + LEASE_SECONDS))
    return Held(row.id, token, leftover=True)


def _values(wanted: Campaign, frozen: Frozen, order: Order, token: str, now: float) -> dict[str, Any]:
    return {
        "campaign_id": wanted.ledger_id,
        # It is known when all people are.
        "fingerprint": "",
        "template": frozen.template,
        "shared": frozen.shared,
        "channel": wanted.channel_key,
        "state": CampaignState.PLANNING,
        "planner": token,
        "plan_until": now + LEASE_SECONDS,
        "created_at": now,
        "updated_at": now,
        **order.terms,
    }


def _insert(
    connection: Connection, wanted: Campaign, frozen: Frozen, order: Order, token: str, now: float
) -> int | None:
    values = _values(wanted, frozen, order, token, now)
    try:
        # Another task planning the same id commits first or rolls back; the savepoint outlives either.
        with connection.begin_nested():
            return insert_one(connection, campaigns, values)
    except IntegrityError:
        return None


_held = update(campaigns).where(
    campaigns.c.id == bindparam("b_number"),
    campaigns.c.planner == bindparam("b_token"),
    campaigns.c.state == CampaignState.PLANNING,
)
_keep = _held.values(plan_until=bindparam("b_until"))


def keep(connection: Connection, held: Held, now: float) -> None:
    """Prolong the lease, and keep others from taking the campaign over until the transaction ends.

    :raises LeaseLostError: if somebody has, or has cancelled the campaign.
    """
    values = {"b_number": held.number, "b_token": held.token, "b_until": now + LEASE_SECONDS}
    if connection.execute(_keep, values).rowcount != 1:
        raise _lost()


def _lost() -> LeaseLostError:
    return LeaseLostError(
        "This task no longer plans the campaign: it was suspended for too long and another task took over, or somebody "
        "cancelled the campaign. Nothing was sent from here."
    )


def add(connection: Connection, number: int, people: Sequence[Planned], order: Order, now: float) -> Written:
    """Write those of a batch who are not in the campaign yet.

    The caller holds the campaign, by :func:`keep` or by a lock on its row; nobody comes twice in ``people``, and all
    have a ``seq``.
    """
    there = bulk.places(connection, number, [person.recipient for person in people])
    repeats = persons.learn(connection, number, people, there, now)
    new = [person for person in people if person.recipient not in there] if there else people
    for screen in order.screens:
        asked = [person for person in new if person.exclusion is None]
        answers = iter(screen.screen(connection, asked, now) if asked else ())
        new = [person if person.exclusion else next(answers) for person in new]
    new = erased.without_names(connection, number, repeats.left_out(new))
    sent_to = [person for person in new if person.exclusion is None]
    lanes = order.lanes.lanes(connection, number, sent_to, now) if order.lanes else {}
    bulk.write(connection, number, [_row(person, lanes) for person in new], now)
    left_out = Counter(person.exclusion.code for person in new if person.exclusion)
    if repeats.taken_back:
        left_out[persons.REPEATED.code] += repeats.taken_back
    return Written(
        len(new),
        left_out,
        [(person, there[person.recipient]) for person in people if person.recipient in there],
    )


def _row(person: Planned, lanes: Mapping[str, int]) -> bulk.NewRow:
    out = person.exclusion
    return (
        person.seq or 0,
        person.recipient,
        person.address,
        # What is not sent needs no values.
        None if out else person.variables,
        person.body_hash,
        DeliveryState.SUPPRESSED if out else DeliveryState.PLANNED,
        kept(out.code, 80) if out else None,
        kept(out.reason, 500) if out else None,
        lanes.get(person.recipient),
    )


def last_place(connection: Connection, number: int) -> int:
    """Return the largest ``seq`` of a campaign's people, after which further ones follow."""
    query = select(func.coalesce(func.max(delivery.c.seq), 0)).where(delivery.c.campaign == number)
    return int(connection.execute(query).scalar_one())


def conclude(
    connection: Connection,
    held: Held,
    fingerprint: str,
    total: int,
    left_out: Mapping[str, int],
    state: CampaignState,
    now: float,
) -> None:
    """Note that all people are there: from now on they may be sent to.

    :raises LeaseLostError: if another planner has taken over.
    """
    planned = _held.values(
        fingerprint=fingerprint,
        total=total,
        skipped=json.dumps(dict(left_out)),
        state=state,
        planner=None,
        plan_until=None,
        updated_at=now,
    )
    if connection.execute(planned, {"b_number": held.number, "b_token": held.token}).rowcount != 1:
        raise _lost()


_next = (
    select(delivery.c.id, delivery.c.recipient)
    .where(delivery.c.campaign == bindparam("b_number"), delivery.c.recipient > bindparam("b_after"))
    .order_by(delivery.c.recipient)
    .limit(bindparam("b_count"))
)
_delete = delete(delivery).where(delivery.c.id.in_(bindparam("b_ids", expanding=True)))


def remove(connection: Connection, held: Held, after: str, count: int, now: float) -> str | None:
    """Remove the next of a campaign's people; return the last of them, ``None`` if all are gone.

    :param after: the last of those before: where they were, a server would step over their remains each time.
    """
    keep(connection, held, now)
    rows = connection.execute(_next, {"b_number": held.number, "b_after": after, "b_count": count}).all()
    if not rows:
        return None
    connection.execute(_delete, {"b_ids": [row.id for row in rows]})
    return str(rows[-1].recipient)


def release(connection: Connection, held: Held) -> None:
    """Let the next planner take over at once."""
    connection.execute(_held.values(plan_until=None), {"b_number": held.number, "b_token": held.token})
