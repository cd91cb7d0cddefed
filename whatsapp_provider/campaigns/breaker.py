"""Stop before an outage burns the audience: count what goes wrong in a row."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from whatsapp_provider.campaigns.ledger.records import Result
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.errors import WhatsAppError
from whatsapp_provider.gateways.base import Sender

HOLDS_IN_A_ROW = 5
REJECTIONS_OF_A_KIND = 10
POSTPONED_IN_A_ROW = 10
STATUS_SECONDS = 10.0


@dataclass(slots=True)
class Breaker:
    """Looks at results in the order they come; one success clears all counts.

    :param probing: whether nothing is known to be accepted since the last pause: one send at a time is
        enough to learn whether the outage is over, and one without an answer is enough to stop again.
    """

    probing: bool = False
    _holds: int = 0
    _postponed: int = 0
    _rejections: Counter[str | None] = field(default_factory=Counter)

    def reason_to_stop(self, result: Result) -> str | None:
        """Return why sending must stop after this result, or ``None``."""
        if result.state is DeliveryState.ACCEPTED:
            self.probing = False
            self._holds = self._postponed = 0
            self._rejections.clear()
        elif result.state is DeliveryState.IN_DOUBT:
            self._holds += 1
            if self.probing:
                return f"the first send after a pause got no answer: {result.reason}"
            if self._holds >= HOLDS_IN_A_ROW:
                return f"{self._holds} sends in a row got no answer, last: {result.reason}"
        elif result.state is DeliveryState.POSTPONED:
            self._postponed += 1
            if self._postponed >= POSTPONED_IN_A_ROW:
                return f"{self._postponed} sends in a row could not be made, last: {result.reason}"
        elif result.state is DeliveryState.REJECTED:
            # The gateway answered, if only to refuse.
            self._holds = 0
            self._rejections[result.code] += 1
            if self._rejections[result.code] >= REJECTIONS_OF_A_KIND:
                return (
                    f"{self._rejections[result.code]} recipients were rejected with {result.code!r} and none was "
                    f"accepted between, last: {result.reason}"
                )
        return None


async def channel_state(sender: Sender) -> str:
    """Return what the gateway says of the channel, for the reason that people read after a stop."""
    try:
        async with asyncio.timeout(STATUS_SECONDS):
            status = await sender.status()
    except WhatsAppError as error:
        return f"unknown ({error})"
    except Exception as error:
        return f"unknown ({type(error).__name__})"
    return f"{status.state.value} ({status.detail})" if status.detail else status.state.value
