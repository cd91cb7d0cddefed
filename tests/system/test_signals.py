"""Tasks that are stopped in the middle of a slow send, under a real Airflow and in each way that it has.

Each task has one send that gets no answer. The campaigns have others beside it that take 1.5 s. After a stop no send
begins; those that end within the 4 s that a stop may take are written; the one that does not is in doubt. The lease
is given back, so that whoever resumes needs not wait for its end, and the process is gone.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.airflow_server import airflow_with_dags
from tests.system.world import CONN_ID, World, a_world, write_audience
from whatsapp_provider.campaigns.options import DRAIN_SECONDS
from whatsapp_provider.demo.airflow import ENDED, AirflowServer
from whatsapp_provider.demo.errors import RestError
from whatsapp_provider.demo.rest import RunRef

pytestmark = [pytest.mark.airflow, pytest.mark.kill]

PEOPLE = 100
NEVER, SLOW = 300.0, 1.5  #: seconds that a send takes
WITHIN_THE_DRAIN = 3.0
ALLOWANCE = 1.0  #: seconds that a busy machine may take to begin a stop
EXECUTION_TIMEOUT = 15  #: seconds
TERMINATED, TIMED_OUT, MARKED = "terminated", "timed_out", "marked"
CAMPAIGN, SINGLE = "campaign", "single"
#: Each task sends a kind of message of its own, so that what befalls it befalls no other one.
KINDS = {
    (TERMINATED, CAMPAIGN): "text",
    (TIMED_OUT, CAMPAIGN): "image",
    (MARKED, CAMPAIGN): "document",
    (TERMINATED, SINGLE): "video",
    (TIMED_OUT, SINGLE): "audio",
    (MARKED, SINGLE): "voice",
}
PREFIXES = {TERMINATED: "1555101", TIMED_OUT: "1555102", MARKED: "1555103"}
DAGS = f"""
    from __future__ import annotations

    from datetime import timedelta

    from airflow.sdk import dag

    from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
    from whatsapp_provider.operators.message import WhatsAppSendMessageOperator

    KINDS = {KINDS!r}
    PREFIXES = {PREFIXES!r}


    def message(kind):
        if kind == "text":
            return {{"kind": kind, "body": "Hello"}}
        return {{"kind": kind, "media": {{"url": "https://example.com/file"}}}}


    for name, prefix in PREFIXES.items():

        @dag(dag_id=name, schedule=None)
        def stopped():
            limit = timedelta(seconds={EXECUTION_TIMEOUT}) if name == "{TIMED_OUT}" else None
            WhatsAppSendCampaignOperator(
                task_id="{CAMPAIGN}",
                audience="{{{{ dag_run.conf['audience'] }}}}",
                media="ignore",
                message=message(KINDS[name, "{CAMPAIGN}"]),
                campaign_id=name,
                pace="unlimited",
                concurrency=2,
                execution_timeout=limit,
                retries=0,
            )
            WhatsAppSendMessageOperator(
                task_id="{SINGLE}",
                to="+" + prefix + "9999",
                message=message(KINDS[name, "{SINGLE}"]),
                message_key=name,
                execution_timeout=limit,
                retries=0,
            )

        stopped()
"""


@dataclass(frozen=True)
class Row:
    """What the ledger says of one person."""

    recipient: str
    state: str
    intended_at: float | None
    doubted_at: float | None


@dataclass
class Stage:
    """A real Airflow on which all the tasks run at once."""

    server: AirflowServer
    world: World
    runs: dict[str, RunRef] = field(default_factory=dict)
    #: When a test asked for a stop itself, in seconds since the epoch.
    signalled: dict[tuple[str, str], float] = field(default_factory=dict)

    def begin(self, folder: Path) -> None:
        for (stop, task), kind in KINDS.items():
            path = f"/messages/{kind}"
            first = WITHIN_THE_DRAIN if (stop, task) == (TERMINATED, SINGLE) else NEVER
            for delay, times in ((first, 1), (SLOW, None)):
                fault = {"kind": "delay", "method": "POST", "path": path, "delay": delay, "times": times}
                self.world.ask("POST", "/_emulator/faults", fault)
        for stop, prefix in PREFIXES.items():
            (folder / stop).mkdir()
            audience = write_audience(folder / stop / "people.csv", prefix, PEOPLE)
            self.runs[stop] = self.server.trigger(stop, {"audience": str(audience)})

    def until_it_sends(self, stop: str, task: str) -> None:
        """Wait until a send is stuck, and in a campaign some others have ended."""
        sent = 3 if task == CAMPAIGN else 0

        def sends() -> bool:
            states = [row.state for row in self.rows(stop, task)]
            return "sending" in states and states.count("accepted") >= sent

        self.server.wait_until(f"sends of {stop}.{task}", sends, timeout=60)

    def terminate(self, stop: str, task: str) -> None:
        """Do to the task's process group what Airflow's supervisor does."""
        pid = self._pid(stop, task)
        # Where a task has no group of its own, the group is all of Airflow.
        end = os.killpg if os.getpgid(pid) == pid else os.kill
        self.signalled[stop, task] = time.time()
        end(pid, signal.SIGTERM)

    def mark(self, task: str) -> None:
        """Mark it failed, as a person does; while others write to Airflow's own SQLite, it may say 500 for a moment."""

        def marked() -> bool:
            try:
                self.server.rest.patch_task(self.runs[MARKED], task, {"new_state": "failed"})
            except RestError as error:
                if error.status != 500:
                    raise
                return False
            return True

        self.server.wait_until(f"the mark on {task}", marked, timeout=30)

    def until_all_have_ended(self) -> None:
        for stop, run in self.runs.items():
            self.server.wait_until(f"the end of {stop}", partial(self._has_ended, run), timeout=60)
        self.server.wait_until("the processes' end", lambda: not self.alive(), timeout=15)

    def _has_ended(self, run: RunRef) -> bool:
        return self.server.rest.run(run)["state"] in ENDED

    def alive(self) -> list[tuple[str, str]]:
        return [task for task in KINDS if psutil.pid_exists(self._pid(*task))]

    def _pid(self, stop: str, task: str) -> int:
        pid: int = self.server.rest.task(self.runs[stop], task)["pid"]
        return pid

    def rows(self, stop: str, task: str) -> list[Row]:
        query = (
            "SELECT recipient, wa_delivery.state, intended_at, doubted_at FROM wa_delivery "
            "JOIN wa_campaign ON wa_campaign.id = wa_delivery.campaign WHERE campaign_id = ?"
        )
        return [Row(*row) for row in self._ask(query, _ledger_name(stop, task))]

    def leases(self, stop: str, task: str) -> list[int]:
        """Return for each runner whether it has given its lease back."""
        query = (
            "SELECT ended FROM wa_runner JOIN wa_campaign ON wa_campaign.id = wa_runner.campaign "
            "WHERE campaign_id = ?"
        )
        return [ended for (ended,) in self._ask(query, _ledger_name(stop, task))]

    def _ask(self, query: str, campaign_id: str) -> list[tuple[Any, ...]]:
        file = self.server.settings.home / "whatsapp" / "ledger.db"
        if not file.exists():
            return []
        with closing(sqlite3.connect(file)) as connection:
            try:
                return connection.execute(query, (campaign_id,)).fetchall()
            except sqlite3.OperationalError:
                return []  # its tables are being made


