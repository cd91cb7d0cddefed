"""What workers leave behind when they are killed: lines in a file, each written at once and whole."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path


class Diary:
    """Appends lines; what was written stays, however the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def note(self, what: str, detail: str = "") -> None:
        """Write one line."""
        os.write(self._file, f"{what} {' '.join(detail.split())}\n".encode())

    def counts(self) -> Counter[str]:
        """Return how many lines there are of each kind, whoever wrote them."""
        with self._path.open() as stream:
            return Counter(line.partition(" ")[0] for line in stream)

    def of(self, what: str) -> list[str]:
        """Return the details of one kind."""
        with self._path.open() as stream:
            parts = [line.rstrip("\n").partition(" ") for line in stream]
        return [detail for kind, _, detail in parts if kind == what]
