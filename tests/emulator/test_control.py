"""The control API: what a phone's owner does, and what a test asks afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import Wire
from whatsapp_provider.emulator.whapi.channel import WhapiChannel

TO = "5511900000000"


async def test_a_phone_scans_by_command(wire: Wire) -> None:
    channel = await wire.until_qr()
    request = {"channel_id": channel["id"], "phone": "15550004444"}
    assert (await wire.control("POST", "/scan", json=request)).json() == request
    assert await wire.status(channel["token"]) == "AUTH"
    again = await wire.control("POST", "/scan", json=request)
    assert again.status_code == 409


async def test_a_phone_unlinks_by_command(wire: Wire, channel: WhapiChannel) -> None:
    answer = await wire.control("POST", "/unlink", json={"channel_id": channel.id})
    assert answer.status_code == 200
    assert await wire.status(channel.token) == "QR"
    again = await wire.control("POST", "/unlink", json={"channel_id": channel.id})
    assert again.status_code == 409


async def test_a_channel_is_put_into_a_state_by_command(wire: Wire, channel: WhapiChannel) -> None:
    request = {"channel_id": channel.id, "state": "ERROR"}
    assert (await wire.control("POST", "/channel", json=request)).json()["state"] == "ERROR"
    assert (await wire.text(channel, TO)).status_code == 401
    request["state"] = "HAPPY"
    assert (await wire.control("POST", "/channel", json=request)).status_code == 409


async def test_a_phone_reads_by_command(wire: Wire, channel: WhapiChannel) -> None:
    first, second = [(await wire.text(channel, TO)).json()["message"]["id"] for _ in range(2)]
    request = {"phone": TO, "message_id": first}
    assert (await wire.control("POST", "/read", json=request)).json() == {"read": 1}
    assert channel.history.get(first)["status"] == "read"
    assert channel.history.get(second)["status"] == "pending"
    assert (await wire.control("POST", "/read", json={"phone": TO})).json() == {"read": 2}


async def test_a_phone_answers_the_channel_that_wrote_last(wire: Wire, channel: WhapiChannel) -> None:
    await wire.text(channel, TO)
    answer = (await wire.control("POST", "/reply", json={"phone": TO, "text": "STOP"})).json()
    assert answer["channel_id"] == channel.id
    message = await wire.gate(channel.token, "GET", f"/messages/{answer['message_id']}")
    assert message.json()["text"] == {"body": "STOP"}
    stranger = {"phone": "15550007777", "text": "hi"}
    assert (await wire.control("POST", "/reply", json=stranger)).status_code == 409


async def test_the_truth_log_is_filtered_and_counted(wire: Wire, channel: WhapiChannel) -> None:
    other = await wire.emulator.paired_channel("Other")
    await wire.text(channel, TO)
    await wire.text(other, TO)
    await wire.text(other, "15550009999")
    log = (await wire.control("GET", f"/received?phone={TO}")).json()
    assert log["total"] == 2
    assert {"at", "phone", "channel_id", "message_id", "kind", "text", "media", "chat_id"} == set(
        log["received"][0]
    )
    assert (await wire.control("GET", f"/received?channel={other.id}")).json()["total"] == 2
    assert (await wire.control("GET", "/received/counts")).json() == {TO: 2, "15550009999": 1}
    counts = (await wire.control("GET", f"/received/counts?channel={channel.id}")).json()
    assert counts == {TO: 1}


async def test_requests_are_counted_without_query_strings(wire: Wire, channel: WhapiChannel) -> None:
    await wire.text(channel, TO)
    await wire.http.get(f"/whapi/gate/health?token={channel.token}")
    answer = await wire.control("GET", "/requests")
    body = answer.json()
    assert body["counts"] == {"POST /whapi/gate/messages/text": 1, "GET /whapi/gate/health": 1}
    assert [entry["status"] for entry in body["log"]] == [200, 200]
    assert channel.token not in answer.text
    assert body["socket"] is None


async def test_settings_change_while_it_runs(wire: Wire) -> None:
    answer = await wire.control("POST", "/settings", json={"scan_after": 1, "read_after": 2})
    assert (answer.json()["scan_after"], wire.emulator.settings.read_after) == (1, 2)
    assert "partner_token" not in answer.json()
    refused = await wire.control("POST", "/settings", json={"scan_afterr": 1})
    assert refused.status_code == 400
    assert "scan_afterr" in refused.json()["error"]
    assert (await wire.control("GET", "/settings")).json()["scan_after"] == 1


async def test_faults_are_armed_and_disarmed(wire: Wire, channel: WhapiChannel) -> None:
    faults = [{"kind": "status", "status": 500, "times": None}, {"kind": "delay", "delay": 1}]
    assert len((await wire.control("POST", "/faults", json=faults)).json()["faults"]) == 2
    assert (await wire.text(channel, TO)).status_code == 500
    assert (await wire.control("DELETE", "/faults")).json() == {"faults": []}
    assert (await wire.text(channel, TO)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("POST", "/faults", {"kind": "gremlin"}),
        ("POST", "/faults", {"status": 500}),
        ("POST", "/faults", {"kind": "status", "colour": "red"}),
        ("POST", "/faults", [{"kind": "delay"}, {"kind": "status", "path": "("}]),
        ("POST", "/scan", {}),
        ("POST", "/advance", {"seconds": "soon"}),
    ],
)
async def test_a_senseless_command_is_400_and_does_nothing(
    wire: Wire, method: str, path: str, data: Any
) -> None:
    answer = await wire.control(method, path, json=data)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert wire.emulator.faults.as_list() == []


async def test_an_unknown_command_is_404(wire: Wire) -> None:
    assert (await wire.control("GET", "/nothing")).status_code == 404
    assert (await wire.http.get("/nobody/here")).status_code == 404


async def test_the_state_shows_each_channel_without_its_token(wire: Wire, channel: WhapiChannel) -> None:
    answer = await wire.control("GET", "/state")
    (shown,) = [one for one in answer.json()["channels"] if one["gateway"] == "whapi"]
    assert (shown["channel_id"], shown["state"], shown["phone"]) == (channel.id, "AUTH", "15550001000")
    assert channel.token not in answer.text


async def test_time_passes_by_command(wire: Wire) -> None:
    before = wire.emulator.clock.now()
    answer = await wire.control("POST", "/advance", json={"seconds": 90})
    assert answer.json()["now"] == before + 90


async def test_webhook_calls_are_logged(wire: Wire, channel: WhapiChannel) -> None:
    request = {"type": "messages", "url": "https://hook.example/hook", "mode": "body"}
    await wire.gate(channel.token, "POST", "/settings/webhook_test", json=request)
    await wire.emulator.advance(0)
    (entry,) = (await wire.control("GET", "/webhooks")).json()["webhooks"]
    assert (entry["event"], entry["status"], entry["attempt"]) == ("messages.post", 200, 1)


async def test_the_inbox_takes_webhooks_and_counts_them_by_event(wire):
    event = {"statuses": [], "event": {"type": "statuses", "event": "post"}, "channel_id": "MANTIS-M72HC"}
    assert (await wire.control("POST", "/inbox", json=event)).status_code == 200
    assert (await wire.control("GET", "/inbox")).json() == {"statuses.post": 1}
