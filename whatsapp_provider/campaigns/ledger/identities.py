"""All forms of a person: which ids belong together, and that a stop of one is a stop of all.

An id belongs to one number at a time: who last said to which is believed. Two numbers are one person only where
somebody told both at once, as a gateway does that knows a number by another form. Whoever writes here, or changes the
suppression list, holds the list's lock, taken after those of deliveries: a stop and a link that don't see each other
would leave a form of the person out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Connection, bindparam, delete, insert, select, update

from whatsapp_provider.campaigns.identity import numbers_first
from whatsapp_provider.campaigns.ledger.schema import alias

#: Values in one question.
AT_ONCE = 500


class LearnedFrom(StrEnum):
    """Who told that two forms are one person's."""

    AUDIENCE = "audience"
    GATEWAY = "gateway"
    INBOUND = "inbound"  #: a message of theirs


def known_forms(connection: Connection, people: Sequence[Collection[str]]) -> list[frozenset[str]]:
    """Return for each person all forms that are known, those given among them.

    :param people: some forms of each, canonical.
    """
    given = {form for forms in people for form in forms}
    roots = {row.alias: row.recipient for row in _rows(connection, alias.c.alias, given)}
    heads = {roots.get(form, form) for form in given}
    members: dict[str, set[str]] = {head: {head} for head in heads}
    for row in _rows(connection, alias.c.recipient, heads):
        members[row.recipient].add(row.alias)
    return [frozenset().union(forms, *(members[roots.get(form, form)] for form in forms)) for forms in people]


def untold(connection: Connection, people: Iterable[Collection[str]]) -> list[Collection[str]]:
    """Return those of whose forms something is not known: a look without the lock, as most is known mostly."""
    wanted = [forms for forms in people if len(set(forms)) > 1]
    roots = {row.alias: row.recipient for row in _rows(connection, alias.c.alias, set().union(*wanted))}
    return [forms for forms in wanted if len({roots.get(form, form) for form in forms}) > 1]


def link(
    connection: Connection, people: Iterable[Collection[str]], source: LearnedFrom, now: float
) -> list[frozenset[str]]:
    """Write down that each person has these forms; return all forms of those of whom something was new.

    Called by ``spreading.py``, which holds the list's lock and spreads the list over what is returned.
    """
    wanted = [ordered for forms in people if len(ordered := numbers_first(forms)) > 1]
    if not wanted:
        return []
    mentioned = {form for forms in wanted for form in forms}
    roots = {row.alias: row.recipient for row in _rows(connection, alias.c.alias, mentioned)}
    heads = {row.recipient for row in _rows(connection, alias.c.recipient, mentioned)}
    new: list[dict[str, Any]] = []
    odd: list[list[str]] = []
    changed: list[list[str]] = []
    seen: set[str] = set()
    for forms in wanted:
        head, *others = forms
        # What is told twice in a batch may not be as it was before it.
        is_again = not seen.isdisjoint(forms)
        if not is_again and len({roots.get(form, form) for form in forms}) == 1:
            continue
        changed.append(forms)
        seen.update(forms)
        if is_again or head in roots or any(form in roots or form in heads for form in others):
            odd.append(forms)
        else:
            new += [_row(other, head, source, now) for other in others]
    if new:
        connection.execute(insert(alias), new)
    for forms in odd:
        _join(connection, forms, source, now)
    return known_forms(connection, changed)


def forget(connection: Connection, forms: Collection[str]) -> int:
    """Take forms out of all links, as when their person is erased; return how many links there were."""
    gone = 0
    for column in (alias.c.alias, alias.c.recipient):
        for some in _parts(forms):
            gone += connection.execute(delete(alias).where(column.in_(some))).rowcount
    return gone


def _join(connection: Connection, forms: Sequence[str], source: LearnedFrom, now: float) -> None:
    """Link one person of whose forms something is known already."""
    roots = {form: form for form in forms}
    roots |= {row.alias: row.recipient for row in _rows(connection, alias.c.alias, set(forms))}
    # A number that was told, else one that is known; hidden ids stand for themselves while no number is known.
    told = [form for form in forms if form.isdecimal()]
    head = roots[told[0]] if told else numbers_first(roots.values())[0]
    for form in forms:
        if roots[form] == head:
            continue
        if form.isdecimal() or not roots[form].isdecimal():
            # All that belonged to it belongs to the other now.
            connection.execute(update(alias).where(alias.c.recipient == roots[form]).values(recipient=head))
            _put(connection, roots[form], head, source, now)
        elif told:
            _put(connection, form, head, source, now)


def _put(connection: Connection, form: str, head: str, source: LearnedFrom, now: float) -> None:
    connection.execute(delete(alias).where(alias.c.alias == form))
    connection.execute(insert(alias).values(_row(form, head, source, now)))


def _row(form: str, head: str, source: LearnedFrom, now: float) -> dict[str, Any]:
    return {"alias": form, "recipient": head, "source": source, "learned_at": now}


def _rows(connection: Connection, column: Column[Any], values: Collection[str]) -> Iterator[Any]:
    asked = select(alias.c.alias, alias.c.recipient).where(column.in_(bindparam("b_some", expanding=True)))
    for some in _parts(values):
        yield from connection.execute(asked, {"b_some": some})


def _parts(values: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(values)
    for start in range(0, len(ordered), AT_ONCE):
        yield ordered[start : start + AT_ONCE]
