"""Export a campaign's report as a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.hooks.storage import written_whole
from whatsapp_provider.operators.base import no_vain_retries
from whatsapp_provider.operators.named_campaign import campaign_id_of

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.campaigns.ledger.records import CampaignRecord


class WhatsAppExportReportOperator(BaseOperator):
    """Write what became of each recipient of a campaign into a file, a row each.

    The file stands under its name when it is complete; a task that is run again writes it anew. It is read from the
    ledger page by page, however many recipients there are, while a campaign runs too. Returns ``campaign_id``,
    ``path``, the number of ``rows``, ``counts`` by state, ``rates``, and how many were sent ``over_time``.

    :param campaign: what a task returned that planned or sent the campaign, or its ``campaign_id``.
    :param path: where to, on any storage of ``ObjectStoragePath``. It ends in ``.csv``, ``.jsonl``, ``.ndjson`` or
        ``.parquet`` (extra ``parquet``); ``.gz`` may follow, but for Parquet. On the worker's disk the folder is made.
    :param numbers: write whole numbers. By default a recipient is ``…0001``, and ``delivery`` tells them apart.
    :param summary_path: a ``.json`` file for the summary: counts, rates, reasons, and how many were sent over time.
    """

    template_fields: Sequence[str] = ("campaign", "path", "summary_path")
    ui_color = "#d9fdd3"

    def __init__(
        self,
        *,
        campaign: str | Mapping[str, Any],
        path: str,
        numbers: bool = False,
        summary_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaign = campaign
        self.path = path
        self.numbers = numbers
        self.summary_path = summary_path

    def execute(self, context: Context) -> dict[str, Any]:
        """Write it."""
        with no_vain_retries():
            return self._export()

    def _export(self) -> dict[str, Any]:
        from whatsapp_provider.campaigns.export import records, writer_for
        from whatsapp_provider.campaigns.report import over_time, report

        campaign_id = campaign_id_of(self.campaign)
        write = writer_for(PurePosixPath(self.path).name)
        if self.summary_path and not self.summary_path.endswith(".json"):
            raise ConfigurationError(f"summary_path must end in .json, not be {self.summary_path!r}.")
        ledger = open_ledger()
        try:
            record = _found(ledger, campaign_id)
            rows = _Counted(ledger.rows(record))
            with written_whole(self.path) as file:
                write(records(rows, numbers=self.numbers), file)
            summary = {**report(ledger, record), "over_time": over_time(ledger, record)}
        finally:
            ledger.dispose()
        if self.summary_path:
            with written_whole(self.summary_path) as file:
                file.write(json.dumps(summary, ensure_ascii=False, indent=2).encode())
        self.log.info("Campaign %s: %d rows written to %s.", campaign_id, rows.count, self.path)
        told = {name: summary[name] for name in ("campaign_id", "counts", "rates", "over_time")}
        return {**told, "path": self.path, "rows": rows.count}


class _Counted:
    """Passes rows on and counts them."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Any]:
        for row in self._rows:
            self.count += 1
            yield row


def _found(ledger: Ledger, campaign_id: str) -> CampaignRecord:
    record = ledger.find(campaign_id)
    if record is None:
        raise ConfigurationError(f"The ledger has no campaign {campaign_id!r}.")
    return record
