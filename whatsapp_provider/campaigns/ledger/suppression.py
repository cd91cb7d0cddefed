"""Who is not to be written to now: asked when a campaign is planned, and again for each message before it is sent.

Every form of a person has an entry of its own, by its keyed hash (``spreading.py`` sees to that), so one look at an
index answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Select, TextClause, bindparam, or_, select, text

from whatsapp_provider.campaigns.ledger import forms, keys
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
    connection: Connection,
    recipients: Sequence[str],
    cap: FrequencyCap,
    now: float,
    *,
    now_sent: bool = False,
) -> dict[str, str]:
    """Return who of them has had as many messages as a cap allows, by any form and of all campaigns, with the words.

    :param now_sent: whether all of them are sent to now, so that one person's forms count for each other, in order.
    """
    words = f"frequency cap: {cap.messages} in {_span(cap.seconds)}"
    families = forms.families(connection, recipients)
    everybody = list(dict.fromkeys([*recipients, *chain.from_iterable(families.values())]))
    values = {**forms.as_rows(everybody), "b_since": now - cap.seconds}
    had = {row.form: row.messages for row in connection.execute(_had(connection.dialect.name), values)}
    found = {}
    for recipient in recipients:
        if sum(had[form] for form in families.get(recipient, (recipient,))) >= cap.messages:
            found[recipient] = words
        elif now_sent:
            had[recipient] += 1
    return found


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
def _had(dialect: str) -> TextClause:
    """Return how many messages each of some people had, a look-up each: see ``forms.py``."""
    reaching = ", ".join(f"'{state}'" for state in sorted(_REACHING))
    theirs = f"recipient = asked.form AND intended_at > :b_since AND state IN ({reaching})"
    count = f"SELECT count(*) FROM {delivery.name} WHERE {theirs}"  # noqa: S608 - names of our own
    return text(f"SELECT asked.form, ({count}) AS messages FROM {forms.ASKED[dialect]}")  # noqa: S608 - ours
