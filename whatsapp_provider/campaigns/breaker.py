"""Stop before an outage burns the audience: count what goes wrong in a row, and which share does."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from math import inf
from typing import Any, Self

from whatsapp_provider.campaigns.ledger.recent import StopShare
from whatsapp_provider.campaigns.ledger.records import Result
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.errors import ConfigurationError, WhatsAppError
from whatsapp_provider.gateways.base import Sender

HOLDS_IN_A_ROW = 5
REJECTIONS_OF_A_KIND = 10
POSTPONED_IN_A_ROW = 10
STATUS_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """From which share on a campaign pauses; 1 for never.

    :param failures: of the attempts that were refused, or failed later.
    :param doubts: of the attempts that got no answer.
    :param disconnects: of the attempts that could not be made, because nobody was there.
    :param stops: of the people written to in a day who asked to be left alone.
    :param over: how many attempts back is looked.
    :param least: how many there must be before a share says anything.
    """

    failures: float = 0.3
    doubts: float = 0.1
    disconnects: float = 0.5
    stops: float = 0.05
    over: int = 100
    least: int = 50

    def __post_init__(self) -> None:
        shares = (self.failures, self.doubts, self.disconnects, self.stops)
        if any(
            isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1
            for share in shares
        ):
            raise ConfigurationError("A breaker's shares lie between 0 and 1; 1 stands for never.")
        whole = all(
            isinstance(number, int) and not isinstance(number, bool) for number in (self.over, self.least)
        )
        if not whole or not 1 <= self.least <= self.over <= 10_000:
            raise ConfigurationError(
                "A breaker looks over 1 to 10,000 attempts; least is not more than over."
            )

    @classmethod
    def from_value(cls, value: Mapping[str, Any] | Self | None) -> Self:
        """Read what DAG authors write: ``{"failures": 0.2, "over": 200}``; what is left out keeps its default.

        :raises ConfigurationError: saying what is wrong with it.
        """
        if isinstance(value, cls):
            return value
        known = [each.name for each in fields(cls)]
        if value is not None and (not isinstance(value, Mapping) or not set(value) <= set(known)):
            raise ConfigurationError(
                f"A breaker's limits are a mapping with {', '.join(known)}, not {value!r}."
            )
        return cls(**(value or {}))


#: What an attempt counts as.
_FAULTS = {
    DeliveryState.REJECTED: "failures",
    DeliveryState.FAILED: "failures",
    DeliveryState.IN_DOUBT: "doubts",
    DeliveryState.POSTPONED: "disconnects",
}
_WORDS = {
    "failures": "were refused or failed",
    "doubts": "got no answer",
    "disconnects": "could not be made",
}


class Shares:
    """Of the last attempts, which share went wrong in which way."""

    def __init__(self, limits: BreakerLimits) -> None:
        self._limits = limits
        self._last: deque[str | None] = deque(maxlen=limits.over)
        self._counts: Counter[str | None] = Counter()

    def add(self, state: DeliveryState) -> str | None:
        """Count an attempt; return why sending must stop after it, or ``None``."""
        fault = _FAULTS.get(state)
        if len(self._last) == self._last.maxlen:
            self._counts[self._last[0]] -= 1
        self._last.append(fault)
        self._counts[fault] += 1
        if fault is None or len(self._last) < self._limits.least:
            return None
        limit = float(getattr(self._limits, fault))
        if limit >= 1 or self._counts[fault] < limit * len(self._last):
            return None
        return f"{self._counts[fault]} of the last {len(self._last)} sends {_WORDS[fault]}"


@dataclass(slots=True)
class Breaker:
    """Looks at results in the order they come; one success clears what is counted in a row.

    :param probing: whether nothing is known to be accepted since the last pause: one send at a time is
        enough to learn whether the outage is over, and one without an answer is enough to stop again.
    """

    limits: BreakerLimits = field(default_factory=BreakerLimits)
    probing: bool = False
    _holds: int = 0
    _postponed: int = 0
    _quiet_until: float = -inf
    _rejections: Counter[str | None] = field(default_factory=Counter)
    _shares: Shares = field(init=False)

    def __post_init__(self) -> None:
        self._shares = Shares(self.limits)

    def remember(self, earlier: Iterable[DeliveryState]) -> None:
        """Count what was sent before this run, which goes on where another ended to wait."""
        for state in earlier:
            self._shares.add(state)

    def note_stops(self, share: StopShare) -> str | None:
        """Return why sending must stop, given how many people asked to be left alone."""
        enough = share.sent >= self.limits.least
        if not enough or self.limits.stops >= 1 or share.stops < self.limits.stops * share.sent:
            return None
        return f"{share.stops} people asked to be left alone after {share.sent} messages"

    def reason_to_stop(self, result: Result, now: float) -> str | None:
        """Return why sending must stop after this result, or ``None``.

        :param now: by any clock that only goes forward.
        """
        if result.slow_down is not None:
            # Sends under way when the gateway first said so hear the same: that is one refusal, not many.
            echo = now < self._quiet_until
            self._quiet_until = max(self._quiet_until, now + result.slow_down)
            return None if echo else self._in_a_row(result)
        # A gateway that asks for time is there, and a send that was never begun says nothing.
        share = None if result.state is DeliveryState.PLANNED else self._shares.add(result.state)
        return self._in_a_row(result) or (None if share is None else f"{share}, last: {result.reason}")

    def _in_a_row(self, result: Result) -> str | None:
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
