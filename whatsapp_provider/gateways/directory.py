"""The people that a gateway knows: contacts, and the named lists that sort them.

Declared by ``Capabilities.contact_book`` and reached by ``AccountGateway.directory()``. What a gateway's directory
does not know it refuses by name, before anything is asked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Protocol, Self

from whatsapp_provider.errors import ConfigurationError


class Shelf(StrEnum):
    """The named lists of a directory."""

    GROUPS = "groups"
    STATUSES = "statuses"
    SOURCES = "sources"


@dataclass(frozen=True, slots=True)
class NamedRecord:
    """A group of contacts, a status that a contact can be in, or a source that contacts come from.

    :param color: e.g. ``#FF0000``; statuses only.
    :param is_default: whether the gateway refuses to delete it; statuses only.
    """

    id: str
    name: str
    color: str | None = None
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """One contact as the gateway tells it.

    :param phone: as the gateway writes it, with country code.
    :param type: the gateway's word, e.g. ``lead`` or ``customer``.
    :param group_ids: ids of :class:`NamedRecord`, as ``source_id`` and ``status_id`` are.
    :param created_at: as the gateway writes it.
    """

    id: str
    phone: str = field(repr=False)
    firstname: str = field(default="", repr=False)
    lastname: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    company: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
    type: str = ""
    source_id: str | None = None
    status_id: str | None = None
    group_ids: tuple[str, ...] = ()
    is_opted_out: bool = False
    is_enabled: bool = True
    created_at: str = ""

    def row(self) -> dict[str, Any]:
        """Return the contact as a row of an audience: a flat mapping with ``phone``."""
        return {**asdict(self), "group_ids": list(self.group_ids)}


@dataclass(frozen=True, slots=True)
class ContactDraft:
    """A contact that is to be created.

    :param phone: with country code; digits, a leading ``+`` allowed.
    :param type: the gateway's word, e.g. ``lead`` or ``customer``.
    :param source: name or id of a source, ``status`` likewise; a gateway may require both.
    :param groups: names; a gateway may create those that it does not know.
    """

    phone: str = field(repr=False)
    firstname: str = field(repr=False)
    lastname: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    company: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
    type: str = "lead"
    source: str = ""
    status: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContactQuery:
    """Which contacts; what is left out excludes nobody.

    :param group: name or id of a group, ``source`` and ``status`` likewise.
    :param type: the gateway's word, e.g. ``lead`` or ``customer``.
    """

    group: str | None = None
    source: str | None = None
    status: str | None = None
    type: str | None = None

    def __str__(self) -> str:
        given = ((one.name, getattr(self, one.name)) for one in fields(self))
        return "contacts " + " ".join(f"{name}={value!r}" for name, value in given if value is not None)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Read the form in which a DAG author writes it, e.g. ``{"group": "vip", "type": "lead"}``.

        :raises ConfigurationError: naming the key that is not known or not text.
        """
        known = [one.name for one in fields(cls)]
        for name, given in value.items():
            if name not in known:
                raise ConfigurationError(
                    f"Contacts can't be chosen by {name!r}; they can by {', '.join(known)}."
                )
            # Numbers are ids. True is an int too.
            if not isinstance(given, str | int) or isinstance(given, bool) or not str(given).strip():
                raise ConfigurationError(f"Contacts are chosen by a name or an id; {name!r} is neither.")
        return cls(**{name: str(given).strip() for name, given in value.items()})


class ContactDirectory(Protocol):
    """Contacts, and the shelves that they are sorted into.

    Ids are the gateway's own, as text. Everything raises ``GatewayError`` where the gateway refuses or does not
    answer; the right that a token lacks is named.
    """

    def contacts(self, query: ContactQuery | None = None) -> AsyncIterator[ContactRecord]:
        """Yield the contacts that the query chooses, all without one, page by page.

        :raises NotFoundError: if a group, source or status of that name or id does not exist.
        """

    async def get_contact(self, contact_id: str) -> ContactRecord | None:
        """Return one contact, ``None`` if there is none of that id."""

    async def find_contact(self, phone: str) -> ContactRecord | None:
        """Return the contact of that number (compared by digits), ``None`` if there is none. May read all."""

    async def create_contact(self, draft: ContactDraft) -> ContactRecord:
        """Create a contact. Not repeated by itself.

        :raises NameTakenError: if the number or the address is another contact's already.
        :raises NotFoundError: if the source or the status does not exist.
        """

    async def update_contact(self, contact_id: str, changes: Mapping[str, Any]) -> ContactRecord:
        """Change some fields and leave the others.

        :param changes: fields of :class:`ContactDraft`, by their names.
        :raises ConfigurationError: for a field that is none.
        :raises NotFoundError: if there is no such contact.
        """

    async def delete_contact(self, contact_id: str) -> bool:
        """Delete a contact; ``False`` if there was none."""

    async def entries(self, shelf: Shelf) -> Sequence[NamedRecord]:
        """Return all groups, statuses or sources."""

    async def get_entry(self, shelf: Shelf, entry_id: str) -> NamedRecord | None:
        """Return one group, status or source, ``None`` if there is none of that id."""

    async def find_entry(self, shelf: Shelf, name: str) -> NamedRecord | None:
        """Return the group, status or source of that exact name, ``None`` if there is none."""

    async def create_entry(self, shelf: Shelf, name: str, *, color: str | None = None) -> NamedRecord:
        """Create a group, status or source. Not repeated by itself.

        :param color: statuses only; a gateway may need one.
        :raises ConfigurationError: for a colour of what has none.
        :raises NameTakenError: if the name is taken.
        """

    async def update_entry(
        self, shelf: Shelf, entry_id: str, *, name: str | None = None, color: str | None = None
    ) -> NamedRecord:
        """Rename or recolour a group, status or source.

        :raises NotFoundError: if there is none of that id.
        """

    async def delete_entry(self, shelf: Shelf, entry_id: str) -> bool:
        """Delete a group, status or source; ``False`` if there was none.

        :raises RequestRejectedError: if the gateway keeps it, as it does a default status.
        """
