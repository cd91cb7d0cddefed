"""What Whapi's refusals mean (statuses and texts of the gate's and the manager's documentation)."""

from __future__ import annotations

from whatsapp_provider.errors import (
    CredentialRejectedError,
    GatewayError,
    NoAnswerError,
    NotConnectedError,
    NotFoundError,
    RecipientRejectedError,
    TemporarilyUnavailableError,
)
from whatsapp_provider.http import Effect, classify_status, explanation
from whatsapp_provider.transport import Answer

#: Texts of a 401 that mean "no phone is paired", not "your token is wrong" (seen by several clients).
_UNPAIRED = ("need channel authorization", "channel not authorized", "session terminated", "logged out")

#: Refusals of one message's file, by status and text: the next recipient may have another file.
_MEDIA = {
    400: ("media link is not available", "media_unavailable"),
    404: ("media with specified id", "media_not_found"),
    413: ("", "media_too_large"),
    415: ("", "media_unsupported"),
}

CHAT_NOT_FOUND = "chat_not_found"


def classify_gate(answer: Answer, effect: Effect, said: str) -> GatewayError:
    """Return the error of a gate answer."""
    text = _text(answer)
    status = answer.status
    if status == 401 and any(words in text for words in _UNPAIRED):
        return NotConnectedError(f"{said} Pair a phone with the channel.", status=status)
    if status == 403:
        return _forbidden(text, said)
    if status == 404 and "chat not found" in text:
        return NotFoundError(said, status=status, code=CHAT_NOT_FOUND)
    if effect is Effect.ONCE:
        if status == 400 and "/body/to " in text:
            # The validator names the field: only this recipient is at fault.
            return RecipientRejectedError(said, status=status, code="bad_recipient")
        words, code = _MEDIA.get(status, ("", ""))
        if code and words in text:
            return RecipientRejectedError(said, status=status, code=code)
    return classify_status(answer, effect, said)


def _text(answer: Answer) -> str:
    """Return what the gate itself says; the page of whoever stands before it may use any of its words."""
    try:
        answer.json()
    except NoAnswerError:
        return ""
    return explanation(answer).lower()


def _forbidden(text: str, said: str) -> GatewayError:
    # The gate documents 403 on sends as "forbidden to send to this group/recipient"; Cloudflare, in
    # front of it, uses the same status for a client it does not like.
    if "recipient" in text or "group" in text:
        return RecipientRejectedError(said, status=403, code="forbidden_recipient")
    return CredentialRejectedError(said, status=403)


def classify_manager(answer: Answer, effect: Effect, said: str) -> GatewayError:
    """Return the error of a manager answer."""
    if answer.status == 503 and "servers are currently busy" in _text(answer):
        # Documented for creating a channel: refused, so there is nothing in doubt.
        return TemporarilyUnavailableError(said, status=503, code="servers_busy")
    if answer.status == 401:
        mend = "The manager does not know the partner token: copy it anew into the connection (Password)."
        return CredentialRejectedError(f"{said} {mend}", status=401)
    return classify_status(answer, effect, said)
