"""Contacts and their lists between WhatsCloud's rows and our words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from whatsapp_provider.errors import ConfigurationError, InputError, NoAnswerError
from whatsapp_provider.gateways.directory import (
    ContactDraft,
    ContactQuery,
    ContactRecord,
    NamedRecord,
    Shelf,
)
from whatsapp_provider.gateways.whatscloud.limits import phone_of
from whatsapp_provider.gateways.whatscloud.payloads import ContactRow, NamedRow

TYPES = ("lead", "customer")  #: rows may say ``guest`` too, which can't be written
LONGEST_ID = 20  #: digits; more than the largest of its database
_OPTIONAL = ("lastname", "email", "company", "description")
_NAMES = frozenset(field.name for field in fields(ContactDraft))


def entry(row: NamedRow) -> NamedRecord:
    """Return a group, status or source in our words."""
    return NamedRecord(row.id, row.name, row.color, bool(row.isdefault))


def contact(row: ContactRow) -> ContactRecord:
    """Return a contact in our words."""
    return ContactRecord(
        id=row.id,
        phone=row.phone or "",
        firstname=row.firstname or "",
        lastname=row.lastname or "",
        email=row.email or "",
        company=row.company or "",
        description=row.description or "",
        type=row.type or "",
        source_id=row.source_id,
        status_id=row.status_id,
        group_ids=row.group_id,
        is_opted_out=bool(row.is_opted_out),
        is_enabled=row.is_enabled is not False,
        created_at=row.created_at or "",
    )


def filters(query: ContactQuery, ids: Mapping[Shelf, str]) -> dict[str, str]:
    """Return what the server is asked to filter by; it has no filter for groups."""
    asked = {
        "type": query.type,
        "source_id": ids.get(Shelf.SOURCES),
        "status_id": ids.get(Shelf.STATUSES),
    }
    return {name: value for name, value in asked.items() if value is not None}


def is_chosen(contact: ContactRecord, query: ContactQuery, ids: Mapping[Shelf, str]) -> bool:
    """Whether the query chooses a contact."""
    return (
        (query.type is None or contact.type == query.type)
        and (Shelf.GROUPS not in ids or ids[Shelf.GROUPS] in contact.group_ids)
        and (Shelf.SOURCES not in ids or ids[Shelf.SOURCES] == contact.source_id)
        and (Shelf.STATUSES not in ids or ids[Shelf.STATUSES] == contact.status_id)
    )


def new_body(draft: ContactDraft) -> dict[str, Any]:
    """Return a new contact as it is posted, but for its source and status.

    :raises InputError: if it has no first name, or a number that is none.
    """
    if not draft.firstname.strip():
        raise InputError("A contact of WhatsCloud needs a first name.")
    body: dict[str, Any] = {
        "firstname": draft.firstname,
        "phone": phone_of(draft.phone.removeprefix("+")),
        "type": _type(draft.type),
    }
    body |= {name: value for name in _OPTIONAL if (value := getattr(draft, name))}
    return body | ({"groups": joined(draft.groups)} if draft.groups else {})


def check_changes(changes: Mapping[str, Any]) -> None:
    """Refuse fields that a contact has not.

    :raises ConfigurationError: naming them.
    """
    if unknown := sorted(set(changes) - _NAMES):
        raise ConfigurationError(
            f"A contact has no {', '.join(map(repr, unknown))}; it has {', '.join(sorted(_NAMES))}."
        )


def whole_body(row: ContactRow) -> dict[str, Any]:
    """Return a contact as it is, as it is written back; its groups are told by names and are not here."""
    written = {
        "firstname": row.firstname,
        "lastname": row.lastname,
        "phone": row.phone,
        "email": row.email,
        "type": row.type,
        "company": row.company,
        "description": row.description,
        **{
            name: number(value)
            for name in ("source_id", "status_id", "country_id", "assigned_id")
            if (value := getattr(row, name))
        },
    }
    return {name: value for name, value in written.items() if value is not None}


def changed_fields(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes as they are written, but for source and status."""
    body = {name: changes[name] for name in ("firstname", *_OPTIONAL) if name in changes}
    if "phone" in changes:
        body["phone"] = phone_of(str(changes["phone"]).removeprefix("+"))
    if "type" in changes:
        body["type"] = _type(changes["type"])
    if "groups" in changes:
        body["groups"] = joined(changes["groups"])
    return body


def joined(groups: Iterable[str]) -> str:
    """Return names of groups as the API takes them: with commas between.

    :raises ConfigurationError: for a name with a comma in it, which would be two.
    """
    names = [groups] if isinstance(groups, str) else list(groups)
    if bad := [name for name in names if "," in name or not name.strip()]:
        raise ConfigurationError(
            f"A contact can't be put into group {bad[0]!r}: names of groups go with commas between, so one can't hold "
            "a comma or be empty."
        )
    return ",".join(names)


def number(row_id: str) -> int:
    """Return an id as it is written.

    :raises NoAnswerError: for one that is no whole number, as WhatsCloud's are.
    """
    if not (row_id.isascii() and row_id.isdecimal() and len(row_id) <= LONGEST_ID):
        raise NoAnswerError("WhatsCloud answered an id that is no whole number.", code="unreadable")
    return int(row_id)


def entry_body(shelf: Shelf, name: str | None, color: str | None) -> dict[str, Any]:
    """Return a group, status or source as it is written.

    :raises ConfigurationError: for a colour of what has none, or an empty name.
    """
    if color is not None and shelf is not Shelf.STATUSES:
        raise ConfigurationError(f"Only statuses have a colour; {shelf} have none.")
    if name is not None and not name.strip():
        raise ConfigurationError(f"What is added to {shelf} needs a name.")
    return {key: value for key, value in (("name", name), ("color", color)) if value is not None}


def _type(word: Any) -> str:
    if word not in TYPES:
        raise ConfigurationError(f"A contact's type is {' or '.join(TYPES)}; got {word!r}.")
    return str(word)
