"""Put people on suppression lists, take them off, and write a list into a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import BaseOperator

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.hooks.storage import written_whole
from whatsapp_provider.operators.audience import group_id, open_rows, shown
from whatsapp_provider.operators.base import Private, PrivateFields, no_vain_retries, reveal, starter
from whatsapp_provider.operators.choices import alias_columns, check_choice, is_true, moment_of
from whatsapp_provider.redaction import mask_number

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.campaigns.ledger.listing import People
    from whatsapp_provider.campaigns.ledger.suppressing import Suppression
    from whatsapp_provider.model import GroupMember

#: The list that counts for every campaign and every single message.
OPT_OUT = "opt_out"


class _ListArguments(PrivateFields):
    """Base of the tasks that change a list.

    :param recipients: path or URL of a ``.csv``, ``.jsonl`` or ``.parquet`` file (any storage of
        ``ObjectStoragePath``), a query (``SqlAudience``), a list of rows or numbers, or the output of a task. Lists are
        readable in Airflow's database; files and queries are not.
    :param list_name: the list.
    :param by: who does so; by default who started the DAG run, and the task. The ledger keeps it.
    :param recipient_field: the column with a number, a WhatsApp id (JID or LID), or a user id of Meta's.
    :param aliases: columns with further forms of a person, e.g. ``{"lid": "lid", "user_id": "bsuid"}``.
    :param region: ISO country code for numbers without country code.
    :param on_invalid: what becomes of the task when rows name nobody; the others are done all the same. ``fail`` or
        ``skip``.
    """

    template_fields: Sequence[str] = ("recipients", "list_name", "by")
    private_fields: Sequence[str] = ("recipients",)

    def __init__(
        self,
        *,
        recipients: Any,
        list_name: str = OPT_OUT,
        by: str | None = None,
        recipient_field: str = "phone",
        aliases: Mapping[str, str] | None = None,
        region: str | None = None,
        on_invalid: Literal["fail", "skip"] = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_choice("on_invalid", on_invalid, "fail", "skip")
        self.recipients = recipients
        self.list_name = list_name
        self.by = by
        self.recipient_field = recipient_field
        self.aliases = aliases
        self.region = region
        self.on_invalid = on_invalid

    def private(self, field: str, value: Any) -> Private:
        """Show a file's path, and of rows their number only."""
        return Private(value, shown(value))

    def execute(self, context: Context) -> dict[str, Any]:
        """Change the list."""
        with no_vain_retries():
            ledger = open_ledger()
            try:
                return self._change(ledger, self.by or starter(context))
            finally:
                ledger.dispose()

    def change(self, ledger: Ledger, people: People, by: str) -> int:
        """Change it for some, and return for how many something changed."""
        raise NotImplementedError

    def _change(self, ledger: Ledger, by: str) -> dict[str, Any]:
        from whatsapp_provider.campaigns.ledger.listing import Naming, change_all

        given = reveal(self.recipients)
        if group_id(given):
            raise ConfigurationError("recipients is a group's id; a suppression list is of people.")
        naming = Naming(self.recipient_field, self.region, alias_columns(self.aliases))
        rows = open_rows(given, recipient_field=self.recipient_field, members=_no_members)
        told = change_all(ledger, rows, naming, lambda people: self.change(ledger, people, by))
        self.log.info(
            "List %s: %d people, of whom %d changed; %d rows name nobody.",
            self.list_name,
            told.people,
            told.changed,
            told.invalid,
        )
        if self.on_invalid == "fail":
            told.check()
        return {"list": self.list_name, **told.to_dict()}


