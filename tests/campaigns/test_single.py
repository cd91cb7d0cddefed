"""One message under one key: sent once, however often the task runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.campaigns.support import LOGGED_OUT, NO_ANSWER, NOT_REACHED, REFUSED, SEND_TIMEOUT, Desk
from whatsapp_provider.campaigns.campaign import Campaign, OnInDoubt
from whatsapp_provider.campaigns.identity import parse_recipient
from whatsapp_provider.campaigns.ledger.control import By
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.outcome import Ending, Outcome
from whatsapp_provider.campaigns.render import FixedMessage
from whatsapp_provider.campaigns.runner import CampaignRunner, RunOptions
from whatsapp_provider.campaigns.single import PREFIX, SingleResult, plan_single, result_after, sent_before
from whatsapp_provider.errors import (
    CampaignCancelledError,
    CampaignPausedError,
    CampaignStoppedError,
    ConfigurationError,
    CredentialRejectedError,
    InDoubtError,
    RecipientRejectedError,
)

TO = "+15550000001"


def campaign(desk: Desk, key: str = "k1", **options: Any) -> Campaign:
    return desk.campaign(f"{PREFIX}{key}", concurrency=1, **options)


def send(desk: Desk, text: str = "Hi", to: str = TO, *, stop: bool = False, **options: Any) -> SingleResult:
    message = FixedMessage(text)
    wanted = campaign(desk, **options)
    if before := sent_before(desk.ledger, wanted, parse_recipient(to)):
        return before
    record = plan_single(desk.ledger, wanted, message, parse_recipient(to))
    run = RunOptions(SEND_TIMEOUT, again=(DeliveryState.REJECTED,))
    runner = CampaignRunner(desk.ledger, record, wanted, message, desk.phones, run, clock=desk.time)
    if stop:
        runner.stop()
    return result_after(
        desk.ledger, record, desk.time.run(runner.run()), resend=wanted.on_in_doubt is OnInDoubt.RESEND
    )


def test_a_message_is_sent_once_and_then_already_sent(desk: Desk) -> None:
    first, second = send(desk), send(desk)
    assert (first.already_sent, second.already_sent) == (False, True)
    assert first.message_id == second.message_id == "id-15550000001-1"
    assert len(desk.phones.calls) == 1


def test_the_same_person_written_otherwise_is_the_same_message(desk: Desk) -> None:
    send(desk)
    assert send(desk, to="1 (555) 000-0001").already_sent


def test_a_message_whose_person_was_purged_or_erased_is_already_sent(desk: Desk) -> None:
    send(desk)
    send(desk, "Bye", key="k2")
    desk.time.slept += 2 * 86_400
    desk.ledger.purge(86_400)
    assert send(desk).already_sent
    desk.ledger.erase("15550000001", by="Eve", suppress=False)
    assert send(desk, "Bye", key="k2").already_sent
    with pytest.raises(ConfigurationError, match="another message"):
        send(desk, to="+15550000002")


def test_another_key_is_another_message(desk: Desk) -> None:
    send(desk)
    assert not send(desk, key="k2").already_sent
    assert sum(desk.phones.received.values()) == 2


def test_a_message_that_was_sent_is_already_sent_whatever_its_text_is_by_now(desk: Desk) -> None:
    send(desk)
    assert send(desk, text="Ho").already_sent
    assert len(desk.phones.calls) == 1


def test_another_person_under_the_same_key_is_refused(desk: Desk) -> None:
    send(desk)
    with pytest.raises(ConfigurationError, match="message_key 'k1' stands for another message") as caught:
        send(desk, to="+15550000002")
    assert "1555000" not in str(caught.value)
    assert len(desk.phones.calls) == 1


def test_another_text_for_a_message_that_is_in_doubt_is_refused(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, _attempt: NO_ANSWER
    with pytest.raises(InDoubtError):
        send(desk)
    with pytest.raises(ConfigurationError, match="message_key 'k1' stands for another message"):
        send(desk, text="Ho", on_in_doubt=OnInDoubt.RESEND)
    assert len(desk.phones.calls) == 1


def test_a_message_in_doubt_is_held_until_somebody_asks_for_it_again(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, attempt: NO_ANSWER if attempt == 1 else None
    for _ in range(3):
        with pytest.raises(
            InDoubtError, match=r"may have been sent \(The line went dead\.\).*on_in_doubt=\"resend\""
        ):
            send(desk)
    assert len(desk.phones.calls) == 1
    assert not send(desk, on_in_doubt=OnInDoubt.RESEND).already_sent
    assert len(desk.phones.calls) == 2


def test_a_refused_message_may_be_tried_again_by_running_the_task_again(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, attempt: REFUSED if attempt == 1 else None
    with pytest.raises(RecipientRejectedError, match="Not on WhatsApp") as caught:
        send(desk)
    assert caught.value.code == "not_on_whatsapp"
    assert not send(desk).already_sent


def test_a_broken_channel_is_told_by_its_own_error_and_costs_nothing(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, attempt: LOGGED_OUT if attempt == 1 else None
    with pytest.raises(CredentialRejectedError):
        send(desk)
    assert not send(desk).already_sent


def test_a_gateway_that_cannot_be_reached_for_long_ends_in_a_pause_that_may_be_tried_again(
    desk: Desk,
) -> None:
    desk.phones.answer = lambda _recipient, attempt: NOT_REACHED if attempt <= 20 else None
    for _ in range(2):
        with pytest.raises(CampaignPausedError, match=r"could not be .* last: Connection refused"):
            send(desk)
    assert not send(desk).already_sent


def test_a_task_that_is_stopped_before_the_send_says_so(desk: Desk) -> None:
    with pytest.raises(CampaignStoppedError, match="before the message was sent"):
        send(desk, stop=True)
    assert desk.phones.calls == []
    assert not send(desk).already_sent


def test_a_message_whose_sender_died_is_in_doubt_once_its_lease_is_over(desk: Desk) -> None:
    record = plan_single(desk.ledger, campaign(desk), FixedMessage("Hi"), parse_recipient(TO))
    lease = desk.ledger.begin(record, label="dead", seconds=50)
    desk.ledger.turn(lease, [], places=1, pace=campaign(desk).pace)
    with pytest.raises(InDoubtError, match="the run that sent it was killed"):
        send(desk)
    assert desk.phones.calls == []


def test_a_pause_without_an_error_is_told_by_its_reason(desk: Desk) -> None:
    record = plan_single(desk.ledger, campaign(desk), FixedMessage("Hi"), parse_recipient(TO))
    with pytest.raises(CampaignPausedError, match="not sent: an outage"):
        result_after(desk.ledger, record, Outcome(Ending.PAUSED, reason="an outage"))


def test_a_message_to_be_sent_at_least_once_is_sent_again_by_the_same_task(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, attempt: NO_ANSWER if attempt < 3 else None
    assert not send(desk, on_in_doubt=OnInDoubt.RESEND).already_sent
    assert len(desk.phones.calls) == 3


def test_a_gateway_that_never_answers_leaves_resends_to_retries_and_then_to_people(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, _attempt: NO_ANSWER
    for _ in range(6):
        with pytest.raises(CampaignPausedError, match="is sent again when the task runs again"):
            send(desk, on_in_doubt=OnInDoubt.RESEND)
    with pytest.raises(InDoubtError):
        send(desk, on_in_doubt=OnInDoubt.RESEND)
    assert len(desk.phones.calls) == 10


def test_a_message_that_a_person_cancelled_is_not_sent_any_more(desk: Desk) -> None:
    with pytest.raises(CampaignStoppedError):
        send(desk, stop=True)
    desk.ledger.cancel(f"{PREFIX}k1", By("ada"))
    for _ in range(2):
        with pytest.raises(CampaignCancelledError, match="cancelled by ada"):
            send(desk)
    assert desk.phones.calls == []
