"""Writes the story's lines to a stream, each with the seconds since the start."""

from __future__ import annotations

import sys
import time
from typing import TextIO


class Reporter:
    """A clock and a stream; the only place of the demo that writes for a person."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._started = time.monotonic()

    def step(self, text: str) -> None:
        """Write one moment of the story."""
        self.line(f"[{time.monotonic() - self._started:6.1f} s] {text}")

    def heading(self, text: str) -> None:
        """Write a heading with an empty line before it."""
        self.line(f"\n{text}")

    def line(self, text: str = "") -> None:
        """Write a line at once, so that it is seen in a pipe too."""
        self._stream.write(f"{text}\n")
        self._stream.flush()
