"""Erase one person, show one person what is there of them, and purge what is old."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.hooks.retention import age, retention
from whatsapp_provider.hooks.storage import written_whole
from whatsapp_provider.operators.base import PrivateFields, no_vain_retries, reveal, starter
from whatsapp_provider.operators.choices import is_true

if TYPE_CHECKING:
    from airflow.sdk import Context


class _PersonOperator(PrivateFields):
    """Base of the tasks about one person.

    :param person: any form of them: a number with country code, a WhatsApp id (JID or LID), or a user id of Meta's.
        Airflow keeps what a DAG run is started with in the clear: see the page about people's data.
    :param region: ISO country code for a number without country code.
    """

    template_fields: Sequence[str] = ("person", "region")
    private_fields: Sequence[str] = ("person",)

    def __init__(self, *, person: str, region: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.person = person
        self.region = region

    def _form(self) -> str:
        from whatsapp_provider.campaigns.ledger.people import form_of

        return form_of(reveal(self.person), self.region)


class WhatsAppErasePersonOperator(_PersonOperator):
    """Erase one person from the ledger: of each form of theirs a keyed hash is left, and nothing else.

    What waits for them is not sent. A message that is under way at this moment is, and its result names nobody. The
    counts of campaigns stay. May be done again at any time. Returns how many ``deliveries``, ``entries`` of suppression
    lists, ``links`` between forms, number ``checks`` and ``notes`` were erased; how many of the deliveries were
    ``not_sent`` because of it, or in ``doubts``; and how many campaigns are ``named_by`` a number of theirs, which is
    left to you.

    :param suppress: put the hashes on the list ``opt_out``, so that another audience does not reach them; templated.
    :param by: who does so; by default who started the DAG run, and the task. The ledger keeps it.
    """

    template_fields: Sequence[str] = ("person", "region", "suppress", "by")

    def __init__(self, *, suppress: bool | str = True, by: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.suppress = suppress
        self.by = by

    def execute(self, context: Context) -> dict[str, Any]:
        """Erase them."""
        with no_vain_retries():
            form, suppress = self._form(), is_true("suppress", self.suppress)
            ledger = open_ledger()
            try:
                erased = asdict(ledger.erase(form, by=self.by or starter(context), suppress=suppress))
            finally:
                ledger.dispose()
        self.log.info("Erased: %s.", _told(erased))
        if erased["named_by"]:
            self.log.warning(
                "Campaigns with a number of this person in their campaign_id or message_key: %d. It stays there.",
                erased["named_by"],
            )
        return erased


class WhatsAppExportPersonOperator(_PersonOperator):
    """Write all that the ledger holds about one person into a JSON file, for themselves to read.

    What it holds goes to the file alone, never to XCom or a log. Of somebody who was erased, what is left is told.
    Returns how many ``forms`` of them, ``messages``, entries of ``suppression`` lists and ``number_checks`` there are.

    :param path: where to, on any storage of ``ObjectStoragePath``; it ends in ``.json``. Who may read it there is
        yours to see to.
    """

    template_fields: Sequence[str] = ("person", "region", "path")

    def __init__(self, *, path: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.path = path

    def execute(self, context: Context) -> dict[str, Any]:
        """Write it."""
        del context
        with no_vain_retries():
            form = self._form()
            if not self.path.endswith(".json"):
                raise ConfigurationError("path must end in .json.")
            ledger = open_ledger()
            try:
                found = ledger.disclose(form)
            finally:
                ledger.dispose()
            with written_whole(self.path) as file:
                file.write(json.dumps(found, ensure_ascii=False, indent=2).encode())
        counts = {name: len(found[name]) for name in ("forms", "messages", "suppression", "number_checks")}
        self.log.info("Written: %s.", _told(counts))
        return counts


class WhatsAppPurgeLedgerOperator(BaseOperator):
    """Take people's data out of campaigns that ended long ago; later delete them whole.

    First, after ``older_than``, recipients become keyed hashes and their values go; states and counts stay, and a task
    that is cleared sends nothing. Only if ``delete_older_than`` is given, rows go: **a task of such a campaign that is
    cleared sends to everybody again**. Campaigns that have not ended, messages in doubt and what a frequency cap still
    counts stay. A task that broke off goes on when it is run again. Returns the numbers of ``campaigns`` and
    ``deliveries``, ``deleted_campaigns`` and ``deleted_deliveries``; and, for somebody to look at, ``kept_in_doubt``
    and ``kept_open``, campaigns as old that never ended.

    :param older_than: days since a campaign's end, or a ``timedelta``; by default ``[whatsapp] retention_days``.
    :param delete_older_than: days or a ``timedelta``; by default nothing is deleted.
    :param preview: only say what would be done; templated.
    """

    template_fields: Sequence[str] = ("older_than", "delete_older_than", "preview")
    ui_color = "#d9fdd3"

    def __init__(
        self,
        *,
        older_than: float | str | timedelta | None = None,
        delete_older_than: float | str | timedelta | None = None,
        preview: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.older_than = older_than
        self.delete_older_than = delete_older_than
        self.preview = preview

    def execute(self, context: Context) -> dict[str, Any]:
        """Purge."""
        del context
        with no_vain_retries():
            older_than, preview = retention(self.older_than), is_true("preview", self.preview)
            delete_older_than = age("delete_older_than", self.delete_older_than)
            ledger = open_ledger()
            try:
                done = asdict(ledger.purge(older_than, delete_older_than=delete_older_than, dry_run=preview))
            finally:
                ledger.dispose()
        self.log.info("%s: %s.", "Would be purged" if preview else "Purged", _told(done))
        return done


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
