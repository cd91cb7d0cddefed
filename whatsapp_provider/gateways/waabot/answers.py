"""What refusals of the Bots API mean.

Its pages tell no error. Texts and statuses are those of the open-source server that it is built on and of its
author's other servers; which of them come through is not known, so a text counts whatever its status, if it is exactly
that text, and all else is left to the general table.
"""

from __future__ import annotations

from typing import Any

from whatsapp_provider.errors import (
    CredentialRejectedError,
    GatewayError,
    NoAnswerError,
    NotConnectedError,
    RecipientRejectedError,
    RequestRejectedError,
)
from whatsapp_provider.http import Effect, classify_status
from whatsapp_provider.transport import Answer

UNKNOWN_PAIR = "unknown_pair"
NOT_LOGGED_IN = "not_logged_in"

#: Each is said before anything is sent.
_TEXTS: dict[str, tuple[type[GatewayError], str, str]] = {
    "phone isn't connected": (NotConnectedError, "not_connected", "Pair a phone with the bot."),
    "invalid key supplied": (
        CredentialRejectedError,
        UNKNOWN_PAIR,
        "The bot of this session id and access token is not there, or was not started.",
    ),
    "no key query was present": (CredentialRejectedError, UNKNOWN_PAIR, "It missed the bot's session id."),
    "oops! you are not an authorized user, kindly login": (
        CredentialRejectedError,
        NOT_LOGGED_IN,
        "The account token has ended or is wrong: fill in a new one (Password) with its refresh token.",
    ),
    "no account exists": (RecipientRejectedError, "not_on_whatsapp", "The number is not on WhatsApp."),
}
_DEEPEST = 2  #: the API hands on the inner server's answer as its own ``data``


def classify(answer: Answer, effect: Effect, said: str, *, text: str | None = None) -> GatewayError:
    """Return the error of an answer that refuses.

    :param text: what a 2xx refuses with in its body.
    """
    texts = [text] if text is not None else _texts(answer.json_or_none())
    for words in texts:
        if (known := _TEXTS.get(_plain(words))) is not None:
            error, code, advice = known
            return error(f"{said} {advice}", status=answer.status, code=code)
    if 200 <= answer.status < 300:
        return NoAnswerError(
            f"{said} It says that something failed, and not what was done before that.",
            status=answer.status,
            code="refused_in_2xx",
        )
    if answer.status == 404 and not isinstance(answer.json_or_none(), dict):
        return RequestRejectedError(
            f"{said} No such route is there; mend the base URL of the connection (Host).",
            status=404,
            code="no_such_route",
        )
    return classify_status(answer, effect, said)


def refusal_in(answer: Answer) -> str | None:
    """Return the text with which a 2xx refuses in its body; ``None`` where it does not.

    Empty where it says in one place that it was done and in another why it was not: that proves neither.
    """
    inner: Any = answer.json_or_none()
    for _ in range(_DEEPEST + 1):
        texts = _texts(inner)
        known = next((text for text in texts if _plain(text) in _TEXTS), None)
        if isinstance(inner, dict) and (inner.get("status") is False or inner.get("error") is True):
            return known or next(iter(texts), "")
        if known is not None:
            return ""
        if not isinstance(inner, dict):
            return None
        inner = inner.get("data")
    return None


def _texts(body: Any) -> list[str]:
    """Return what an error envelope says: ``{"status": false, "message": …, "error": …}``."""
    if isinstance(body, str):
        return [body]
    if not isinstance(body, dict):
        return []
    found = [body.get(name) for name in ("error", "message")]
    found += [inner.get("message") for inner in found if isinstance(inner, dict)]
    return [text for text in found if isinstance(text, str) and text]


def _plain(text: str) -> str:
    return text.strip().rstrip(".!").lower()
