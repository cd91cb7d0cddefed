"""The people of a WhatsCloud tenant: contacts, groups, statuses, sources.

Sources: the vendor's API reference; bodies that write groups are those of sources, which no page shows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from whatsapp_provider.errors import ConfigurationError, NotFoundError
from whatsapp_provider.gateways.directory import (
    ContactDraft,
    ContactQuery,
    ContactRecord,
    NamedRecord,
    Shelf,
)
from whatsapp_provider.gateways.reading import digits_of
from whatsapp_provider.gateways.whatscloud import people
from whatsapp_provider.gateways.whatscloud.pages import Pages
from whatsapp_provider.gateways.whatscloud.payloads import ContactRow, NamedRow, read
from whatsapp_provider.gateways.whatscloud.rows import Rows
from whatsapp_provider.http import ApiClient


class WhatsCloudDirectory:
    """See :class:`whatsapp_provider.gateways.directory.ContactDirectory`."""

    def __init__(self, client: ApiClient, pages: Pages) -> None:
        self._rows = Rows(client)
        self._pages = pages

    async def contacts(self, query: ContactQuery | None = None) -> AsyncIterator[ContactRecord]:
        """Yield contacts; the server's filters are asked and not relied upon, since not every version has them."""
        wanted = query or ContactQuery()
        ids = {
            shelf: await self._id_of(shelf, name)
            for shelf, name in (
                (Shelf.GROUPS, wanted.group),
                (Shelf.SOURCES, wanted.source),
                (Shelf.STATUSES, wanted.status),
            )
            if name is not None
        }
        async for row in self._pages.rows("/contacts", people.filters(wanted, ids)):
            contact = people.contact(read(ContactRow, row))
            if people.is_chosen(contact, wanted, ids):
                yield contact

    async def get_contact(self, contact_id: str) -> ContactRecord | None:
        """Return one contact."""
        row = await self._rows.one("/contacts", contact_id, ContactRow)
        return people.contact(row) if row else None

    async def find_contact(self, phone: str) -> ContactRecord | None:
        """Return the contact of that number; the API has no search, so all are read."""
        wanted = digits_of(phone)
        async for contact in self.contacts():
            if wanted and digits_of(contact.phone) == wanted:
                return contact
        return None

    async def create_contact(self, draft: ContactDraft) -> ContactRecord:
        """Create a contact; where no source or status is given, the default one or the only one is taken."""
        body = people.new_body(draft)
        body["source_id"] = people.number(await self._chosen(Shelf.SOURCES, draft.source))
        body["status_id"] = people.number(await self._chosen(Shelf.STATUSES, draft.status))
        return people.contact(await self._rows.create("/contacts", body, ContactRow))

    async def update_contact(self, contact_id: str, changes: Mapping[str, Any]) -> ContactRecord:
        """Change some fields; the API takes a whole contact, so the others are read and written back."""
        people.check_changes(changes)
        row = await self._rows.one("/contacts", contact_id, ContactRow)
        if row is None:
            raise NotFoundError(f"WhatsCloud has no contact {contact_id!r}.")
        body = people.whole_body(row)
        body.update(people.changed_fields(changes))
        for shelf, name, column in (
            (Shelf.SOURCES, "source", "source_id"),
            (Shelf.STATUSES, "status", "status_id"),
        ):
            if changes.get(name):
                body[column] = people.number(await self._id_of(shelf, str(changes[name])))
        if "groups" not in changes and row.group_id:
            names = {entry.id: entry.name for entry in await self.entries(Shelf.GROUPS)}
            body["groups"] = people.joined([names[one] for one in row.group_id if one in names])
        return people.contact(await self._rows.update("/contacts", contact_id, body, ContactRow))

    async def delete_contact(self, contact_id: str) -> bool:
        """Delete a contact."""
        return await self._rows.delete("/contacts", contact_id)

    async def entries(self, shelf: Shelf) -> Sequence[NamedRecord]:
        """Return all of a shelf."""
        return [people.entry(read(NamedRow, row)) async for row in self._pages.rows(f"/{shelf}")]

    async def get_entry(self, shelf: Shelf, entry_id: str) -> NamedRecord | None:
        """Return one by its id."""
        row = await self._rows.one(f"/{shelf}", entry_id, NamedRow)
        return people.entry(row) if row else None

    async def find_entry(self, shelf: Shelf, name: str) -> NamedRecord | None:
        """Return one by its exact name; of several the oldest."""
        found = [entry for entry in await self.entries(shelf) if entry.name == name]
        return min(found, key=lambda entry: (len(entry.id), entry.id), default=None)

    async def create_entry(self, shelf: Shelf, name: str, *, color: str | None = None) -> NamedRecord:
        """Create one."""
        body = people.entry_body(shelf, name, color)
        if shelf is Shelf.STATUSES:
            body["isdefault"] = False
        return people.entry(await self._rows.create(f"/{shelf}", body, NamedRow))

    async def update_entry(
        self, shelf: Shelf, entry_id: str, *, name: str | None = None, color: str | None = None
    ) -> NamedRecord:
        """Change one."""
        if name is None and color is None:
            raise ConfigurationError(f"Nothing of {shelf} is to be changed; give a name or a colour.")
        body = people.entry_body(shelf, name, color)
        return people.entry(await self._rows.update(f"/{shelf}", entry_id, body, NamedRow))

    async def delete_entry(self, shelf: Shelf, entry_id: str) -> bool:
        """Delete one; the default status is kept."""
        return await self._rows.delete(f"/{shelf}", entry_id)

    async def _id_of(self, shelf: Shelf, name: str) -> str:
        """Return the id of what is called so, by its name or its id.

        :raises NotFoundError: naming those there are.
        """
        entries = await self.entries(shelf)
        for entry in (
            *(one for one in entries if one.name == name),
            *(one for one in entries if one.id == name),
        ):
            return entry.id
        raise NotFoundError(f"WhatsCloud has none of {shelf} called {name!r}. {_those(entries)}")

    async def _chosen(self, shelf: Shelf, name: str) -> str:
        if name:
            return await self._id_of(shelf, name)
        entries = await self.entries(shelf)
        default = [entry for entry in entries if entry.is_default] or entries
        if len(default) != 1:
            raise ConfigurationError(
                f"A contact needs one of {shelf}, and none is the default one. {_those(entries)}"
            )
        return default[0].id


def _those(entries: Sequence[NamedRecord]) -> str:
    names = ", ".join(repr(entry.name) for entry in entries[:10])
    return f"There are: {names}{', …' if len(entries) > 10 else ''}." if entries else "There are none."
