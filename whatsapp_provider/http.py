"""ApiClient: one gateway's API over the wire, with retries for reads and never for a send.

Failures are classified where they are born, by the table in ``dispositions.py``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from whatsapp_provider.dispositions import Effect, meaning_of_status, worth_another_try
from whatsapp_provider.errors import ConfigurationError, Disposition, GatewayError, NoAnswerError
from whatsapp_provider.exchange import retry_after, told_wait
from whatsapp_provider.redaction import redact
from whatsapp_provider.transport import Answer, Form, Request, Timeouts, Wire, shared_wire

__all__ = [
    "ApiClient",
    "Classify",
    "Effect",
    "Sleep",
    "check_url",
    "classify_status",
    "explanation",
    "private_texts",
    "retry_after",
    "segment",
    "told_wait",
]

READ_ATTEMPTS = 3
LONGEST_EXPLANATION = 10_000  #: characters of what is searched for a gateway's words
LONGEST_PAGE = 5_000  #: bytes of a page in which a title is looked for, which takes their square in time
#: Where an error body says what is wrong.
_TELLING = ("error", "errors", "message", "details", "detail", "title", "response")
DEEPEST_TEXT = 12  #: levels of a body in which an explanation is looked for
LONGEST_OBEYED_WAIT = 30.0  #: seconds; a longer Retry-After is the caller's to wait for

#: Shorter texts of a request, such as a kind or a mode, may be quoted back, unless they stand under one of
#: the names of people's data: a one-time code is short.
QUOTED_CHARACTERS = 8
PRIVATE_KEYS = frozenset(
    {
        "apikey",
        "body",
        "caption",
        "chatId",
        "coupon_code",
        "email",
        "firstname",
        "fullName",
        "headers",
        "lastname",
        "message",
        "message_body",
        "number",
        "numbers",
        "password",
        "phone",
        "phoneNumber",
        "phone_number",
        "secret",
        "text",
        "to",
        "token",
    }
)
_PRIVATE_BEGINNINGS = ("field_", "header_field_", "button_")  #: of numbered names, such as ``field_1``
_SECRET_ENDINGS = ("password", "secret", "token")  #: of longer names, such as ``proxyPassword``

Classify = Callable[[Answer, Effect, str], GatewayError]
Sleep = Callable[[float], Awaitable[None]]


class ApiClient:
    """Talks to one base URL.

    :param base_url: with or without a path, e.g. ``https://api.example/v2``.
    :param label: how errors name the other side.
    :param headers: added to each request; the credential is here and nowhere else.
    :param secrets: values to strike out of whatever the other side says.
    :param classify: turns an answer that is not 2xx into an error; :func:`classify_status` by default.
    :param wire: pools of one's own, for tests; else the running loop's shared ones.
    :param sleep: waits between retries of a read.
    """

    def __init__(
        self,
        base_url: str,
        *,
        label: str,
        headers: Mapping[str, str],
        secrets: tuple[str, ...] = (),
        timeouts: Timeouts | None = None,
        classify: Classify | None = None,
        wire: Wire | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._base = check_url(base_url, label).rstrip("/")
        self._label = label
        self._headers = dict(headers)
        self._secrets = secrets
        self._timeouts = timeouts or Timeouts()
        self._classify = classify or classify_status
        self._wire = wire
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"ApiClient({self._label}, {self._base})"

    async def get(self, path: str, **options: Any) -> Any:
        """Read JSON; see :meth:`request`."""
        return (await self.request("GET", path, effect=Effect.READ, **options)).json()

    async def request(
        self,
        method: str,
        path: str,
        *,
        effect: Effect,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        form: Form | None = None,
        answer_within: float | None = None,
    ) -> Answer:
        """Make one request and return its 2xx answer; reads and idempotent changes are tried up to 3 times.

        :param path: beginning with ``/``, below the base URL.
        :param form: the body instead of ``json``, with files in it.
        :param answer_within: seconds to wait for the answer, where it differs from the client's.
        :raises GatewayError: for any other status, or none; its disposition says what is known.
        """
        bounds = self._timeouts
        if answer_within is not None:
            bounds = replace(bounds, read=answer_within)
        request = Request(method, self._base + path, self._headers, params or {}, json, form, bounds)
        if effect is Effect.ONCE:
            return await self._attempt(request, effect)
        retrying = AsyncRetrying(
            stop=stop_after_attempt(READ_ATTEMPTS),
            retry=retry_if_exception(_worth_another_try),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        return await retrying(self._attempt, request, effect)

    async def _attempt(self, request: Request, effect: Effect) -> Answer:
        wire = self._wire or shared_wire("{0.scheme}://{0.netloc}".format(urlsplit(self._base)))
        answer = await wire.exchange(request)
        if 200 <= answer.status < 300:
            return answer
        raise self._classify(answer, effect, self.said(answer, _told(request)))

    def said(self, answer: Answer, asked: Any = None) -> str:
        """Return who answered what, fit for a log, as a sentence.

        :param asked: the request's body; an answer that quotes a value of it must not bring it into a log.
        """
        told = redact(explanation(answer), secrets=(*self._secrets, *private_texts(asked)))
        return f"{self._label} answered {answer.status}: {told.rstrip('. ')}."


def _told(request: Request) -> Any:
    """Return the part of a request's body that an answer might quote."""
    return request.json if request.form is None else dict(request.form.fields)


