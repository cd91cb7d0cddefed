"""Eight processes at one ledger, whose steps are drawn, and the truth of what was sent when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from sqlalchemy import Select, func, select

from tests.campaigns.support import entry
from tests.campaigns.virtual_time import Time
from whatsapp_provider.campaigns.calendars import both_open
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Lease, Planned, Result, Task
from whatsapp_provider.campaigns.ledger.schema import delivery, permit
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.pacing import DAY, Pace
from whatsapp_provider.campaigns.rules import NO_RULES, Rules
from whatsapp_provider.campaigns.zones import zones_of
from whatsapp_provider.errors import LeaseLostError
from whatsapp_provider.model import ChannelRef

PROCESSES = 8
PEOPLE = 60
LEASE_SECONDS = 50.0
#: What a send may come to. Whatever is not "planned" was sent, or may have been, or the gateway was asked.
ENDS = (
    DeliveryState.ACCEPTED,
    DeliveryState.REJECTED,
    DeliveryState.IN_DOUBT,
    DeliveryState.POSTPONED,
    DeliveryState.PLANNED,
)
_numbers = count()


def person(index: int) -> Planned:
    """Return somebody of a number of Brazil's, or of one somewhere in North America."""
    if index % 2:
        return entry(index)
    number = f"5511900000{index:03d}"
    return Planned(number, number, "{}", "hash")


@dataclass
class Send:
    """An intent: when by the database's clock and in truth, by which rules, and whether it was really sent."""

    at: float
    truly_at: float
    pace: Pace
    zones: tuple[str, ...] = ()
    made: bool = True


@dataclass
class Process:
    """What one process knows of its run."""

    ledger: Ledger
    lease: Lease | None = None
    hand: list[Task] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    unsure: bool = False

    def forget(self) -> None:
        self.lease, self.hand, self.results, self.unsure = None, [], [], False

    @property
    def held(self) -> set[int]:
        return {task.id for task in self.hand} | {result.task.id for result in self.results}


