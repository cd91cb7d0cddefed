"""The nouns: what travels, what is hidden, what a state means."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.model import (
    ChannelRef,
    ChannelState,
    ChannelStatus,
    HistoryEntry,
    MessageStatus,
    NumberCheck,
    Pairing,
    PairingKind,
    SendResult,
    Webhook,
)

PRIVATE = "5511900000000"


def test_a_reference_travels_as_plain_data_and_comes_back_the_same() -> None:
    ref = ChannelRef("whapi", "SHAZAM-3HDYQ", "Bot")
    assert ref.to_dict() == {"gateway": "whapi", "channel_id": "SHAZAM-3HDYQ", "name": "Bot"}
    assert ChannelRef.from_dict(json.loads(json.dumps(ref.to_dict()))) == ref


def test_a_reference_needs_no_name_and_ignores_what_else_travels_with_it() -> None:
    value = {"gateway": "whapi", "channel_id": "A", "name": None, "created": True}
    assert ChannelRef.from_dict(value) == ChannelRef("whapi", "A")


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ({}, "gateway"),
        ({"gateway": "whapi"}, "channel_id"),
        ({"gateway": "whapi", "channel_id": None}, "channel_id"),
        ({"gateway": "", "channel_id": "A"}, "gateway"),
    ],
)
def test_what_is_no_reference_is_refused_with_what_to_pass(value: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigurationError, match="pass what the create-channel task returned") as caught:
        ChannelRef.from_dict(value)
    assert repr(key) in str(caught.value)


def test_a_channel_is_initialized_when_a_phone_can_be_paired_or_was() -> None:
    assert {state for state in ChannelState if state.is_initialized} == {
        ChannelState.WAITING_FOR_PAIRING,
        ChannelState.CONNECTED,
        ChannelState.DISCONNECTED,
    }


def test_only_a_stopped_channel_is_not_worth_waiting_for() -> None:
    assert [state for state in ChannelState if state.is_fatal] == [ChannelState.STOPPED]


@pytest.mark.parametrize(
    "thing",
    [
        Pairing(PairingKind.QR, image=PRIVATE.encode(), raw=PRIVATE, code=PRIVATE),
        Webhook("https://hook.example", headers={"x-secret": PRIVATE}),
        ChannelStatus(ChannelState.CONNECTED, account_phone=PRIVATE),
        NumberCheck(PRIVATE, exists=True, chat_id=PRIVATE, hidden_id=PRIVATE),
        SendResult("id", chat_ids=(PRIVATE,)),
        HistoryEntry("id", 0.0, "text", text=PRIVATE),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_is_private_is_not_in_a_repr(thing: Any) -> None:
    assert PRIVATE not in repr(thing)
    assert PRIVATE not in str(thing)


@pytest.mark.parametrize("thing", [ChannelRef("g", "c"), SendResult("id"), Webhook("https://hook.example")])
def test_nouns_do_not_change(thing: Any) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(thing, dataclasses.fields(thing)[0].name, "other")


def test_a_message_that_was_accepted_is_pending_until_more_is_known() -> None:
    assert SendResult("id").status is MessageStatus.PENDING
