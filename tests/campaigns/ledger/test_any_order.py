"""Whatever runners do in whatever order, no attempt is handed out twice and doubt is never forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.campaigns.support import CHANNEL, entry
from tests.campaigns.virtual_time import Time
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Lease, Result, Task, Turn
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.pacing import Pace, Window
from whatsapp_provider.errors import LeaseLostError

PEOPLE = 8
PACE = Pace("test", (Window(5, 20),))
CERTAIN = (DeliveryState.PLANNED, DeliveryState.POSTPONED)
RESULTS = (DeliveryState.ACCEPTED, DeliveryState.REJECTED, DeliveryState.IN_DOUBT, *CERTAIN)
_names = count()


@dataclass
class Runner:
    """What one run knows."""

    lease: Lease
    hand: list[Task] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    unsure: bool = False


class AnyOrder(RuleBasedStateMachine):
    """Runners that begin, work, lose answers, die and come back late."""

    ledger: Ledger
    time: Time

    @initialize()
    def plan(self) -> None:
        wanted = Campaign(f"any order {next(_names)}", CHANNEL, PACE)
        self.record: CampaignRecord = self.ledger.plan(wanted, "t", [entry(index) for index in range(PEOPLE)])
        self.runners: list[Runner] = []
        self.handed: set[tuple[int, int]] = set()
        #: rows whose last attempt may have been sent, as far as anybody knows
        self.doubtful: set[int] = set()
        self.accepted: set[int] = set()
        self.time.now += 1000

    def runner(self, pick: int) -> Runner:
        return self.runners[pick % len(self.runners)]

    def take(self, turn: Turn) -> list[Task]:
        for task in turn.tasks:
            assert (task.id, task.attempt) not in self.handed, "an attempt was handed out twice"
            assert task.id not in self.doubtful, "sent again though it may have been sent"
            assert task.id not in self.accepted, "sent again though it was sent"
            self.handed.add((task.id, task.attempt))
            self.doubtful.add(task.id)
        return list(turn.tasks)

    def written(self, results: list[Result]) -> None:
        """Results change what is known, if they are about the last attempt."""
        for result in results:
            latest = max(attempt for row, attempt in self.handed if row == result.task.id)
            if result.task.attempt == latest and result.state in CERTAIN:
                self.doubtful.discard(result.task.id)
            if result.task.attempt == latest and result.state is DeliveryState.ACCEPTED:
                self.accepted.add(result.task.id)

    @rule(again=st.booleans(), seconds=st.sampled_from([30, 60]))
    def begin(self, again: bool, seconds: int) -> None:
        states = {DeliveryState.IN_DOUBT} if again else set()
        lease = self.ledger.begin(self.record, label="", seconds=seconds, again=states)
        if again:
            # Asked for: what is in doubt in the ledger now may be sent again.
            self.doubtful -= {item.id for item in self.ledger.entries(self.record, DeliveryState.PLANNED)}
        self.runners.append(Runner(lease))

    @precondition(lambda self: self.runners)
    @rule(pick=st.integers(0, 9), places=st.integers(0, 4))
    def turn(self, pick: int, places: int) -> None:
        runner = self.runner(pick)
        held = {task.id for task in runner.hand} | {result.task.id for result in runner.results}
        # Known before the rows of this turn are taken, which may be the same ones.
        self.written(runner.results)
        try:
            turn = self.ledger.turn(
                runner.lease, runner.results, places=places, pace=PACE, held=held if runner.unsure else None
            )
        except LeaseLostError:
            runner.results = []
            return
        runner.results, runner.unsure = [], False
        runner.hand += self.take(turn)

    @precondition(lambda self: self.runners)
    @rule(pick=st.integers(0, 9), places=st.integers(1, 4))
    def turn_whose_answer_is_lost(self, pick: int, places: int) -> None:
        runner = self.runner(pick)
        try:
            self.ledger.turn(runner.lease, [], places=places, pace=PACE, held=self.held(runner))
        except LeaseLostError:
            return
        runner.unsure = True

    def held(self, runner: Runner) -> set[int] | None:
        known = {task.id for task in runner.hand} | {result.task.id for result in runner.results}
        return known if runner.unsure else None

    @precondition(lambda self: any(runner.hand for runner in self.runners))
    @rule(pick=st.integers(0, 9), state=st.sampled_from(RESULTS))
    def answer(self, pick: int, state: DeliveryState) -> None:
        busy = [runner for runner in self.runners if runner.hand]
        runner = busy[pick % len(busy)]
        wait = 10.0 if state is DeliveryState.POSTPONED else None
        runner.results.append(Result(runner.hand.pop(0), state, not_before=wait))

    @precondition(lambda self: self.runners)
    @rule(pick=st.integers(0, 9))
    def end(self, pick: int) -> None:
        runner = self.runner(pick)
        self.written(runner.results)
        self.ledger.end(runner.lease, runner.results, held={task.id for task in runner.hand})
        self.runners.remove(runner)

    @precondition(lambda self: self.runners)
    @rule(pick=st.integers(0, 9))
    def die(self, pick: int) -> None:
        self.runners.remove(self.runner(pick))

    @rule(seconds=st.sampled_from([1, 10, 29, 31, 61]))
    def wait(self, seconds: int) -> None:
        self.time.now += seconds

    @invariant()
    def nobody_is_lost(self) -> None:
        counts = self.ledger.counts(self.record)
        assert counts.total == PEOPLE
        kept = {item.id for item in self.ledger.entries(self.record, DeliveryState.ACCEPTED)}
        assert kept == self.accepted


def test_any_order_of_events_keeps_the_guarantee(open_ledger: Callable[..., Ledger], time: Time) -> None:
    machine: Any = type("Machine", (AnyOrder,), {"ledger": open_ledger(), "time": time})
    # On a server each step is a round trip: fewer ways there.
    ways = 30 if open_ledger().name.startswith("sqlite") else 12
    run_state_machine_as_test(
        machine, settings=settings(max_examples=ways, stateful_step_count=30, deadline=None, derandomize=True)
    )
