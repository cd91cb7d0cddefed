"""Contacts: written by hand, or made by a message to or from a new number."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.whatscloud.body import Data, read_body
from whatsapp_provider.emulator.whatscloud.refusals import not_found, refused
from whatsapp_provider.emulator.whatscloud.rules import Complaints, Rule, Rules, check, demand, whole
from whatsapp_provider.emulator.whatscloud.tables import Row, Table, page_of

if TYPE_CHECKING:
    from whatsapp_provider.emulator.whatscloud.tenant import Tenant

STAFF = 15
FULL = "Contact limit exceeded for your current plan. Upgrade to add more contacts."
TEXTS = ("company", "description", "address", "city", "state", "zip")
_PERSON: Rules = {
    "firstname": Rule(required=True, high=255),
    "phone": Rule(required=True, high=20),
    "email": Rule(kind="email", high=191),
    "type": Rule(required=True, values=("lead", "customer")),
    "company": Rule(high=255),
    "description": Rule(),
    "country_id": Rule(kind="integer"),
    "assigned_id": Rule(kind="integer"),
    "groups": Rule(),
}
CREATE: Rules = {
    **_PERSON,
    "lastname": Rule(high=255),
    "source_id": Rule(kind="integer", required=True),
    "status_id": Rule(kind="integer", required=True),
}
UPDATE: Rules = {
    **_PERSON,
    "lastname": Rule(required=True, high=255),
    "source_id": Rule(kind="integer"),
    "status_id": Rule(kind="integer"),
}


async def create(tenant: Tenant, request: Request) -> Reply:
    """Answer POST /contacts."""
    data = await read_body(request)
    demand(_complaints(tenant, data, CREATE, None))
    ask_for_room(tenant)
    row = tenant.contacts.add(**_columns(tenant, data))
    tenant.webhooks.row("contact", "created", row)
    return json_reply({"status": "success", "message": "Contact created successfully", "data": row}, 201)


async def index(tenant: Tenant, request: Request) -> Reply:
    """Answer GET /contacts, which can be narrowed by type, source and status."""
    query = request.query
    wanted = {name: query[name] for name in ("type", "source_id", "status_id") if query.get(name)}
    rows = [
        row
        for row in tenant.contacts.rows.values()
        if all(str(row[name]) == value for name, value in wanted.items())
    ]
    return page_of(request, rows, tenant.world.settings.whatscloud_page_shape, meta=True)


async def show(tenant: Tenant, request: Request) -> Reply:
    """Answer GET /contacts/{id}."""
    return json_reply({"status": "success", "data": _find(tenant, request)})


async def update(tenant: Tenant, request: Request) -> Reply:
    """Answer PUT /contacts/{id}, which wants the whole contact."""
    row = _find(tenant, request)
    data = await read_body(request)
    demand(_complaints(tenant, data, UPDATE, row))
    before = dict(row)
    tenant.contacts.change(row, {**_columns(tenant, data, row), "is_enabled": row["is_enabled"]})
    tenant.webhooks.row("contact", "updated", row, before)
    return json_reply({"status": "success", "message": "Contact updated successfully", "data": row})


async def delete(tenant: Tenant, request: Request) -> Reply:
    """Answer DELETE /contacts/{id}."""
    row = _find(tenant, request)
    tenant.contacts.remove(row)
    tenant.webhooks.row("contact", "deleted", row)
    return json_reply({"status": "success", "message": "Contact deleted successfully"})


def digits_of(phone: str) -> str:
    """Return the digits of a number."""
    return re.sub(r"\D", "", phone, flags=re.ASCII)


class Contacts(Table):
    """The contacts, found by the digits of their numbers at once: every send looks for one."""

    def __init__(self, tenant_id: int, now: Callable[[], str]) -> None:
        super().__init__(tenant_id, now)
        self._by_digits: dict[str, dict[int, Row]] = {}

    def add(self, **values: Any) -> Row:
        """Add a contact."""
        row = super().add(**values)
        self._by_digits.setdefault(digits_of(row["phone"]), {})[row["id"]] = row
        return row

    def change(self, row: Row, values: Row) -> None:
        """Change some of a contact's columns."""
        del self._by_digits[digits_of(row["phone"])][row["id"]]
        super().change(row, values)
        self._by_digits.setdefault(digits_of(row["phone"]), {})[row["id"]] = row

    def remove(self, row: Row) -> None:
        """Delete a contact."""
        super().remove(row)
        del self._by_digits[digits_of(row["phone"])][row["id"]]

    def by_phone(self, digits: str) -> Row | None:
        """Return the first contact with this number, however it is written."""
        return next(iter(self._by_digits.get(digits, {}).values()), None)


def ask_for_room(tenant: Tenant) -> None:
    """Refuse another contact when the plan has no room for it."""
    limit = tenant.world.settings.whatscloud_contact_limit
    if limit is not None and len(tenant.contacts.rows) >= limit:
        raise refused(403, FULL)


def make(tenant: Tenant, phone: str, given: Data) -> Row:
    """Make a contact of a number; without a name the number is the name."""
    wishes = ("firstname", "lastname", "email", "assigned_id", "groups")
    person: Data = {name: given[name] for name in wishes if given.get(name) is not None}
    person = {"firstname": phone, "type": "lead", "phone": phone, **person}
    default = tenant.statuses.where(isdefault=1)
    person["status_id"] = default["id"] if default else None
    person["source_id"] = next(iter(tenant.sources.rows), None)
    row = tenant.contacts.add(**_columns(tenant, person))
    tenant.webhooks.row("contact", "created", row)
    return row


def _find(tenant: Tenant, request: Request) -> Row:
    row = tenant.contacts.get(request.params["id"])
    if row is None:
        raise not_found("Contact")
    return row


def _complaints(tenant: Tenant, data: Data, rules: Rules, own: Row | None) -> Complaints:
    found = check(data, rules)
    for name in ("phone", "email"):
        other = tenant.contacts.where(**{name: data[name]}) if data.get(name) is not None else None
        if name not in found and other is not None and other is not own:
            found[name] = [f"The {name} has already been taken."]
    for name, table in (("source_id", tenant.sources), ("status_id", tenant.statuses)):
        if name not in found and data.get(name) is not None and whole(data[name]) not in table.rows:
            found[name] = [f"The selected {name.replace('_', ' ')} is invalid."]
    return found


def _columns(tenant: Tenant, data: Data, own: Row | None = None) -> Row:
    """Return a contact's columns; what a change does not name stays."""

    def given(name: str, default: Any = None) -> Any:
        kept = default if own is None else own[name]
        return data.get(name, kept)

    names = data.get("groups")
    kept = [] if own is None else own["group_id"]
    return {
        "firstname": data["firstname"],
        "lastname": given("lastname"),
        "company": given("company"),
        "type": data["type"],
        "email": given("email"),
        "phone": data["phone"],
        "source_id": whole(given("source_id")),
        "status_id": whole(given("status_id")),
        "country_id": whole(given("country_id")),
        "assigned_id": whole(given("assigned_id")),
        **{name: given(name) for name in TEXTS if name != "company"},
        "group_id": kept if names is None else _group_ids(tenant, names),
        "is_enabled": 1,
        "is_opted_out": 0 if own is None else own["is_opted_out"],
        "addedfrom": STAFF,
    }


def _group_ids(tenant: Tenant, names: str) -> list[int]:
    """Return the ids of groups named with commas between; a new name is a new group."""
    found = []
    for name in (part.strip() for part in names.split(",")):
        if name:
            row = tenant.groups.where(name=name) or tenant.groups.add(name=name)
            found.append(row["id"])
    return found
