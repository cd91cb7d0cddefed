"""What each way to fail means for the request that failed: the one table that the wire and the API client decide by.

One rule made it: of a request that must not be repeated, only what proves that nothing happened may say so.
What is not listed is held. A gateway that knows more of an answer says it in its own ``answers.py``, before this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from whatsapp_provider.errors import (
    ConfigurationError,
    CredentialRejectedError,
    Disposition,
    GatewayError,
    InputError,
    NoAnswerError,
    NotFoundError,
    NotReachedError,
    QuotaExceededError,
    RateLimitedError,
    RequestRejectedError,
    TemporarilyUnavailableError,
    WhatsAppError,
)


class Effect(StrEnum):
    """What repeating a request would do."""

    READ = "read"  #: nothing
    IDEMPOTENT = "idempotent"  #: nothing more than the first time
    ONCE = "once"  #: it would be done twice: sends, creations


ONCE = frozenset({Effect.ONCE})
REPEATABLE = frozenset({Effect.READ, Effect.IDEMPOTENT})


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one cause means.

    :param error: what is raised; it carries the disposition.
    :param because: why, as the documentation tells it.
    :param again: whether a request that may be repeated is worth another try in a moment.
    """

    error: type[WhatsAppError]
    because: str
    again: bool = True

    @property
    def disposition(self) -> Disposition:
        """What it means for a message that was being sent."""
        return self.error.disposition


@dataclass(frozen=True, slots=True)
class StatusRule:
    """What the statuses of some ranges mean, where its conditions hold.

    :param effects: of the requests that it is about.
    :param told_to_wait: it is only about answers with a ``Retry-After`` that can be read.
    :param adds: told after what the gateway said.
    """

    statuses: tuple[range, ...]
    error: type[GatewayError]
    because: str
    effects: frozenset[Effect] = ONCE | REPEATABLE
    told_to_wait: bool = False
    adds: str = ""

    def holds(self, status: int, effect: Effect, *, told_to_wait: bool) -> bool:
        """Whether the rule is about this answer."""
        return (
            effect in self.effects
            and (told_to_wait or not self.told_to_wait)
            and any(status in statuses for statuses in self.statuses)
        )


#: For whatever is listed nowhere below.
UNLISTED = Meaning(NoAnswerError, "nobody has shown that it proves anything")

#: While the request is put together: nothing can have been written yet. By the exception's name.
BUILDING: Mapping[str, Meaning] = {
    "InvalidURL": Meaning(ConfigurationError, "the address can't be used"),
    "ValueError": Meaning(InputError, "the request holds what can't be written"),
    "TypeError": Meaning(InputError, "the request holds what can't be written"),
}

_BEFORE = "raised before the first byte of the request is written"
_AFTER = "the request was written, or a part of it"
_MISUSE = "says nothing of what was written before"

#: During the exchange. By the name of httpx's exception, or by our own code in small letters.
EXCHANGE: Mapping[str, Meaning] = {
    "ConnectError": Meaning(NotReachedError, f"no address, no connection or no TLS: {_BEFORE}"),
    "ConnectTimeout": Meaning(NotReachedError, f"no connection in time: {_BEFORE}"),
    "PoolTimeout": Meaning(NotReachedError, f"no free connection in time: {_BEFORE}"),
    "ProxyError": Meaning(NotReachedError, f"the proxy refuses the tunnel: {_BEFORE}"),
    "pool_timeout": Meaning(NotReachedError, "no free place in our own pools in time"),
    "lease_ended": Meaning(
        NotReachedError, "the right to send ended before the head was written", again=False
    ),
    "UnsupportedProtocol": Meaning(ConfigurationError, "neither http nor https, seen before connecting"),
    "ReadTimeout": Meaning(NoAnswerError, f"silence: {_AFTER}"),
    "WriteTimeout": Meaning(NoAnswerError, _AFTER),
    "ReadError": Meaning(NoAnswerError, f"the connection broke: {_AFTER}"),
    "WriteError": Meaning(NoAnswerError, f"the connection broke: {_AFTER}"),
    "CloseError": Meaning(NoAnswerError, _MISUSE),
    "RemoteProtocolError": Meaning(NoAnswerError, f"the answer is none, or broke off: {_AFTER}"),
    "LocalProtocolError": Meaning(NoAnswerError, "may come after the head was written"),
    "DecodingError": Meaning(NoAnswerError, "an answer came that can't be unpacked"),
    "TooManyRedirects": Meaning(NoAnswerError, "not followed; were one, the request would have been sent"),
    "HTTPStatusError": Meaning(NoAnswerError, "not raised here; an answer came that is not in hand"),
    "InvalidURL": Meaning(NoAnswerError, "known while building; later, it is about something else"),
    "CookieConflict": Meaning(NoAnswerError, _MISUSE),
    "StreamConsumed": Meaning(NoAnswerError, _MISUSE),
    "StreamClosed": Meaning(NoAnswerError, _MISUSE),
    "ResponseNotRead": Meaning(NoAnswerError, _MISUSE),
    "RequestNotRead": Meaning(NoAnswerError, _MISUSE),
    "TimeoutError": Meaning(NoAnswerError, "the time for the whole exchange is over"),
    "lease_ended_midway": Meaning(
        NoAnswerError, "the right to send ended when the head was written and the body was not", again=False
    ),
    "unreadable": Meaning(NoAnswerError, "a 2xx whose body is not JSON proves nothing", again=False),
    "too_large": Meaning(NoAnswerError, "an answer without an end proves nothing", again=False),
}

