"""Somebody looked into the chat and says what became of a message in doubt."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.hooks.world import World, context
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.message import WhatsAppSendMessageOperator
from whatsapp_provider.operators.settle import WhatsAppSettleDeliveriesOperator

ADA = "15550000001"
SEND = {"path": "/messages/text", "method": "POST"}


@pytest.fixture
def doubt(world: World) -> int:
    """A message in doubt that did not arrive; its number."""
    world.fault("reset_after_read", forward=False, **SEND)
    with pytest.raises(WhatsAppTaskFailedError):
        send(on_in_doubt="hold")
    [(number,)] = world.ledger_text("SELECT id FROM wa_delivery WHERE state = 'in_doubt'")
    return int(number)


def send(**fields: Any) -> Any:
    operator = WhatsAppSendMessageOperator(
        task_id="send", to=ADA, text="Hello", message_key="hello", **fields
    )
    return operator.execute(context())


def settle(user: str | None = None, **fields: Any) -> Any:
    operator = WhatsAppSettleDeliveriesOperator(task_id="settle", **fields)
    run = SimpleNamespace(triggering_user_name=user)
    return operator.execute(context(task_id="settle", dag_run=run))


def test_what_arrived_is_not_sent_again(world: World, doubt: int) -> None:
    assert settle(message_key="hello", outcome="sent") == {
        "campaign_id": "message/hello",
        "outcome": "sent",
        "settled": [doubt],
    }
    assert send()["status"] == "already_sent"
    assert world.received() == []


def test_what_did_not_arrive_is_sent_by_the_next_run(world: World, doubt: int) -> None:
    settle(campaign_id="message/hello", outcome="not_sent", deliveries=[doubt])
    assert send()["status"] == "accepted"
    assert world.received() == [(ADA, "Hello")]


@pytest.mark.parametrize("given", ["{number}", "[{number}]", "{number}, {number}"])
def test_numbers_that_a_template_made_a_text_are_numbers(doubt: int, given: str) -> None:
    told = settle(message_key="hello", outcome="sent", deliveries=given.format(number=doubt))
    assert told["settled"] == [doubt]


@pytest.mark.parametrize("outcome", ["sent", "not_sent"])
def test_a_retry_after_a_success_whose_result_was_lost_returns_the_same(doubt: int, outcome: str) -> None:
    fields = {"message_key": "hello", "outcome": outcome, "deliveries": [doubt]}
    first = settle(**fields)
    assert first["settled"] == [doubt]
    assert settle(**fields) == first


@pytest.mark.parametrize("other", [{"outcome": "not_sent"}, {"by": "grace"}])
def test_what_another_settled_or_otherwise_is_refused(
    world: World, doubt: int, other: dict[str, Any]
) -> None:
    fields = {"message_key": "hello", "outcome": "sent", "by": "ada", "deliveries": [doubt]}
    settle(**fields)
    with pytest.raises(WhatsAppTaskFailedError, match=f"no delivery {doubt} in doubt; nothing was changed"):
        settle(**fields | other)
    assert len(world.ledger_text("SELECT id FROM wa_settlement")) == 1


def test_who_said_so_and_why_is_kept(world: World, doubt: int) -> None:
    settle(user="ada", message_key="hello", outcome="sent", note="saw it in the chat")
    [(by, note, proof)] = world.ledger_text("SELECT settled_by, note, proof FROM wa_settlement")
    assert by == "ada in dag/settle/manual__1"
    assert (note, proof) == ("saw it in the chat", "person")


def test_nobody_known_is_named_by_the_task(world: World, doubt: int) -> None:
    settle(message_key="hello", outcome="sent")
    assert world.ledger_text("SELECT settled_by FROM wa_settlement") == [("dag/settle/manual__1",)]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"message_key": "other"}, "no campaign 'message/other'"),
        ({"message_key": "hello", "deliveries": [99]}, "no delivery 99 in doubt; nothing was changed"),
        ({"message_key": "hello", "deliveries": "some"}, "deliveries must be numbers"),
        ({"message_key": "hello", "deliveries": None}, "deliveries must be numbers .* or 'all', not None"),
        ({"message_key": "hello", "deliveries": "None"}, "deliveries must be numbers"),
        ({"message_key": "hello", "deliveries": ""}, "deliveries must be numbers"),
        ({"message_key": "hello", "campaign_id": "x"}, "exactly one of campaign_id and message_key"),
        ({}, "exactly one of campaign_id and message_key"),
        ({"message_key": "hello", "by": " "}, "say by whom"),
    ],
)
def test_what_is_unclear_changes_nothing(world: World, doubt: int, fields: dict[str, Any], told: str) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match=told):
        settle(outcome="sent", **fields)
    assert world.ledger_text("SELECT state FROM wa_delivery") == [("in_doubt",)]


def test_an_outcome_that_is_none_is_refused_when_the_dag_is_read_or_when_it_is_rendered(doubt: int) -> None:
    with pytest.raises(ValueError, match="outcome must be one of 'sent', 'not_sent', not 'maybe'"):
        WhatsAppSettleDeliveriesOperator(task_id="settle", message_key="hello", outcome="maybe")
    operator = WhatsAppSettleDeliveriesOperator(task_id="settle", message_key="hello", outcome="{{ x }}")
    operator.outcome = "maybe"
    with pytest.raises(WhatsAppTaskFailedError, match="outcome must be sent or not_sent"):
        operator.execute(context())
