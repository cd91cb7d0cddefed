"""The emulators that the peers send to: their addresses, their channels, and what their phones got."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote, urlsplit

from tests.peers.waiting import until
from whatsapp_provider.demo.processes import Supervisor
from whatsapp_provider.demo.rest import Json, JsonClient

START_SECONDS = 60.0
#: Seconds that our operator waits for an answer: a killed run is taken for alive for longer than that.
TIMEOUT = 5


class Tail:
    """The end of the truth log, while it is written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._rest = ""

    def read(self) -> list[str]:
        """Return who has got a message since the last look."""
        *lines, self._rest = (self._rest + self._stream.read()).split("\n")
        return [json.loads(line)["phone"] for line in lines]

    def next_of(self, phones: Container[str], seconds: float) -> str | None:
        """Return the first of these to get a message, ``None`` if none does within the time."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            for phone in self.read():
                if phone in phones:
                    return phone
            time.sleep(0.002)
        return None


class Phones:
    """One emulator in a process of its own.

    :param channels: ``gateway:name`` of each channel that is wanted.
    """

    def __init__(
        self, supervisor: Supervisor, folder: Path, channels: Sequence[str], *, latency: float, fast: bool
    ) -> None:
        name = "emulator-fast" if fast else "emulator"
        ready = folder / f"{name}.json"
        command = [sys.executable, "-m", "tests.peers.emulation", "--ready-file", str(ready)]
        command += ["--send-latency", str(latency), *(["--fast"] if fast else [])]
        self._truth = folder / "truth.jsonl"
        command += [] if fast else ["--truth-file", str(self._truth)]
        for channel in channels:
            command += ["--channel", channel]
        supervisor.start(name, command, os.environ)

        def is_ready() -> bool:
            supervisor.check()
            return ready.exists()

        until("the emulator's start", is_ready, START_SECONDS)
        self._facts: dict[str, Any] = json.loads(ready.read_text())
        self._control = JsonClient(self._facts["url"])

    def received(self) -> int:
        """Return how many messages all phones have received."""
        return int(self._control.request("GET", "/_emulator/state")["received"])

    def counts(self, channel: str) -> dict[str, int]:
        """Return how many messages of a channel each phone received."""
        channel_id = quote(self._facts["channels"][channel]["channel_id"], safe="")
        return dict(self._control.request("GET", f"/_emulator/received/counts?channel={channel_id}"))

    @contextmanager
    def tail(self) -> Iterator[Tail]:
        """Read along what phones receive from now on; the fast mode keeps no such log."""
        with self._truth.open() as stream:
            stream.seek(0, os.SEEK_END)
            yield Tail(stream)

    def http(self, channel: str) -> Json:
        """Return the connection of Airflow's HTTP provider to a Whapi channel; its extras are headers."""
        token = self._facts["channels"][channel]["token"]
        return {
            "conn_type": "http",
            "host": self._facts["gate_url"],
            "extra": {"Authorization": f"Bearer {token}"},
        }

    def apprise(self, channel: str) -> Json:
        """Return Apprise's connection to an instance, with a URL that lacks only the recipient."""
        instance, address = self._facts["channels"][channel]["instance"], urlsplit(self._facts["url"]).netloc
        url = f"evolution://{self._facts['evolution_key']}@{address}/{instance}"
        return {"conn_type": "apprise", "extra": {"config": {"path": url}}}

    def whapi(self, channel: str) -> Json:
        """Return our connection to a Whapi channel."""
        found = self._facts["channels"][channel]
        return {
            "conn_type": "whapi",
            "host": self._facts["gate_url"],
            "password": self._facts["partner_token"],
            "extra": {
                "manager_url": self._facts["manager_url"],
                "channel_token": found["token"],
                "channel_id": found["channel_id"],
                "timeout": TIMEOUT,
            },
        }

    def evolution(self, channel: str) -> Json:
        """Return our connection to an Evolution API instance."""
        return {
            "conn_type": "evolution_api",
            "host": self._facts["evolution_url"],
            "password": self._facts["evolution_key"],
            "extra": {"instance": self._facts["channels"][channel]["instance"], "timeout": TIMEOUT},
        }
