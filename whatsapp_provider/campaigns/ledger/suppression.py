"""Who is not to be written to now: asked when a campaign is planned, and again for each message before it is sent.

Every form of a person has an entry of its own, by its keyed hash (``spreading.py`` sees to that), so one look at an
index answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, or_, select

from whatsapp_provider.campaigns.ledger import keys
from whatsapp_provider.campaigns.ledger.schema import delivery, suppression
from whatsapp_provider.campaigns.ledger.states import SENT, DeliveryState
from whatsapp_provider.campaigns.rules import FrequencyCap

#: The list that nobody can be sent past, whichever lists a campaign names.
OPT_OUT = "opt_out"
#: Statements are put together once for so many people, and filled up with nobody.
_SIZES = (1, 4, 8, 16, 32, 64, 512)
_NOBODY = ""


class Source(StrEnum):
    """Who put somebody on a list. One named later here is not overruled by one named before it."""

    STOP = "stop"  #: a word of their own, which another word of theirs takes back
    GATEWAY = "gateway"  #: the gateway says that they unsubscribed
    IMPORT = "import"
    PERSON = "person"  #: somebody who works here
    ERASED = "erased"  #: their data was erased at their wish


_WORDS = {
    Source.STOP: "asked to stop",
    Source.GATEWAY: "unsubscribed, says the gateway",
    Source.IMPORT: "imported",
    Source.PERSON: "added by a person",
    Source.ERASED: "erased",
}


def suppressed(
    connection: Connection, recipients: Sequence[str], lists: tuple[str, ...] | None, now: float
) -> dict[str, str]:
    """Return who of them is not to be written to, with the list and why.

    :param recipients: their canonical keys.
    :param lists: the lists that count; ``None`` for all. ``opt_out`` counts always.
    """
    if not recipients:
        return {}
    key = keys.key_of(connection)
    people = {keys.hashed(key, recipient): recipient for recipient in recipients}
    found: dict[str, tuple[bool, str, str]] = {}
    for values, size in _parts(list(people)):
        for row in connection.execute(_entries(size), {**values, "b_now": now}):
            if lists is None or row.list == OPT_OUT or row.list in lists:
                recipient = people[row.person]
                # The weightiest of several lists is told.
                entry = (row.list != OPT_OUT, row.list, row.source)
                found[recipient] = min(entry, found.get(recipient, entry))
    return {recipient: told(name, source) for recipient, (_, name, source) in found.items()}


def told(name: str, source: str) -> str:
    """Return in a few words why somebody is left out: the same for all alike, so that it can be counted."""
    return f"{name}: {_WORDS[Source(source)]}"


#: What is told of somebody whose data was erased.
ERASED = told(OPT_OUT, Source.ERASED)

#: What counts towards a cap: it reached the person, or may have.
_REACHING = (SENT - {DeliveryState.FAILED}) | {DeliveryState.SENDING, DeliveryState.IN_DOUBT}


def capped(
    connection: Connection, recipients: Sequence[str], cap: FrequencyCap, now: float
) -> dict[str, str]:
    """Return who of them has had as many messages as a cap allows, of all campaigns, with the words for it."""
    words = f"frequency cap: {cap.messages} in {_span(cap.seconds)}"
    limits = {"b_since": now - cap.seconds, "b_messages": cap.messages}
    return {
        row.recipient: words
        for values, size in _parts(recipients)
        for row in connection.execute(_had(size), {**values, **limits})
    }


def _span(seconds: float) -> str:
    for name, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds // length:g} {name}"
    return f"{seconds:g} s"


def _parts(people: Sequence[str]) -> Iterator[tuple[dict[str, Any], int]]:
    """Return the values of each statement, and for how many people it is."""
    for start in range(0, len(people), _SIZES[-1]):
        some = people[start : start + _SIZES[-1]]
        size = next(size for size in _SIZES if size >= len(some))
        yield {f"b_{place}": some[place] if place < len(some) else _NOBODY for place in range(size)}, size


def _among(size: int) -> list[Any]:
    return [bindparam(f"b_{place}") for place in range(size)]


@cache
def _entries(size: int) -> Select[Any]:
    return select(suppression.c.person, suppression.c.list, suppression.c.source).where(
        suppression.c.person.in_(_among(size)),
        or_(suppression.c.until.is_(None), suppression.c.until > bindparam("b_now")),
    )


@cache
def _had(size: int) -> Select[Any]:
    return (
        select(delivery.c.recipient)
        .where(
            delivery.c.recipient.in_(_among(size)),
            delivery.c.intended_at > bindparam("b_since"),
            or_(*(delivery.c.state == state for state in sorted(_REACHING))),
        )
        .group_by(delivery.c.recipient)
        .having(func.count() >= bindparam("b_messages"))
    )
