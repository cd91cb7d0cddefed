"""What the tenant sent, by Meta's message id, and how far each message got."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from dataclasses import dataclass

from whatsapp_provider.emulator.whatscloud.body import Data

STEPS = ("pending", "sent", "delivered", "read")
FAILED = "failed"
#: The product tells all the words there are; nobody has captured what stands beside them.
LEGEND = {
    "sent": "Message sent",
    "delivered": "Message delivered",
    "read": "Message read",
    "failed": "Message failed",
    "pending": "Message pending",
}


@dataclass(slots=True)
class Sent:
    """One message; ``request`` is what the product asked of Meta."""

    id: str
    phone: str
    contact_id: int
    kind: str
    text: str | None
    request: Data
    changed_at: str
    status: str = STEPS[0]
    error: str | None = None


class History:
    """The messages, bounded; the oldest are forgotten first."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self.messages: dict[str, Sent] = {}

    def add(self, message: Sent) -> None:
        """Remember a message."""
        self.messages[message.id] = message
        if len(self.messages) > self._limit():
            del self.messages[next(iter(self.messages))]

    def advance(self, message_id: str, status: str, now: str, error: str | None = None) -> Sent | None:
        """Move a message to a later status, and return it if it moved; ticks never go back."""
        message = self.messages.get(message_id)
        if message is None or message.status == FAILED:
            return None
        if status != FAILED and STEPS.index(status) <= STEPS.index(message.status):
            return None
        message.status, message.error, message.changed_at = status, error, now
        return message


def status_data(message: Sent) -> Data:
    """Return what the status call tells of a message."""
    return {
        "message_id": message.id,
        "delivery_status": message.status,
        "error_message": message.error,
        "source": "chat",
        "last_updated": message.changed_at,
        "statuses": LEGEND,
    }


def wamid(source: random.Random, digits: str) -> str:
    """Return an id like Meta's: the number and a random part in base64, mostly with a ``=`` at its end."""
    made = f"{source.getrandbits(80):020X}".encode()
    head = bytes((0x1C, 0x18, len(digits))) + digits.encode()
    packed = head + b"\x15\x02\x00\x11\x18\x14" + made + b"\x00"
    return f"wamid.{base64.b64encode(packed).decode()}"
