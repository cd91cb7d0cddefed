"""What is wrong with a file that a URL names: what can be known, how bad it is, and how it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from whatsapp_provider.errors import InputError
from whatsapp_provider.media.addresses import Openings
from whatsapp_provider.media.kinds import ANY_FIT, Fit
from whatsapp_provider.media.urls import MediaUrl, shown


class Problem(StrEnum):
    """What can be wrong."""

    MALFORMED = "malformed"  #: not a URL of http or https that can be asked
    CREDENTIALS = "credentials"  #: it has a user or a password in it
    PORT = "port"  #: the port of another service
    PRIVATE = "private"  #: it leads to an address that is not public
    REDIRECTS = "redirects"  #: in a circle, or too many
    UNKNOWN_HOST = "unknown_host"
    UNREACHABLE = "unreachable"
    SILENT = "silent"  #: no answer in time
    MISSING = "missing"
    DENIED = "denied"  #: 401, 403 and their like
    UNWELL = "unwell"  #: 5xx, 429, or an answer that is none
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    WRONG_TYPE = "wrong_type"
    UNCLEAR_TYPE = "unclear_type"
    PLAIN_HTTP = "plain_http"


class Severity(StrEnum):
    """What a finding means for a plan."""

    REFUSE = "refuse"
    WARN = "warn"


#: What the gateway would meet, too. The rest may be this worker's own trouble, or over in a minute.
CERTAIN = frozenset(
    {
        Problem.MALFORMED,
        Problem.CREDENTIALS,
        Problem.PORT,
        Problem.PRIVATE,
        Problem.REDIRECTS,
        Problem.UNKNOWN_HOST,
        Problem.MISSING,
        Problem.DENIED,
        Problem.EMPTY,
        Problem.TOO_LARGE,
        Problem.WRONG_TYPE,
    }
)
_OF_A_PROXY = frozenset({Problem.UNKNOWN_HOST, Problem.UNREACHABLE, Problem.SILENT})
_PROXY = " A proxy is configured here, and files are looked at without it."


@dataclass(frozen=True, slots=True)
class MediaPolicy:
    """How files are looked at, and what is refused.

    :param fits: types and sizes by kind.
    :param refuse: problems that refuse a plan; the others warn.
    :param openings: private places that may be asked.
    :param needs_https: whether the gateway takes nothing else.
    :param most: distinct URLs that are looked at.
    :param seconds: bound for each URL, redirects included.
    :param total_seconds: after this time no further URL is begun.
    :param verify: check certificates: yes, no, or by the authorities in this file.
    :param proxied: the machine has a proxy. It is not used, so what can't be reached proves little.
    """

    fits: Mapping[str, Fit] = field(default_factory=lambda: ANY_FIT)
    refuse: frozenset[Problem] = CERTAIN
    openings: Openings = field(default_factory=Openings)
    needs_https: bool = False
    most: int = 100
    seconds: float = 10.0
    total_seconds: float = 120.0
    verify: bool | str = True
    proxied: bool = False

    def finding(self, one: MediaUrl, problem: Problem, told: str) -> MediaFinding:
        """Return a problem as it is reported."""
        severity = Severity.REFUSE if problem in self.refuse else Severity.WARN
        if self.proxied and problem in _OF_A_PROXY:
            severity, told = Severity.WARN, told + _PROXY
        return MediaFinding(shown(one.url), one.kind, problem, severity, told, one.place)


@dataclass(frozen=True, slots=True)
class MediaFinding:
    """One problem of one URL.

    :param url: without its query, user, numbers and tokens.
    :param told: what is wrong and what to do next.
    :param place: where the URL was met first.
    """

    url: str
    kind: str
    problem: Problem
    severity: Severity
    told: str
    place: str = ""

    def __str__(self) -> str:
        at = f"{self.place}: " if self.place else ""
        return f"{at}{self.kind} {self.url}: {self.told}"

    def to_dict(self) -> dict[str, str]:
        """Return plain data."""
        return {
            "url": self.url,
            "kind": self.kind,
            "problem": self.problem.value,
            "severity": self.severity.value,
            "told": self.told,
            "place": self.place,
        }


@dataclass(frozen=True, slots=True)
class MediaReport:
    """What a look at the files of a campaign found; holds nothing private.

    :param findings: in the order of the URLs.
    :param looked_at: distinct URLs.
    :param left_out: distinct URLs that were not looked at; at least so many where ``counted_all`` is not set.
    """

    findings: tuple[MediaFinding, ...] = ()
    looked_at: int = 0
    left_out: int = 0
    counted_all: bool = True

    @property
    def refusals(self) -> tuple[MediaFinding, ...]:
        """The findings that refuse a plan."""
        return tuple(one for one in self.findings if one.severity is Severity.REFUSE)

    @property
    def warnings(self) -> tuple[MediaFinding, ...]:
        """The other findings."""
        return tuple(one for one in self.findings if one.severity is Severity.WARN)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "looked_at": self.looked_at,
            "left_out": self.left_out,
            "counted_all": self.counted_all,
            "findings": [one.to_dict() for one in self.findings],
        }

    def require(self, *, most_told: int = 5) -> None:
        """Refuse what can't be sent.

        :raises InputError: with the first few refusals.
        """
        refusals = self.refusals
        if not refusals:
            return
        told = "\n".join(f"- {one}" for one in refusals[:most_told])
        more = f"\n… and {len(refusals) - most_told} more." if len(refusals) > most_told else ""
        raise InputError(f"Files that messages name can't be sent; nothing was sent.\n{told}{more}")
