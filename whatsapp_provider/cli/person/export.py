"""``person export``: all that the ledger holds about one person, as JSON."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.cli.ledger import with_ledger
from whatsapp_provider.cli.person import person_of
from whatsapp_provider.errors import ConfigurationError


def main(arguments: argparse.Namespace) -> int:
    """Print it or write it into a file, and return the exit code."""

    def export(ledger: Ledger) -> str:
        found = ledger.disclose(person_of(arguments))
        text = json.dumps(found, ensure_ascii=False, indent=2)
        if arguments.output is None:
            return text
        _write(Path(arguments.output), text)
        return f"Written to {arguments.output}: messages {len(found['messages'])}."

    return with_ledger(export)


def _write(path: Path, text: str) -> None:
    """Write a file that nobody else on this machine can read."""
    try:
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(f"{text}\n")
    except OSError as error:
        raise ConfigurationError(f"{str(path)!r} can't be written: {error.strerror}.") from None
