"""Plans campaigns, has them worked on, kills the workers, and has the outcome judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import count
from math import inf
from multiprocessing.context import ForkServerContext
from pathlib import Path

from tests.chaos.books import Books
from tests.chaos.crew import CrashError, Crew, warm_context
from tests.chaos.diary import Diary
from tests.chaos.emulation import Line, emulate
from tests.chaos.judge import judge
from tests.chaos.kills import SECONDS_TO_ARRIVE, Kill, Schedule
from tests.chaos.report import Report
from tests.chaos.settings import ChaosSettings
from tests.chaos.truth import Truth
from tests.chaos.worker import Job
from tests.servers import mariadb_server, new_schema, postgres_server
from whatsapp_provider.campaigns.audience import AudienceOptions
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.plan import plan_campaign
from whatsapp_provider.campaigns.readers import rows_of

LOOK_SECONDS = 0.005
QUIET_SECONDS = 1.0  #: without a message, after which a kill comes all the same: doubts are being settled
KILLS_BETWEEN_NEWS = 20
KILLS_IN_QUIET = 2  #: of one campaign, or its end would never come
START_SECONDS = 30.0


class TookTooLongError(Exception):
    """The run's time is over."""


@dataclass(slots=True)
class Chaos:
    """One run.

    :param folder: for the files of the run, which stay to be looked at.
    :param tell: hears how far it is, for whoever waits.
    """

    settings: ChaosSettings
    folder: Path
    report: Report
    url: str
    line: Line
    books: Books
    truth: Truth
    diary: Diary
    context: ForkServerContext
    schedule: Schedule
    deadline: float
    tell: Callable[[str], None]

    def run(self) -> None:
        """Run campaigns until as many kills were made as are wanted and the last one has ended."""
        for number in count(1):
            campaign = f"campaign-{number}"
            self._plan(campaign)
            self.tell(f"{campaign}: {self.settings.recipients} people")
            try:
                self._work(campaign)
            finally:
                # Of a campaign that did not end, too: somebody twice is the better reason to fail.
                self._judge(campaign)
            if len(self.report.kills) >= self.settings.kills:
                return

    def _job(self, campaign: str, label: str) -> Job:
        return Job(label, self.url, campaign, self.line, self.folder / "diary.txt", self.settings)

    def _plan(self, campaign: str) -> None:
        job = self._job(campaign, "")
        rows = [{"phone": f"+{phone}", "name": f"N{phone[-5:]}"} for phone in self._audience()]
        with closing(_Disposed(Ledger(self.url))) as opened:
            plan_campaign(
                opened.ledger,
                job.campaign,
                job.template,
                rows_of(rows, recipient_field="phone"),
                AudienceOptions(),
            )

    def _audience(self) -> list[str]:
        return [f"1555{index:07d}" for index in range(self.settings.recipients)]

    def _work(self, campaign: str) -> None:
        crew = Crew(self.context, lambda label: self._job(campaign, f"{campaign} {label}"))
        try:
            for place in range(self.settings.workers):
                crew.start(place)
            self._kill_until_the_end(campaign, crew)
        finally:
            crew.stop()

    def _kill_until_the_end(self, campaign: str, crew: Crew) -> None:
        seen, heard, in_quiet = self.truth.read(), time.monotonic(), 0
        self.schedule.plan_next(seen)
        last_freeze: float = self.schedule.last_freeze(seen)
        while alive := crew.alive():
            if time.monotonic() > self.deadline:
                raise TookTooLongError(f"The run took longer than {self.settings.limit:g} s.")
            total = self.truth.read()
            if total > seen:
                seen, heard = total, time.monotonic()
            if total >= last_freeze:
                self._freeze(crew, self.schedule.frozen_last(alive))
                last_freeze = inf
            is_quiet = time.monotonic() - heard > QUIET_SECONDS and in_quiet < KILLS_IN_QUIET
            if len(self.report.kills) < self.settings.kills and (total >= self.schedule.next_at or is_quiet):
                in_quiet += is_quiet
                time.sleep(self.schedule.hesitation())
                self._kill(campaign, crew, alive)
                heard = time.monotonic()
                if len(self.report.kills) % KILLS_BETWEEN_NEWS == 0:
                    self.tell(f"{campaign}: {len(self.report.kills)} kills, {total} messages")
                self.schedule.plan_next(self.truth.read())
            time.sleep(LOOK_SECONDS)

    def _kill(self, campaign: str, crew: Crew, alive: list[int]) -> None:
        places = self.schedule.victims(alive)
        labels, dead = crew.kill(places)
        held = self.books.under_way(labels)
        people = tuple(person for persons in held.values() for person in persons)
        limit = self.settings.concurrency * len(places)
        self.report.kills.append(Kill(campaign, dead, len(places), people, limit))
        frozen = self.schedule.frozen([place for place in alive if place not in places])
        if frozen is not None:
            self._freeze(crew, frozen)
        for place in places:
            crew.start(place)

    def _freeze(self, crew: Crew, frozen: tuple[int, float]) -> None:
        crew.freeze(*frozen)
        self.report.freezes += 1

    def _judge(self, campaign: str) -> None:
        self.truth.read()
        states = self.books.states(campaign)
        verdict = judge(self._audience(), states, self.truth.counts(campaign))
        self.report.verdicts[campaign] = verdict
        self.report.states.update(states.values())
        # What a phone got after the sender's end was on its way at that moment: the dead send nothing.
        self.report.during_send += sum(
            any(
                self.truth.got_between(campaign, person, kill.at, kill.at + SECONDS_TO_ARRIVE)
                for person in kill.held
            )
            for kill in self.report.kills
            if kill.campaign == campaign
        )


