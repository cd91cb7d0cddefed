"""A wait for a campaign ends when it is where it should be, when it can't get there, and when the time is over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from whatsapp_provider.campaigns.ledger.overviews import Overview
from whatsapp_provider.campaigns.ledger.records import Counts, Stop, StopKind
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.watching import CampaignWait, Until
from whatsapp_provider.errors import LedgerUnavailableError
from whatsapp_provider.waiting import Verdict

WAIT, DONE, FAILED = Verdict.WAIT, Verdict.DONE, Verdict.FAILED
HELD, PAUSED = Stop(StopKind.HELD, "ada paused it"), Stop(StopKind.PAUSED, "no answers")


def seen(state: str = "running", stop: Stop | None = None, **counts: int) -> Overview:
    by_state = {DeliveryState(name): count for name, count in counts.items()}
    whole: dict[str, Any] = dict.fromkeys(("expires_at", "held_by"))
    return Overview(
        "spring",
        "whapi:X",
        CampaignState(state),
        Counts(by_state),
        stop,
        0,
        created_at=0.0,
        updated_at=0.0,
        **whole,
    )


#: In the order planning, ready, running, finished, cancelled, expired.
STATES = ("planning", "ready", "running", "finished", "cancelled", "expired")
WANTED = {
    Until.PLANNED: (WAIT, DONE, DONE, DONE, FAILED, FAILED),
    Until.BEGUN: (WAIT, WAIT, DONE, DONE, FAILED, FAILED),
    Until.PAUSED: (WAIT, WAIT, WAIT, FAILED, FAILED, FAILED),
    Until.FINISHED: (WAIT, WAIT, WAIT, DONE, FAILED, DONE),
}


@pytest.mark.parametrize("until", WANTED)
def test_each_state_ends_a_wait_or_does_not(until: Until) -> None:
    found = tuple(CampaignWait(until, 100.0).after_look(seen(state), 1.0).verdict for state in STATES)
    assert found == WANTED[until]


@pytest.mark.parametrize(("stop", "state"), [(HELD, "running"), (HELD, "ready"), (PAUSED, "paused")])
def test_a_pause_is_a_pause_whoever_made_it(stop: Stop, state: str) -> None:
    assert CampaignWait(Until.PAUSED, 100.0).after_look(seen(state, stop), 1.0).verdict is DONE
    assert CampaignWait(Until.FINISHED, 100.0).after_look(seen(state, stop), 1.0).verdict is WAIT


@pytest.mark.parametrize(
    ("share", "counts", "verdict"),
    [
        (0.5, {"delivered": 1, "accepted": 1}, DONE),
        (0.5, {"read": 1, "planned": 1}, DONE),
        (1.0, {"delivered": 1, "accepted": 1}, WAIT),
        (1.0, {"delivered": 1, "in_doubt": 1}, WAIT),
        (1.0, {"delivered": 2, "suppressed": 3}, DONE),
        (1.0, {"delivered": 2, "expired": 1}, DONE),
        (0.9, {"delivered": 8, "rejected": 1, "failed": 1}, FAILED),
        (0.8, {"delivered": 7, "accepted": 1, "failed": 2}, WAIT),
    ],
)
def test_a_share_is_of_those_it_is_sent_to(share: float, counts: dict[str, int], verdict: Verdict) -> None:
    assert CampaignWait(Until.DELIVERED, 100.0, share).after_look(seen(**counts), 1.0).verdict is verdict


def test_nobody_has_got_a_campaign_that_is_being_planned() -> None:
    assert CampaignWait(Until.DELIVERED, 100.0).after_look(seen("planning"), 1.0).verdict is WAIT


def test_what_a_wait_tells_names_whom_or_what_the_campaign_waits_for() -> None:
    def told(**fields: Any) -> str:
        found = replace(seen(), **fields)
        return CampaignWait(Until.FINISHED, 100.0).after_look(found, 1.0).reason.partition(",")[0]

    assert told() == "running"
    assert told(stop=HELD, held_by="ada") == "paused by ada"
    assert told(stop=Stop(StopKind.UNAPPROVED, "nobody has approved it yet")) == "waiting for approval"
    assert told(stop=Stop(StopKind.EXPIRED, "its deadline has passed")) == "past its deadline"
    assert told(stop=PAUSED, state=CampaignState.PAUSED) == "paused"
    assert told(stop=HELD, held_by="ada", state=CampaignState.FINISHED) == "campaign is finished"


def test_a_campaign_that_is_not_there_yet_and_a_ledger_out_of_reach_are_waited_for_until_the_deadline() -> (
    None
):
    wait = CampaignWait(Until.FINISHED, 100.0)
    outage = LedgerUnavailableError("The ledger can't be used: gone.")
    assert wait.after_look(None, 99.0).verdict is WAIT
    assert wait.after_error(outage, 99.0).verdict is WAIT
    late = wait.after_look(None, 100.0)
    assert (late.verdict, late.reason) == (
        Verdict.TIMED_OUT,
        "not finished when the time was over; at the last look: it is not in the ledger",
    )
    assert "could not look: The ledger can't be used" in wait.after_error(outage, 100.0).reason
    assert wait.after_look(seen("finished"), 100.0).verdict is DONE


def test_what_is_told_of_a_campaign_names_nobody() -> None:
    told = CampaignWait(Until.FINISHED, 100.0).after_look(seen(accepted=3, planned=1), 1.0).reason
    assert told == "running, 3 of 4 sent"
