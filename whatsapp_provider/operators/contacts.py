"""Keep the contacts of a gateway, and the lists that sort them, as a DAG says they should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields as dataclass_fields
from typing import TYPE_CHECKING, Any, Literal

from whatsapp_provider.errors import (
    ConfigurationError,
    Disposition,
    GatewayError,
    NameTakenError,
    NotFoundError,
)
from whatsapp_provider.operators.base import Private, WhatsAppOperator, reveal
from whatsapp_provider.operators.choices import check_choice, words_of
from whatsapp_provider.redaction import mask_number

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.gateways.directory import (
        ContactDirectory,
        ContactDraft,
        ContactRecord,
        NamedRecord,
        Shelf,
    )

_LISTS = ("groups", "statuses", "sources")
#: Fields of a contact that name an entry of a list, and where the contact's record has its id.
_NAMED = {"source": ("sources", "source_id"), "status": ("statuses", "status_id")}


class _DirectoryOperator(WhatsAppOperator):
    """What operators on a gateway's contacts share."""

    @property
    def directory(self) -> ContactDirectory:
        """The gateway's contacts.

        :raises UnsupportedError: if it keeps none.
        """
        gateway = self.hook.gateway
        gateway.capabilities.require(gateway.name, "contact_book")
        return gateway.account().directory()


