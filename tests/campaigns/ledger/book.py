"""One person's message, for tests of what is known of it and who says so; and work at one moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from sqlalchemy import select

from tests.campaigns.support import CHANNEL, Desk, number
from whatsapp_provider.campaigns.ledger.news import Recorded, Seen
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Lease, Result, Task
from whatsapp_provider.campaigns.ledger.schema import settlement
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.model import MessageStatus

PACE = Pace.unlimited()
KEY = CHANNEL.key()
T = TypeVar("T")


def at_once(*work: Callable[[], T]) -> list[T]:
    """Do all of it at one moment, each in a thread; return what came of each."""
    start = Barrier(len(work))

    def go(one: Callable[[], T]) -> T:
        start.wait()
        return one()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(go, work))


class Book:
    """One person's message, in as many campaigns as are wanted, and what is said of it."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.ledger = desk, desk.ledger

    def plan(self, name: str = "spring", **options: Any) -> CampaignRecord:
        return self.desk.plan(1, self.desk.campaign(name, **options))

    def send(self, record: CampaignRecord) -> tuple[Lease, Task]:
        lease = self.ledger.begin(record, label="", seconds=60)
        (task,) = self.ledger.turn(lease, [], places=1, pace=PACE).tasks
        return lease, task

    def sent(self, record: CampaignRecord, state: DeliveryState, message_id: str | None = None) -> Task:
        lease, task = self.send(record)
        self.ledger.end(lease, [Result(task, state, message_id=message_id)])
        return task

    def state(self, record: CampaignRecord) -> tuple[str, str | None]:
        """Return the state and the id of its only message."""
        for state in DeliveryState:
            for entry in self.ledger.entries(record, state):
                return str(state), entry.message_id
        raise AssertionError("nobody is lost")

    def status(
        self, key: str, status: MessageStatus, seen: Seen | None = None, channel: str = KEY
    ) -> Recorded:
        return self.ledger.record_status(channel, key, status, seen)

    def seen(self, **options: Any) -> Seen:
        return Seen(**{"recipient": number(0), "kind": "text", "text": "Hi N0", **options})

    def settlements(self) -> list[tuple[Any, ...]]:
        told = select(
            settlement.c.state, settlement.c.proof, settlement.c.settled_by, settlement.c.settled_at
        )
        with self.ledger._database.transaction() as connection:
            return [tuple(row) for row in connection.execute(told.order_by(settlement.c.id))]
