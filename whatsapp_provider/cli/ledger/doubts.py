"""``ledger doubts``: list the messages that may or may not have been sent."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import Any

from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import Entry
from whatsapp_provider.cli.ledger import with_ledger
from whatsapp_provider.redaction import mask_number


def main(arguments: argparse.Namespace) -> int:
    """Print the list, and return the exit code."""

    def listed(ledger: Ledger) -> str:
        found = [
            _row(campaign_id, entry, whole=arguments.numbers)
            for campaign_id, entry in ledger.in_doubt(arguments.campaign)
        ]
        return json.dumps(found, indent=2) if arguments.json else _text(found)

    return with_ledger(listed)


def _row(campaign_id: str, entry: Entry, *, whole: bool) -> dict[str, Any]:
    return {
        "campaign": campaign_id,
        "delivery": entry.id,
        "recipient": entry.recipient if whole else mask_number(entry.recipient),
        "since": datetime.fromtimestamp(entry.updated_at, UTC).isoformat(timespec="seconds"),
        "attempt": entry.attempt,
        "reason": entry.reason,
    }


def _text(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "Nothing is in doubt."
    lines = [
        f"{row['delivery']:>8}  {row['recipient']}  {row['since']}  {row['campaign']}: {row['reason']}"
        for row in rows
    ]
    return "\n".join([*lines, f"{len(rows)} in doubt."])
