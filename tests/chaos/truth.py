"""The emulator's truth log, read while it is written."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

SEPARATOR = ": "  #: between a campaign's id and the rest of its text


class Truth:
    """What phones received, by campaign and phone."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("rb")
        self._rest = b""
        self.total = 0
        #: When each phone got the message of a campaign, by the machine's clock.
        self.times: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def read(self) -> int:
        """Read what was written since, and return how many messages there are in all."""
        *lines, self._rest = (self._rest + self._stream.read()).split(b"\n")
        for line in lines:
            entry = json.loads(line)
            campaign = str(entry["text"]).partition(SEPARATOR)[0]
            self.times[campaign][entry["phone"]].append(entry["at"])
            self.total += 1
        return self.total

    def counts(self, campaign: str) -> dict[str, int]:
        """Return how often each phone got the campaign's message."""
        return {phone: len(times) for phone, times in self.times[campaign].items()}

    def got_between(self, campaign: str, phone: str, start: float, end: float) -> bool:
        """Whether a phone got the campaign's message in that time."""
        return any(start <= at <= end for at in self.times[campaign].get(phone, ()))

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
