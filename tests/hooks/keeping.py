"""A ledger where Airflow looks for it, with a finished campaign to two people in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.campaigns.support import CHANNEL
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import Planned, Result
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.pacing import Pace

ADA, BOB, NAME = "15550000001", "15550000002", "Adalbertine"


@dataclass
class Keeping:
    """What a test may look at and change."""

    path: Path

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the ledger's file."""
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(query).fetchall()

    def age(self, days: float) -> None:
        """Let days pass since all campaigns ended."""
        self.write(f"UPDATE wa_campaign SET updated_at = updated_at - {days * 86_400}")

    def write(self, statement: str) -> None:
        """Change the ledger's file."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement)

    def recipients(self) -> list[str]:
        """Return whom the deliveries name."""
        return sorted(to for (to,) in self.ask("SELECT recipient FROM wa_delivery"))


@pytest.fixture
def keeping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keeping:
    """The ledger of this test's Airflow."""
    path = tmp_path / "ledger" / "ledger.db"
    monkeypatch.setenv("AIRFLOW__WHATSAPP__LEDGER_PATH", str(path))
    ledger = Ledger(f"sqlite:///{path}")
    people = [Planned(to, to, f'{{"name": "{NAME}"}}', "hash") for to in (ADA, BOB)]
    record = ledger.plan(Campaign("spring", CHANNEL, Pace.unlimited()), "Hi", people)
    lease = ledger.begin(record, label="", seconds=60)
    tasks = ledger.turn(lease, [], places=2, pace=Pace.unlimited()).tasks
    ledger.end(lease, [Result(task, DeliveryState.ACCEPTED, message_id=f"id-{task.id}") for task in tasks])
    assert ledger.finish(record)
    ledger.dispose()
    return Keeping(path)
