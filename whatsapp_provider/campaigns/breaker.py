"""Stop before an outage burns the audience: count what goes wrong in a row."""

from __future__ import annotations

from dataclasses import dataclass

from whatsapp_provider.campaigns.ledger.records import Result
from whatsapp_provider.campaigns.ledger.states import DeliveryState

HOLDS_IN_A_ROW = 5
REJECTIONS_IN_A_ROW = 10
POSTPONED_IN_A_ROW = 10


@dataclass(slots=True)
class Breaker:
    """Looks at results in the order they come; one success clears all counts."""

    _holds: int = 0
    _postponed: int = 0
    _rejections: int = 0
    _code: str | None = None

    def reason_to_stop(self, result: Result) -> str | None:
        """Return why sending must stop after this result, or ``None``."""
        if result.state is DeliveryState.ACCEPTED:
            self._holds = self._postponed = self._rejections = 0
        elif result.state is DeliveryState.IN_DOUBT:
            self._holds += 1
            if self._holds >= HOLDS_IN_A_ROW:
                return f"{self._holds} sends in a row got no answer, last: {result.reason}"
        elif result.state is DeliveryState.POSTPONED:
            self._postponed += 1
            if self._postponed >= POSTPONED_IN_A_ROW:
                return f"{self._postponed} sends in a row could not be made, last: {result.reason}"
        elif result.state is DeliveryState.REJECTED:
            self._holds = 0
            self._rejections = self._rejections + 1 if result.code == self._code else 1
            self._code = result.code
            if self._rejections >= REJECTIONS_IN_A_ROW:
                return (
                    f"{self._rejections} recipients in a row were rejected with {result.code!r} and none was "
                    f"accepted, last: {result.reason}"
                )
        return None