def _ledger_name(stop: str, task: str) -> str:
    return stop if task == CAMPAIGN else f"message/{stop}"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Every task, after its stop."""
    folder = tmp_path_factory.mktemp("signals")
    notice_soon = {"AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1"}
    with (
        a_world(send_latency=0.0, timeout=60.0) as world,
        airflow_with_dags(
            folder,
            {"stopped.py": DAGS},
            connections={CONN_ID: world.connection},
            config=notice_soon,
            parallelism=len(KINDS),
        ) as server,
    ):
        stage = Stage(server, world)
        stage.begin(folder)
        stage.until_it_sends(TERMINATED, SINGLE)
        stage.terminate(TERMINATED, SINGLE)
        stage.until_it_sends(TERMINATED, CAMPAIGN)
        stage.terminate(TERMINATED, CAMPAIGN)
        for task in (CAMPAIGN, SINGLE):
            stage.until_it_sends(MARKED, task)
            stage.mark(task)
        stage.until_all_have_ended()
        yield stage


STUCK = [(stop, task) for stop, task in KINDS if (stop, task) != (TERMINATED, SINGLE)]


@pytest.mark.parametrize(("stop", "task"), STUCK)
def test_a_stopped_task_begins_no_send_and_leaves_the_stuck_one_in_doubt(
    stage: Stage, stop: str, task: str
) -> None:
    rows = stage.rows(stop, task)
    [stuck] = [row for row in rows if row.state == "in_doubt"]
    assert stuck.doubted_at is not None
    stopped_at = stage.signalled.get((stop, task), stuck.doubted_at - DRAIN_SECONDS)
    assert [row for row in rows if (row.intended_at or 0) > stopped_at + ALLOWANCE] == []
    # Another send was under way in every campaign: it has ended, and is not in doubt.
    assert {row.state for row in rows} <= {"accepted", "planned", "in_doubt"}


@pytest.mark.parametrize(("stop", "task"), STUCK)
def test_what_phones_got_before_and_during_the_stop_is_written(stage: Stage, stop: str, task: str) -> None:
    rows = stage.rows(stop, task)
    accepted = {row.recipient for row in rows if row.state == "accepted"}
    ours = {row.recipient for row in rows}
    received = {phone: count for phone, count in stage.world.counts().items() if phone in ours}
    assert set(received.values()) <= {1}
    assert accepted == set(received)
    if task == CAMPAIGN:
        assert len(rows) == PEOPLE
        assert 3 <= len(accepted) < PEOPLE


def test_a_single_message_whose_answer_comes_during_the_stop_is_written(stage: Stage) -> None:
    [row] = stage.rows(TERMINATED, SINGLE)
    assert row.state == "accepted"
    assert stage.world.counts()[row.recipient] == 1


@pytest.mark.parametrize(("stop", "task"), KINDS)
def test_a_stopped_task_gives_its_lease_back_and_its_process_ends(stage: Stage, stop: str, task: str) -> None:
    assert stage.leases(stop, task) == [1]
    assert (stop, task) not in stage.alive()
    assert stage.server.rest.task(stage.runs[stop], task)["state"] in ENDED


@pytest.mark.parametrize("task", [CAMPAIGN, SINGLE])
def test_an_execution_timeout_is_told_as_what_it_is(stage: Stage, task: str) -> None:
    run = stage.runs[TIMED_OUT]
    assert "AirflowTaskTimeout" in stage.server.rest.failure(run, stage.server.rest.task(run, task))
