"""However a run ends, no process of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.airflow_server import processes_with_marker
from whatsapp_provider.demo.errors import ComponentDiedError
from whatsapp_provider.demo.processes import Supervisor

# Leaves its session and its parent, takes another title, ignores SIGTERM: all that Airflow does and more.
ESCAPES = """
import os, signal, sys, time
from setproctitle import setproctitle
if os.fork():
    time.sleep(600)
os.setsid()
if os.fork():
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
setproctitle("nothing to see here " * 20)
open(sys.argv[1], "w").write("escaped")
time.sleep(600)
"""

TIDIES_UP = """
import signal, sys, time

def tidy(number, frame):
    time.sleep(0.8)
    open(sys.argv[1], "w").write("tidied up")
    sys.exit()

signal.signal(signal.SIGTERM, tidy)
open(sys.argv[2], "w").write("ready")
time.sleep(600)
"""

OWNER = """
import os, sys, time
from pathlib import Path
from whatsapp_provider.demo.processes import Supervisor
from whatsapp_provider.demo.signals import interruptible
from whatsapp_provider.demo.errors import InterruptedDemoError

folder = Path(sys.argv[1])
try:
    with interruptible(), Supervisor(folder, grace=2.0) as supervisor:
        for name in ("escapes", "tidies"):
            files = [str(folder / f"{name}.done"), str(folder / f"{name}.ready")]
            supervisor.start(name, [sys.executable, str(folder / f"{name}.py"), *files], os.environ)
        (folder / "run_id").write_text(supervisor.run_id)
        time.sleep(600)
except InterruptedDemoError as error:
    sys.exit(error.exit_code)
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "logs", grace=1.0) as supervisor:
        yield supervisor


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that owns a run: one component tries to escape, one needs a moment to end."""
    (tmp_path / "escapes.py").write_text(ESCAPES)
    (tmp_path / "tidies.py").write_text(TIDIES_UP)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], env=environment)
    ready = [tmp_path / name for name in ("escapes.done", "tidies.ready", "run_id")]
    wait_for(lambda: all(file.exists() for file in ready))
    yield process
    process.kill()
    process.wait()


def run_python(supervisor: Supervisor, source: str, *arguments: str):
    return supervisor.start("component", [sys.executable, "-c", source, *arguments], os.environ)


def wait_for(condition, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def test_stopping_kills_a_process_that_left_its_session_and_ignores_the_request(supervisor, tmp_path):
    escaped = tmp_path / "escaped"
    run_python(supervisor, ESCAPES, str(escaped))
    wait_for(escaped.exists)
    assert len(processes_with_marker(supervisor.run_id)) == 2
    supervisor.stop()
    assert processes_with_marker(supervisor.run_id) == []


def test_stopping_is_quick_when_every_component_obeys(tmp_path):
    with Supervisor(tmp_path, grace=60.0) as patient:
        run_python(patient, "import time; time.sleep(600)")
        started = time.monotonic()
        patient.stop()
        assert time.monotonic() - started < 20


def test_stopping_twice_is_the_same_as_once(supervisor):
    run_python(supervisor, "import time; time.sleep(600)")
    supervisor.stop()
    supervisor.stop()


def test_an_exception_in_the_block_stops_the_components_too(tmp_path):
    def fail_while_running() -> None:
        with Supervisor(tmp_path, grace=1.0) as supervisor:
            run_ids.append(supervisor.run_id)
            run_python(supervisor, "import time; time.sleep(600)")
            raise LookupError

    run_ids: list[str] = []
    with pytest.raises(LookupError):
        fail_while_running()
    assert processes_with_marker(run_ids[0]) == []


def test_a_component_that_died_is_named_with_its_last_words(supervisor):
    component = run_python(supervisor, "import sys; sys.exit('no more coffee')")
    component.process.wait()
    with pytest.raises(ComponentDiedError, match=r"component ended with exit code 1(.|\n)*no more coffee"):
        supervisor.check()


def test_a_component_that_was_killed_is_told_with_its_signal(supervisor):
    component = run_python(supervisor, "import time; time.sleep(600)")
    component.process.kill()
    component.process.wait()
    with pytest.raises(ComponentDiedError, match="was killed by SIGKILL"):
        supervisor.check()


def test_a_step_of_the_set_up_that_hangs_is_given_up_and_killed(supervisor):
    command = [sys.executable, "-c", "print('busy', flush=True); import time; time.sleep(600)"]
    with pytest.raises(ComponentDiedError, match=r"did not end within 3 s(.|\n)*busy"):
        supervisor.run("set-up", command, os.environ, timeout=3.0)
    supervisor.stop()
    assert processes_with_marker(supervisor.run_id) == []


def test_a_component_that_was_killed_can_be_started_again(supervisor):
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    supervisor.start("component", command, os.environ).process.kill()
    supervisor.components["component"].process.wait()
    supervisor.restart("component", command, os.environ)
    supervisor.check()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_owner_leaves_nothing_and_says_so_in_its_exit_code(owner, tmp_path, number):
    owner.send_signal(number)
    assert owner.wait(60) == 128 + number
    assert processes_with_marker((tmp_path / "run_id").read_text()) == []


def test_a_second_interrupt_does_not_cut_the_stop_short(owner, tmp_path):
    owner.send_signal(signal.SIGINT)
    time.sleep(0.3)
    owner.send_signal(signal.SIGINT)
    assert owner.wait(60) == 130
    assert (tmp_path / "tidies.done").exists()
    assert processes_with_marker((tmp_path / "run_id").read_text()) == []


def test_a_killed_owner_leaves_nothing_because_the_watchdog_sweeps(owner, tmp_path):
    owner.kill()
    owner.wait()
    run_id = (tmp_path / "run_id").read_text()
    wait_for(lambda: not processes_with_marker(run_id))
