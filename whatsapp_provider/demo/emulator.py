"""The emulator as a component of the demo: its process, its addresses and its truth log."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from whatsapp_provider.demo.errors import DeadlineError, EmulatorError, RestError
from whatsapp_provider.demo.processes import Supervisor
from whatsapp_provider.demo.rest import Json, JsonClient

_POLL_SECONDS = 0.1
_NOTHING_TO_SCAN = 409


class EmulatorProcess:
    """The emulator on a free port, started and stopped with a supervisor."""

    def __init__(self, supervisor: Supervisor, folder: Path) -> None:
        self._supervisor = supervisor
        self._ready_file = folder / "emulator-ready.json"
        self.addresses: Json = {}
        self._control = JsonClient("")

    def start(self, timeout: float = 30.0) -> None:
        """Start it and wait until it says where it listens."""
        self._ready_file.parent.mkdir(parents=True, exist_ok=True)
        self._ready_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "whatsapp_provider.emulator", "--port", "0"]
        command += ["--ready-file", str(self._ready_file)]
        self._supervisor.start("emulator", command, os.environ)
        self.addresses = self._wait_ready(timeout)
        self._control = JsonClient(self.addresses["url"])

    def received_counts(self) -> dict[str, int]:
        """Return how many messages each phone received, by the emulator's truth log."""
        counts: dict[str, int] = self._call("GET", "/_emulator/received/counts")
        return counts

    @property
    def inbox_url(self) -> str:
        """Where webhooks may be sent that nobody else receives."""
        return f"{self.addresses['url']}/_emulator/inbox"

    def wait_for_events(self, event: str, count: int, timeout: float) -> dict[str, int]:
        """Wait a little until the inbox has so many events of a kind, and return all that it has."""
        until = time.monotonic() + timeout
        while True:
            events: dict[str, int] = self._call("GET", "/_emulator/inbox")
            if events.get(event, 0) >= count or time.monotonic() > until:
                return events
            time.sleep(_POLL_SECONDS)

    def configure(self, **settings: object) -> None:
        """Change settings, such as what takes a gateway minutes."""
        self._call("POST", "/_emulator/settings", settings)

    def scan_qr_code(self) -> str | None:
        """Let a phone scan a channel's QR code, and return its number; None while none is shown."""
        for channel in self._call("GET", "/_emulator/state")["channels"]:
            try:
                body = {"channel_id": channel["channel_id"]}
                phone: str = self._control.request("POST", "/_emulator/scan", body)["phone"]
            except RestError as error:
                if error.status != _NOTHING_TO_SCAN:
                    raise
            else:
                return phone
        return None

    def _call(self, method: str, path: str, body: object = None) -> Any:
        try:
            return self._control.request(method, path, body)
        except (OSError, RestError) as error:
            message = f"The emulator's {method} {path} failed: {error}"
            raise EmulatorError(message) from error

    def _wait_ready(self, timeout: float) -> Json:
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            self._supervisor.check()
            if addresses := _read_json(self._ready_file):
                return addresses
            time.sleep(_POLL_SECONDS)
        raise DeadlineError("the emulator's start", timeout)


def _read_json(file: Path) -> Json | None:
    """Return the file's object, or None while it is missing or half written."""
    try:
        content: Json = json.loads(file.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return content
