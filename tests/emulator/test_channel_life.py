"""A channel from its creation to its pairing, and what can end that."""

from __future__ import annotations

import base64

import pytest

from tests.emulator import wire_facts as facts
from tests.emulator.conftest import Wire
from whatsapp_provider.emulator.whapi.channel import WhapiChannel

DAY = 86_400


async def test_the_gate_does_not_know_a_channel_while_it_is_provisioned(wire: Wire) -> None:
    token = (await wire.create())["token"]
    for method, path in (("GET", "/health"), ("PATCH", "/settings"), ("GET", "/users/login")):
        answer = await wire.gate(token, method, path)
        assert answer.status_code == 404
        assert answer.json() == {"error": {"code": 404, "message": "Channel not found"}}
    await wire.emulator.advance(60)
    assert (await wire.gate(token, "GET", "/health")).status_code == 200


async def test_settings_can_answer_503_for_a_while_after_provisioning(wire: Wire) -> None:
    wire.emulator.configure(settings_warmup_seconds=5)
    token = (await wire.create())["token"]
    await wire.emulator.advance(60)
    assert (await wire.gate(token, "PATCH", "/settings", json={})).status_code == 503
    await wire.emulator.advance(5)
    assert (await wire.gate(token, "PATCH", "/settings", json={})).status_code == 200


async def test_a_channel_sleeps_until_health_wakes_it(wire: Wire) -> None:
    token = (await wire.create())["token"]
    await wire.emulator.advance(600)
    assert await wire.status(token, "?wakeup=false") == "NOT_INIT"
    assert await wire.status(token) == "INIT"
    await wire.emulator.advance(2)
    assert await wire.status(token) == "LAUNCH"
    await wire.emulator.advance(20)
    assert await wire.status(token) == "QR"


async def test_health_has_the_keys_order_and_types_of_the_captured_one(wire: Wire) -> None:
    token = (await wire.create())["token"]
    await wire.emulator.advance(60)
    await wire.gate(token, "GET", "/health")
    await wire.emulator.advance(10)
    body = (await wire.gate(token, "GET", "/health")).json()
    assert facts.shape(body) == facts.shape(facts.HEALTH)
    assert (body["status"], body["uptime"]) == ({"code": 2, "text": "LAUNCH"}, 10)


@pytest.mark.parametrize(("text", "code"), facts.HEALTH_CODES.items())
async def test_each_status_has_its_known_code(
    wire: Wire, channel: WhapiChannel, text: str, code: int
) -> None:
    channel.force(text)
    body = (await wire.gate(channel.token, "GET", "/health")).json()
    assert body["status"] == {"code": code, "text": text}


async def test_a_paired_channel_shows_its_user_and_device(wire: Wire, channel: WhapiChannel) -> None:
    body = (await wire.gate(channel.token, "GET", "/health")).json()
    assert body["user"]["id"] == "15550001000"
    assert {"id", "name", "pushname", "is_business", "saved"} <= set(body["user"])
    assert isinstance(body["device_id"], int)


async def test_a_login_without_a_code_in_time_is_200_timeout(wire: Wire) -> None:
    token = (await wire.create())["token"]
    await wire.emulator.advance(60)
    for path in ("/users/login", "/users/login/image", "/users/login/rowdata"):
        answer = await wire.gate(token, "GET", path)
        assert (answer.status_code, answer.json()) == (200, facts.QR_TIMEOUT)


async def test_a_qr_code_is_a_real_picture_that_counts_down(wire: Wire) -> None:
    token = (await wire.until_qr())["token"]
    body = (await wire.gate(token, "GET", "/users/login?width=100&height=100")).json()
    assert list(body) == facts.QR_OK_KEYS
    assert (body["status"], body["expire"]) == ("OK", 54)
    assert body["base64"].startswith(facts.QR_PREFIX)
    png = base64.b64decode(body["base64"].removeprefix(facts.QR_PREFIX))
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert [int.from_bytes(png[at : at + 4], "big") for at in (16, 20)] == [300, 300]
    await wire.emulator.advance(10)
    assert (await wire.gate(token, "GET", "/users/login")).json()["expire"] == 44
    image = await wire.gate(token, "GET", "/users/login/image")
    assert (image.headers["content-type"], image.content) == ("image/png", png)


async def test_a_qr_code_is_replaced_when_it_is_too_old(wire: Wire) -> None:
    token = (await wire.until_qr())["token"]
    first = (await wire.gate(token, "GET", "/users/login/rowdata")).json()
    assert first["status"] == "OK"
    await wire.emulator.advance(54)
    second = (await wire.gate(token, "GET", "/users/login/rowdata")).json()
    assert second["rowdata"] != first["rowdata"]
    assert second["expire"] == 54


async def test_nobody_scans_a_code_by_itself_unless_told_to(wire: Wire) -> None:
    token = (await wire.until_qr())["token"]
    await wire.gate(token, "GET", "/users/login")
    await wire.emulator.advance(3600)
    assert await wire.status(token) == "QR"


async def test_the_phone_scans_some_seconds_after_the_code_was_first_shown(wire: Wire) -> None:
    wire.emulator.configure(scan_after=5)
    token = (await wire.until_qr())["token"]
    await wire.emulator.advance(30)
    assert await wire.status(token) == "QR"
    await wire.gate(token, "GET", "/users/login")
    await wire.emulator.advance(4)
    await wire.gate(token, "GET", "/users/login")
    assert await wire.status(token) == "QR"
    await wire.emulator.advance(1)
    assert await wire.status(token) == "AUTH"


