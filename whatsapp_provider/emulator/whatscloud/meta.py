"""Meta behind the product: its codes with titles and statuses, and how the product hands an error on."""

from __future__ import annotations

from typing import Any

from whatsapp_provider.emulator.settings import EmulatorSettings
from whatsapp_provider.emulator.whatscloud.refusals import RefusalError, refused

NOT_REGISTERED = 133010
LOCKED = 131031
MAINTENANCE = 131057
UNDELIVERABLE = 131026
WINDOW_CLOSED = 131047
NO_DOWNLOAD = 131052
#: Numbers that begin with this are refused with the code that follows it.
MAGIC = "15559"

#: Meta's table: the title, and the status of an answer that carries the code.
CODES: dict[int, tuple[str, int]] = {
    0: ("AuthException", 401),
    1: ("API Unknown", 400),
    2: ("API Service", 503),
    3: ("API Method", 500),
    4: ("API Too Many Calls", 400),
    10: ("Permission Denied", 403),
    100: ("Invalid parameter", 400),
    190: ("Access token has expired", 401),
    200: ("API Permission", 403),
    368: ("Temporarily blocked for policies violations", 403),
    80007: ("Rate limit issues", 400),
    130429: ("Rate limit hit", 429),
    130472: ("User's number is part of an experiment", 400),
    131000: ("Something went wrong", 500),
    131005: ("Access denied", 403),
    131008: ("Required parameter is missing", 400),
    131009: ("Parameter value is not valid", 400),
    131016: ("Service unavailable", 500),
    131021: ("Recipient cannot be sender", 400),
    UNDELIVERABLE: ("Message undeliverable", 400),
    LOCKED: ("Account has been locked", 403),
    131042: ("Business eligibility payment issue", 400),
    WINDOW_CLOSED: ("Re-engagement message", 400),
    131048: ("Spam rate limit hit", 400),
    131049: ("Meta chose not to deliver", 400),
    131051: ("Unsupported message type", 400),
    NO_DOWNLOAD: ("Media download error", 400),
    131053: ("Media upload error", 400),
    131056: ("(Business Account, Consumer Account) pair rate limit hit", 400),
    MAINTENANCE: ("Account in maintenance mode", 500),
    132000: ("Template Param Count Mismatch", 400),
    132001: ("Template name does not exist in the translation", 404),
    132005: ("Template Hydrated Text Too Long", 400),
    132007: ("Template Format Character Policy Violated", 400),
    132012: ("Template Parameter Format Mismatch", 400),
    132015: ("Template is Paused", 400),
    132016: ("Template is Disabled", 400),
    NOT_REGISTERED: ("Phone number Not Registered", 400),
    133016: ("Account register deregister rate limit exceeded", 400),
}
DETAILS = {
    UNDELIVERABLE: "Message Undeliverable.",
    WINDOW_CLOSED: (
        "Message failed to send because more than 24 hours have passed since the customer last replied to this "
        "number."
    ),
    NO_DOWNLOAD: "Failed to download the media from the sender.",
}


def words(code: int) -> str:
    """Return Meta's sentence for a code."""
    return f"(#{code}) {CODES[code][0]}"


def error_object(code: int, trace: str) -> dict[str, Any]:
    """Return the error as the Graph API tells it."""
    details = DETAILS.get(code, CODES[code][0])
    return {
        "message": words(code),
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details},
        "fbtrace_id": trace,
    }


def refusal(code: int, settings: EmulatorSettings, trace: str) -> RefusalError:
    """Return the product's answer to a send that Meta refused."""
    title, status = CODES[code]
    status = settings.whatscloud_meta_status or status
    wrapping = settings.whatscloud_meta_wrapping
    if wrapping == "words":
        return refused(status, title)
    if wrapping == "text":
        return refused(status, words(code))
    error = error_object(code, trace)
    if wrapping == "data":
        return refused(status, words(code), data={"error": error})
    return refused(status, words(code), errors=error)


def magic_code(digits: str) -> int | None:
    """Return the code that a number asks for."""
    tail = digits.removeprefix(MAGIC)
    if tail == digits or len(tail) != 6 or not tail.isdigit():
        return None
    return int(tail) if int(tail) in CODES else None
