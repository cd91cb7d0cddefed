"""Run checks side by side, each for a bounded time, and keep their order."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from time import monotonic

from whatsapp_provider.cli.doctor.findings import Finding, Topic

log = logging.getLogger(__name__)
#: For an answer that says itself that it took too long.
_GRACE = 0.5


@dataclass(frozen=True, slots=True)
class Check:
    """A check and what it is about.

    :param look: given the seconds it may take, yields findings as they are made.
    """

    topic: Topic
    look: Callable[[float], Iterator[Finding]]


@dataclass
class _Look:
    check: Check
    seconds: float
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        # A daemon: a look that hangs in a driver must not keep the process from ending.
        self.thread = Thread(target=self._run, name=f"doctor: {self.check.topic.name}", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            for finding in self.check.look(self.seconds):
                self.findings.append(finding)
        except Exception as error:  # one broken check must not hide what the others find
            log.debug("A check failed", exc_info=True)
            self.findings.append(_unexpected(self.check.topic, error))

    def until(self, deadline: float) -> list[Finding]:
        self.thread.join(max(0.0, deadline - monotonic()))
        if not self.thread.is_alive():
            return self.findings
        late = self.check.topic.problem(
            "time",
            f"This did not end within {self.seconds:g} s; what was found until then stands above.",
            "Is it behind a firewall, down, or locked? A longer --timeout gives it more time.",
        )
        return [*self.findings, late]


def look(checks: Sequence[Check], seconds: float) -> list[Finding]:
    """Return what all checks find, in the order of the checks, after at most ``seconds`` and a moment."""
    looks = [_Look(check, seconds) for check in checks]
    deadline = monotonic() + seconds + _GRACE
    return [finding for each in looks for finding in each.until(deadline)]


def _unexpected(topic: Topic, error: Exception) -> Finding:
    # The text of a foreign error may quote a password.
    place = traceback.extract_tb(error.__traceback__)[-1]
    return topic.problem(
        "check",
        f"The check itself failed: {type(error).__name__} at {Path(place.filename).name}:{place.lineno}.",
        "With [logging] logging_level = DEBUG the log has the rest.",
    )