async def test_an_unlinked_channel_is_not_scanned_again_until_its_new_code_is_shown(wire: Wire) -> None:
    wire.emulator.configure(scan_after=5)
    created = await wire.until_qr()
    for _ in range(2):
        await wire.gate(created["token"], "GET", "/users/login")
        await wire.emulator.advance(4)
    wire.emulator.network.unlink(created["id"])
    await wire.emulator.advance(60)
    assert await wire.status(created["token"]) == "QR"


async def test_each_channel_is_scanned_by_its_own_phone(wire: Wire) -> None:
    one, two = await wire.until_qr(), await wire.until_qr()
    numbers = [wire.emulator.network.link(item["id"]) for item in (one, two)]
    assert numbers == ["15550001000", "15550001001"]


@pytest.mark.parametrize("path", ["/users/login", "/users/login/image", "/users/login/15550001000"])
async def test_a_paired_channel_refuses_another_login(wire: Wire, channel: WhapiChannel, path: str) -> None:
    answer = await wire.gate(channel.token, "GET", path)
    assert answer.status_code == 409
    assert answer.json()["error"]["message"] == "Channel already authenticated"


async def test_a_pairing_code_links_the_phone_it_was_asked_for(wire: Wire) -> None:
    wire.emulator.configure(scan_after=3)
    token = (await wire.until_qr())["token"]
    answer = (await wire.gate(token, "GET", "/users/login/5511900000000")).json()
    assert list(answer) == ["code"]
    assert isinstance(answer["code"], str)
    await wire.emulator.advance(3)
    health = (await wire.gate(token, "GET", "/health")).json()
    assert (health["status"]["text"], health["user"]["id"]) == ("AUTH", "5511900000000")


async def test_a_pairing_code_for_something_that_is_no_number_is_400(wire: Wire) -> None:
    token = (await wire.until_qr())["token"]
    answer = await wire.gate(token, "GET", "/users/login/+1555")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Invalid phone number"


async def test_a_logout_goes_back_to_a_code_and_can_not_be_repeated(
    wire: Wire, channel: WhapiChannel
) -> None:
    assert (await wire.gate(channel.token, "POST", "/users/logout")).json() == {"success": True}
    assert await wire.status(channel.token) == "QR"
    again = await wire.gate(channel.token, "POST", "/users/logout")
    assert again.status_code == 409
    assert again.json()["error"]["message"] == "Channel already logged out"


async def test_a_channel_that_its_phone_unlinked_can_not_send(wire: Wire, channel: WhapiChannel) -> None:
    wire.emulator.network.unlink(channel.id)
    answer = await wire.text(channel, "15550009999")
    assert (answer.status_code, answer.json()) == (401, facts.NOT_AUTHORIZED)
    assert (await wire.gate(channel.token, "GET", "/users/profile")).status_code == 401
    assert wire.emulator.network.received() == []


async def test_a_stopped_channel_starts_again_with_its_phone(wire: Wire, channel: WhapiChannel) -> None:
    path = f"/channels/{channel.id}"
    assert (await wire.manager("POST", f"{path}/stop")).json() == {"success": True}
    assert await wire.status(channel.token) == "STOP"
    assert (await wire.manager("GET", path)).json()["stopped"] is True
    assert (await wire.text(channel, "15550009999")).status_code == 401
    assert (await wire.manager("POST", f"{path}/restart")).status_code == 503
    assert (await wire.manager("POST", f"{path}/start")).json() == {"success": True}
    assert await wire.status(channel.token) == "INIT"
    await wire.emulator.advance(22)
    assert await wire.status(channel.token) == "AUTH"


async def test_a_restart_passes_through_init_and_launch(wire: Wire, channel: WhapiChannel) -> None:
    await wire.manager("POST", f"/channels/{channel.id}/restart")
    seen = [await wire.status(channel.token)]
    for seconds in (2, 20):
        await wire.emulator.advance(seconds)
        seen.append(await wire.status(channel.token))
    assert seen == ["INIT", "LAUNCH", "AUTH"]


async def test_a_channel_stops_when_its_days_are_over_and_lives_on_when_extended(
    wire: Wire, channel: WhapiChannel
) -> None:
    await wire.emulator.advance(6 * DAY)
    assert await wire.status(channel.token) == "STOP"
    assert (await wire.manager("POST", f"/channels/{channel.id}/start")).status_code == 503
    await wire.manager("POST", f"/channels/{channel.id}/extend", json={"days": 1, "comment": "x"})
    await wire.emulator.advance(22)
    assert await wire.status(channel.token) == "AUTH"


async def test_a_channel_with_a_sync_error_sends_but_does_not_read(wire: Wire, channel: WhapiChannel) -> None:
    channel.force("SYNC_ERROR")
    assert (await wire.text(channel, "15550009999")).status_code == 200
    assert (await wire.gate(channel.token, "GET", "/messages/list")).status_code == 500
    assert await wire.status(channel.token) == "SYNC_ERROR"


async def test_a_token_may_come_in_the_query(wire: Wire, channel: WhapiChannel) -> None:
    assert (await wire.http.get(f"/whapi/gate/health?token={channel.token}")).status_code == 200
    assert (await wire.http.get("/whapi/gate/health?token=wrong")).status_code == 404