class _Disposed:
    """A ledger that is closed at the end of a block."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def close(self) -> None:
        self.ledger.dispose()


def run_chaos(settings: ChaosSettings, folder: Path, tell: Callable[[str], None]) -> Report:
    """Run to the end, and return what was found; nothing is left running, however it ends.

    :param folder: for the files of the run.
    :param tell: hears how far it is.
    """
    report = Report(settings)
    began = time.monotonic()
    context = warm_context()
    with ExitStack() as stack:
        url = stack.enter_context(_database(settings.database, folder))
        line = stack.enter_context(_emulator(context, settings, folder / "truth.jsonl"))
        books = Books(url)
        stack.callback(books.dispose)
        truth = stack.enter_context(closing(Truth(folder / "truth.jsonl")))
        diary = Diary(folder / "diary.txt")
        chaos = Chaos(
            settings=settings,
            folder=folder,
            report=report,
            url=url,
            line=line,
            books=books,
            truth=truth,
            diary=diary,
            context=context,
            schedule=Schedule(settings),
            deadline=began + settings.limit,
            tell=tell,
        )
        try:
            chaos.run()
        except (CrashError, TookTooLongError) as error:
            crashes = diary.of("crash")
            report.trouble = " ".join([str(error), *crashes[:1]])
        report.sends, report.diary, report.settled = truth.read(), diary.counts(), books.settled()
    report.seconds = time.monotonic() - began
    return report


@contextmanager
def _database(name: str, folder: Path) -> Iterator[str]:
    if name == "sqlite":
        yield f"sqlite:///{folder / 'ledger.db'}"
    elif name == "postgres":
        with postgres_server() as server:
            yield new_schema(server)
    else:
        with mariadb_server() as server:
            yield server


@contextmanager
def _emulator(context: ForkServerContext, settings: ChaosSettings, truth: Path) -> Iterator[Line]:
    ours, theirs = context.Pipe()
    process = context.Process(target=emulate, args=(settings, truth, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(START_SECONDS):
            raise TookTooLongError("The emulator did not start.")
        yield ours.recv()
    finally:
        ours.close()
        process.join(5)
        process.kill()
        process.join()
