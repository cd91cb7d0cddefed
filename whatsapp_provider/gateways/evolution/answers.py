"""What an Evolution server's refusals mean (answers captured from 2.3.6, source of 1.8)."""

from __future__ import annotations

import re

from whatsapp_provider.errors import (
    CredentialRejectedError,
    GatewayError,
    NameTakenError,
    NoAnswerError,
    NotConnectedError,
    NotFoundError,
    RecipientRejectedError,
    RequestRejectedError,
    TemporarilyUnavailableError,
)
from whatsapp_provider.gateways import meta
from whatsapp_provider.http import Classify, Effect, classify_status, explanation
from whatsapp_provider.transport import Answer

INSTANCE_MISSING = "instance_missing"
NO_SUCH_ROUTE = "no_such_route"
NOT_AVAILABLE = "not_available"
OPAQUE = "opaque"  #: an inner failure that the server made a text of, and lost on the way

#: A missing instance, by its two guards: that of its routes and that of the list.
_MISSING = re.compile(r'the "[^"]*" instance does not exist|instance "[^"]*" not found')
#: The client of WhatsApp's network is only made when a phone is paired for the first time.
_NEVER_PAIRED = re.compile(
    r"reading '(onwhatsapp|groupfetchallparticipating|groupmetadata|profilepictureurl|user)'"
)
#: Of these, what a send asks for first; a failure at anything else may come after the message has left.
_BEFORE_SENDING = {"onwhatsapp"}
#: An exception of the server's own code or of its database, turned into a 400: it does not say what was done.
_EXCEPTION = re.compile(r"error: |invocation in|unique constraint|\[object object\]|cannot read properties")
#: Refusals of one message's file before anything is sent: the next recipient may have another file.
_MEDIA = {
    "owned media must be a url or base64": "media_unavailable",
    "unsupported image format": "media_unsupported",
}


def classifier(key: str) -> Classify:
    """Return the classification of answers to requests with one key.

    :param key: what the key is called in the connection's form.
    """

    def classify(answer: Answer, effect: Effect, said: str) -> GatewayError:
        if " invocation in" in said:  # what follows is the server's source
            said = f"{said.partition(' invocation in')[0]}."
        status, text = answer.status, explanation(answer).lower()
        if status == 401:
            return CredentialRejectedError(
                f"{said} It refuses the {key}; copy it anew into the connection.", status=status
            )
        if status == 403 and "already in use" in text:
            return NameTakenError(said, status=status, code="name_in_use")
        if status == 404:
            return _missing(answer, text, said)
        if status in {400, 500}:
            found = _known(answer, effect, text, said)
            if found is not None:
                return found
        return classify_status(answer, effect, said)

    return classify


def is_missing(error: GatewayError) -> bool:
    """Whether the server says that it has no such instance."""
    return error.code == INSTANCE_MISSING


def _missing(answer: Answer, text: str, said: str) -> GatewayError:
    if _MISSING.search(text):
        return NotFoundError(said, status=404, code=INSTANCE_MISSING)
    if not _is_envelope(answer):
        return RequestRejectedError(
            f"{said} No Evolution server says it so: another program answers there. Mend the server URL of the "
            "connection.",
            status=404,
            code="another_program",
        )
    if "cannot " in text:
        return RequestRejectedError(
            f"{said} This server has no such route; is the connection's API version that of the server?",
            status=404,
            code=NO_SUCH_ROUTE,
        )
    return NotFoundError(said, status=404)


def _known(answer: Answer, effect: Effect, text: str, said: str) -> GatewayError | None:
    """Return the error of a refusal with a status that by itself says nothing."""
    status = answer.status
    if answer.json_or_none() is None:  # a page of whoever stands before the server may use any of its words
        return _in_doubt(status, effect, text, said, code="server_exception")
    if (refused := _of_templates(answer, effect, said)) is not None:
        return refused
    if _is_not_on_whatsapp(answer):
        return RecipientRejectedError(
            f"{said} The number is not on WhatsApp.", status=status, code="not_on_whatsapp"
        )
    unpaired = _NEVER_PAIRED.search(text)
    if unpaired and (effect is not Effect.ONCE or unpaired[1] in _BEFORE_SENDING):
        return NotConnectedError(f"{said} No phone was ever paired: pair one.", status=status)
    if "connection closed" in text:
        return _closed(effect, status, said)
    if "method not available" in text:
        return RequestRejectedError(
            f"{said} The integration of this instance can't do that.", status=status, code=NOT_AVAILABLE
        )
    for words, code in _MEDIA.items():
        if words in text and effect is Effect.ONCE:
            return RecipientRejectedError(said, status=status, code=code)
    code = OPAQUE if "[object object]" in text else "server_exception"
    return _in_doubt(status, effect, text, said, code=code)


def _in_doubt(status: int, effect: Effect, text: str, said: str, *, code: str) -> GatewayError | None:
    if status != 400 or effect is not Effect.ONCE:
        return None
    if "connection closed" in text:
        return _closed(effect, status, said)
    if not _EXCEPTION.search(text):
        return None
    # Caught around the whole of the work: what was done before it is not told.
    return NoAnswerError(f"{said} The request may have been carried out.", status=status, code=code)


def _of_templates(answer: Answer, effect: Effect, said: str) -> GatewayError | None:
    """Return the error of a template's route, which has an envelope of its own around what Meta said."""
    body = answer.json_or_none()
    details = body.get("details") if isinstance(body, dict) else None
    code = details.get("whatsapp_code") if isinstance(details, dict) else None
    if meta.is_code(code):
        return meta.refusal(code, said, status=answer.status, what="template")
    if code is None or "connection error" not in said.lower():
        return None
    kind = NoAnswerError if effect is Effect.ONCE else TemporarilyUnavailableError
    return kind(f"{said} The server did not reach Meta.", status=answer.status, code="meta_not_reached")


def _closed(effect: Effect, status: int, said: str) -> GatewayError:
    told = f"{said} The instance has lost its connection to WhatsApp; look at its state, restart it or pair it anew."
    if effect is Effect.ONCE:
        # Seen after the loss and in it: it does not prove that nothing left.
        return NoAnswerError(
            f"{told} The request may have been carried out.", status=status, code="connection_closed"
        )
    return TemporarilyUnavailableError(told, status=status, code="connection_closed")


def _is_envelope(answer: Answer) -> bool:
    """Whether an error has the server's own form, ``{"status", "error", "response": {"message": …}}``."""
    body = answer.json_or_none()
    response = body.get("response") if isinstance(body, dict) else None
    return isinstance(response, dict) and "message" in response


def _is_not_on_whatsapp(answer: Answer) -> bool:
    body = answer.json_or_none()
    response = body.get("response") if isinstance(body, dict) else None
    told = response.get("message") if isinstance(response, dict) else None
    return (
        isinstance(told, list)
        and bool(told)
        and all(isinstance(item, dict) and item.get("exists") is False for item in told)
    )
