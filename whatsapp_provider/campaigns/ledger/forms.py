"""All forms of many people in one statement, by look-ups alone: a plan asks for each batch, a cap before each turn."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from functools import cache

from sqlalchemy import Connection, TextClause, select, text

from whatsapp_provider.campaigns.ledger.schema import alias

_any = select(alias.c.alias).limit(1)


def any_known(connection: Connection) -> bool:
    """Whether the ledger knows another form of anybody."""
    return connection.execute(_any).first() is not None


def families(connection: Connection, forms: Collection[str]) -> dict[str, frozenset[str]]:
    """Return all forms of those who are known by more than one, by each form that is given.

    :param forms: canonical.
    """
    if not forms:
        return {}
    heads: dict[str, str] = {}
    members: dict[str, set[str]] = {}
    for form, head in connection.execute(_links(connection.dialect.name), as_rows(forms)):
        heads[form] = head
        members.setdefault(head, {head}).add(form)
    whole = {head: frozenset(found) for head, found in members.items()}
    found = {form: whole.get(heads.get(form, form)) for form in forms}
    return {form: family for form, family in found.items() if family is not None}


def merged(families: Iterable[Collection[str]]) -> dict[str, set[str]]:
    """Return families that have a form in common as one, by each form: the very same set for all of its forms."""
    found: dict[str, set[str]] = {}
    for family in families:
        others = {id(found[form]): found[form] for form in family if form in found}
        # Into the largest, so that an id which everybody has costs no more than others.
        whole = max(others.values(), key=len, default=set())
        for some in (*(other for other in others.values() if other is not whole), family):
            whole.update(some)
            found.update(dict.fromkeys(some, whole))
    return found


def as_rows(forms: Collection[str]) -> dict[str, str]:
    """Return the parameter of :data:`ASKED`."""
    # As they are: not every encoding of a database has what an escape stands for.
    return {"b_forms": json.dumps(list(forms), ensure_ascii=False)}


#: How forms become the rows of ``asked`` on each database, so that each is looked up.
ASKED = {
    "postgresql": "json_array_elements_text(CAST(:b_forms AS json)) AS asked (form)",
    "sqlite": "(SELECT value AS form FROM json_each(:b_forms)) AS asked",
    "mysql": "JSON_TABLE(:b_forms, '$[*]' COLUMNS "
    "(form VARCHAR(150) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$')) AS asked",
}


@cache
def _links(dialect: str) -> TextClause:
    """Return the question for each form of some people, and the one that it leads to."""
    root = f"SELECT known.recipient FROM {alias.name} AS known WHERE known.alias = asked.form"  # noqa: S608 - ours
    of_head = f"kin.recipient = coalesce(({root}), asked.form)"
    if dialect == "postgresql":
        # Look-ups, fenced in: of a table that grows the server knows nothing yet, and would read all of it.
        fenced = f"SELECT alias, recipient FROM {alias.name} AS kin WHERE {of_head} OFFSET 0"  # noqa: S608 - ours
        kin = f"CROSS JOIN LATERAL ({fenced}) AS kin"
    else:
        kin = f"CROSS JOIN {alias.name} AS kin WHERE {of_head}"
    return text(f"SELECT kin.alias, kin.recipient FROM {ASKED[dialect]} {kin}")  # noqa: S608 - names of our own
