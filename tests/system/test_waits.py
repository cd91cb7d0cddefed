"""Many waits at once: none fails, and the triggerer that holds them stays what it was.

Airflow 3.3 can fail a healthy task that resumes within seconds of being deferred, so the waits have no
retries here, and what they wait for comes within a second or two of being deferred. A probe that runs in the triggerer
sees how that fares.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine.url import make_url

from tests.system.waits import (
    BLOCKED,
    Database,
    Insight,
    WaitingWorld,
    a_waiting_world,
    airflow_that_waits,
    defer_by_hand,
    triggerer_log,
)
from whatsapp_provider.demo.airflow import AirflowServer
from whatsapp_provider.demo.rest import RunRef

pytestmark = [pytest.mark.airflow]

MANY = 500
USUAL_INTERVAL = 5.0
MOST_POOLS = 10
AIRFLOW_WARNS_AT = 0.2  #: seconds
CONNECTIONS_PER_POOL = 8


class Waits:
    """A running Airflow, what its waits wait for, and its database."""

    def __init__(self, world: WaitingWorld, server: AirflowServer, say: Any) -> None:
        self.world, self.server, self.say = world, server, say
        self.database = Database(server)

    def until(self, awaited: str, look: Any, within: float) -> None:
        self.server.wait_until(awaited, look, within)

    def pair_as_they_defer(self, ref: RunRef, count: int, within: float) -> None:
        """Pair each channel as soon as its wait is seen deferred, and not before."""
        paired: set[int] = set()

        def all_paired() -> bool:
            new = self.database.deferred(ref) - paired
            self.world.pair(new)
            paired.update(new)
            return len(paired) == count

        self.until(f"{count} deferred waits", all_paired, within)

    def judge(self, ref: RunRef, count: int, within: float) -> None:
        """Every wait succeeds at its first try."""

        def over() -> bool:
            states = self.database.states(ref)
            return states["success"] + states["failed"] == count

        self.until(f"the end of {count} waits", over, within)
        assert self.database.states(ref) == {"success": count}
        assert self.database.tries(ref) == {1: count}

    def judge_triggerer(self, count: int) -> None:
        """Look at the triggerer while all wait.

        How often Airflow warned that something blocked its loop is told and not judged: it warns of a busy machine
        too. What is judged is the loop's own work and the collection of garbage, by the measure of that warning.
        """
        self.until(
            "all waits in the triggerer", lambda: Insight.read(self.server).with_waits(count).entries, 180
        )
        self.world.line.most_open = self.world.line.open  # sensors that defer have connections of their own
        warnings = triggerer_log(self.server).count(BLOCKED)
        seen_before = len(Insight.read(self.server).entries)
        self.until("ten seconds", lambda: len(Insight.read(self.server).entries) >= seen_before + 6, 120)
        warnings = triggerer_log(self.server).count(BLOCKED) - warnings
        (self.server.settings.dags_folder / "count").touch()
        self.until("a census", lambda: Insight.read(self.server).has_census, 60)
        seen = Insight(Insight.read(self.server).entries[seen_before:])
        line = self.world.line
        self.say(seen.told())
        self.say(
            f"  {line.taken} connections made, at most {line.most_open} at once; {warnings} warnings of blocking"
        )
        assert seen.most("contexts") == 1
        assert seen.most("clients") <= MOST_POOLS
        assert seen.most("wires") == 1
        assert line.most_open <= MOST_POOLS * CONNECTIONS_PER_POOL
        # What other processes take of a busy machine, and the collection of garbage, are in the lag, not in this.
        assert seen.lag(0.99, "busy") < AIRFLOW_WARNS_AT / 2
        assert seen.lag(1.0, "busy") < AIRFLOW_WARNS_AT
        # A collection that looked at all that Airflow has loaded would take more than its warning allows.
        assert seen.most("rubbish") < AIRFLOW_WARNS_AT / 2
        assert seen.share_of_a_core("supervisor_cpu") < 0.25


@contextmanager
def waiting(
    folder: Path, dags: dict[str, tuple[int, str]], capsys: pytest.CaptureFixture[str], **options: Any
) -> Iterator[Waits]:
    def say(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{text}")

    channels = max(count for count, _ in dags.values())
    with (
        a_waiting_world(folder, channels) as world,
        airflow_that_waits(folder / "airflow", world, dags, **options) as server,
    ):
        waits = Waits(world, server, say)
        try:
            yield waits
        finally:
            waits.database.close()


@pytest.fixture
def database(postgres_server: str) -> str:
    """A PostgreSQL database of its own for Airflow."""
    name = f"airflow_{time.time_ns()}"
    engine = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return make_url(postgres_server).set(database=name).render_as_string(hide_password=False)


@pytest.mark.kill
def test_500_waits_share_one_tls_context_ten_pools_and_a_reading_of_the_connection(tmp_path, capsys):
    dags = {"parked": (MANY, "poll_inline=0")}
    components = ("api-server", "dag-processor", "triggerer")
    with waiting(tmp_path, dags, capsys, components=components) as waits:
        ref = waits.server.trigger("parked")
        wait = {"deadline": time.time() + 600, "poke_interval": USUAL_INTERVAL}
        assert defer_by_hand(waits.server, ref, waits.world, **wait) == MANY + 1
        waits.judge_triggerer(MANY)
        waits.world.pair(range(MANY))
        waits.judge(ref, MANY, 120)


@pytest.mark.kill
@pytest.mark.postgres
def test_60_waits_that_end_within_seconds_of_being_deferred_all_succeed(tmp_path, capsys, database):
    dags = {"soon": (60, "poll_inline=0, poke_interval=1")}
    with waiting(tmp_path, dags, capsys, database=database, parallelism=32) as waits:
        ref = waits.server.trigger("soon")
        waits.pair_as_they_defer(ref, 60, 240)
        waits.judge(ref, 60, 120)


@pytest.mark.waits
@pytest.mark.postgres
def test_waits_never_fail_whether_they_end_in_the_trigger_or_resume(tmp_path, capsys, database):
    dags = {
        "soon": (100, "poll_inline=0, poke_interval=1"),
        "resumed": (30, "poll_inline=0, poke_interval=1, end_from_trigger=False"),
        "usual": (100, "poke_interval=1"),
    }
    with waiting(tmp_path, dags, capsys, database=database, parallelism=32) as waits:
        for dag_id, runs in (("soon", 3), ("resumed", 2), ("usual", 1)):
            for run in range(runs):
                waits.world.unpair()
                count, began = dags[dag_id][0], time.monotonic()
                ref = waits.server.trigger(dag_id)
                waits.pair_as_they_defer(ref, count, 240)
                waits.judge(ref, count, 120)
                waits.say(f"{dag_id}, run {run + 1}: {count} of {count} in {time.monotonic() - began:.0f} s")


@pytest.mark.waits
@pytest.mark.postgres
def test_500_sensors_that_really_deferred_leave_the_triggerer_as_it_was(tmp_path, capsys, database):
    dags = {"many": (MANY, f"poll_inline=0, poke_interval={USUAL_INTERVAL}")}
    with waiting(tmp_path, dags, capsys, database=database, parallelism=32) as waits:
        began = time.monotonic()
        ref = waits.server.trigger("many")
        waits.until("500 deferred waits", lambda: len(waits.database.deferred(ref)) == MANY, 900)
        waits.say(f"{MANY} sensors deferred in {time.monotonic() - began:.0f} s")
        waits.judge_triggerer(MANY)
        waits.world.pair(range(MANY))
        waits.judge(ref, MANY, 120)