class World:
    """One channel, its campaigns, and those who work on them.

    :param paces: a campaign each.
    """

    def __init__(
        self, time: Time, ledgers: Sequence[Ledger], paces: Sequence[Pace], rules: Rules = NO_RULES
    ) -> None:
        self.time, self.rules = time, rules
        self.channel = ChannelRef("whapi", f"CHANNEL-{next(_numbers)}")
        self.key = self.channel.key()
        self.processes = [Process(ledger) for ledger in ledgers]
        self.log: list[Send] = []
        self.sends: dict[tuple[int, int], Send] = {}
        self.quiet: list[tuple[int, float]] = []
        #: what was handed out in an answer that never came: never sent
        self.lost: list[tuple[float, Task]] = []
        #: jumps of the database's clock: in truth when, and how far
        self.steps: list[tuple[float, float]] = []
        self.paces = list(paces)
        self.records = [self.plan(pace) for pace in paces]

    def plan(self, pace: Pace) -> CampaignRecord:
        campaign = Campaign(f"world {next(_numbers)}", self.channel, pace=pace, rules=self.rules)
        people = [person(index) for index in range(PEOPLE)]
        return self.processes[0].ledger.plan(campaign, "text", people)

    def process(self, index: int) -> Process:
        return self.processes[index % len(self.processes)]

    # -- what may happen ---------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        self.time.now += seconds

    def step_clock(self, seconds: float) -> None:
        self.time.slept += seconds
        self.steps.append((self.time.now, seconds))

    def turn(self, index: int, places: int, *, answer_is_lost: bool = False) -> int:
        """Let a process hand in what it has and ask for more; return how many it got."""
        process, number = self.process(index), index % len(self.processes) % len(self.records)
        if process.lease is None:
            process.lease = process.ledger.begin(self.records[number], label="", seconds=LEASE_SECONDS)
        pace, held = self.paces[number], process.held if process.unsure else None
        try:
            turn = process.ledger.turn(
                process.lease, process.results, places=places, pace=pace, rules=self.rules, held=held
            )
        except LeaseLostError:
            process.forget()
            return 0
        self._note_quiet(process.results)
        process.results, process.unsure = [], answer_is_lost
        if answer_is_lost:
            self.lost += [(self.time.database(), task) for task in turn.tasks]
            return 0
        for task in turn.tasks:
            send = Send(self.time.database(), self.time.now, pace, zones_of(task.recipient))
            self.log.append(send)
            self.sends[task.id, task.attempt] = send
            process.hand.append(task)
        return len(turn.tasks)

    def lose_answer(self, index: int, places: int) -> None:
        self.turn(index, places, answer_is_lost=True)

    def slow_down(self, index: int, seconds: float) -> None:
        """Let the gateway answer a process that nobody is to send anything, which it hands in."""
        self.answer(index, DeliveryState.POSTPONED, seconds)
        self.turn(index, 3)

    def answer(self, index: int, state: DeliveryState, slow_down: float | None = None) -> None:
        process = self.process(index)
        if process.hand:
            task = process.hand.pop(0)
            self.sends[task.id, task.attempt].made = state is not DeliveryState.PLANNED
            wait = 5.0 if state is DeliveryState.POSTPONED else None
            process.results.append(Result(task, state, not_before=wait, slow_down=slow_down))

    def die(self, index: int) -> None:
        """Kill a process: it may have sent what it had in hand, and tells nobody."""
        process = self.process(index)
        for result in process.results:
            self.sends[result.task.id, result.task.attempt].made = True
        process.forget()

    def end(self, index: int) -> None:
        process = self.process(index)
        if process.lease is not None:
            process.ledger.end(process.lease, process.results, held={task.id for task in process.hand})
            self._note_quiet(process.results)
        process.forget()

    def send_single(self) -> None:
        self.processes[0].ledger.count_send(self.key)
        self.log.append(Send(self.time.database(), self.time.now, Pace.unlimited()))

    def _note_quiet(self, results: Sequence[Result]) -> None:
        for result in results:
            if result.slow_down is not None:
                self.quiet.append((len(self.log), self.time.database() + result.slow_down))

    # -- what must hold ----------------------------------------------------------------------------

    def check(self) -> None:
        """Look at everything that was sent, in the order of the intents."""
        made = [(number, send) for number, send in enumerate(self.log) if send.made]
        for place, (number, send) in enumerate(made):
            before = [other for _, other in made[: place + 1]]
            self._check_windows(send, before)
            if send.pace.spacing is not None and place:
                assert send.at - before[-2].at >= send.pace.spacing[0] - 1e-6, "too close to the one before"
            if send.zones:
                awake = both_open(send.at, self.rules.calendar, self.rules.quiet, send.zones)
                assert awake == send.at, "sent outside of the hours"
                told = [until for since, until in self.quiet if since <= number]
                assert max(told, default=0.0) <= send.at, "sent though the gateway had asked to wait"

    def _check_windows(self, send: Send, before: Sequence[Send]) -> None:
        windows = list(send.pace.windows)
        if send.pace.warm_up is not None:
            # The ledger can't know of a place that it was never used.
            first = min(*(other.at for other in self.log), *(at for at, _ in self.lost), send.at)
            windows += [window for window in [send.pace.warm_up.window(send.at - first)] if window]
        for window in windows:
            inside = sum(other.at > send.at - window.seconds for other in before)
            assert inside <= window.limit, f"more than {window} by the database's clock"
            # A clock that is put forward forgets as much; one that is put back forgets nothing.
            truly = sum(self._aged(other, send) < window.seconds - 1e-6 for other in before)
            assert truly <= window.limit, f"more than {window} in truth"

    def _aged(self, one: Send, other: Send) -> float:
        forward = sum(far for when, far in self.steps if far > 0 and one.truly_at <= when <= other.truly_at)
        return other.truly_at - one.truly_at + forward

    def settle_all(self) -> None:
        """End all runs, wait for the leases of the dead, and look whether every permit is accounted for."""
        for index in range(len(self.processes)):
            self.end(index)
        self.wait(2 * LEASE_SECONDS + sum(-far for _, far in self.steps if far < 0))
        ledger = self.processes[0].ledger
        for record in self.records:
            ledger.end(ledger.begin(record, label="", seconds=LEASE_SECONDS), held=set())
        since = self.time.database() - DAY
        asked = select(func.coalesce(func.sum(permit.c.count), 0)).where(
            permit.c.channel == self.key, permit.c.taken_at > since
        )
        with ledger._database.transaction() as connection:
            counted = connection.execute(asked).scalar_one()
            # Of these the ledger can't know that they were never sent, if nobody came back to say so.
            held = [at for at, task in self.lost if connection.execute(_still_in_doubt(task)).one_or_none()]
        made = [send.at for send in self.log if send.made]
        assert counted == sum(at > since for at in (*made, *held)), "a permit leaked"

    def full_rate(self) -> None:
        """After a rest, the channel sends as many at once as its first pace allows."""
        pace, ledger = self.paces[0], self.processes[0].ledger
        self.wait(DAY + sum(abs(far) for _, far in self.steps))
        moment = both_open(
            self.time.database(), self.rules.calendar, self.rules.quiet, zones_of(person(0).recipient)
        )
        self.wait(moment - self.time.database())
        limits = [window.limit for window in pace.windows]
        if pace.warm_up is not None:
            first = ledger.channel_history(self.key).first_used_at
            window = pace.warm_up.window(0.0 if first is None else self.time.database() - first)
            limits += [window.limit] if window else []
        expected = min([PEOPLE // 2, *limits, *([1] if pace.spacing else [])])
        self.records[0], self.paces = self.plan(pace), [pace]
        assert self.turn(0, PEOPLE // 2) == expected, "the channel does not come back to its full rate"


def _still_in_doubt(task: Task) -> Select[Any]:
    mine = (delivery.c.id == task.id) & (delivery.c.attempt == task.attempt)
    return select(delivery.c.id).where(mine, delivery.c.state == DeliveryState.IN_DOUBT)


def many(open_ledger: Callable[..., Ledger]) -> list[Ledger]:
    """Open the ledger as often as there are processes."""
    return [open_ledger(chance=Random(number)) for number in range(PROCESSES)]