class WhatsAppManageContactOperator(_DirectoryOperator):
    """Let the contact of a number be there, with the fields given, or be gone; once, however often the task runs.

    Returns ``contact_id``, and ``created`` and ``changed`` (the names of the fields), or ``deleted``; nothing of the
    person.

    :param phone: the contact's number with country code; by it the contact is found.
    :param fields: what the contact shall have: ``firstname`` (needed for a new one), ``lastname``, ``email``,
        ``company``, ``description``, ``type`` (``lead`` or ``customer``), ``source`` and ``status`` (name or id),
        ``groups`` (all of the contact's groups, by their names). What is left out stays. Airflow stores the names only.
    :param state: ``present`` or ``absent``.
    :param if_exists: ``update`` a contact that is there, or ``keep`` it as it is.
    :param region: ISO country code for a number written without country code.
    """

    template_fields: Sequence[str] = ("phone", "fields", "whatsapp_conn_id")
    private_fields: Sequence[str] = ("phone", "fields")

    def __init__(
        self,
        *,
        phone: str,
        fields: Mapping[str, Any] | None = None,
        state: Literal["present", "absent"] = "present",
        if_exists: Literal["update", "keep"] = "update",
        region: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_choice("state", state, "present", "absent")
        check_choice("if_exists", if_exists, "update", "keep")
        self.phone = phone
        self.fields = fields
        self.state = state
        self.if_exists = if_exists
        self.region = region

    def work(self, context: Context) -> dict[str, Any]:
        """Find the contact by its number; create, change or delete it."""
        directory = self.directory
        phone, given = self._number(), _fields(reveal(self.fields))
        found = self.hook.run(directory.find_contact(phone))
        if self.state == "absent":
            deleted = found is not None and self.hook.run(directory.delete_contact(found.id))
            self.log.info(
                "Contact %s: %s.", mask_number(phone), "deleted" if deleted else "there was none to delete"
            )
            return _told(found, deleted=deleted)
        created = found is None
        if found is None:
            found, created = self._create(directory, phone, given)
        changed = [] if created or self.if_exists == "keep" else self._update(directory, found, given)
        told = "created" if created else f"changed {', '.join(changed)}" if changed else "nothing to change"
        self.log.info("Contact %s: %s.", mask_number(phone), told)
        return _told(found, created=created, changed=changed)

    def private(self, field: str, value: Any) -> Private:
        """Show the end of the number, and of the fields their names only."""
        if field == "phone":
            return Private(value, mask_number(str(value).strip()))
        names = ", ".join(sorted(map(str, value))) if isinstance(value, Mapping) else "…"
        return Private(value, f"<fields {names}>")

    def _number(self) -> str:
        from whatsapp_provider.campaigns.identity import parse_recipient

        address = parse_recipient(reveal(self.phone), region=self.region).address
        if not address.isdecimal():
            raise ConfigurationError("phone is the id of a chat; a contact has a phone number.")
        return address

    def _create(
        self, directory: ContactDirectory, phone: str, given: Mapping[str, Any]
    ) -> tuple[ContactRecord, bool]:
        """Create the contact; one that another task was quicker with, or whose answer was lost, is adopted."""
        try:
            return self.hook.run(directory.create_contact(_draft(phone, given))), True
        except GatewayError as error:
            found = self.hook.run(directory.find_contact(phone)) if _may_be_there(error) else None
            if found is None:
                raise
            return found, False

    def _update(
        self, directory: ContactDirectory, found: ContactRecord, given: Mapping[str, Any]
    ) -> list[str]:
        """Write what differs and return its names."""
        changes = {
            name: value for name, value in given.items() if self._differs(directory, found, name, value)
        }
        if changes:
            self.hook.run(directory.update_contact(found.id, changes))
        return sorted(changes)

    def _differs(self, directory: ContactDirectory, found: ContactRecord, name: str, value: Any) -> bool:
        from whatsapp_provider.gateways.directory import Shelf

        if name == "groups":
            entries = self.hook.run(directory.entries(Shelf.GROUPS))
            known = {one.name: one.id for one in entries}
            return {known.get(group) for group in value} != set(found.group_ids)
        if name in _NAMED:
            shelf, column = _NAMED[name]
            there = getattr(found, column)
            entries = self.hook.run(directory.entries(Shelf(shelf)))
            # By its name first, as the gateway reads it.
            wanted = next((one.id for one in entries if one.name == value), value)
            return bool(wanted != there)
        return bool(getattr(found, name) != value)


class WhatsAppManageContactGroupOperator(_DirectoryOperator):
    """Let a group of contacts be there, be called otherwise, or be gone; once, however often the task runs.

    Statuses and sources of contacts are kept the same way. Returns ``id`` and ``name``, and ``created`` and
    ``changed``, or ``deleted``.

    :param name: the group's name; by it the group is found.
    :param kind: ``groups``, ``statuses`` or ``sources``.
    :param state: ``present`` or ``absent``.
    :param new_name: what it shall be called; one that is called so already is taken for renamed.
    :param color: of a status, e.g. ``#FF0000``.
    """

    template_fields: Sequence[str] = ("name", "new_name", "color", "whatsapp_conn_id")

    def __init__(
        self,
        *,
        name: str,
        kind: Literal["groups", "statuses", "sources"] = "groups",
        state: Literal["present", "absent"] = "present",
        new_name: str | None = None,
        color: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_choice("kind", kind, *_LISTS)
        check_choice("state", state, "present", "absent")
        self.name = name
        self.kind = kind
        self.state = state
        self.new_name = new_name
        self.color = color

    def work(self, context: Context) -> dict[str, Any]:
        """Find it by its name; create, rename or delete it."""
        from whatsapp_provider.gateways.directory import Shelf

        directory, shelf = self.directory, Shelf(self.kind)
        name, new_name = _name("name", self.name), _name("new_name", self.new_name, needed=False)
        if self.color and shelf is not Shelf.STATUSES:
            raise ConfigurationError(f"Only statuses have a colour, and {name!r} is one of {shelf}.")
        found = self.hook.run(directory.find_entry(shelf, name))
        if self.state == "absent":
            deleted = found is not None and self.hook.run(directory.delete_entry(shelf, found.id))
            self.log.info("%s of %s: %s.", name, shelf, "deleted" if deleted else "there was none to delete")
            return {"id": found.id if found else None, "name": name, "deleted": deleted}
        created = False
        if found is None and new_name:
            found = self.hook.run(directory.find_entry(shelf, new_name))
            if found is None:
                raise NotFoundError(f"There is none of {shelf} called {name!r} that could be renamed.")
        elif found is None:
            found, created = self._create(directory, shelf, name)
        changed = self._update(directory, shelf, found, new_name)
        self.log.info(
            "%s of %s: %s.",
            name,
            shelf,
            "created" if created else "changed" if changed else "nothing to change",
        )
        return {"id": found.id, "name": new_name or name, "created": created, "changed": changed}

    def _create(self, directory: ContactDirectory, shelf: Shelf, name: str) -> tuple[NamedRecord, bool]:
        try:
            return self.hook.run(directory.create_entry(shelf, name, color=self.color or None)), True
        except GatewayError as error:
            found = self.hook.run(directory.find_entry(shelf, name)) if _may_be_there(error) else None
            if found is None:
                raise
            return found, False

    def _update(
        self, directory: ContactDirectory, shelf: Shelf, found: NamedRecord, new_name: str | None
    ) -> bool:
        name = new_name if new_name and new_name != found.name else None
        color = self.color if self.color and self.color.lower() != (found.color or "").lower() else None
        if name or color:
            self.hook.run(directory.update_entry(shelf, found.id, name=name, color=color))
        return bool(name or color)


def _may_be_there(error: GatewayError) -> bool:
    # Another task was quicker, or only the answer was lost.
    return isinstance(error, NameTakenError) or error.disposition is Disposition.HOLD


def _fields(given: Any) -> dict[str, Any]:
    """Return the fields, groups as a list.

    :raises ConfigurationError: for one that a contact has not, or that is no text.
    """
    from whatsapp_provider.gateways.directory import ContactDraft

    if not isinstance(given, Mapping | None):
        raise ConfigurationError(
            f"fields is a {type(given).__name__}; give a mapping of names to values. A template around a mapping gives "
            "text: pass the output of a task as it is."
        )
    known = {one.name for one in dataclass_fields(ContactDraft)} - {"phone"}
    if unknown := sorted(set(given or {}) - known):
        raise ConfigurationError(
            f"A contact has no {', '.join(map(repr, unknown))}; it has {', '.join(sorted(known))}."
        )
    found: dict[str, Any] = {}
    for name, value in (given or {}).items():
        if name == "groups":
            found[name] = words_of("groups", value)
        elif isinstance(value, str | int) and not isinstance(value, bool):
            found[name] = str(value)
        else:
            raise ConfigurationError(
                f"Field {name!r} of a contact must be text, not a {type(value).__name__}."
            )
    return found


def _draft(phone: str, given: Mapping[str, Any]) -> ContactDraft:
    from whatsapp_provider.gateways.directory import ContactDraft

    if not given.get("firstname", "").strip():
        raise ConfigurationError(
            "There is no contact of this number, and a new one needs fields={'firstname': …}."
        )
    return ContactDraft(phone=phone, **given)


def _name(field: str, value: Any, *, needed: bool = True) -> str:
    # A template around nothing gives the word.
    name = "" if value is None or str(value).strip() == "None" else str(value).strip()
    if needed and not name:
        raise ConfigurationError(f"{field} is empty.")
    return name


def _told(found: ContactRecord | None, **what: Any) -> dict[str, Any]:
    return {"contact_id": found.id if found else None, **what}
