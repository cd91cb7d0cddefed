"""Why the demo could not go on, in words for the person who runs it.

DemoError
|-- ComponentDiedError     a process that should run has ended (its last lines are shown)
|-- DeadlineError          something did not happen in time
|-- RunFailedError         the DAG run ended in another state than success
|-- RestError              Airflow's REST API refused a request
|-- EmulatorError          the emulator did not start, or refused a request
|-- UnknownGatewayError    no such gateway in the demo
|-- ExamplesMissingError   the example DAGs are not installed
|-- LeftBehindError        a process could not be killed
`-- InterruptedDemoError   Ctrl-C, SIGTERM or a closed terminal
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping
from pathlib import Path


class DemoError(Exception):
    """Anything that ends the demo with a reason and a non-zero exit code."""

    exit_code = 1


class ComponentDiedError(DemoError):
    """A process that the run needs has ended by itself."""

    def __init__(self, name: str, how: str, tail: str) -> None:
        super().__init__(f"{name} {how}. Its last lines:\n{tail}")
        self.name = name


class DeadlineError(DemoError):
    """Something awaited did not happen in time."""

    def __init__(self, awaited: str, seconds: float, state: str = "") -> None:
        seen = f" Last seen: {state}." if state else ""
        super().__init__(f"{awaited} did not happen within {seconds:.0f} s.{seen}")


class RunFailedError(DemoError):
    """A DAG run ended, but not in success."""

    def __init__(self, run: str, state: str, tasks: Mapping[str, str] | None = None) -> None:
        detail = "".join(f"\n  {task}: {outcome}" for task, outcome in (tasks or {}).items())
        super().__init__(f"{run} ended as {state!r}.{detail}")


class RestError(DemoError):
    """Airflow's REST API answered with an error."""

    def __init__(self, method: str, path: str, status: int, body: str) -> None:
        super().__init__(f"{method} {path} was answered {status}: {body[:500]}")
        self.status = status


class EmulatorError(DemoError):
    """The emulator did not start, or its control API refused a request."""


class UnknownGatewayError(DemoError):
    """The demo has no gateway of this name."""

    exit_code = 2

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"There is no gateway {name!r} in the demo. Known: {', '.join(sorted(known))}.")


class ExamplesMissingError(DemoError):
    """The example DAGs are neither beside the package nor in it."""

    def __init__(self, looked_in: Iterable[Path]) -> None:
        places = " and ".join(str(place) for place in looked_in)
        super().__init__(f"No example DAGs found in {places}. Install the package again.")


class LeftBehindError(DemoError):
    """Processes of the run are still there after SIGKILL."""

    def __init__(self, pids: Iterable[int]) -> None:
        super().__init__(f"Still running after SIGKILL: {', '.join(map(str, pids))}.")


class InterruptedDemoError(DemoError):
    """The person, or the system, asked the demo to end."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(f"Interrupted by {number.name}.")
        self.exit_code = 128 + number
