"""What WhatsCloud's refusals mean.

Sources: error tables of the vendor's API reference and of other white labels of the same product; Meta's codes where
they show through. How a refusal of Meta's is wrapped no source shows, so it is looked for wherever it can be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import nan
from typing import Any

from whatsapp_provider.errors import (
    CredentialRejectedError,
    Disposition,
    GatewayError,
    NameTakenError,
    NotFoundError,
    QuotaExceededError,
    RateLimitedError,
    RecipientRejectedError,
    RequestRejectedError,
)
from whatsapp_provider.gateways import meta
from whatsapp_provider.http import Classify, Effect, classify_status, explanation, retry_after, told_wait
from whatsapp_provider.transport import Answer

NO_SUCH_ROW = "no_such_row"
UNKNOWN_TENANT = "unknown_tenant"

#: Meta's code as its messages begin with it, where a text is all that was handed on.
_META_TEXT = re.compile(r"\s*\(#(\d{1,6})\)")
_ABILITY = re.compile(r"required ability:?\s*([\w.:-]{1,60})", re.IGNORECASE)
_ROW_MISSING = re.compile(
    r"(contact|status|source|groups?|template|template bot|message bot|message) not found"
)
#: Fields of a send that only say whom it is for.
_RECIPIENT_FIELDS = ("phone_number", "contact.")


def classifier(conn_id: str, tenant: str) -> Classify:
    """Return the classification of answers to requests of one connection."""

    def classify(answer: Answer, effect: Effect, said: str) -> GatewayError:
        status, body = answer.status, answer.json_or_none()
        if status >= 400 and (code := meta_code(body)) is not None:
            return refused_by_meta(code, said, answer, body)
        if status == 429:
            return RateLimitedError(said, status=status, retry_after=asked_wait(answer, body))
        text = explanation(answer).lower()
        if status == 400 and "invalid tenant" in text:
            return NotFoundError(
                f"{said} WhatsCloud knows no tenant {tenant!r}; mend the tenant of connection {conn_id!r}.",
                status=status,
                code=UNKNOWN_TENANT,
            )
        if status == 401:
            return CredentialRejectedError(
                f"{said} Copy the API token anew into connection {conn_id!r} (Password); a token that was "
                "generated later has ended the one before.",
                status=status,
            )
        known = _KNOWN.get(status)
        found = known(text, body, effect, said) if known else None
        return found or classify_status(answer, effect, said)

    return classify


def meta_code(body: Any) -> int | None:
    """Return the code of an error of Meta's in a body: as its object, or as a text that begins with ``(#131047)``."""
    if not isinstance(body, Mapping):
        return None
    data = body.get("data")
    wrapped = data.get("whatsapp_response") if isinstance(data, Mapping) else None
    for place in (body, wrapped):
        if (found := meta.found_in(place)) is not None:
            return found[0]
    if body.get("status") == "error":
        for text in (body.get("message"), body.get("errors"), body.get("error")):
            if isinstance(text, str) and (told := _META_TEXT.match(text)):
                return int(told[1])
    return None


def refused_by_meta(code: int, said: str, answer: Answer, body: Any) -> GatewayError:
    """Return the error for a code of Meta's that was handed on.

    :param said: what was answered, fit for a log.
    """
    error = meta.refusal(code, said, status=answer.status)
    if error.disposition is Disposition.RETRY and (told := asked_wait(answer, body)) is not None:
        error.retry_after = max(told, error.retry_after or 0.0)
    return error


def asked_wait(answer: Answer, body: Any) -> float | None:
    """Return the seconds to wait: ``retry_after`` of the body, else the header's."""
    value = body.get("retry_after") if isinstance(body, Mapping) else None
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            seconds = float(value)
        except (ValueError, OverflowError):
            seconds = nan
        if seconds >= 0 and (wait := told_wait(seconds)) is not None:
            return wait
    return retry_after(answer)


def _forbidden(text: str, body: Any, effect: Effect, said: str) -> GatewayError:
    if ability := _ABILITY.search(said):  # which is fit for a log
        return CredentialRejectedError(
            f"{said} Give the token the ability {ability[1].rstrip('.')} on WhatsCloud's API settings page, and save.",
            status=403,
            code="missing_ability",
        )
    if "limit exceeded" in text or "quota" in text or "upgrade" in text:
        return QuotaExceededError(said, status=403, code="plan_limit")
    # A page of whoever stands before the product may use any words.
    if effect is Effect.ONCE and _is_envelope(body) and re.search(r"opted[ _-]out", text):
        return RecipientRejectedError(said, status=403, code="opted_out")
    return CredentialRejectedError(
        f"{said} Is API access switched on in WhatsCloud's settings, and has the token the abilities it needs?",
        status=403,
    )


def _missing(text: str, body: Any, _effect: Effect, said: str) -> GatewayError | None:
    if _is_envelope(body) and _ROW_MISSING.search(text):
        return NotFoundError(said, status=404, code=NO_SUCH_ROW)
    if _is_envelope(body):
        return None
    return RequestRejectedError(
        f"{said} There is no such call: the API URL of the connection is wrong, or this version of WhatsCloud lacks "
        "it.",
        status=404,
        code="no_such_route",
    )


def _invalid(text: str, body: Any, effect: Effect, said: str) -> GatewayError | None:
    fields = invalid_fields(body)
    if "already been taken" in text:
        return NameTakenError(said, status=422, code="taken")
    if effect is Effect.ONCE and fields and all(field.startswith(_RECIPIENT_FIELDS) for field in fields):
        # The validator refuses before anything is done, and nothing but the recipient is wrong.
        return RecipientRejectedError(said, status=422, code="bad_recipient")
    return None


def _too_large(_text: str, _body: Any, effect: Effect, said: str) -> GatewayError | None:
    # Said by what stands in front of the product: the next recipient may have another file.
    return RecipientRejectedError(said, status=413, code="media_too_large") if effect is Effect.ONCE else None


def invalid_fields(body: Any) -> list[str]:
    """Return the fields that a validation complains of."""
    errors = body.get("errors") if isinstance(body, Mapping) else None
    return [str(field) for field in errors] if isinstance(errors, Mapping) else []


def _is_envelope(body: Any) -> bool:
    return isinstance(body, Mapping) and body.get("status") == "error"


_KNOWN = {403: _forbidden, 404: _missing, 413: _too_large, 422: _invalid}
