"""Starting components and making sure that none of them outlives the run.

Four things stop a run, and each is covered: the end of the ``with`` block and an exception in it
(:meth:`Supervisor.stop`), Ctrl-C and SIGTERM (:mod:`whatsapp_provider.demo.signals`),
and a SIGKILL of the owner (the watchdog, a process of its own).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from whatsapp_provider.demo.errors import ComponentDiedError, LeftBehindError
from whatsapp_provider.demo.marker import find_marked, marked_environment, sweep
from whatsapp_provider.demo.signals import uninterrupted
from whatsapp_provider.demo.watchdog import ALL_STOPPED

_TAIL_LINES = 25
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Component:
    """One started process and the file that its output goes to."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self, lines: int = _TAIL_LINES) -> str:
        """Return the last lines that the component wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Supervisor:
    """Owns the processes of one run: starts them, watches them, and leaves none behind.

    ``grace`` is how long a component may take to end by itself. An idle Airflow's scheduler and API
    server take one to three seconds, its triggerer eleven: it waits ten for a child that doesn't listen.
    """

    def __init__(self, log_folder: Path, *, grace: float = 4.0) -> None:
        self.run_id = uuid.uuid4().hex
        self.log_folder = log_folder
        self.components: dict[str, Component] = {}
        self._grace = grace
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._pipe = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that every process of this run must inherit."""
        return marked_environment(self.run_id)

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
    ) -> Component:
        """Start a component in a session of its own, its output in ``<log_folder>/<name>.log``."""
        self._start_watchdog()
        self.log_folder.mkdir(parents=True, exist_ok=True)
        log = self.log_folder / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - the caller's own command, no shell
                list(command),
                env={**environment, **self.environment},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        component = Component(name, process, log)
        self.components[name] = component
        return component

    def run(self, name: str, command: Sequence[str], environment: Mapping[str, str], timeout: float) -> None:
        """Run a command of the set-up to its end; a failure shows what it wrote."""
        component = self.start(name, command, environment)
        try:
            status = component.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ComponentDiedError(name, f"did not end within {timeout:.0f} s", component.tail()) from None
        finally:
            del self.components[name]
        if status != 0:
            raise ComponentDiedError(name, describe_exit(status), component.tail())

    def check(self) -> None:
        """Raise :class:`ComponentDiedError` when a component that should be running has ended."""
        for component in self.components.values():
            status = component.process.poll()
            if status is not None:
                raise ComponentDiedError(component.name, describe_exit(status), component.tail())

    def restart(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Component:
        """Start a component again after a test has killed it; its log goes on in the same file."""
        component = self.components.pop(name)
        if component.process.poll() is None:
            self.components[name] = component
            message = f"{name} is still running: kill it before starting it again"
            raise RuntimeError(message)
        return self.start(name, command, environment)

    def processes(self) -> list[psutil.Process]:
        """Return every living process of this run, the descendants of its components too."""
        return find_marked(self.run_id)

    def stop(self) -> None:
        """Ask all to end, wait for a bounded time, kill what remains. Safe to call twice."""
        with uninterrupted():
            self._ask_to_end()
            self._wait_until_gone()
            remaining = sweep(self.run_id)
            self._reap()
            self._release_watchdog()
        if remaining:
            raise LeftBehindError(remaining)

    def _ask_to_end(self) -> None:
        for component in self.components.values():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(component.process.pid, signal.SIGTERM)

    def _wait_until_gone(self) -> None:
        until = time.monotonic() + self._grace
        running = [component.process for component in self.components.values()]
        while running and time.monotonic() < until:
            running = [process for process in running if process.poll() is None]
            time.sleep(_POLL_SECONDS)

    def _reap(self) -> None:
        for component in self.components.values():
            component.process.wait()
        self.components.clear()

    def _start_watchdog(self) -> None:
        if self._watchdog is not None:
            return
        reading, self._pipe = os.pipe()
        module = "whatsapp_provider.demo.watchdog"
        self._watchdog = subprocess.Popen(  # noqa: S603 - this interpreter, this package
            [sys.executable, "-m", module, self.run_id, str(reading), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(reading,),
            start_new_session=True,
        )
        os.close(reading)

    def _release_watchdog(self) -> None:
        if self._watchdog is None:
            return
        with suppress(BrokenPipeError):
            os.write(self._pipe, ALL_STOPPED)
        os.close(self._pipe)
        self._watchdog.wait()
        self._watchdog = None


def describe_exit(status: int) -> str:
    """Say in words how a process ended."""
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with exit code {status}"
