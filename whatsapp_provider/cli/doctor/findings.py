"""What was looked at, and what is to be thought of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How good it is."""

    OK = "ok"
    WARNING = "warning"  #: works, or may be meant
    PROBLEM = "problem"  #: something does not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. Holds no token and no phone number.

    :param topic: what it belongs to, e.g. ``connection whatsapp_default``.
    :param looked_at: the part of it.
    :param found: in one or two sentences.
    :param advice: what to do next, where there is something to do.
    """

    topic: str
    looked_at: str
    verdict: Verdict
    found: str
    advice: str = ""

    def __post_init__(self) -> None:
        """End what was found as a sentence: it may be a gateway's own words."""
        if not self.found.endswith((".", "?", "!", "…")):
            object.__setattr__(self, "found", f"{self.found}.")

    def to_dict(self) -> dict[str, str]:
        """Return it as JSON takes it."""
        return {**asdict(self), "verdict": self.verdict.value}


@dataclass(frozen=True, slots=True)
class Topic:
    """Makes the findings of one topic."""

    name: str

    def ok(self, looked_at: str, found: str, advice: str = "") -> Finding:
        """Return what is as it should be."""
        return Finding(self.name, looked_at, Verdict.OK, found, advice)

    def warning(self, looked_at: str, found: str, advice: str = "") -> Finding:
        """Return what may be meant, and may not."""
        return Finding(self.name, looked_at, Verdict.WARNING, found, advice)

    def problem(self, looked_at: str, found: str, advice: str = "") -> Finding:
        """Return what does not work."""
        return Finding(self.name, looked_at, Verdict.PROBLEM, found, advice)


def is_healthy(findings: Iterable[Finding]) -> bool:
    """Tell whether there is no problem; warnings are none."""
    return all(finding.verdict is not Verdict.PROBLEM for finding in findings)
