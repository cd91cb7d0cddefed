"""Change the suppression list: each form of a person has the same entry, whenever it is learned."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from whatsapp_provider.campaigns.ledger import identities, keys
from whatsapp_provider.campaigns.ledger.columns import kept
from whatsapp_provider.campaigns.ledger.identities import AT_ONCE, LearnedFrom
from whatsapp_provider.campaigns.ledger.schema import suppression
from whatsapp_provider.campaigns.ledger.suppression import Source

_RANK = {source: rank for rank, source in enumerate(Source)}


@dataclass(frozen=True, slots=True)
class Entry:
    """Why somebody is on a list, and for how long.

    :param until: seconds since the epoch by the database's clock; for ever without.
    """

    name: str
    source: Source
    added_by: str
    added_at: float
    reason: str | None = None
    until: float | None = None

    def merged(self, other: Entry) -> Entry:
        """Return what both say: the longer time, and the words of who weighs more."""
        until = max(math.inf if one.until is None else one.until for one in (self, other))
        return replace(max(self, other, key=Entry._weight), until=None if until == math.inf else until)

    def _weight(self) -> tuple[int, float]:
        # Of two words the later one, so that a START between them ends nothing; of others the first one, which stays.
        moment = self.added_at if self.source is Source.STOP else -self.added_at
        return _RANK[self.source], moment

    def values(self) -> dict[str, Any]:
        """Return the columns that it fills."""
        return {
            "list": self.name,
            "source": self.source,
            "added_by": kept(self.added_by, 250) or "",
            "added_at": self.added_at,
            "reason": kept(self.reason, 500),
            "until": self.until,
        }


def suppress(connection: Connection, people: Sequence[Collection[str]], entry: Entry) -> int:
    """Put people on a list, with all their forms; return how many were not on it.

    :param people: some forms of each, canonical.
    """
    key = keys.lock(connection)
    return _write(connection, key, identities.known_forms(connection, people), entry.added_at, entry)


def link(connection: Connection, people: Iterable[Collection[str]], source: LearnedFrom, now: float) -> None:
    """Learn that each person has these forms: who is on a list by one of them is on it by all."""
    wanted = identities.untold(connection, people)
    if not wanted:
        return
    key = keys.lock(connection)
    gone = _erased(connection, key, {form for forms in wanted for form in forms}, now)
    new = identities.link(connection, [forms for forms in wanted if gone.isdisjoint(forms)], source, now)
    # A form of an erased person that nobody knew yet gets its entry, and is not written down.
    known = identities.known_forms(connection, [forms for forms in wanted if not gone.isdisjoint(forms)])
    _write(connection, key, [*new, *known], now)


def _erased(connection: Connection, key: bytes, forms: Collection[str], now: float) -> set[str]:
    people = {keys.hashed(key, form): form for form in forms}
    return {people[row.person] for row in _active(connection, people, now) if row.source == Source.ERASED}


def lift(
    connection: Connection,
    people: Sequence[Collection[str]],
    name: str,
    words: str,
    now: float,
    *,
    only: Source | None = None,
    before: float = math.inf,
) -> int:
    """Take people off a list, with all their forms; return how many were on it. Their entries stay, as ended.

    :param words: who did so and why, in the place of the reason.
    :param only: those alone whose entry is of this source.
    :param before: those alone whose entry is older.
    """
    key = keys.lock(connection)
    lifted = 0
    for forms in identities.known_forms(connection, people):
        wanted = {keys.hashed(key, form): form for form in forms}
        rows = [row for row in _active(connection, wanted, now) if row.list == name]
        if rows and all(only in (None, row.source) and row.added_at < before for row in rows):
            values = {"until": now, "reason": kept(words, 500)}
            connection.execute(_by_id(), [{"b_id": row.id, **values} for row in rows])
            lifted += 1
    return lifted


def taken_back_since(connection: Connection, forms: Collection[str], name: str, at: float) -> bool:
    """Whether a word of these forms was taken back later than ``at``: one that old says nothing any more."""
    key = keys.lock(connection)
    (known,) = identities.known_forms(connection, [forms])
    rows = _all(connection, [keys.hashed(key, form) for form in known])
    return any(
        row.list == name and row.source == Source.STOP and row.until is not None and row.until > at
        for row in rows
    )


def _write(
    connection: Connection, key: bytes, people: Sequence[frozenset[str]], now: float, *added: Entry
) -> int:
    """Give all forms of each person the same entries; return how many got one of ``added`` that they had not."""
    hashes = {form: keys.hashed(key, form) for forms in people for form in forms}
    rows = {(row.person, row.list): row for row in _all(connection, hashes.values())}
    current: dict[str, dict[str, Entry]] = {}
    for row in rows.values():
        if row.until is None or row.until > now:
            current.setdefault(row.person, {})[row.list] = _entry(row)
    newly = 0
    for forms in people:
        entries: dict[str, Entry] = {}
        for form in forms:
            _merge(entries, current.get(hashes[form], {}).values())
        newly += sum(entry.name not in entries for entry in added)
        _merge(entries, added)
        if entries:
            # One that is named twice has the same entries the second time.
            current.update((hashes[form], entries) for form in forms)
    _carry_out(connection, rows, {person: form for form, person in hashes.items()}, current)
    return newly


def _merge(entries: dict[str, Entry], others: Iterable[Entry]) -> None:
    for other in others:
        entries[other.name] = other.merged(entries[other.name]) if other.name in entries else other


def _carry_out(
    connection: Connection,
    rows: Mapping[tuple[str, str], Row[Any]],
    forms: Mapping[str, str],
    wanted: Mapping[str, Mapping[str, Entry]],
) -> None:
    new, other = [], []
    for person, entries in wanted.items():
        # Beside the hash of an erased person nothing is kept, whatever comes late.
        erased = any(entry.source is Source.ERASED for entry in entries.values())
        recipient = None if erased else forms[person]
        for entry in entries.values():
            values = {"recipient": recipient, **entry.values()}
            row = rows.get((person, entry.name))
            if row is None:
                new.append({"person": person, **values})
            elif any(getattr(row, name) != value for name, value in values.items()):
                other.append({"b_id": row.id, **values})
    if new:
        connection.execute(insert(suppression), new)
    if other:
        connection.execute(_by_id(), other)


def _by_id() -> Any:
    return update(suppression).where(suppression.c.id == bindparam("b_id"))


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.list, Source(row.source), row.added_by, row.added_at, row.reason, row.until)


def _active(connection: Connection, hashes: Collection[str], now: float) -> list[Row[Any]]:
    return [row for row in _all(connection, hashes) if row.until is None or row.until > now]


def _all(connection: Connection, hashes: Collection[str]) -> list[Row[Any]]:
    asked = select(suppression).where(suppression.c.person.in_(bindparam("b_some", expanding=True)))
    ordered = sorted(set(hashes))
    return [
        row
        for start in range(0, len(ordered), AT_ONCE)
        for row in connection.execute(asked, {"b_some": ordered[start : start + AT_ONCE]})
    ]
