"""Chaos itself leaves nothing behind: not at its end, not at Ctrl-C, not when it is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
MARKER = "WHATSAPP_CHAOS_TEST"
PATIENCE = 60
FREEZE_AN_HOUR = """
import sys
from multiprocessing import get_context
from tests.chaos.frost import freeze
freezer = get_context("forkserver").Process(target=freeze, args=(int(sys.argv[1]), 3600.0))
freezer.start()
freezer.join()
"""


class Site:
    """A run of chaos in a folder of its own, whose processes are known by a variable that all inherit."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, folder.name
        self.process: subprocess.Popen[str] | None = None

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "tests.chaos",
            "--seed",
            "5",
            "--build",
            str(self.folder),
            *arguments,
        ]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, MARKER: self.name},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # What runs in the background, as CI may, is begun with Ctrl-C ignored, and hands that on.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - takes no lock
        )
        return self.process

    def left(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARKER) == self.name:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def until(self, what: str) -> None:
        """Wait until messages were sent, or until nothing is left."""
        log = self.folder / "chaos" / "sqlite-whapi" / "truth.jsonl"
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if (log.exists() and log.stat().st_size) if what == "sending" else not self.left():
                return
            time.sleep(0.05)
        pytest.fail(f"After {PATIENCE} s still not {what}.")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    here = Site(tmp_path)
    yield here
    for process in here.left():
        process.kill()


@pytest.mark.kill
def test_a_short_run_writes_its_figures_and_leaves_no_process(site: Site) -> None:
    out, _ = site.start("--kills", "3", "--recipients", "100", "--workers", "2").communicate(timeout=PATIENCE)
    figures = json.loads((site.folder / "chaos.json").read_text())
    assert (figures["twice"], figures["lost"], figures["unsettled"], figures["kills"]) == (0, 0, 0, 3), out
    assert figures["seed"] == 5
    site.until("gone")


@pytest.mark.kill
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_all(site: Site, number: signal.Signals) -> None:
    process = site.start("--kills", "1000", "--recipients", "5000")
    site.until("sending")
    os.killpg(process.pid, number) if number is signal.SIGINT else process.send_signal(number)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, out
    assert "Seed 5" in out.splitlines()[-1]
    site.until("gone")


def until_it_is(process: psutil.Process, *wanted: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.status() not in wanted:
        assert time.monotonic() < deadline, f"It is {process.status()}, not {wanted}."
        time.sleep(0.01)


@pytest.mark.kill
def test_a_frozen_worker_stands_still_and_goes_on_though_its_owner_was_killed() -> None:
    worker = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    owner = subprocess.Popen([sys.executable, "-c", FREEZE_AN_HOUR, str(worker.pid)], cwd=ROOT)
    try:
        seen = psutil.Process(worker.pid)
        until_it_is(seen, psutil.STATUS_STOPPED)
        owner.kill()
        owner.wait()
        until_it_is(seen, psutil.STATUS_RUNNING)
    finally:
        for process in (owner, worker):
            process.kill()
            process.wait()


@pytest.mark.kill
def test_nothing_outlives_a_controller_that_is_killed(site: Site) -> None:
    process = site.start("--kills", "1000", "--recipients", "5000")
    site.until("sending")
    process.kill()
    process.communicate(timeout=PATIENCE)
    site.until("gone")