def check_url(url: str, label: str) -> str:
    """Return an http(s) URL unchanged.

    :raises ConfigurationError: for anything else.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        usable = False
    # What stands before an @ may be a token, so the URL is quoted only where there is none.
    if usable and (parts.username or parts.password):
        raise ConfigurationError(f"{label}: put credentials into the connection's own fields, not its URL.")
    if not usable:
        shown = repr(url) if "@" not in url else "what is given"
        raise ConfigurationError(f"{label}: {shown} is not a URL; it must begin with http:// or https://.")
    if parts.query or parts.fragment:
        raise ConfigurationError(f"{label}: the URL must end before any '?' or '#'.")
    return url


def segment(value: str) -> str:
    """Return one part of a path, written so that it can't become another path.

    :raises ConfigurationError: if it is empty or dots.
    """
    if not value.strip("."):
        raise ConfigurationError(f"{value!r} is not an id.")
    return quote(value, safe="@")


def classify_status(answer: Answer, effect: Effect, said: str) -> GatewayError:
    """Return the error for an answer, by its status alone."""
    wait = retry_after(answer)
    rule = meaning_of_status(answer.status, effect, told_to_wait=wait is not None)
    told = f"{said} {rule.adds}" if rule.adds else said
    # Only what was refused for now has a use for the wait.
    may_wait = rule.error.disposition is Disposition.RETRY
    return rule.error(told, status=answer.status, retry_after=wait if may_wait else None)


def explanation(answer: Answer) -> str:
    """Return the human part of an error body, whichever of the usual shapes it has."""
    try:
        body = answer.json()
    except NoAnswerError:
        return _plain(answer.body[:LONGEST_PAGE].decode("utf-8", "replace")) or "an empty body"
    # Some say a thing twice, as what is wrong and as its explanation.
    return " ".join(dict.fromkeys(_texts(body)))[:LONGEST_EXPLANATION] or "no explanation"


def _plain(page: str) -> str:
    """Return the title of an HTML page, or all of its text."""
    title = re.search(r"(?is)<title[^>]*>(.*?)</title>", page)
    if title and title.group(1).strip():
        return title.group(1).strip()
    return re.sub(r"(?is)<(script|style)\b.*?(</\1>|$)|<[^>]*>", " ", page).strip()


def _texts(value: Any, depth: int = DEEPEST_TEXT) -> list[str]:
    if isinstance(value, str):
        return [value]
    if not depth:
        return []
    if isinstance(value, list):
        return [text for item in value for text in _texts(item, depth - 1)]
    if isinstance(value, dict):
        told = [text for key in _TELLING if key in value for text in _texts(value[key], depth - 1)]
        fields = value.get("errors")
        if isinstance(fields, dict) and not fields.keys() & set(_TELLING):
            # A validation's complaints stand under the names of fields.
            told += _texts(list(fields.values()), depth - 1)
        return told
    return []


def _is_private(key: str) -> bool:
    return key in PRIVATE_KEYS or key.startswith(_PRIVATE_BEGINNINGS) or key.lower().endswith(_SECRET_ENDINGS)


def private_texts(value: Any, *, named: bool = False) -> list[str]:
    """Return the texts of a JSON value that must not be told.

    :param named: whether the value stands under a name of :data:`PRIVATE_KEYS`.
    """
    if isinstance(value, str):
        return [value] if named or len(value) >= QUOTED_CHARACTERS else []
    if isinstance(value, dict):
        return [
            text
            for key, item in value.items()
            for text in private_texts(item, named=named or _is_private(key))
        ]
    items = value if isinstance(value, list) else ()
    return [text for item in items for text in private_texts(item, named=named)]


def _worth_another_try(error: BaseException) -> bool:
    return (
        isinstance(error, GatewayError)
        and error.is_transient
        and (error.retry_after or 0.0) <= LONGEST_OBEYED_WAIT
        and worth_another_try(error.code)
    )


_backoff = wait_random_exponential(multiplier=0.5, max=8.0)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    told = error.retry_after if isinstance(error, GatewayError) else None
    return told if told is not None else _backoff(state)
