"""What is run: how many people, how long, and who competes."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

#: Airflow's own default of ``[core] max_map_length``.
MAP_LENGTH = 1024
#: What the gateway waits before it answers a send, in seconds. A real one takes longer, which favours sends at once.
LATENCY = 0.01
UNDISTURBED, KILLED = "undisturbed", "killed"


@dataclass(frozen=True)
class Peer:
    """One way to send.

    :param key: its name in the report.
    :param line: the kind of connection it takes.
    """

    key: str
    dag_id: str
    gateway: str
    line: str
    title: str

    def channel(self, phase: str) -> str:
        """Return the name of the channel that one of its runs sends from."""
        return f"{self.key}_{phase}"


MAPPED = Peer("mapped_http_operator", "mapped_http", "whapi", "http", "HttpOperator, mapped")
LOOPS = (
    Peer("requests_loop", "requests_loop", "whapi", "http", "requests, in a loop"),
    Peer("apprise_notifier", "apprise_loop", "evolution", "apprise", "AppriseNotifier, in a loop"),
    Peer("campaign", "campaign", "whapi", "whapi", "campaign, 5 at once"),
    Peer("campaign_50", "campaign_50", "whapi", "whapi", "campaign, 50 at once"),
    Peer("campaign_evolution", "campaign", "evolution", "evolution", "campaign, 5 at once"),
)


@dataclass(frozen=True)
class Audience:
    """The people that everybody sends to, and the file that names them."""

    file: Path
    phones: tuple[str, ...]

    @classmethod
    def write(cls, file: Path, size: int) -> Audience:
        """Make so many fictive people."""
        phones = tuple(f"1555{1_000_000 + number}" for number in range(size))
        with file.open("w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["phone", "name"])
            rows.writerows([f"+{phone}", f"Guest {number}"] for number, phone in enumerate(phones))
        return cls(file, phones)
