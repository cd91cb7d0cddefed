"""Webhooks: who is told what, in which form, and how often."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.emulator import wire_facts as facts
from tests.emulator.conftest import Receiver, Wire
from whatsapp_provider.emulator import Emulator, Fault
from whatsapp_provider.emulator.whapi.channel import WhapiChannel

TO = "5511900000000"
URL = "https://hook.example/hook"


def hook(*events: str, **more: Any) -> dict[str, Any]:
    pairs = [dict(zip(("type", "method"), event.split("."), strict=True)) for event in events]
    return {"webhooks": [{"url": URL, "mode": "body", "events": pairs, **more}]}


async def subscribe(wire: Wire, token: str, settings: dict[str, Any]) -> None:
    answer = await wire.gate(token, "PATCH", "/settings", json=settings)
    assert answer.status_code == 200, answer.text


async def test_a_new_channel_has_the_captured_settings(wire: Wire, channel: WhapiChannel) -> None:
    answer = await wire.gate(channel.token, "GET", "/settings")
    assert json.dumps(answer.json()) == json.dumps(facts.NEW_SETTINGS)


async def test_a_patch_is_answered_with_before_after_and_changes(wire: Wire, channel: WhapiChannel) -> None:
    answer = await wire.gate(channel.token, "PATCH", "/settings", json=facts.PATCH_REQUEST)
    after = {**facts.NEW_SETTINGS, "webhooks": [facts.PATCHED_HOOK]}
    expected = {"before_update": facts.NEW_SETTINGS, "after_update": after, "changes": ["webhooks"]}
    assert json.dumps(answer.json()) == json.dumps(expected)


async def test_the_vendors_first_patch_is_taken(wire: Wire, channel: WhapiChannel) -> None:
    answer = (await wire.gate(channel.token, "PATCH", "/settings", json=facts.FIRST_PATCH)).json()
    assert answer["after_update"]["callback_persist"] is True
    assert answer["changes"] == ["callback_persist", "webhooks"]


@pytest.mark.parametrize(
    "settings",
    [
        {"webhooks": {}},
        {"webhooks": [{"mode": "body"}]},
        {"webhooks": [{"url": URL, "mode": "pigeon"}]},
        {"webhooks": [{"url": URL, "headers": {f"x-{number}": "1" for number in range(6)}}]},
        {"webhooks": [{"url": URL, "events": [{"type": "messages", "method": "shout"}]}]},
        {"callback_backoff_delay_ms": 1},
        {"media": []},
    ],
)
async def test_wrong_settings_are_400_and_change_nothing(
    wire: Wire, channel: WhapiChannel, settings: dict[str, Any]
) -> None:
    answer = await wire.gate(channel.token, "PATCH", "/settings", json=settings)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Wrong settings format"
    assert channel.settings == facts.NEW_SETTINGS


async def test_settings_are_reset_once(wire: Wire, channel: WhapiChannel) -> None:
    await subscribe(wire, channel.token, hook("messages.post"))
    assert (await wire.gate(channel.token, "DELETE", "/settings")).json() == {"success": True}
    again = await wire.gate(channel.token, "DELETE", "/settings")
    assert (again.status_code, again.json()["error"]["message"]) == (409, "Settings already reset")


async def test_the_allowed_events_are_pairs(wire: Wire, channel: WhapiChannel) -> None:
    events = (await wire.gate(channel.token, "GET", "/settings/events")).json()
    assert {"type": "messages", "method": "post"} in events
    assert all(list(event) == ["type", "method"] for event in events)


async def test_a_test_call_is_made(wire: Wire, channel: WhapiChannel, receiver: Receiver) -> None:
    request = {"type": "messages", "url": URL, "mode": "body", "headers": {"x-secret": "s"}}
    answer = await wire.gate(channel.token, "POST", "/settings/webhook_test", json=request)
    assert answer.json() == {"success": True}
    await wire.emulator.advance(0)
    assert receiver.events() == ["messages.post"]
    assert receiver.calls[0]["headers"]["x-secret"] == "s"
    bad = await wire.gate(channel.token, "POST", "/settings/webhook_test", json={"url": URL})
    assert bad.status_code == 400


async def test_a_channel_tells_its_way_to_the_pairing(wire: Wire, receiver: Receiver) -> None:
    wire.emulator.configure(scan_after=5)
    channel = await wire.create("Jonathan")
    await wire.emulator.advance(60)
    await subscribe(wire, channel["token"], hook("channel.post", "channel.patch", "users.post"))
    await wire.gate(channel["token"], "GET", "/health")
    await wire.emulator.advance(30)
    assert receiver.events() == [
        *("channel.post", "channel.post", "channel.post", "channel.patch", "channel.post", "users.post")
    ]
    bodies = receiver.bodies()
    states = [body["health"]["status"] for body in bodies if "health" in body]
    assert states == [
        {"code": code, "text": text} for code, text in ((1, "INIT"), (2, "LAUNCH"), (3, "QR"), (4, "AUTH"))
    ]
    assert facts.shape(bodies[2]) == facts.shape(facts.CHANNEL_STATUS)
    assert bodies[3]["qr"]["base64"].startswith(facts.QR_PREFIX)
    assert facts.shape(bodies[5]) == facts.shape(facts.LINKED)
    assert bodies[5]["user"] == facts.LINKED["user"]


async def test_an_unlinked_phone_is_told_before_the_new_code(
    wire: Wire, channel: WhapiChannel, receiver: Receiver
) -> None:
    await subscribe(wire, channel.token, hook("users.delete", "channel.post"))
    wire.emulator.network.unlink(channel.id)
    await wire.emulator.advance(0)
    assert receiver.events() == ["users.delete", "channel.post"]
    assert receiver.bodies()[0]["user"] == facts.LINKED["user"]
    assert receiver.bodies()[1]["health"]["status"]["text"] == "QR"


async def test_a_send_echoes_and_its_ticks_follow(
    wire: Wire, channel: WhapiChannel, receiver: Receiver
) -> None:
    wire.emulator.configure(read_after=2)
    await subscribe(wire, channel.token, hook("messages.post", "statuses.post"))
    sent = (await wire.text(channel, TO)).json()["message"]
    await wire.emulator.advance(5)
    assert receiver.events() == ["messages.post", *["statuses.post"] * 3]
    echo, *ticks = receiver.bodies()
    assert echo["messages"] == [sent]
    assert [tick["statuses"][0]["status"] for tick in ticks] == ["sent", "delivered", "read"]
    assert facts.shape(ticks[1]) == facts.shape(facts.STATUS)
    assert [tick["statuses"][0]["code"] for tick in ticks] == [2, 3, 4]


async def test_a_reply_has_the_form_of_a_captured_message(
    wire: Wire, channel: WhapiChannel, receiver: Receiver
) -> None:
    await subscribe(wire, channel.token, hook("messages.post"))
    await wire.control(
        "POST", "/reply", json={"phone": TO, "channel_id": channel.id, "text": "STOP", "name": "Ana"}
    )
    await wire.emulator.advance(0)
    (body,) = receiver.bodies()
    assert facts.shape(body) == facts.shape(facts.INCOMING)
    assert body["messages"][0]["text"] == {"body": "STOP"}


async def test_a_pressed_button_comes_back_with_the_captured_prefix(
    wire: Wire, channel: WhapiChannel, receiver: Receiver
) -> None:
    await subscribe(wire, channel.token, hook("messages.post"))
    sent = (await wire.text(channel, TO)).json()["message"]["id"]
    await wire.control(
        "POST", "/reply", json={"phone": TO, "text": "Yes", "button_id": "yes", "quoted_id": sent}
    )
    await wire.emulator.advance(0)
    message = receiver.bodies()[-1]["messages"][0]
    assert message["reply"]["buttons_reply"] == {"id": "ButtonsV3:yes", "title": "Yes"}
    assert message["context"]["quoted_id"] == sent


async def test_only_subscribed_events_are_told(wire: Wire, channel: WhapiChannel, receiver: Receiver) -> None:
    await subscribe(wire, channel.token, hook("statuses.post"))
    await wire.text(channel, TO)
    await wire.emulator.advance(5)
    assert set(receiver.events()) == {"statuses.post"}


async def test_events_subscribed_as_put_or_by_their_old_names_are_told_as_put(
    wire: Wire, channel: WhapiChannel, receiver: Receiver
) -> None:
    await subscribe(wire, channel.token, hook("ack.put"))
    await wire.text(channel, TO)
    await wire.emulator.advance(5)
    assert set(receiver.events()) == {"statuses.put"}


@pytest.mark.parametrize(
    ("mode", "method", "path"),
    [
        ("body", "POST", "/hook"),
        ("path", "POST", "/hook/messages/post"),
        ("method", "POST", "/hook/messages"),
    ],
)
async def test_each_mode_says_the_event_in_its_own_way(
    wire: Wire, channel: WhapiChannel, receiver: Receiver, mode: str, method: str, path: str
) -> None:
    settings = hook("messages.post", mode=mode, headers={"x-secret": "s"})
    await subscribe(wire, channel.token, settings)
    await wire.text(channel, TO)
    await wire.emulator.advance(0)
    (call,) = receiver.calls
    assert (call["method"], call["path"], call["headers"]["x-secret"]) == (method, path, "s")


async def test_in_method_mode_the_verb_is_the_event(
    wire: Wire, channel: WhapiChannel, receiver: Receiver
) -> None:
    await subscribe(wire, channel.token, hook("users.delete", mode="method"))
    wire.emulator.network.unlink(channel.id)
    await wire.emulator.advance(0)
    (call,) = receiver.calls
    assert (call["method"], call["path"]) == ("DELETE", "/hook/users")


async def test_a_call_that_is_not_answered_with_200_is_repeated_ever_later(
    wire: Wire, channel: WhapiChannel, receiver: Receiver
) -> None:
    settings = hook("messages.post") | {"callback_backoff_delay_ms": 5000}
    await subscribe(wire, channel.token, settings)
    receiver.answers = [500, 204, 302]
    begin = wire.emulator.clock.now()
    await wire.text(channel, TO)
    await wire.emulator.advance(600)
    tried = [(entry["at"] - begin, entry["status"]) for entry in wire.emulator.webhooks]
    assert tried == [(0, 500), (5, 204), (15, 302), (30, 200)]
    assert len({call["body"] for call in receiver.calls}) == 1


async def test_the_repeating_has_a_cap_and_an_end(
    wire: Wire, channel: WhapiChannel, receiver: Receiver
) -> None:
    wire.emulator.configure(callback_attempts=4, callback_backoff=10, callback_backoff_cap=15)
    await subscribe(wire, channel.token, hook("messages.post"))
    receiver.answers = [500] * 9
    begin = wire.emulator.clock.now()
    await wire.text(channel, TO)
    await wire.emulator.advance(3600)
    assert [entry["at"] - begin for entry in wire.emulator.webhooks] == [0, 10, 25, 40]


@pytest.mark.parametrize("url", [URL, "nonsense://"])
async def test_a_receiver_that_can_not_be_reached_is_tried_again(url: str) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    emulator = Emulator(webhook_transport=httpx.MockTransport(refuse))
    channel = await emulator.paired_channel()
    hook = {"url": url, "mode": "body"}
    channel.webhooks.call(hook, "messages", "post", {"messages": []})
    await emulator.advance(3)
    assert [entry["status"] for entry in emulator.webhooks] == [None, None]
    await emulator.aclose()


async def test_a_fault_duplicates_a_callback(wire: Wire, channel: WhapiChannel, receiver: Receiver) -> None:
    wire.emulator.faults.add(Fault(kind="webhook_duplicate", path=r"statuses\.post"))
    await subscribe(wire, channel.token, hook("messages.post", "statuses.post"))
    await wire.text(channel, TO)
    await wire.emulator.advance(5)
    assert receiver.events() == ["messages.post", *["statuses.post"] * 3]
    assert receiver.calls[1]["body"] == receiver.calls[2]["body"]


async def test_a_fault_lets_a_callback_be_overtaken(
    wire: Wire, channel: WhapiChannel, receiver: Receiver
) -> None:
    wire.emulator.faults.add(Fault(kind="webhook_reorder", path="statuses", delay=60))
    await subscribe(wire, channel.token, hook("statuses.post"))
    await wire.text(channel, TO)
    await wire.emulator.advance(5)
    assert [body["statuses"][0]["status"] for body in receiver.bodies()] == ["delivered", "sent"]


async def test_a_callback_that_nothing_overtakes_still_arrives(
    wire: Wire, channel: WhapiChannel, receiver: Receiver
) -> None:
    wire.emulator.faults.add(Fault(kind="webhook_reorder", delay=2))
    await subscribe(wire, channel.token, hook("messages.post"))
    await wire.text(channel, TO)
    await wire.emulator.advance(1)
    assert receiver.calls == []
    await wire.emulator.advance(1)
    assert receiver.events() == ["messages.post"]


async def test_a_fault_loses_a_callback(wire: Wire, channel: WhapiChannel, receiver: Receiver) -> None:
    wire.emulator.faults.add(Fault(kind="webhook_drop", path="messages"))
    await subscribe(wire, channel.token, hook("messages.post"))
    await wire.text(channel, TO, "lost")
    await wire.text(channel, TO, "told")
    await wire.emulator.advance(5)
    assert [body["messages"][0]["text"]["body"] for body in receiver.bodies()] == ["told"]
