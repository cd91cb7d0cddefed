"""``suppression list``: who is on the lists, and why."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import Any

from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.suppressing import Suppression
from whatsapp_provider.cli.ledger import with_ledger
from whatsapp_provider.redaction import mask_number

ERASED = "erased"


def main(arguments: argparse.Namespace) -> int:
    """Print the list, and return the exit code."""

    def listed(ledger: Ledger) -> str:
        found = [
            _row(entry, whole=arguments.numbers)
            for entry in ledger.each_suppression(arguments.list, ended=arguments.ended)
        ]
        return json.dumps(found, indent=2, ensure_ascii=False) if arguments.json else _text(found)

    return with_ledger(listed)


def _row(entry: Suppression, *, whole: bool) -> dict[str, Any]:
    shown = None if entry.recipient is None else mask_number(entry.recipient)
    return {
        "list": entry.name,
        "recipient": entry.recipient if whole else shown,
        "source": entry.source,
        "reason": entry.reason,
        "by": entry.added_by,
        "added_at": _moment(entry.added_at),
        "until": None if entry.until is None else _moment(entry.until),
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _text(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "Nobody is on a list."
    lines = []
    for row in rows:
        end = f", until {row['until']}" if row["until"] else ""
        why = f": {row['reason']}" if row["reason"] else ""
        lines.append(
            f"{row['list']}  {row['recipient'] or ERASED}  {row['added_at']}  {row['source']} by {row['by']}{end}{why}"
        )
    return "\n".join([*lines, f"{len(rows)} entries."])
