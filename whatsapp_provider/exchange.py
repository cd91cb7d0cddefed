"""What goes over the wire and comes back: plain data, which knows no HTTP client."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from math import isfinite
from time import time
from typing import Any

from whatsapp_provider.dispositions import failure
from whatsapp_provider.errors import NoAnswerError

LONGEST_WAIT = 30 * 86_400.0  #: seconds; whoever tells of a longer wait is asked again after so long


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds in seconds: to connect, between bytes read, between bytes written, to get a connection."""

    connect: float = 10.0
    read: float = 30.0
    write: float = 30.0
    pool: float = 10.0

    @property
    def exchange(self) -> float:
        """Bound of one exchange as a whole, however slowly its bytes drip."""
        return self.connect + self.write + self.read

    @property
    def total(self) -> float:
        """Seconds after which a request has been answered or given up, the wait for a place included."""
        return self.pool + self.exchange


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a form."""

    filename: str
    content: bytes = field(repr=False)
    content_type: str


@dataclass(frozen=True, slots=True)
class Form:
    """A body of fields and files, as browsers send them (``multipart/form-data``)."""

    fields: Mapping[str, str] = field(repr=False)
    files: Mapping[str, Upload] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """One request; the body is JSON, or a form."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    form: Form | None = field(default=None, repr=False)
    timeouts: Timeouts = field(default_factory=Timeouts)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, whatever its status. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Return the decoded body.

        :raises NoAnswerError: if it is not JSON, has a number that is none, or a key twice, so that it says two
            things at once; on a send this is ``hold``.
        """
        try:
            return json.loads(
                self.body.decode("utf-8-sig"),
                parse_float=_finite,
                parse_constant=_finite,
                object_pairs_hook=_each_once,
            )
        except (ValueError, RecursionError):  # among the first, what is no UTF-8
            kind = self.headers.get("content-type", "no content type")
            raise failure(
                "unreadable",
                f"answered {self.status} with {len(self.body)} bytes of {kind} that are not JSON; "
                "is the URL of the connection that of the API?",
                status=self.status,
            ) from None

    def json_or_none(self) -> Any:
        """Return the decoded body, ``None`` for what is no JSON."""
        try:
            return self.json()
        except NoAnswerError:
            return None


def _finite(token: str) -> float:
    number = float(token)
    if not isfinite(number):
        raise ValueError(token)
    return number


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def retry_after(answer: Answer, *, now: Callable[[], float] = time) -> float | None:
    """Return the seconds of a ``Retry-After`` header, given as seconds or as a date."""
    value = answer.headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now()
        except (ValueError, OverflowError):
            return None
    return told_wait(seconds)


def told_wait(seconds: float) -> float | None:
    """Return a wait that a gateway told, within what a clock can add; ``None`` for a number that is none."""
    return min(max(0.0, seconds), LONGEST_WAIT) if isfinite(seconds) else None