class WhatsAppSuppressRecipientsOperator(_ListArguments):
    """Put people on a suppression list: no campaign that the list counts for writes to them, by any form of them.

    It counts from the next message on, for campaigns that are running too. To do it twice changes nothing more. Returns
    ``list``, and the numbers of ``people``, of those who ``changed`` (were not on it) and of ``invalid`` rows.

    :param reason: what is to be remembered of it.
    :param until: the moment when it ends, as a datetime or an ISO text with its offset; never where it is left out.
    """

    template_fields: Sequence[str] = (*_ListArguments.template_fields, "reason", "until")

    def __init__(
        self, *, reason: str | None = None, until: datetime | str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.reason = reason
        self.until = until

    def change(self, ledger: Ledger, people: People, by: str) -> int:
        """Put some on it."""
        from whatsapp_provider.campaigns.ledger.suppression import Source

        return ledger.suppress(
            people,
            self.list_name,
            source=Source.IMPORT,
            by=by,
            reason=self.reason,
            until=moment_of("until", self.until),
        )


class WhatsAppUnsuppressRecipientsOperator(_ListArguments):
    """Take people off a suppression list, because somebody says so. Their entries stay, ended, with who ended them.

    Returns the same as ``WhatsAppSuppressRecipientsOperator``; who ``changed`` was on the list.

    :param note: why.
    """

    template_fields: Sequence[str] = (*_ListArguments.template_fields, "note")

    def __init__(self, *, note: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.note = note

    def change(self, ledger: Ledger, people: People, by: str) -> int:
        """Take some off it."""
        return ledger.unsuppress(people, self.list_name, by=by, note=self.note)


class WhatsAppExportSuppressionListOperator(BaseOperator):
    """Write who is on a suppression list into a file, a row for each form of a person.

    Its columns are ``phone``, ``list``, ``source``, ``reason``, ``by``, ``added_at`` and ``until``. With ``numbers`` it
    is one that ``WhatsAppSuppressRecipientsOperator`` reads. Returns ``path`` and the number of ``rows``.

    :param path: a ``.csv`` file of any storage of ``ObjectStoragePath``.
    :param list_name: of this list only.
    :param numbers: write whole numbers. By default a recipient is ``…0001``.
    :param ended: entries that ended, too.
    """

    template_fields: Sequence[str] = ("path", "list_name")
    ui_color = "#d9fdd3"

    def __init__(
        self,
        *,
        path: str,
        list_name: str | None = None,
        numbers: bool = False,
        ended: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path = path
        self.list_name = list_name
        self.numbers = numbers
        self.ended = ended

    def execute(self, context: Context) -> dict[str, Any]:
        """Write it."""
        with no_vain_retries():
            if not self.path.lower().endswith(".csv"):
                raise ConfigurationError(f"path must end in .csv, not be {self.path!r}.")
            numbers, ended = is_true("numbers", self.numbers), is_true("ended", self.ended)
            ledger = open_ledger()
            try:
                rows = _write(
                    self.path, ledger.each_suppression(self.list_name, ended=ended), numbers=numbers
                )
            finally:
                ledger.dispose()
        self.log.info("%d rows written to %s.", rows, self.path)
        return {"path": self.path, "rows": rows}


_COLUMNS = ("phone", "list", "source", "reason", "by", "added_at", "until")


def _write(path: str, entries: Iterator[Suppression], *, numbers: bool) -> int:
    from whatsapp_provider.campaigns.export import safe_cell

    count = 0
    with written_whole(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(_COLUMNS)
        for entry in entries:
            count += 1
            writer.writerow(map(safe_cell, _row(entry, numbers=numbers)))
        # The file is closed by whom it belongs to.
        text.detach()
    return count


def _row(entry: Suppression, *, numbers: bool) -> list[str]:
    phone = entry.recipient or ""
    return [
        phone if numbers or not phone else mask_number(phone),
        entry.name,
        entry.source,
        entry.reason or "",
        entry.added_by,
        _text(entry.added_at),
        _text(entry.until),
    ]


def _text(moment: float | None) -> str:
    return "" if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def _no_members(group: str) -> list[GroupMember]:
    raise ConfigurationError("recipients is a group's id; a suppression list is of people.")
