"""Open an audience: a file of any storage, a query, rows at hand, a group's members, or the gateway's own contacts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from whatsapp_provider.audiences import SqlAudience
from whatsapp_provider.errors import AudienceError, ConfigurationError
from whatsapp_provider.hooks.queries import query_rows
from whatsapp_provider.redaction import mask_number, redact

if TYPE_CHECKING:
    from whatsapp_provider.campaigns.readers import Row
    from whatsapp_provider.gateways.directory import ContactQuery, ContactRecord
    from whatsapp_provider.hooks.whatsapp import WhatsAppHook
    from whatsapp_provider.model import ChannelRef, GroupMember

    #: Asks the gateway who is in a group, and whom a query of its contacts chooses.
    Members = Callable[[str], Sequence[GroupMember]]
    Contacts = Callable[[ContactQuery], Sequence[ContactRecord]]

_GROUP = re.compile(r"\s*(\d[\d-]{4,30}@g\.us)\s*", re.ASCII)


def open_rows(
    audience: Any,
    *,
    recipient_field: str,
    members: Members,
    contacts: Contacts | None = None,
    columns: Mapping[str, str] | None = None,
) -> Iterator[Row]:
    """Return the rows of an audience.

    :param audience: a path or URL of a ``.csv``, ``.jsonl`` or ``.parquet`` file, a query (:class:`SqlAudience`, or a
        mapping with its ``conn_id`` and ``sql``), an iterable of rows, a group's id, or ``{"contacts": {…}}``.
    :param members: asked who is in the group.
    :param contacts: asked who the contacts are, where they can be the audience.
    :param columns: names that the message knows, and the source's.
    :raises AudienceError: if the file can't be read.
    :raises ConfigurationError: if it is neither.
    """
    from whatsapp_provider.campaigns.readers import mapped

    rows = _rows_of(audience, recipient_field, members, contacts)
    return mapped(rows, columns) if columns else rows


def _rows_of(
    audience: Any, recipient_field: str, members: Members, contacts: Contacts | None
) -> Iterator[Row]:
    from whatsapp_provider.campaigns.readers import rows_of

    if isinstance(audience, str):
        if group := group_id(audience):
            return rows_of(_recipients(group, members), recipient_field=recipient_field)
        if not is_path(audience):
            raise ConfigurationError(
                f"audience is a text of {len(audience)} characters and no file's path or URL. A template gives text: "
                "pass the output of a task as it is (task.output), or let the task write a .csv or .jsonl file."
            )
        return _file_rows(audience.strip())
    if (query_on := SqlAudience.of(audience)) is not None:
        return query_rows(query_on)
    if contacts is not None and (query := contact_query(audience)) is not None:
        return rows_of(_reachable(query, contacts, recipient_field), recipient_field=recipient_field)
    if isinstance(audience, Iterable) and not isinstance(audience, Mapping | bytes):
        return rows_of(audience, recipient_field=recipient_field)
    raise ConfigurationError(
        f"audience is a {type(audience).__name__}; give a file's path or URL, a query (SqlAudience), a list of rows, "
        "the output of a task that returns one, a group's id, or {'contacts': {…}}."
    )


def group_id(audience: Any) -> str | None:
    """Return the group that an audience names, if it names one."""
    found = _GROUP.fullmatch(audience) if isinstance(audience, str) else None
    return found[1] if found else None


def contact_query(audience: Any) -> ContactQuery | None:
    """Return which of the gateway's contacts an audience means, if it means any: ``{"contacts": {"group": "vip"}}``.

    :raises ConfigurationError: if they can't be chosen like that.
    """
    from whatsapp_provider.gateways.directory import ContactQuery

    if not isinstance(audience, Mapping) or set(audience) != {"contacts"}:
        return None
    chosen = audience["contacts"]
    if not isinstance(chosen, Mapping):
        raise ConfigurationError(
            "audience={'contacts': …} takes a mapping, e.g. {'group': 'vip'}; {} means all contacts."
        )
    return ContactQuery.from_dict(chosen)


def known_by(audience: Any) -> str | None:
    """Return the name of an audience whose people come and go: a group's id, or how contacts are chosen."""
    query = contact_query(audience)
    return str(query) if query is not None else group_id(audience)


def members_of(hook: WhatsAppHook, ref: ChannelRef, group: str) -> list[GroupMember]:
    """Return who is in a group, but for the channel's own account."""
    own = hook.profile(ref).phone or ""
    return [member for member in hook.group_members(group, channel=ref) if member.phone != own]


def shown(audience: Any) -> str:
    """Return what may be stored of an audience: a path, a group's id, a query's connection; of rows their number."""
    if isinstance(audience, Mapping) and "sql" in audience:
        # Its text and parameters may name people.
        return redact(f"<query on {audience.get('conn_id')!r}, {len(str(audience['sql']))} characters>")
    if isinstance(audience, Mapping) and isinstance(audience.get("contacts"), Mapping):
        return redact(f"<contacts: {dict(audience['contacts'])}>")
    if isinstance(audience, str):
        if group := group_id(audience):
            # Older groups are called by the number of who made them, and the time.
            return mask_number(group) if "-" in group else group
        # A template around rows gives text too, with everybody's number in it.
        return audience if is_path(audience) else f"<{len(audience)} characters>"
    return f"<{len(audience)} rows>" if hasattr(audience, "__len__") else "<rows>"


def is_path(text: str) -> bool:
    """Tell a file's path or URL from rows that were made text."""
    text = text.strip()
    if group_id(text):
        return False
    if not text or len(text) > 2000 or "\n" in text or text[0] in "[{(<":
        return False
    return any(character.isalpha() for character in text) and ("/" in text or "." in text[-9:])


def _recipients(group: str, members: Members) -> Iterator[str]:
    # Asked at the first row: a campaign that goes on with those who were planned reads none.
    for member in members(group):
        yield member.phone or member.chat_id


def _reachable(query: ContactQuery, contacts: Contacts, recipient_field: str) -> Iterator[dict[str, Any]]:
    """Yield the contacts as rows, but for those who opted out or were switched off."""
    for contact in contacts(query):
        if contact.is_enabled and not contact.is_opted_out:
            yield {**contact.row(), recipient_field: contact.phone}


def _file_rows(url: str) -> Iterator[Row]:
    from airflow.sdk import ObjectStoragePath

    from whatsapp_provider.campaigns.readers import reader_for

    name = PurePosixPath(url).name
    read = reader_for(name)
    try:
        file = ObjectStoragePath(url).open("rb")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        # Other failures of a storage may pass, and a retry finds the file.
        why = error.strerror or type(error).__name__
        raise AudienceError(
            f"Audience file {name!r} can't be opened: {why}. Looked for it at {redact(url)}."
        ) from None
    except (ValueError, ImportError) as error:
        raise AudienceError(
            f"Audience file {name!r} can't be opened: {redact(str(error))}. Airflow knows a storage by its provider, "
            "installed where the task runs, e.g. apache-airflow-providers-amazon[s3fs] for s3://."
        ) from None
    with file:
        yield from read(file, name=name)
