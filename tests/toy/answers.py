"""What the toy's answers are, and what its refusals mean."""

from __future__ import annotations

from whatsapp_provider.errors import GatewayError, NotConnectedError, RecipientRejectedError
from whatsapp_provider.gateways.reading import Payload, Reader
from whatsapp_provider.http import Effect, classify_status, explanation
from whatsapp_provider.transport import Answer

READER = Reader("The toy", "Is the server URL of the connection right?")


class Line(Payload):
    """One line."""

    id: str
    name: str = ""
    phone: str | None = None


class Lines(Payload):
    """All lines of the account."""

    lines: list[Line]


class Said(Payload):
    """The answer to a send."""

    done: bool
    id: str | None = None
    why: str = ""


def classify(answer: Answer, effect: Effect, said: str) -> GatewayError:
    if answer.status == 409:
        return NotConnectedError(f"{said} Pair a phone with the line.", status=409)
    if answer.status == 422 and effect is Effect.ONCE and "whom" in explanation(answer):
        return RecipientRejectedError(said, status=422, code="bad_recipient")
    return classify_status(answer, effect, said)
