"""What Meta's codes of the Cloud API mean, wherever they surface: in a body, in a 201, in a webhook.

Source: Meta's table of error codes for the Cloud API. Which HTTP status carries a code differs between its copies,
so the code decides.
"""

from __future__ import annotations

from typing import Any, TypeGuard

from whatsapp_provider.errors import (
    ChannelHaltedError,
    CredentialRejectedError,
    GatewayError,
    NoAnswerError,
    NotConnectedError,
    NotFoundError,
    QuotaExceededError,
    RateLimitedError,
    RecipientRejectedError,
    RequestRejectedError,
    TemporarilyUnavailableError,
)
from whatsapp_provider.redaction import redact

PAIR_LIMIT = 131056
END_OF_CODES = 10_000_000
#: Seconds between two messages to one person that Meta allows in the long run.
PAIR_SECONDS = 6.0

#: By code; what is not here halts: nothing says that the next message would fare better.
_MEANS: dict[int, type[GatewayError]] = {
    **dict.fromkeys((0, 3, 10, 190, 131005), CredentialRejectedError),
    **dict.fromkeys(range(200, 300), CredentialRejectedError),
    131042: QuotaExceededError,  # a payment that is due
    **dict.fromkeys((4, 80007, 130429, 131048, PAIR_LIMIT, 133016), RateLimitedError),
    **dict.fromkeys((2, 131016, 131057), TemporarilyUnavailableError),
    # An inner failure of Meta's, of which nobody says at what point.
    **dict.fromkeys((1, 131000), NoAnswerError),
    # The person: not on WhatsApp, not allowed, ourselves, out of the 24 hours, held back, unsubscribed; their file.
    **dict.fromkeys(
        (130472, 131021, 131026, 131030, 131047, 131049, 131050, 131052, 131053), RecipientRejectedError
    ),
    # The account is restricted or locked.
    **dict.fromkeys((368, 131031), ChannelHaltedError),
    133010: NotConnectedError,  # the number is not registered
    132001: NotFoundError,  # no such template in this language
    # The template is paused or disabled, or its values are not what it takes: all others would fare alike.
    **dict.fromkeys((132000, 132005, 132007, 132012, 132015, 132016), RequestRejectedError),
}


def means(code: int) -> type[GatewayError]:
    """Return the error that a code of Meta's stands for."""
    return _MEANS.get(code, RequestRejectedError)


def refusal(
    code: int, said: str, *, status: int, secrets: tuple[str, ...] = (), what: str = "message"
) -> GatewayError:
    """Return the error for a code that a gateway handed on.

    :param said: Meta's own words; what they quote of the request is in ``secrets``.
    :param what: what it refused.
    :param status: the HTTP status it came with, whatever that says by itself.
    """
    wait = PAIR_SECONDS if code == PAIR_LIMIT else None
    told = redact(said or "no explanation", secrets=secrets)
    return means(code)(
        f"Meta refused the {what} with code {code}: {told}",
        status=status,
        retry_after=wait,
        code=f"meta_{code}",
    )


def found_in(body: Any, *, levels: int = 4) -> tuple[int, str] | None:
    """Return code and words of an error of Meta's in a body, whichever of its known wrappings it has.

    ``{"error": {"code", "message", "error_data"}}``, or the same under ``errors``, ``data`` or bare; a code alone,
    without any of Meta's other marks, is somebody else's.

    :param levels: of these names in each other, at the most.
    """
    if not isinstance(body, dict) or not levels:
        return None
    if _is_metas(body):
        details = body.get("error_data")
        told = [body.get("message"), details.get("details") if isinstance(details, dict) else None]
        return int(body["code"]), " ".join(text for text in told if isinstance(text, str))
    for name in ("error", "errors", "data"):
        inner = body.get(name)
        for item in inner if isinstance(inner, list) else (inner,):
            if (found := found_in(item, levels=levels - 1)) is not None:
                return found
    return None


def is_code(value: Any) -> TypeGuard[int]:
    """Whether a value can be one of Meta's codes; what can't be one proves nothing."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < END_OF_CODES


def _is_metas(body: dict[str, Any]) -> bool:
    return is_code(body.get("code")) and (
        "fbtrace_id" in body or "error_data" in body or body.get("type") == "OAuthException"
    )
