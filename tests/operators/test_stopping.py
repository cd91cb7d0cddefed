"""A campaign's task that is killed, or runs into its time limit, stops soon and writes what it knows."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.hooks.world import World, context
from whatsapp_provider.errors import CampaignStoppedError
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator

AUDIENCE = [f"1555000{index:04d}" for index in range(200)]


def task() -> WhatsAppSendCampaignOperator:
    return WhatsAppSendCampaignOperator(
        task_id="send", audience=AUDIENCE, message="Hi", pace="unlimited", concurrency=2
    )


def states(world: World) -> dict[str, int]:
    return dict(world.ledger_text("SELECT state, count(*) FROM wa_delivery GROUP BY state"))


def check_what_is_left(world: World) -> None:
    """Whatever arrived is known, nothing is under way, and another attempt sends the rest only."""
    found = states(world)
    assert 0 < found["accepted"] < len(AUDIENCE)
    assert "sending" not in found
    assert len(world.received()) <= found["accepted"] + found.get("in_doubt", 0)
    world.control("DELETE", "/faults")
    report = task().execute(context())
    assert report["open"] == 0
    phones = [phone for phone, _ in world.received()]
    assert len(phones) == len(set(phones))


@pytest.mark.parametrize("delay", [0.1, 9.0], ids=["quick sends", "a stuck send"])
def test_on_kill_from_another_thread_stops_in_time_for_airflows_own_kill(world: World, delay: float) -> None:
    world.fault("delay", delay=0.05, times=6, method="POST", path="/messages/")
    world.fault("delay", delay=delay, times=None, method="POST", path="/messages/")
    operator = task()
    killed: list[float] = []

    def kill() -> None:
        while len(world.received()) < 3:
            time.sleep(0.02)
        time.sleep(0.3)
        killed.append(time.monotonic())
        operator.on_kill()

    thread = threading.Thread(target=kill)
    thread.start()
    with pytest.raises(CampaignStoppedError, match=r"stopped with \d+ recipients left"):
        operator.execute(context())
    # Sends get 4 s to end, of the 5 that Airflow gives (test_runner_stops.py is exact); a slow machine may add to that.
    assert time.monotonic() - killed[0] < 8
    thread.join()
    wait_for_stuck_sends(world)
    check_what_is_left(world)


def wait_for_stuck_sends(world: World) -> None:
    """Let what was cut off arrive late, as the next attempt must expect; found there, it is not waited for long."""
    found, deadline = states(world), time.monotonic() + 30
    while len(world.received()) < found["accepted"] + found.get("in_doubt", 0):
        assert time.monotonic() < deadline, "a send that was cut off has not arrived"
        time.sleep(0.05)


def test_a_task_killed_while_it_plans_sends_nothing(world: World) -> None:
    operator = task()
    operator.audience = killing(operator)
    with pytest.raises(CampaignStoppedError, match="200 recipients left"):
        operator.execute(context())
    assert world.received() == []
    assert task().execute(context())["sent"] == len(AUDIENCE)


def killing(operator: WhatsAppSendCampaignOperator):
    for number in AUDIENCE:
        yield number
        if number == AUDIENCE[100]:
            operator.on_kill()


TIMED_OUT = """
import os, signal, sqlite3, threading, time
from contextlib import closing, suppress
from airflow.providers.common.compat.sdk import AirflowTaskTimeout
from tests.operators.test_stopping import context, task

def too_late(*_):
    raise AirflowTaskTimeout("execution_timeout")

def once_some_are_sent():
    accepted = 0
    while accepted < 3:
        time.sleep(0.05)
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(os.environ["LEDGER"])) as ledger:
            query = "SELECT count(*) FROM wa_delivery WHERE state = 'accepted'"
            (accepted,) = ledger.execute(query).fetchone()
    os.kill(os.getpid(), signal.SIGALRM)

signal.signal(signal.SIGALRM, too_late)
threading.Thread(target=once_some_are_sent, daemon=True).start()
try:
    task().execute(context())
except AirflowTaskTimeout:
    print("timed out")
"""


def test_an_execution_timeout_stops_the_run_and_writes_its_results(world: World) -> None:
    world.fault("delay", delay=0.1, times=None, method="POST", path="/messages/")
    root = Path(__file__).parent.parent.parent
    env = {**os.environ, "PYTHONPATH": str(root), "LEDGER": str(world.ledger_path)}
    told = subprocess.run(
        [sys.executable, "-c", TIMED_OUT],
        env=env,
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "timed out" in told.stdout, told.stderr
    check_what_is_left(world)
