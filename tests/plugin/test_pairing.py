"""From a channel without a phone to one with it, and all that can be in the way."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.plugin.conftest import CONN_ID, Clock, Visitor
from whatsapp_provider.emulator.server import EmulatorServer
from whatsapp_provider.emulator.whapi.channel import WhapiChannel

PHONE = "15550001000"
Reach = Callable[..., Awaitable[dict[str, Any]]]
Connect = Callable[..., None]

pytestmark = pytest.mark.usefixtures("clock")


def count(gateway: EmulatorServer, path: str) -> int:
    return gateway.emulator.requests.counts[f"GET /whapi/gate{path}"]


async def test_the_code_is_shown_and_then_the_connection(
    gateway: EmulatorServer, channel: WhapiChannel, reach: Reach
) -> None:
    view = await reach("waiting_for_pairing")
    assert view["title"] == "Scan this code with WhatsApp"
    assert "Linked devices" in view["advice"]
    assert base64.b64decode(view["qr"].removeprefix("data:image/png;base64,")) == channel.qr.png()
    assert 50 < view["expires_in"] <= 54
    assert view["channel"] == {"id": channel.id, "name": ""}

    gateway.emulator.network.link(channel.id, PHONE)
    view = await reach("connected")
    assert view["qr"] is None
    assert view["advice"] == "Phone …1000 is linked. You can close this page."


async def test_a_channel_is_found_by_its_name_and_by_its_id(
    channel: WhapiChannel, connect: Connect, reach: Reach
) -> None:
    connect()
    for named in ("Front desk", channel.id):
        view = await reach("waiting_for_pairing", channel=named)
        assert view["channel"] == {"id": channel.id, "name": "Front desk"}


async def test_each_step_to_the_code_is_told(
    channel: WhapiChannel, reach: Reach, clock: Clock, admin: Visitor
) -> None:
    await reach("waiting_for_pairing")
    for word in ("INIT", "LAUNCH"):
        channel.force(word)
        clock.now += 2
        view = await admin.look()
        assert (view["state"], view["title"]) == ("initializing", f"Starting… ({word})")
        assert view["qr"] is None


async def test_a_channel_that_is_not_served_yet_is_said_to_be_prepared(
    gateway: EmulatorServer, connect: Connect, admin: Visitor
) -> None:
    gateway.emulator.configure(provisioning_seconds=600)
    made = gateway.emulator.whapi.create_channel({"name": "New", "projectId": "default"})
    connect(channel_id=made.id)
    view = await admin.look()
    assert (view["state"], view["tone"]) == ("provisioning", "wait")


async def test_a_fresh_code_replaces_the_one_that_expires(
    gateway: EmulatorServer, channel: WhapiChannel, reach: Reach, clock: Clock
) -> None:
    first = await reach("waiting_for_pairing")
    await gateway.emulator.advance(54)
    for _ in range(2):
        clock.now += 25
        second = await reach("waiting_for_pairing")
    assert second["qr"] == first["qr"], "there is time left"
    clock.now += 2
    third = await reach("waiting_for_pairing")
    assert third["qr"] != first["qr"]
    assert third["expires_in"] > 50


async def test_the_code_is_asked_for_once_and_not_at_each_look(
    gateway: EmulatorServer, channel: WhapiChannel, reach: Reach, clock: Clock, admin: Visitor
) -> None:
    await reach("waiting_for_pairing")
    asked = count(gateway, "/users/login")
    for _ in range(20):
        clock.now += 2
        assert (await admin.look())["qr"]
    assert count(gateway, "/users/login") == asked


async def test_many_viewers_are_one_look_for_the_gateway(
    gateway: EmulatorServer, channel: WhapiChannel, reach: Reach, clock: Clock, admin: Visitor
) -> None:
    await reach("waiting_for_pairing")
    before = count(gateway, "/health")
    clock.now += 2
    views = await asyncio.gather(*(admin.look() for _ in range(25)))
    assert len({view["qr"] for view in views}) == 1
    clock.now += 1.9
    await admin.look()
    assert count(gateway, "/health") == before + 1


async def test_what_nobody_watches_is_forgotten(
    channel: WhapiChannel, reach: Reach, clock: Clock, admin: Visitor
) -> None:
    from whatsapp_provider.plugin import desk as module
    from whatsapp_provider.plugin.app import app

    await reach("waiting_for_pairing")
    watched = app.state.desk._watched
    for number in range(2 * module.MOST_WATCHED):
        await admin.look(conn_id=f"unknown_{number}")
    assert len(watched) == module.MOST_WATCHED
    clock.now += module.IDLE_SECONDS + 1
    await admin.look(conn_id="unknown")
    assert list(watched) == [("unknown", "")]


async def test_a_number_gets_a_pairing_code_for_its_phone(
    gateway: EmulatorServer, channel: WhapiChannel, reach: Reach, admin: Visitor
) -> None:
    assert (await reach("waiting_for_pairing"))["by_number"] is True
    answer = await admin.ask_code("+1 (555) 000-1000")
    assert answer.status_code == 200
    assert len(answer.json()["code"]) == 9
    assert count(gateway, f"/users/login/{PHONE}") == 1

    again = await admin.ask_code("+1 (555) 000-1000")
    assert again.status_code == 429
    assert count(gateway, f"/users/login/{PHONE}") == 1


@pytest.mark.parametrize("number", ["", "12", "not a number", "0555 123 4567", "../../settings", "٤٤٤٤٤٤٤٤٤"])
async def test_what_is_no_number_never_reaches_the_gateway(
    gateway: EmulatorServer, channel: WhapiChannel, admin: Visitor, number: str
) -> None:
    answer = await admin.ask_code(number)
    assert answer.status_code == 422
    assert sum(gateway.emulator.requests.counts.values()) == 0


async def test_a_body_that_is_not_ours_is_refused(channel: WhapiChannel, admin: Visitor) -> None:
    headers = {"x-requested-with": "whatsapp-pairing"}
    url = f"/whatsapp/api/code?conn_id={CONN_ID}"
    assert (await admin.http.post(url, content=b"[]", headers=headers)).status_code == 422
    assert (await admin.http.post(url, content=b"x" * 5000, headers=headers)).status_code == 413


async def test_the_account_s_channels_are_offered_where_none_is_named(
    channel: WhapiChannel, connect: Connect, admin: Visitor
) -> None:
    connect()
    view = await admin.look()
    assert view["state"] == "choose"
    assert view["choices"] == [{"id": channel.id, "name": "Front desk", "stopped": False}]


async def test_no_code_is_given_for_an_unknown_connection(channel: WhapiChannel, admin: Visitor) -> None:
    answer = await admin.http.post(
        "/whatsapp/api/code?conn_id=nowhere",
        json={"phone": PHONE},
        headers={"x-requested-with": "whatsapp-pairing"},
    )
    assert answer.status_code == 502
    assert answer.json()["title"] == "There is no connection “nowhere”"


async def test_an_unknown_connection_is_named(channel: WhapiChannel, admin: Visitor) -> None:
    view = await admin.look(conn_id="nowhere")
    assert view["title"] == "There is no connection “nowhere”"
    assert "Admin → Connections" in view["advice"]


async def test_a_connection_of_another_kind_is_named(monkeypatch: pytest.MonkeyPatch, admin: Visitor) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_A_DATABASE", '{"conn_type": "postgres"}')
    view = await admin.look(conn_id="a_database")
    assert view["title"] == "The connection can't be used like this"
    assert "'postgres'" in view["detail"]


async def test_a_wrong_token_is_told_from_a_lost_channel(
    channel: WhapiChannel, connect: Connect, admin: Visitor
) -> None:
    connect(token="a-wrong-partner-token", channel_id=channel.id)
    view = await admin.look()
    assert view["title"] == "The gateway refuses the token"
    assert CONN_ID in view["advice"]


async def test_a_corrected_connection_is_noticed(
    channel: WhapiChannel, connect: Connect, admin: Visitor, reach: Reach
) -> None:
    connect(token="a-wrong-partner-token", channel_id=channel.id)
    assert (await admin.look())["state"] == "problem"
    connect(channel_id=channel.id)
    await reach("waiting_for_pairing")


async def test_a_channel_deleted_meanwhile_is_said_to_be_gone(
    gateway: EmulatorServer, channel: WhapiChannel, reach: Reach
) -> None:
    await reach("waiting_for_pairing")
    gateway.emulator.whapi.delete_channel(channel.id)
    view = await reach("problem")
    assert view["title"] == "This channel does not exist"
    assert view["qr"] is None


async def test_a_stopped_channel_says_what_to_do(channel: WhapiChannel, reach: Reach) -> None:
    await reach("waiting_for_pairing")
    channel.stop()
    view = await reach("stopped")
    assert view["title"] == "The channel is stopped"
    assert "start it" in view["advice"]


async def test_a_gateway_that_is_down_is_tried_again(
    gateway: EmulatorServer, channel: WhapiChannel, connect: Connect, monkeypatch: pytest.MonkeyPatch,
    admin: Visitor, clock: Clock, reach: Reach,
) -> None:  # fmt: skip
    from whatsapp_provider.plugin import desk

    monkeypatch.setattr(desk, "LOOK_TIMEOUT", 0.3)
    url, gateway.port = gateway.facts(), 9
    connect(channel_id=channel.id, manager_url="http://127.0.0.1:9/whapi/manager")
    view = await admin.look()
    assert (view["tone"], view["state"]) == ("wait", "problem")
    assert view["title"] == "The gateway does not answer at the moment"

    gateway.port = url["port"]
    connect(channel_id=channel.id)
    monkeypatch.setattr(desk, "LOOK_TIMEOUT", 20)
    await reach("waiting_for_pairing")


async def test_a_phone_that_is_unlinked_shows_a_code_again(
    gateway: EmulatorServer, channel: WhapiChannel, reach: Reach
) -> None:
    first = await reach("waiting_for_pairing")
    gateway.emulator.network.link(channel.id, PHONE)
    await reach("connected")
    gateway.emulator.network.unlink(channel.id)
    assert (await reach("waiting_for_pairing"))["qr"] != first["qr"]
