"""Tasks of one campaign on two Celery workers, one of which is lost: the other finishes, nobody hears twice.

The truth log of the emulated phones is the judge, person by person; the ledger is PostgreSQL, in a schema of its own.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import create_engine, text

from tests import reporting
from tests.chaos.books import Books
from tests.chaos.judge import judge
from tests.distributed.fleet import FIRST, LEDGER_ROLE, SECOND, SLOTS, Fleet, a_fleet
from tests.servers import POSTGRES, REDIS, Program
from tests.system.world import write_audience
from whatsapp_provider.demo.rest import Json, RunRef, task_name

pytestmark = [pytest.mark.airflow, pytest.mark.distributed]

PREFIX, OTHER_PREFIX = "1555300", "1555400"
PEOPLE = 900
PARTS = 2 * SLOTS
CONCURRENCY = 5
CELERY = Program("CeleryExecutor", "make test-distributed", modules=("celery", "redis"))
FIGURES = Path(__file__).parents[2] / "build" / "distributed.json"
DAG = f"""
    from __future__ import annotations

    from datetime import timedelta

    from airflow.sdk import dag

    from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator


    @dag(schedule=None)
    def shared():
        WhatsAppSendCampaignOperator.partial(
            task_id="send",
            message="Hello {{{{ name }}}}",
            pace="unlimited",
            concurrency={CONCURRENCY},
            retries=2,
            retry_delay=timedelta(seconds=1),
        ).expand(audience=["{{{{ dag_run.conf['audience'] }}}}"] * {PARTS})


    shared()
"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    for program in (CELERY, POSTGRES, REDIS):
        reporting.needs(program.name, available=program.available, how_to_get=program.how_to_get)
    with a_fleet(tmp_path_factory.mktemp("distributed"), {"shared.py": DAG}) as fleet:
        yield fleet


class Story:
    """A campaign of mapped tasks to people of its own, from its start to what the phones got."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.fleet, self.server = fleet, fleet.server
        self.audience = [f"{PREFIX}{number:04d}" for number in range(PEOPLE)]
        self.began = monotonic()
        file = write_audience(folder / "people.csv", PREFIX, PEOPLE)
        self.ref: RunRef = self.server.trigger("shared", {"audience": str(file)})
        self.campaign_id = f"{self.ref.dag_id}/send/{self.ref.run_id}"
        self.books = Books(fleet.ledger)

    def until_every_part_sends(self) -> None:
        """Wait until the campaign is well under way on both workers."""
        labels = [self.label(part) for part in range(PARTS)]
        self._until("tasks on both workers", lambda: all(map(self._is_busy, (FIRST, SECOND))))
        self._until("a first message", self.received)
        self._until("sends of every part", lambda: all(self.books.under_way(labels).values()))
        self._until("a quarter of the audience", lambda: len(self.received()) >= PEOPLE // 4)

    def _is_busy(self, worker: str) -> bool:
        return len(self.fleet.parts_on(self.ref, worker)) == SLOTS

    def _until(self, awaited: str, look: Callable[[], object]) -> None:
        def reached() -> object:
            for task in self.server.rest.tasks(self.ref):
                if task["state"] in ("failed", "up_for_retry"):
                    pytest.fail(f"{task_name(task)}: {self.server.rest.failure(self.ref, task)}")
            return look()

        self.server.wait_until(awaited, reached, timeout=120)

    def label(self, part: int) -> str:
        """Return what the ledger calls a mapped task."""
        return f"{self.campaign_id}/{part}"

    def received(self) -> dict[str, int]:
        counts = self.fleet.world.counts()
        return {phone: n for phone, n in counts.items() if _is_ours(phone)}

    def received_at(self) -> list[float]:
        """Return when messages came to the phones, by the emulator's clock."""
        entries = self.fleet.world.ask("GET", "/_emulator/received")["received"]
        return sorted(entry["at"] for entry in entries if _is_ours(entry["phone"]))

    def tries(self) -> dict[int, int]:
        return {task["map_index"]: task["try_number"] for task in self.server.rest.tasks(self.ref)}

    def reports(self) -> list[Json]:
        return [self.server.rest.xcom(self.ref, "send", map_index=part) for part in range(PARTS)]


