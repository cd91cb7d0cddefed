"""The judge goes red for each wrong that it is there to find."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.hostile.calls import ACCEPTED, PHONE, Call, Outcome, Said, Subject, of_channel, ok
from tests.hostile.exploring import SUBJECTS, Finding, explore, look
from tests.hostile.judging import HALT, HOLD, RETRY, SKIP, permitted
from tests.hostile.server import HostileServer
from tests.hostile.typed import misfit
from tests.hostile.whapi import REF
from whatsapp_provider.errors import NotReachedError, RecipientRejectedError
from whatsapp_provider.gateways.base import ChannelGateway
from whatsapp_provider.messages import Text
from whatsapp_provider.model import Channel, ChannelRef, SendResult

SEND = "POST gate/messages/*"
EMPTY = Said(200, b"")


@pytest.fixture
def subject() -> Subject:
    return SUBJECTS["whapi"]()


def call(subject: Subject, run: Any, gives: Any = SendResult) -> Call:
    """Return the send of a text, run otherwise."""
    text = next(one for one in subject.calls if one.name == "send text")
    return Call("broken", of_channel(REF, run), gives, text.asks, sends=text.sends)


async def send(channel: ChannelGateway) -> SendResult:
    return await channel.send(PHONE, Text(body="hello"))


@pytest.mark.parametrize(
    ("status", "headers", "body", "may"),
    [
        (200, {}, {"sent": True, "message": {"id": "x"}}, {ACCEPTED, HOLD}),
        (200, {}, {"sent": False}, {SKIP, HOLD}),
        (200, {}, {"message": {}}, {HOLD}),
        (200, {}, b"<html>", {HOLD}),
        (200, {}, b'{"sent": false, "sent": true}', {HOLD}),
        (302, {}, {"message": {"id": "x"}}, {HOLD}),
        (400, {}, {}, {HALT, HOLD}),
        (408, {}, {}, {HOLD}),
        (429, {}, {}, {RETRY, HOLD}),
        (500, {}, {}, {HOLD}),
        (503, {}, {}, {HOLD}),
        (503, {"retry-after": "3"}, {}, {RETRY, HOLD}),
        (999, {}, {}, {HOLD}),
    ],
)
def test_what_a_message_may_be_called_is_decided_by_status_and_documents(
    subject: Subject, status: int, headers: dict[str, str], body: Any, may: set[Outcome]
) -> None:
    assert permitted(subject, Said(status, body, headers)) == may


async def test_a_send_that_is_called_accepted_without_an_answer_that_says_so_is_found(
    subject: Subject,
) -> None:
    async def always(channel: ChannelGateway) -> SendResult:
        await channel.send(PHONE, Text(body="hello"))
        return SendResult("x")

    async def broken(channel: ChannelGateway) -> SendResult:
        try:
            return await always(channel)
        except Exception:
            return SendResult("x")

    wrong = await look(subject, HostileServer(), call(subject, broken), SEND, EMPTY)
    assert wrong == ["the message is Accepted.ACCEPTED, and may be hold"]


@pytest.mark.parametrize("error", [RecipientRejectedError("no"), NotReachedError("no")])
async def test_a_send_in_doubt_that_is_called_not_sent_is_found(subject: Subject, error: Exception) -> None:
    async def broken(channel: ChannelGateway) -> SendResult:
        try:
            return await send(channel)
        except Exception:
            raise error from None

    [wrong] = await look(subject, HostileServer(), call(subject, broken), SEND, EMPTY)
    assert "and may be hold" in wrong


async def test_a_send_that_is_made_twice_is_found(subject: Subject) -> None:
    async def broken(channel: ChannelGateway) -> SendResult:
        await send(channel)
        return await send(channel)

    sent = subject.calls[-1].asks[SEND][0]
    assert await look(subject, HostileServer(), call(subject, broken), SEND, sent) == ["it was sent 2 times"]


async def test_an_error_that_is_none_of_ours_or_tells_what_is_private_is_found(subject: Subject) -> None:
    async def untyped(channel: ChannelGateway) -> None:
        raise KeyError("id")

    async def telling(channel: ChannelGateway) -> None:
        raise NotReachedError(f"{PHONE} can't be reached", retry_after=float("inf"))

    asks = {"GET gate/health": (ok({}),)}
    for run, found in ((untyped, "KeyError came out"), (telling, "its text tells what is private")):
        broken = Call("broken", of_channel(REF, run), None, asks)
        assert found in await look(subject, HostileServer(), broken, "GET gate/health", EMPTY)


async def test_a_request_to_another_host_and_one_without_an_end_are_found(subject: Subject) -> None:
    read = next(one for one in subject.calls if one.name == "groups")

    async def endless(channel: ChannelGateway) -> None:
        while True:
            await channel.groups()

    broken = Call("broken", of_channel(REF, endless), None, read.asks)
    good = read.asks["GET gate/groups"][0]
    assert await look(subject, HostileServer(), broken, "GET gate/groups", good) == ["it asks without an end"]
    elsewhere = Call("elsewhere", read.run, read.gives, {"GET another/groups": (EMPTY,)})
    found = await look(subject, HostileServer(), elsewhere, "GET another/groups", EMPTY)
    assert any("got a request" in one for one in found)


def test_what_is_found_is_told_in_its_smallest_form(subject: Subject) -> None:
    async def broken(channel: ChannelGateway) -> SendResult:
        try:
            return await send(channel)
        except Exception:
            return SendResult("x")

    with pytest.raises(Finding, match=r"whapi, broken: .* is answered with") as caught:
        explore(subject, call(subject, broken), examples=200, dice=1)
    assert len(caught.value.said.content) < 10


@pytest.mark.parametrize(
    ("value", "hint", "where"),
    [
        (Channel(ChannelRef("whapi", "a")), Channel, None),
        ([Channel(ChannelRef("whapi", "a"))], Sequence[Channel], None),
        (None, Channel | None, None),
        (Channel(ChannelRef("whapi", 7)), Channel, "result.ref.channel_id is int"),  # type: ignore[arg-type]  # wrong
        (Channel(ChannelRef("a", "b"), active_till=float("inf")), Channel, "result.active_till is inf"),
        ([1], Sequence[str], "result[] is int"),
        (1, bool, "result is int"),
        (True, int, "result is bool"),
        ({"a": 1}, dict[str, str], "result[] is int"),
    ],
)
def test_a_result_of_another_type_is_found_wherever_it_is(value: Any, hint: Any, where: str | None) -> None:
    assert misfit(value, hint) == where