_MAY = "The request may have been carried out."
_ELSEWHERE = "It points elsewhere, which is not followed; correct the URL of the connection (https?)."
_REDIRECTS, _SERVER = (range(100, 200), range(300, 400)), range(500, 1000)


def _one(status: int) -> tuple[range]:
    return (range(status, status + 1),)


#: By status; the first rule that holds decides.
STATUSES = (
    StatusRule(_one(429), RateLimitedError, "refused for now, by whoever counts requests"),
    StatusRule(
        _one(503),
        TemporarilyUnavailableError,
        "told when to come back, so nothing was done",
        told_to_wait=True,
    ),
    StatusRule(
        (*_one(408), _SERVER), NoAnswerError, "whoever is in front may have passed it on", ONCE, adds=_MAY
    ),
    StatusRule((*_one(408), _SERVER), TemporarilyUnavailableError, "worth another try", REPEATABLE),
    StatusRule(
        _REDIRECTS, NoAnswerError, "some carry a request out and then point elsewhere", ONCE, adds=_MAY
    ),
    StatusRule(_REDIRECTS, RequestRejectedError, "it would not be followed", REPEATABLE, adds=_ELSEWHERE),
    StatusRule(_one(401), CredentialRejectedError, "nobody's message would be taken"),
    StatusRule(_one(402), QuotaExceededError, "nobody's message would be taken"),
    StatusRule(_one(403), CredentialRejectedError, "unless a gateway says that it is about the recipient"),
    StatusRule(_one(404), NotFoundError, "the channel, until a gateway says that it is something else"),
    StatusRule(
        (range(400, 500),), RequestRejectedError, "the form of our request, which is the same for all"
    ),
)

#: For a status of no kind that HTTP knows.
UNLISTED_STATUS = StatusRule((), NoAnswerError, UNLISTED.because, adds=_MAY)


def failure(cause: str, told: str, *, status: int | None = None) -> WhatsAppError:
    """Return the error of an exchange that failed.

    :param cause: a key of :data:`EXCHANGE`; anything else is held.
    :param told: the text of the error.
    """
    error = EXCHANGE.get(cause, UNLISTED).error
    return (
        error(told, status=status, code=cause) if issubclass(error, GatewayError) else error(told, code=cause)
    )


def meaning_of_status(status: int, effect: Effect, *, told_to_wait: bool) -> StatusRule:
    """Return the rule for an answer that is not 2xx.

    :param told_to_wait: whether it has a ``Retry-After`` that can be read.
    """
    found = (rule for rule in STATUSES if rule.holds(status, effect, told_to_wait=told_to_wait))
    return next(found, UNLISTED_STATUS)


def worth_another_try(cause: str) -> bool:
    """Whether a request that may be repeated can fare better in a moment."""
    return EXCHANGE.get(cause, UNLISTED).again
