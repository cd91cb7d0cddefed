"""Decide, without any I/O, whether a wait for a channel goes on.

Sensors and triggers ask the same object, so that they cannot drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from whatsapp_provider.errors import ConfigurationError, GatewayError, WhatsAppError

if TYPE_CHECKING:
    from whatsapp_provider.model import ChannelState, ChannelStatus


class ChannelGoal(StrEnum):
    """What is waited for."""

    INITIALIZED = "initialized"
    CONNECTED = "connected"

    def is_reached(self, state: ChannelState) -> bool:
        """Whether a channel in this state is there."""
        # Loaded here: sensors are imported by every DAG file.
        from whatsapp_provider.model import ChannelState

        return state is ChannelState.CONNECTED if self is ChannelGoal.CONNECTED else state.is_initialized


class Verdict(StrEnum):
    """What to do after a look."""

    WAIT = "wait"
    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, and in words what it rests on: fit for a log, without numbers and tokens, no full stop."""

    verdict: Verdict
    reason: str
    #: Seconds that the gateway asks for before it is asked again.
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class ChannelWait:
    """A wait with a deadline.

    :param deadline: seconds since the epoch (UTC); wall-clock, so that it survives deferral.
    """

    goal: ChannelGoal
    deadline: float

    def after_look(self, status: ChannelStatus, now: float) -> Decision:
        """Decide after the gateway told the channel's state."""
        told = f"channel is {status.state.value}" + (f" ({status.detail})" if status.detail else "")
        if self.goal.is_reached(status.state):
            return Decision(Verdict.DONE, told)
        if status.state.is_fatal:
            return Decision(Verdict.FAILED, f"{told}; waiting does not change that")
        return self._unless_late(told, now)

    def after_error(self, error: WhatsAppError, now: float) -> Decision:
        """Decide after the gateway could not be asked: faults that pass are waited out."""
        told = str(error).rstrip(".")
        if isinstance(error, ConfigurationError) or not getattr(error, "is_transient", False):
            return Decision(Verdict.FAILED, told)
        pause = (error.retry_after or 0.0) if isinstance(error, GatewayError) else 0.0
        if pause and now + pause >= self.deadline:
            return Decision(Verdict.TIMED_OUT, f"{told}; it asks to wait beyond the deadline")
        return self._unless_late(f"could not look: {told}", now, pause)

    def without_connection(self, conn_id: str, now: float) -> Decision:
        """Decide after Airflow had no such connection, which it says of an outage too."""
        return self._unless_late(f"could not look: Airflow has no connection {conn_id!r}", now)

    def _unless_late(self, told: str, now: float, pause: float = 0.0) -> Decision:
        if now >= self.deadline:
            return Decision(
                Verdict.TIMED_OUT, f"not {self.goal.value} when the time was over; at the last look: {told}"
            )
        return Decision(Verdict.WAIT, told, pause)
