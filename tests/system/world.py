"""What the tests under a real Airflow share: an emulator with a paired channel, and what its phones got."""

from __future__ import annotations

import csv
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from whatsapp_provider.demo.gateways import connection_fields
from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.emulator.clock import RealClock
from whatsapp_provider.emulator.server import serve_in_thread

CONN_ID = "whatsapp_default"
NOTHING_TO_SCAN = 409


@dataclass(frozen=True)
class World:
    """A running emulator and its one paired channel.

    :param second: a connection to a channel on another gateway.
    """

    url: str
    connection: dict[str, Any]
    channel_id: str
    second: dict[str, Any]

    def counts(self) -> dict[str, int]:
        """Return how many messages each phone got, by the truth log."""
        return dict(self.ask("GET", "/_emulator/received/counts"))

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Talk to the control API."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, method=method)
        request.add_header("content-type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def scan(self) -> None:
        """Let a phone scan whatever QR code is shown."""
        for channel in self.ask("GET", "/_emulator/state")["channels"]:
            try:
                self.ask("POST", "/_emulator/scan", {"channel_id": channel["channel_id"]})
            except urllib.error.HTTPError as error:
                if error.code != NOTHING_TO_SCAN:
                    raise

    def wait_for_messages(self, count: int, of: Callable[[str], bool], within: float = 90.0) -> None:
        """Wait until so many messages have come to the phones that are meant."""
        deadline = monotonic() + within
        while sum(n for phone, n in self.counts().items() if of(phone)) < count:
            assert monotonic() < deadline, f"fewer than {count} messages within {within} s"
            sleep(0.05)


@contextmanager
def a_world(*, send_latency: float = 0.1, timeout: float = 5.0) -> Iterator[World]:
    """Run an emulator whose channel is paired; ``timeout`` is that of the connection, in seconds."""
    settings = EmulatorSettings(send_latency=send_latency)
    emulator = Emulator(settings, clock=RealClock())
    channel = emulator.whapi.paired_channel("system tests", None)
    with serve_in_thread(emulator) as server:
        facts = server.facts()
        connection = {
            "conn_type": "whapi",
            "host": facts["gate_url"],
            "password": facts["partner_token"],
            "extra": {
                "manager_url": facts["manager_url"],
                "channel_token": channel.token,
                "channel_id": channel.id,
                "timeout": timeout,
            },
        }
        yield World(server.url, connection, channel.id, connection_fields("whatscloud", facts))


def write_audience(path: Path, prefix: str, size: int) -> Path:
    """Write a CSV file with ``size`` people whose numbers begin with ``prefix``."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["phone", "name"])
        rows.writerows([f"+{prefix}{number:04d}", f"Guest {number}"] for number in range(size))
    return path
