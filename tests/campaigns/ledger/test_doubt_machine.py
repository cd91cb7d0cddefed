"""Whatever happens to a campaign in whatever order, doubt ends by proof or policy and by nothing else.

Beside ``test_any_order.py``, which knows only what a ledger is told, this machine knows what the phones got.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from tests.campaigns.ledger import world
from tests.campaigns.ledger.world import (
    CONCURRENCY,
    LAG,
    LATE,
    SEND,
    SETTLE,
    TEXT,
    Attempt,
    Draw,
    Historian,
    Run,
    rows_of,
    settlements_of,
    some,
)
from tests.campaigns.support import CHANNEL, number
from tests.campaigns.virtual_time import Time
from whatsapp_provider.campaigns.body import body_hash
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.doubts import Delays
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.news import Seen
from whatsapp_provider.campaigns.ledger.records import Planned, Result
from whatsapp_provider.campaigns.ledger.schema import permit
from whatsapp_provider.campaigns.ledger.settling import Verdict
from whatsapp_provider.campaigns.ledger.states import SENT, DeliveryState
from whatsapp_provider.campaigns.pacing import Pace, Window
from whatsapp_provider.campaigns.reconcile import Reconciler
from whatsapp_provider.errors import LeaseLostError
from whatsapp_provider.messages import Text

PEOPLE = 6
PACE = Pace("test", (Window(6, 30),))
CHANNEL_KEY = CHANNEL.key()
PLANNED, SENDING, IN_DOUBT = DeliveryState.PLANNED, DeliveryState.SENDING, DeliveryState.IN_DOUBT
ACCEPTED, REJECTED, POSTPONED = DeliveryState.ACCEPTED, DeliveryState.REJECTED, DeliveryState.POSTPONED
_names = count()


class DoubtMachine(RuleBasedStateMachine):
    """Runs, a wire, a gateway that remembers, its reports, and a person."""

    ledger: Ledger
    time: Time

    @initialize(lag=st.sampled_from([0.0, LAG]))
    def plan(self, lag: float) -> None:
        self.time.now += 10 * 86_400
        wanted = Campaign(f"doubt {next(_names)}", CHANNEL, PACE)
        digest = body_hash(Text(body=TEXT))
        people = [Planned(number(index), number(index), "{}", digest) for index in range(PEOPLE)]
        self.name, self.record = wanted.campaign_id, self.ledger.plan(wanted, "t", people)
        self.runs: list[Run] = []
        self.attempts: list[Attempt] = []
        self.history = Historian(self.time, lag)
        #: attempts of which the campaign's owner asked for another, whatever became of them
        self.resent: set[tuple[int, int]] = set()
        self.rows = rows_of(self.ledger, self.record)
        self.settled = settlements_of(self.ledger, self.record)

    def of(self, row: int) -> list[Attempt]:
        return [attempt for attempt in self.attempts if attempt.task.id == row]

    @contextmanager
    def step(self, *, settles: bool) -> Iterator[None]:
        """See that what leaves doubt in this step leaves it by a settlement, or by none."""
        yield
        before, self.rows = self.rows, rows_of(self.ledger, self.record)
        old, self.settled = self.settled, settlements_of(self.ledger, self.record)
        left = Counter(
            (key, row.attempt, self.rows[key].state if self.rows[key].state == PLANNED else ACCEPTED)
            for key, row in before.items()
            if row.state == IN_DOUBT and self.rows[key].state != IN_DOUBT
        )
        found_after_all = Counter(
            (key, row.attempt, ACCEPTED)
            for key, row in before.items()
            if row.state == PLANNED and self.rows[key].state in SENT
        )
        new = self.settled - old
        assert new == (left + found_after_all if settles else Counter()), "who settled it is not written"

    # Runs

    @rule(data=st.data(), what=world.deeds)
    def something_happens(self, data: st.DataObject, what: str) -> None:
        """One rule for all: several would be left out at random, most often one that the others need."""
        getattr(self, what)(data.draw)

    def begin(self, draw: Draw) -> None:
        if len(self.runs) == 3:
            return
        again, seconds = draw(st.sampled_from([None, None, REJECTED, IN_DOUBT])), draw(world.leases)
        before = rows_of(self.ledger, self.record)
        with self.step(settles=False):
            states = () if again is None else (again,)
            lease = self.ledger.begin(self.record, label="", seconds=seconds, again=states)
        for key, row in before.items():
            if row.state in {IN_DOUBT, SENDING} and self.rows[key].state == PLANNED:
                assert again is IN_DOUBT, "planned again without being asked for"
                self.resent.add((key, row.attempt))
        self.runs.append(Run(lease, self.time.now + seconds))

    def turn(self, draw: Draw) -> None:
        run = draw(some([run for run in self.runs if not run.lost]))
        if run is None:
            self.begin(draw)
            return
        places = CONCURRENCY - len(run.hand)
        results, asked = run.take_results(), self.time.now
        held = {attempt.task.id for attempt in run.hand} | {result.task.id for result in results}
        turn = None
        with self.step(settles=False):
            try:
                turn = self.ledger.turn(
                    run.lease, results, places=places, pace=PACE, held=held if run.unsure else None
                )
            except LeaseLostError:
                run.lost = True
        if turn is None:
            return
        run.until, run.unsure = asked + run.lease.seconds, False
        given = [Attempt(task, run.lease.token) for task in turn.tasks]
        for attempt in given:
            self.check_may_be_sent(attempt)
        if not draw(world.heard):
            # The commit's answer is lost: its tasks are not known here, and results are written again.
            run.unsure, run.results = True, results
            return
        run.hand += given
        self.attempts += given
        for attempt in given:
            self.write(run, attempt, draw(world.fates))

    def check_may_be_sent(self, attempt: Attempt) -> None:
        earlier = self.of(attempt.task.id)
        assert attempt.task.attempt not in {other.task.attempt for other in earlier}, "handed out twice"
        for other in earlier:
            if (other.task.id, other.task.attempt) not in self.resent:
                assert not other.arrived, "sent again though it was sent"
                assert not other.may_arrive(self.time.now, self.runs), "sent again though it may be under way"

    def write(self, run: Run, attempt: Attempt, fate: str) -> None:
        """Write a message to the wire, as far as the lease allows; most are answered before the next turn."""
        if fate == "waits":
            return
        if run.until - self.time.now <= SEND:
            run.finish(attempt, Result(attempt.task, PLANNED))
            return
        attempt.written_at = self.time.now
        attempt.arrives_at = {"late": self.time.now + LATE, "never": None}.get(fate, self.time.now)
        self.let_arrive()
        if fate == "answered":
            self.answer(run, attempt, fate)

    def write_what_waited(self, draw: Draw) -> None:
        if run := draw(some([run for run in self.runs if run.waiting])):
            self.write(run, run.waiting[0], draw(world.fates))

    def let_arrive(self) -> None:
        for attempt in self.attempts:
            if attempt.arrives_at is not None and attempt.arrives_at <= self.time.now and not attempt.arrived:
                attempt.arrived = True
                self.history.add(attempt)

    def hear(self, draw: Draw) -> None:
        if run := draw(some([run for run in self.runs if run.written])):
            self.answer(run, run.written[0], draw(world.answers))

    def answer(self, run: Run, attempt: Attempt, kind: str) -> None:
        task = attempt.task
        if attempt.arrived and kind != "silence":
            run.finish(attempt, Result(task, ACCEPTED, message_id=attempt.message_id))
        elif kind == "silence" or attempt.arrives_at is not None:
            run.finish(attempt, Result(task, IN_DOUBT))
        else:
            attempt.refused = True
            state = {"halt": PLANNED, "busy": POSTPONED}.get(kind, REJECTED)
            run.finish(attempt, Result(task, state, not_before=5.0 if state is POSTPONED else None))

    def end(self, draw: Draw) -> None:
        run = draw(some(self.runs))
        if run is None:
            return
        for attempt in run.waiting:
            run.finish(attempt, Result(attempt.task, PLANNED))
        with self.step(settles=False):
            held = {attempt.task.id for attempt in run.hand}
            self.ledger.end(run.lease, run.take_results(), held=held)
        self.runs.remove(run)

    def kill(self, draw: Draw) -> None:
        if run := draw(some(self.runs)):
            self.runs.remove(run)

    def look(self, draw: Draw) -> None:
        self.history.off = draw(world.off)
        self.wait(draw)

        async def call(method: Callable[..., Any], *args: Any, **options: Any) -> Any:
            return method(*args, **options)

        delays = Delays(SETTLE, SEND)
        reconciler = Reconciler(self.ledger, self.record, self.history, delays, call, label="test")
        with self.step(settles=True):
            asyncio.run(reconciler.look())

    def report(self, draw: Draw) -> None:
        if not self.history.entries:
            return
        recipient, entry = draw(some(self.history.entries))
        status, shown, quoted = draw(world.statuses), draw(st.booleans()), draw(st.booleans())
        seen = Seen(recipient, entry.kind, entry.text, entry.sent_at) if shown else None
        with self.step(settles=True):
            if quoted:
                self.ledger.record_inbound(CHANNEL_KEY, quoted_id=entry.message_id, quoted=seen)
            else:
                self.ledger.record_status(CHANNEL_KEY, entry.message_id, status, seen)

    def ask_a_person(self, draw: Draw) -> None:
        key = draw(some([key for key, row in self.rows.items() if row.state == IN_DOUBT]))
        if key is None:
            return
        latest = [attempt for attempt in self.of(key) if attempt.task.attempt == self.rows[key].attempt]
        if any(attempt.may_arrive(self.time.now, self.runs) and not attempt.arrived for attempt in latest):
            return  # nobody can know yet
        verdict = Verdict.SENT if any(attempt.arrived for attempt in latest) else Verdict.NOT_SENT
        with self.step(settles=True):
            assert self.ledger.settle(self.name, [key], verdict, by="Ada") == [key]

    def wait(self, draw: Draw) -> None:
        self.time.now += draw(st.sampled_from([31, 11, 1, 0, 61]))
        self.let_arrive()

    # What always holds

    @invariant()
    def nobody_vanishes_and_nobody_gets_it_twice(self) -> None:
        assert len(self.rows) == PEOPLE
        for key, row in self.rows.items():
            arrived = [attempt for attempt in self.of(key) if attempt.arrived]
            unasked = [a for a in arrived if (key, a.task.attempt) not in self.resent]
            assert len(unasked) <= 1, "twice"
            assert arrived or row.state not in SENT, "lost: nothing was sent"
            assert not unasked or row.state not in {REJECTED, PLANNED, POSTPONED}, "to be sent again"

    @invariant()
    def no_run_has_more_under_way_than_it_may(self) -> None:
        busy = Counter(row.runner for row in self.rows.values() if row.state == SENDING)
        assert all(held <= CONCURRENCY for held in busy.values())

    @invariant()
    def permits_are_given_back_once(self) -> None:
        with self.ledger._database.transaction() as connection:
            assert not connection.execute(select(permit.c.id).where(permit.c.count < 0)).all()


def test_doubt_ends_by_proof_or_policy_and_by_nothing_else() -> None:
    time = Time()
    ledger = Ledger("sqlite://", clock=time.database)
    machine: Any = type("Machine", (DoubtMachine,), {"ledger": ledger, "time": time})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=60,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    ledger.dispose()