def _is_ours(phone: str) -> bool:
    return phone.startswith(PREFIX)


@pytest.fixture
def story(fleet: Fleet, tmp_path: Path) -> Iterator[Story]:
    story = Story(fleet, tmp_path)
    yield story
    story.books.dispose()


def test_when_a_worker_is_lost_the_other_finishes_and_everybody_hears_once(
    story: Story, fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    story.until_every_part_sends()
    lost = fleet.parts_on(story.ref, FIRST)
    before = len(story.received_at())
    assert before < PEOPLE * 3 // 4, "too much was sent for the middle of a campaign"

    processes = fleet.lose(FIRST)
    killed_at = monotonic()
    held = story.books.under_way([story.label(part) for part in lost])
    assert all(0 < len(people) <= CONCURRENCY for people in held.values())
    story.server.wait_run(story.ref, timeout=240)
    ended = monotonic()

    verdict = judge(story.audience, story.books.states(story.campaign_id), story.received())
    assert verdict.wrongs() == {}
    assert story.tries() == {part: 2 if part in lost else 1 for part in range(PARTS)}
    in_doubt = sum(map(len, held.values()))
    settled = story.books.settled()
    assert settled.total() == in_doubt, "a doubt of somebody else, or one that nothing shows to be settled"
    for report in story.reports():
        assert report["campaign_id"] == story.campaign_id
        assert (report["sent"], report["open"], report["in_doubt"]) == (PEOPLE, 0, [])
    assert schemas_of_the_ledger(fleet.database) == [LEDGER_ROLE]

    times = story.received_at()
    figures = {
        "people": PEOPLE,
        "parts": PARTS,
        "concurrency_of_each": CONCURRENCY,
        "sent_before_the_kill": before,
        "processes_killed": processes,
        "in_doubt_after_the_kill": in_doubt,
        "settled": dict(settled),
        "per_s_on_two_workers": round(before / (times[before - 1] - times[0]), 1),
        "seconds_to_the_end_of_the_run": round(ended - story.began, 1),
        "seconds_from_kill_to_the_end": round(ended - killed_at, 1),
        "seconds_until_everybody_heard": round(times[-1] - times[0], 1),
        "cores": os.cpu_count(),
    }
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n")
    with capsys.disabled():
        sys.stdout.write(f"\n{FIGURES.read_text()}")


def test_a_ledger_in_a_file_is_refused_before_anything_is_sent(fleet: Fleet, tmp_path: Path) -> None:
    file = write_audience(tmp_path / "people.csv", OTHER_PREFIX, 3)
    fleet.disconnect_ledger()
    try:
        ref = fleet.server.trigger("shared", {"audience": str(file)})
        fleet.server.wait_run(ref, expect="failed")
    finally:
        fleet.connect_ledger()
    tasks = fleet.server.rest.tasks(ref)
    assert [task["try_number"] for task in tasks] == [1] * PARTS, "another try could not help"
    for task in tasks:
        assert "CeleryExecutor runs tasks on several hosts" in fleet.server.rest.failure(ref, task)
    assert not any(phone.startswith(OTHER_PREFIX) for phone in fleet.world.counts())
    assert not (fleet.server.settings.home / "whatsapp").exists()


def schemas_of_the_ledger(database: str) -> list[str]:
    """Return which schemas of Airflow's database hold tables of ours."""
    query = (
        "SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_name LIKE 'wa@_%' ESCAPE '@'"
    )
    engine = create_engine(database)
    try:
        with engine.connect() as connection:
            return list(connection.execute(text(query)).scalars())
    finally:
        engine.dispose()
