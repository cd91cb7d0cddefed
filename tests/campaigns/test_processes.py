"""Four processes meet at a ledger without tables and send one campaign at once; one of them may be killed."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from sqlalchemy import select

from tests import loopback
from tests.campaigns.conftest import MARIADB, POSTGRES
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.emulator.clock import RealClock
from whatsapp_provider.emulator.server import serve_in_thread

pytestmark = pytest.mark.kill

PEOPLE, CONCURRENCY, PROCESSES = 300, 5, 4
ROOT = Path(__file__).parents[2]
PATIENCE = 120


@pytest.fixture(params=["sqlite", POSTGRES, MARIADB])
def url(request: pytest.FixtureRequest) -> str:
    """Where the ledger is: the processes run once for each kind of database."""
    return str(request.getfixturevalue(f"{request.param}_url"))


class Site:
    """The emulator's address, and the processes at work."""

    def __init__(self, facts: dict[str, Any], channel: str, url: str) -> None:
        self.facts, self.channel, self.url = facts, channel, url
        self.started: list[subprocess.Popen[str]] = []

    def start(self) -> None:
        """Start all processes, and let them go when the last one is ready."""
        task = {
            **{name: self.facts[name] for name in ("gate_url", "manager_url", "partner_token")},
            "ledger": self.url,
            "channel": self.channel,
            "people": PEOPLE,
            "concurrency": CONCURRENCY,
            "send_timeout": 5.0,  # more than a busy machine takes to answer
            "lease_margin": 3.0,
        }
        command = [sys.executable, "-m", "tests.campaigns.worker", json.dumps(task)]
        for _ in range(PROCESSES):
            self.started.append(
                subprocess.Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True)
            )
        for process in self.started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", process.communicate(timeout=PATIENCE)[1]
        for process in self.started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()

    def wait_for(self, count: int) -> None:
        """Return when so many people have got their message."""
        deadline = time.monotonic() + PATIENCE
        while len(self.received()) < count:
            assert time.monotonic() < deadline, self.endings()
            time.sleep(0.01)

    def received(self) -> dict[str, int]:
        answer = loopback.get(f"{self.facts['url']}/_emulator/received/counts")
        return dict(answer.json())

    def endings(self) -> list[str]:
        told = []
        for process in self.started:
            out, error = process.communicate(timeout=PATIENCE)
            told.append(
                json.loads(out)["ending"] if process.returncode == 0 else f"{process.returncode}{error}"
            )
        return told


@pytest.fixture
def site(url: str) -> Iterator[Site]:
    settings = EmulatorSettings(seed=3, send_latency=0.05, sent_after=None)
    emulator = Emulator(settings, clock=RealClock())
    channel = emulator.whapi.paired_channel("Campaigns")
    with serve_in_thread(emulator) as server:
        here = Site(server.facts(), channel.id, url)
        yield here
        for process in here.started:
            process.kill()
            process.wait()


@pytest.fixture
def everyone() -> dict[str, int]:
    return {f"1555{index:07d}": 1 for index in range(PEOPLE)}


def test_four_processes_send_to_everyone_exactly_once(
    site: Site, everyone: dict[str, int], open_ledger: Callable[..., Ledger]
) -> None:
    site.start()
    assert site.endings() == ["finished"] * PROCESSES
    assert site.received() == everyone
    ledger = open_ledger()
    record = ledger.find("shared")
    assert record is not None
    assert ledger.counts(record).to_dict() == {"accepted": PEOPLE}
    with ledger._database.transaction() as connection:
        senders = connection.execute(select(delivery.c.runner).distinct()).scalars().all()
    assert len(senders) == PROCESSES, "one sent nothing, so this shows less than it says"


def test_a_killed_process_leaves_few_in_doubt_and_nobody_twice_or_lost(
    site: Site, everyone: dict[str, int], open_ledger: Callable[..., Ledger]
) -> None:
    site.start()
    victim = site.started[0]
    moment = random.randint(1, PEOPLE // 2)
    site.wait_for(moment)
    victim.kill()
    endings = site.endings()
    assert endings[1:] == ["finished"] * (PROCESSES - 1), f"killed after {moment}: {endings}"

    ledger = open_ledger()
    record = ledger.find("shared")
    assert record is not None
    doubtful = {entry.recipient for entry in ledger.entries(record, DeliveryState.IN_DOUBT)}
    received = site.received()
    assert set(received.values()) == {1}, f"killed after {moment}: somebody got it twice"
    assert everyone.keys() - received.keys() <= doubtful, f"killed after {moment}: somebody was lost"
    assert len(doubtful) <= CONCURRENCY
    assert ledger.counts(record).to_dict().keys() <= {"accepted", "in_doubt"}
