"""What a machine of tests knows beside the ledger: what was written to the wire, what arrived, what is remembered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import select

from tests.campaigns.virtual_time import Time
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Lease, Result, Task
from whatsapp_provider.campaigns.ledger.schema import delivery, settlement
from whatsapp_provider.model import HistoryEntry, MessageStatus

CONCURRENCY = 2
SEND = 20.0  #: the longest that a request may be on its way
SETTLE = 10.0
LAG = 19.0  #: of a history so slow that one look could miss a message
LATE = 19.0  #: how long a slow message is on its way
TEXT = "Hello"

statuses = st.sampled_from(
    [MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ, MessageStatus.FAILED]
)
deeds = st.sampled_from(
    [
        *("turn", "look", "hear", "turn", "look", "wait", "report"),
        *("turn", "begin", "write_what_waited", "end", "kill", "ask_a_person"),
    ]
)
leases = st.sampled_from([60, 90])
heard = st.sampled_from([True, True, True, False])
off = st.sampled_from([False, False, False, True])
answers = st.sampled_from(["silence", "silence", "answered", "halt", "busy", "refused"])
fates = st.sampled_from(["answered", "late", "never", "answered", "late", "at once", "waits"])
Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(eq=False)
class Attempt:
    """One attempt that a run heard of, and its fate."""

    task: Task
    runner: int
    written_at: float | None = None
    arrived: bool = False
    refused: bool = False  #: by an answer, so that it can't arrive
    arrives_at: float | None = None  #: by the gateway's clock; ``None`` if it is lost on its way

    @property
    def message_id(self) -> str:
        return f"m{self.task.id}-{self.task.attempt}"

    def may_arrive(self, now: float, runs: Sequence[Run]) -> bool:
        """Whether its message may come to the phone from now on, as far as anybody can know."""
        if self.arrived or self.refused:
            return False
        if self.written_at is not None:
            return now < self.written_at + SEND
        return any(self in run.hand and run.until - now > SEND for run in runs)


@dataclass(eq=False)
class Run:
    """What one run knows.

    :param until: when its lease ends by its own count.
    """

    lease: Lease
    until: float
    hand: list[Attempt] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    unsure: bool = False
    lost: bool = False

    @property
    def waiting(self) -> list[Attempt]:
        """What is intended and not written to the wire yet."""
        return [attempt for attempt in self.hand if attempt.written_at is None]

    @property
    def written(self) -> list[Attempt]:
        """What is on the wire, or was, without an answer."""
        return [attempt for attempt in self.hand if attempt.written_at is not None]

    def finish(self, attempt: Attempt, result: Result) -> None:
        self.hand.remove(attempt)
        self.results.append(result)

    def take_results(self) -> list[Result]:
        results, self.results = self.results, []
        return results


class Historian:
    """A gateway that remembers what arrived.

    :param lag: seconds until it shows a message.
    """

    def __init__(self, time: Time, lag: float) -> None:
        self._time, self._lag = time, lag
        self.off = False
        self.entries: list[tuple[str, HistoryEntry]] = []

    def add(self, attempt: Attempt) -> None:
        assert attempt.arrives_at is not None
        sent_at = self._time.database() - self._time.now + attempt.arrives_at
        entry = HistoryEntry(attempt.message_id, sent_at, "text", TEXT)
        self.entries.append((attempt.task.recipient, entry))

    async def history(self, recipient: str, *, since: float, limit: int = 100) -> list[HistoryEntry]:
        latest = self._time.database() - self._lag
        return [
            entry
            for chat, entry in self.entries
            if chat == recipient and since <= entry.sent_at <= latest and not self.off
        ][:limit]


def some(options: Sequence[Any]) -> st.SearchStrategy[Any]:
    """Return one of what there is, ``None`` of nothing."""
    return st.sampled_from(options) if options else st.none()


def rows_of(ledger: Ledger, record: CampaignRecord) -> dict[int, Any]:
    """Return a campaign's deliveries by their numbers."""
    with ledger._database.transaction() as connection:
        rows = connection.execute(select(delivery).where(delivery.c.campaign == record.id)).all()
    return {row.id: row for row in rows}


def settlements_of(ledger: Ledger, record: CampaignRecord) -> Counter[tuple[int, int, str]]:
    """Return how often which attempts were settled as what."""
    query = select(settlement.c.delivery, settlement.c.attempt, settlement.c.state)
    mine = select(delivery.c.id).where(delivery.c.campaign == record.id)
    with ledger._database.transaction() as connection:
        rows = connection.execute(query.where(settlement.c.delivery.in_(mine))).all()
    return Counter((row.delivery, row.attempt, row.state) for row in rows)
