"""What Whapi's refusals mean (statuses and texts of the gate's and the manager's documentation)."""

from __future__ import annotations

from whatsapp_provider.errors import (
    AlreadyConnectedError,
    CredentialRejectedError,
    GatewayError,
    NotConnectedError,
    RecipientRejectedError,
)
from whatsapp_provider.http import Effect, classify_status, explanation
from whatsapp_provider.transport import Answer

#: Texts of a 401 that mean "no phone is paired", not "your token is wrong" (seen by several clients).
_UNPAIRED = ("need channel authorization", "channel not authorized", "session terminated", "logged out")


def classify_gate(answer: Answer, effect: Effect, said: str) -> GatewayError:
    """Return the error of a gate answer."""
    text = explanation(answer).lower()
    status = answer.status
    if status == 401 and any(word in text for word in _UNPAIRED):
        return NotConnectedError(f"{said} Pair a phone with the channel.", status=status)
    if status == 409 and "authenticated" in text:
        return AlreadyConnectedError(said, status=status)
    if status == 403:
        return _forbidden(text, said)
    if status == 400 and "/body/to " in text:
        # The validator names the field: only this recipient is at fault.
        return RecipientRejectedError(said, status=status, code="bad_recipient")
    return classify_status(answer, effect, said)


def _forbidden(text: str, said: str) -> GatewayError:
    # The gate documents 403 on sends as "forbidden to send to this group/recipient"; Cloudflare, in
    # front of it, uses the same status for a client it does not like.
    if "recipient" in text or "group" in text:
        return RecipientRejectedError(said, status=403, code="forbidden_recipient")
    return CredentialRejectedError(said, status=403)
