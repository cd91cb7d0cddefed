"""The decision table of a wait for a channel."""

from __future__ import annotations

import pytest

from whatsapp_provider.errors import (
    ConfigurationError,
    CredentialRejectedError,
    NoAnswerError,
    NotFoundError,
    NotReachedError,
    RateLimitedError,
    TemporarilyUnavailableError,
    WhatsAppError,
)
from whatsapp_provider.model import ChannelState, ChannelStatus
from whatsapp_provider.waiting import ChannelGoal, ChannelWait, Verdict

S, V, G = ChannelState, Verdict, ChannelGoal
DEADLINE = 1000.0
BEFORE, AFTER = 999.0, 1000.0


@pytest.mark.parametrize(
    ("state", "initialized", "connected"),
    [
        (S.PROVISIONING, V.WAIT, V.WAIT),
        (S.INITIALIZING, V.WAIT, V.WAIT),
        (S.WAITING_FOR_PAIRING, V.DONE, V.WAIT),
        (S.CONNECTED, V.DONE, V.DONE),
        (S.DISCONNECTED, V.DONE, V.WAIT),
        (S.ERROR, V.WAIT, V.WAIT),
        (S.STOPPED, V.FAILED, V.FAILED),
    ],
)
def test_what_a_state_means_for_each_goal(state: S, initialized: V, connected: V) -> None:
    status = ChannelStatus(state, detail="WORD")
    for goal, verdict in ((G.INITIALIZED, initialized), (G.CONNECTED, connected)):
        decision = ChannelWait(goal, DEADLINE).after_look(status, BEFORE)
        assert decision.verdict is verdict
        assert f"channel is {state.value} (WORD)" in decision.reason


def test_the_table_has_every_state() -> None:
    told = [mark.args[1] for mark in test_what_a_state_means_for_each_goal.pytestmark]  # type: ignore[attr-defined]
    assert {row[0] for row in told[0]} == set(ChannelState)


def test_a_goal_reached_at_the_last_moment_counts() -> None:
    wait = ChannelWait(G.CONNECTED, DEADLINE)
    assert wait.after_look(ChannelStatus(S.CONNECTED), AFTER).verdict is V.DONE


def test_the_time_is_over_at_the_deadline_and_the_last_look_is_told() -> None:
    wait = ChannelWait(G.CONNECTED, DEADLINE)
    decision = wait.after_look(ChannelStatus(S.WAITING_FOR_PAIRING, "QR"), AFTER)
    assert decision.verdict is V.TIMED_OUT
    assert "not connected when the time was over" in decision.reason
    assert "waiting_for_pairing (QR)" in decision.reason


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (NotReachedError("down"), V.WAIT),
        (NoAnswerError("cut off"), V.WAIT),
        (RateLimitedError("slow"), V.WAIT),
        (TemporarilyUnavailableError("later"), V.WAIT),
        (NotFoundError("deleted"), V.FAILED),
        (CredentialRejectedError("wrong token"), V.FAILED),
        (ConfigurationError("no token"), V.FAILED),
        (WhatsAppError("whatever"), V.FAILED),
    ],
)
def test_faults_that_pass_are_waited_out_and_others_end_the_wait(error: WhatsAppError, verdict: V) -> None:
    wait = ChannelWait(G.CONNECTED, DEADLINE)
    decision = wait.after_error(error, BEFORE)
    assert decision.verdict is verdict
    assert str(error) in decision.reason


def test_a_fault_at_the_deadline_ends_the_wait() -> None:
    wait = ChannelWait(G.CONNECTED, DEADLINE)
    assert wait.after_error(NotReachedError("down"), AFTER).verdict is V.TIMED_OUT


def test_a_gateway_that_asks_for_a_pause_gets_it_and_one_beyond_the_deadline_ends_the_wait() -> None:
    wait = ChannelWait(G.CONNECTED, DEADLINE)
    assert wait.after_error(RateLimitedError("slow", retry_after=20), 900.0).pause == 20
    decision = wait.after_error(RateLimitedError("slow", retry_after=20), 990.0)
    assert decision.verdict is V.TIMED_OUT
    assert "beyond the deadline" in decision.reason


def test_a_connection_that_airflow_does_not_find_is_waited_for_until_the_deadline() -> None:
    wait = ChannelWait(G.CONNECTED, DEADLINE)
    assert wait.without_connection("wa", BEFORE).verdict is V.WAIT
    decision = wait.without_connection("wa", AFTER)
    assert decision.verdict is V.TIMED_OUT
    assert "'wa'" in decision.reason
