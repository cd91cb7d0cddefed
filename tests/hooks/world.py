"""An emulator on a port, a connection to it, and a ledger in a folder of the test."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from types import SimpleNamespace
from typing import Any

import pytest

from tests import loopback
from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.emulator.clock import RealClock
from whatsapp_provider.emulator.server import serve_in_thread

CONN_ID = "whatsapp_default"
ADA, BOB = "15550000001", "15550000002"
TABLES = ("wa_campaign", "wa_delivery", "wa_permit", "wa_runner", "wa_channel_claim")
QUICK: dict[str, Any] = {
    "provisioning_seconds": 0.05,
    "init_seconds": 0.05,
    "launch_seconds": 0.05,
    "sent_after": 0.01,
    "delivered_after": 0.02,
    "typing_delays_answer": False,
    "evolution_create_wait": 0.05,
    "evolution_connect_wait": 0.05,
    "evolution_delete_seconds": 0.05,
}


@dataclass
class World:
    """What a test may look at and change."""

    emulator: Emulator
    url: str
    channel_id: str
    channel_token: str
    ledger_path: Path
    monkeypatch: pytest.MonkeyPatch
    facts: dict[str, Any]

    @property
    def ref(self) -> dict[str, str]:
        """The paired channel, as a create task returns it."""
        return {"gateway": "whapi", "channel_id": self.channel_id, "name": "main"}

    def connect(self, conn_id: str = CONN_ID, *, extra: Any = None, **fields: Any) -> None:
        """Define an Airflow connection to the emulator; fields and extras replace the usual ones."""
        usual = {"manager_url": f"{self.url}/whapi/manager", "channel_id": self.channel_id}
        connection = {
            "conn_type": "whapi",
            "host": f"{self.url}/whapi/gate",
            "password": self.emulator.partner_token,
            "extra": {**usual, **extra} if isinstance(extra, Mapping) else extra or usual,
            **fields,
        }
        self.monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Talk to the emulator's control API."""
        answer = loopback.request(method, f"{self.url}/_emulator{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fault(self, kind: str, **fields: Any) -> None:
        """Break something."""
        self.control("POST", "/faults", {"kind": kind, **fields})

    def scan(self, within: float = 30.0) -> None:
        """Let a phone scan the QR code of the channel, as soon as it shows one."""
        deadline = monotonic() + within
        body = {"channel_id": self.channel_id}
        while loopback.post(f"{self.url}/_emulator/scan", json=body).status_code != 200:
            assert monotonic() < deadline, "no QR code was shown"
            sleep(0.02)

    def received(self) -> list[tuple[str, str]]:
        """Return phone and text of every message that came to a phone."""
        return [(entry["phone"], entry["text"]) for entry in self.control("GET", "/received")["received"]]

    def channels(self) -> list[str]:
        """Return the names of the account's channels."""
        token = {"authorization": f"Bearer {self.emulator.partner_token}"}
        answer = loopback.get(f"{self.url}/whapi/manager/channels/list", headers=token)
        return [channel["name"] for channel in answer.json()["channels"]]

    def asked(self, part: str) -> int:
        """Return how many requests had this in their method and path."""
        counts = self.control("GET", "/requests")["counts"]
        return sum(count for request, count in counts.items() if part in request)

    def ledger_rows(self) -> dict[str, int]:
        """Return how many rows each table of the ledger has; none where there is no ledger yet."""
        if not self.ledger_path.exists():
            return dict.fromkeys(TABLES, 0)
        with closing(sqlite3.connect(self.ledger_path)) as connection:
            there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            return {
                table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                if table in there
                else 0
                for table in TABLES
            }

    def ledger_text(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the ledger's file."""
        with closing(sqlite3.connect(self.ledger_path)) as connection:
            return connection.execute(query).fetchall()

    def ledger_write(self, statement: str) -> None:
        """Change the ledger's file, as time or another process would."""
        with closing(sqlite3.connect(self.ledger_path)) as connection, connection:
            connection.execute(statement)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A running emulator with one paired channel, and everything an Airflow task needs to reach it."""
    emulator = Emulator(EmulatorSettings(**QUICK), clock=RealClock())
    channel = asyncio.run(emulator.paired_channel("main", "15550001000"))
    ledger = tmp_path / "ledger" / "ledger.db"
    monkeypatch.setenv("AIRFLOW__WHATSAPP__LEDGER_PATH", str(ledger))
    monkeypatch.setenv("AIRFLOW__WHATSAPP__SETTLE_SECONDS", "0.2")
    with serve_in_thread(emulator) as server:
        found = World(
            emulator, server.url, channel.facts["id"], channel.token, ledger, monkeypatch, server.facts()
        )
        found.connect()
        yield found


def context(
    task_id: str = "task", run_id: str = "manual__1", map_index: int = -1, **more: Any
) -> dict[str, Any]:
    """Return what an operator's ``execute`` reads of Airflow's context."""
    ti = SimpleNamespace(dag_id="dag", task_id=task_id, run_id=run_id, map_index=map_index, id="ti-1")
    return {"ti": ti, **more}
