"""Decide, without any I/O, whether a wait for a campaign goes on. Sensor and trigger ask the same object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from whatsapp_provider.campaigns.ledger.overviews import Overview
from whatsapp_provider.campaigns.ledger.records import StopKind
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.errors import WhatsAppError
from whatsapp_provider.waiting import Decision, Verdict

_ARRIVED = (DeliveryState.DELIVERED, DeliveryState.READ)
#: Those who were never to be sent to, or are not any more.
_GIVEN_UP = (DeliveryState.SUPPRESSED, DeliveryState.CANCELLED, DeliveryState.EXPIRED)
_FAILED = (DeliveryState.REJECTED, DeliveryState.FAILED)


class Until(StrEnum):
    """What is waited for."""

    PLANNED = "planned"
    BEGUN = "begun"
    PAUSED = "paused"
    FINISHED = "finished"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class CampaignWait:
    """A wait with a deadline.

    :param share: of those it is sent to, how many must have got the message, from 0 to 1, for ``delivered``.
    :param deadline: seconds since the epoch (UTC).
    """

    until: Until
    deadline: float
    share: float = 1.0

    def after_look(self, seen: Overview | None, now: float) -> Decision:
        """Decide after a look into the ledger, which may not have the campaign yet."""
        if seen is None:
            return self._unless_late("it is not in the ledger", now)
        told = f"{seen.told}, {seen.counts.sent} of {seen.counts.total} sent"
        verdict = _JUDGES[self.until](self, seen)
        if verdict is Verdict.WAIT:
            return self._unless_late(told, now)
        never = "; waiting does not change that" if verdict is Verdict.FAILED else ""
        return Decision(verdict, f"campaign is {told}{never}")

    def after_error(self, error: WhatsAppError, now: float) -> Decision:
        """Decide after the ledger could not be asked: that is waited out."""
        told = str(error).rstrip(".")
        return self._unless_late(f"could not look: {told}", now)

    def _unless_late(self, told: str, now: float) -> Decision:
        if now >= self.deadline:
            return Decision(
                Verdict.TIMED_OUT, f"not {self.until} when the time was over; at the last look: {told}"
            )
        return Decision(Verdict.WAIT, told)


def _planned(_wait: CampaignWait, seen: Overview) -> Verdict:
    if seen.state is CampaignState.PLANNING:
        return Verdict.WAIT
    return Verdict.FAILED if seen.state.is_over else Verdict.DONE


def _begun(_wait: CampaignWait, seen: Overview) -> Verdict:
    if seen.state in (CampaignState.PLANNING, CampaignState.READY):
        return Verdict.WAIT
    return Verdict.FAILED if seen.state.is_over else Verdict.DONE


def _paused(_wait: CampaignWait, seen: Overview) -> Verdict:
    if seen.stop is not None and seen.stop.kind in (StopKind.PAUSED, StopKind.HELD):
        return Verdict.DONE
    over = seen.state.is_over or seen.state is CampaignState.FINISHED
    return Verdict.FAILED if over else Verdict.WAIT


def _finished(_wait: CampaignWait, seen: Overview) -> Verdict:
    if seen.state is CampaignState.CANCELLED:
        return Verdict.FAILED
    done = seen.state in (CampaignState.FINISHED, CampaignState.EXPIRED)
    return Verdict.DONE if done else Verdict.WAIT


def _delivered(wait: CampaignWait, seen: Overview) -> Verdict:
    if seen.state is CampaignState.PLANNING:
        return Verdict.WAIT
    counts = seen.counts
    wanted = wait.share * (counts.total - sum(counts[state] for state in _GIVEN_UP))
    if sum(counts[state] for state in _ARRIVED) >= wanted:
        return Verdict.DONE
    # A message that was refused may be sent again, but nobody has asked for it.
    hopeless = sum(counts[state] for state in (*_GIVEN_UP, *_FAILED))
    return Verdict.FAILED if counts.total - hopeless < wanted else Verdict.WAIT


_JUDGES: Mapping[Until, Callable[[CampaignWait, Overview], Verdict]] = {
    Until.PLANNED: _planned,
    Until.BEGUN: _begun,
    Until.PAUSED: _paused,
    Until.FINISHED: _finished,
    Until.DELIVERED: _delivered,
}
