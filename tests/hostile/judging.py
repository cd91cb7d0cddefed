"""The judge: what may come out of a call, by rules that know nothing of our parsers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from tests.hostile.calls import ACCEPTED, HELD, PHONE, TEXT, Call, Outcome, Said, Subject
from tests.hostile.server import HostileServer
from tests.hostile.typed import misfit
from whatsapp_provider.errors import Disposition, WhatsAppError

LONGEST_TEXT = 2_000  #: characters of an error; it goes into logs
LONGEST_CODE = 80  #: characters; what the ledger keeps
LONGEST_WAIT = 366 * 86_400.0
RETRY, SKIP, HALT, HOLD = Disposition.RETRY, Disposition.SKIP, Disposition.HALT, Disposition.HOLD


@dataclass(frozen=True, slots=True)
class Came:
    """What came out of a call: a result, or an exception."""

    result: Any = None
    error: BaseException | None = None

    @property
    def outcome(self) -> Outcome | None:
        """What it says of a message, ``None`` if it is no error of ours."""
        if self.error is None:
            return ACCEPTED
        return self.error.disposition if isinstance(self.error, WhatsAppError) else None


async def play(subject: Subject, server: HostileServer, call: Call, replaced: Mapping[str, Said]) -> Came:
    """Make a call of a server that answers some of its requests otherwise than was recorded."""
    server.play(call, replaced)
    try:
        return Came(await call.run(subject.open(server.wire)))
    except Exception as error:
        return Came(error=error)


def wrongs(
    subject: Subject, server: HostileServer, call: Call, replaced: Mapping[str, Said], came: Came
) -> list[str]:
    """Return what is wrong with what came out of a call, as sentences."""
    found = [f"{what} got a request" for what in server.elsewhere]
    if came.error is None:
        found += filter(None, [misfit(came.result, call.gives)])
    else:
        found += _errors_wrongs(subject, came.error)
    if call.sends:
        found += _send_wrongs(subject, server, call, replaced, came)
    return found


def _errors_wrongs(subject: Subject, error: BaseException) -> list[str]:
    if not isinstance(error, WhatsAppError):
        return [f"{type(error).__name__} came out"]
    text, found = str(error), []
    if len(text) > LONGEST_TEXT:
        found.append(f"its text has {len(text)} characters")
    if len(error.code) > LONGEST_CODE:
        found.append(f"its code has {len(error.code)} characters")
    if any(private in text for private in (*subject.secrets, PHONE, TEXT)):
        found.append("its text tells what is private")
    wait = error.retry_after
    if wait is not None and not (isfinite(wait) and 0 <= wait <= LONGEST_WAIT):
        found.append(f"it says to wait {wait} s")
    return found


def _send_wrongs(
    subject: Subject, server: HostileServer, call: Call, replaced: Mapping[str, Said], came: Came
) -> list[str]:
    sent, outcome = server.count(call.sends), came.outcome
    if sent > 1:
        return [f"it was sent {sent} times"]
    if sent == 0:
        # What could not be asked before it puts no message in doubt.
        return [] if outcome in {RETRY, HALT, SKIP} else [f"nothing was sent, and it is {outcome}"]
    said = replaced.get(call.sends or "", call.asks[call.sends or ""][0])
    may = permitted(subject, said)
    return [] if outcome in may else [f"the message is {outcome}, and may be {' or '.join(sorted(may))}"]


def permitted(subject: Subject, said: Said) -> frozenset[Outcome]:
    """Return what a message may be called after an answer; that it is in doubt may always be said.

    The table of DESIGN, decision 6: of what came back, only 429, a 503 that tells when to come back, and the rest of
    4xx but 408 prove by themselves that nothing was sent. All else is the gateway's to document.
    """
    status = said.status
    documented = subject.documented(status, strict_json(said)) | HELD
    if status == 429 or (status == 503 and _tells_when(said)):
        return documented | {RETRY}
    if 400 <= status < 500 and status != 408 and documented == HELD:
        return documented | {HALT}
    return documented


def strict_json(said: Said) -> Any:
    """Return what the standard says that the body is, ``None`` where it is nothing.

    No constants that JSON has not, no number beyond a float's, no key twice, nothing before but a mark of its
    encoding, nothing after.
    """
    if said.headers.get("content-encoding", "identity") in {"gzip", "deflate"}:
        return None
    try:
        return json.loads(
            said.content.decode("utf-8-sig"),
            parse_constant=_refuse,
            parse_float=_finite,
            object_pairs_hook=_once,
        )
    except (ValueError, RecursionError):
        return None


def _finite(token: str) -> float:
    number = float(token)
    if not isfinite(number):
        raise ValueError(token)
    return number


def _refuse(token: str) -> Any:
    raise ValueError(token)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _tells_when(said: Said) -> bool:
    return bool(said.headers.get("retry-after", "").strip())
