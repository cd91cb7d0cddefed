"""Who is left out when a campaign is planned: the suppression list, the frequency cap, what a gateway said of a number.

The first two are asked again before each send (``refusals.py``). What is asked here alone is what only costs a send.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from whatsapp_provider.campaigns.ledger import erased, numbers, suppression
from whatsapp_provider.campaigns.ledger.records import Exclusion, Planned
from whatsapp_provider.campaigns.ledger.refusals import CAPPED, SUPPRESSED
from whatsapp_provider.campaigns.ledger.screens import Screen
from whatsapp_provider.campaigns.rules import FrequencyCap, Rules

#: The code of a delivery that is left out because a gateway said so of its number.
ABSENT = "not_on_whatsapp"


@dataclass(frozen=True, slots=True)
class SuppressionScreen:
    """Leaves out who is on a list by any form that is known of them, be it by the audience.

    :param lists: the lists that count beside ``opt_out``; ``None`` for all.
    """

    lists: tuple[str, ...] | None = None

    def screen(self, connection: Connection, people: Sequence[Planned], now: float) -> Sequence[Planned]:
        """Return everybody, those on a list excluded."""
        found = suppression.suppressed(connection, [person.recipient for person in people], self.lists, now)
        gone = {recipient: words for recipient, words in found.items() if words == suppression.ERASED}
        return _without(_without(people, SUPPRESSED, found), erased.CODE, gone)


@dataclass(frozen=True, slots=True)
class CapScreen:
    """Leaves out who has had enough."""

    cap: FrequencyCap

    def screen(self, connection: Connection, people: Sequence[Planned], now: float) -> Sequence[Planned]:
        """Return everybody, those at the cap excluded."""
        found = suppression.capped(connection, [person.recipient for person in people], self.cap, now)
        return _without(people, CAPPED, found)


@dataclass(frozen=True, slots=True)
class NumberScreen:
    """Takes a gateway's word for numbers: who is not on WhatsApp, and by which form the others are reached.

    :param gateway: its name in the registry.
    """

    gateway: str

    def screen(self, connection: Connection, people: Sequence[Planned], now: float) -> Sequence[Planned]:
        """Return everybody, those who are not there excluded, the others with the address that the gateway told."""
        known = numbers.known(connection, self.gateway, [person.recipient for person in people], now)
        if not known:
            return people
        absent = {key: _ABSENT_WORDS for key, one in known.items() if not one.on_whatsapp}
        there = {key: one.address for key, one in known.items() if one.on_whatsapp and one.address}
        return [
            replace(person, address=there[person.recipient]) if person.recipient in there else person
            for person in _without(people, ABSENT, absent)
        ]


_ABSENT_WORDS = "not on WhatsApp, said the gateway"


def screens_of(rules: Rules, gateway: str) -> tuple[Screen, ...]:
    """Return what every plan asks of its people.

    :param gateway: the name of the gateway that it sends through, or of the first.
    """
    cap = () if rules.cap is None else (CapScreen(rules.cap),)
    lists = () if rules.ignore_lists else (SuppressionScreen(rules.lists),)
    return (*lists, *cap, NumberScreen(gateway))


def _without(people: Sequence[Planned], code: str, reasons: Mapping[str, str]) -> Sequence[Planned]:
    if not reasons:
        return people
    return [
        replace(person, exclusion=Exclusion(code, reasons[person.recipient]))
        if person.recipient in reasons
        else person
        for person in people
    ]
