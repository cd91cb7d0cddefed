"""What a gateway's answer to one message says of its person for the messages after it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from whatsapp_provider.campaigns.identity import address_forms, is_person
from whatsapp_provider.campaigns.ledger import erased, numbers, spreading
from whatsapp_provider.campaigns.ledger.identities import LearnedFrom
from whatsapp_provider.campaigns.ledger.records import Result
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.spreading import Entry
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.ledger.suppression import Source

#: The list of those who told WhatsApp itself that they want no marketing of this business. It is no ``opt_out``:
#: what they ordered and what they are owed may still be told them.
MARKETING = "marketing"
#: Meta's code for it. Not 131047, which tells of 24 hours that are over, nor 131049, which is Meta's own restraint.
STOPPED_MARKETING = "meta_131050"
ABSENT = "not_on_whatsapp"


def heed(connection: Connection, channel: str, results: Sequence[Result], now: float) -> None:
    """Remember who must not be written to again, who can't be, and what else the gateway calls a person.

    :param channel: the name in the ledger of the channel that sent.
    """
    stopped = [one for one in results if one.code == STOPPED_MARKETING and _is_refused(one)]
    # A number with two forms may be there by the other one.
    absent = [
        one
        for one in results
        if one.code == ABSENT and _is_refused(one) and len(address_forms(one.task.recipient)) == 1
    ]
    told = {one.task.id: forms for one in results if len(forms := _forms(one)) > 1}
    if not (stopped or absent or told):
        return
    known = _not_erased(connection, [*(one.task.id for one in (*stopped, *absent)), *told])
    spreading.link(
        connection, [forms for number, forms in told.items() if number in known], LearnedFrom.GATEWAY, now
    )
    if people := [[one.task.recipient] for one in stopped if one.task.id in known]:
        spreading.suppress(connection, people, Entry(MARKETING, Source.GATEWAY, channel, now))
    gateway = channel.partition("/")[0]
    numbers.absent(connection, gateway, [one.task.recipient for one in absent if one.task.id in known], now)


def _is_refused(result: Result) -> bool:
    return result.state is DeliveryState.REJECTED


def _forms(result: Result) -> list[str]:
    """Return the forms of a result's person: the one that was asked for and what the gateway told."""
    recipient = result.task.recipient
    if not result.chat_ids or not is_person(recipient):
        return [recipient]
    people = filter(None, map(numbers.person_of, result.chat_ids))
    return list(dict.fromkeys([recipient, *(person.key for person in people)]))


def _not_erased(connection: Connection, deliveries: Sequence[int]) -> set[int]:
    """Return those of whose person something may be kept: one may have been erased while a message was on its way."""
    there = select(delivery.c.id).where(delivery.c.id.in_(deliveries), ~erased.is_erased)
    return set(connection.execute(there).scalars())
