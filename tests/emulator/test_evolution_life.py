"""An Evolution instance's life: its name, its QR codes, its end, and the quirks on the way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import Receiver, Wire
from tests.emulator.evolution_wire import Evolution
from whatsapp_provider.emulator import EmulatorSettings
from whatsapp_provider.emulator.evolution.instance import Instance

ALL: dict[str, Any] = {"webhook": {"url": "https://hook.example/wa1", "events": []}}


def events(receiver: Receiver) -> list[tuple[str, Any]]:
    """Return the events with the state or the code's number that they tell."""
    return [(body["event"], (body["data"] or {}).get("state")) for body in receiver.bodies()]


async def test_a_create_with_a_qr_code_takes_five_seconds(evolution: Evolution) -> None:
    begin = evolution.emulator.clock.now()
    created = await evolution.create(qrcode=True)
    assert evolution.emulator.clock.now() == begin + 5
    assert (created["instance"]["status"], created["qrcode"]["count"]) == ("connecting", 1)


async def test_a_connect_from_close_takes_two_seconds_and_later_ones_none(evolution: Evolution) -> None:
    await evolution.create()
    begin = evolution.emulator.clock.now()
    first = (await evolution.ask("GET", "/instance/connect/wa1")).json()
    assert evolution.emulator.clock.now() == begin + 2
    assert (await evolution.ask("GET", "/instance/connect/wa1")).json() == first
    assert evolution.emulator.clock.now() == begin + 2


async def test_a_pairing_code_is_made_only_from_close(evolution: Evolution) -> None:
    await evolution.create()
    path = "/instance/connect/wa1?number=5511900000101"
    code = (await evolution.ask("GET", path)).json()["pairingCode"]
    assert len(code) == 8
    await evolution.create("wa2", qrcode=True)
    again = await evolution.ask("GET", "/instance/connect/wa2?number=5511900000101")
    assert again.json()["pairingCode"] is None


async def test_a_code_lives_45_seconds_and_the_next_has_the_next_number(evolution: Evolution) -> None:
    first = (await evolution.create(qrcode=True))["qrcode"]
    await evolution.emulator.advance(40)
    assert (await evolution.ask("GET", "/instance/connect/wa1")).json() == first
    await evolution.emulator.advance(0.2)
    second = (await evolution.ask("GET", "/instance/connect/wa1")).json()
    assert (second["count"], second["code"] != first["code"]) == (2, True)


async def test_after_thirty_codes_the_instance_is_refused_and_must_connect_again(
    evolution: Evolution, receiver: Receiver
) -> None:
    await evolution.create(qrcode=True, **ALL)
    await evolution.emulator.advance(30 * 45 - 6)
    assert (await evolution.ask("GET", "/instance/connect/wa1")).json()["count"] == 30
    assert await evolution.state() == "connecting"
    await evolution.emulator.advance(2)
    assert await evolution.state() == "close"
    limit, refused = receiver.bodies()[-2:]
    assert limit["data"] == {"message": "QR code limit reached, please login again", "statusCode": 500}
    assert refused["data"] == {"instance": "wa1", "state": "refused", "statusReason": 428}
    assert (await evolution.ask("GET", "/instance/connect/wa1")).json()["count"] == 1


async def test_an_old_code_cannot_be_scanned_after_the_limit(wire: Wire, evolution: Evolution) -> None:
    await evolution.create(qrcode=True)
    wire.emulator.network.port("wa1").force("refused")
    assert (await wire.control("POST", "/scan", json={"channel_id": "wa1"})).status_code == 409


async def test_somebody_who_sees_the_code_scans_it_when_set_so(evolution: Evolution) -> None:
    evolution.emulator.configure(scan_after=3.0)
    await evolution.create(qrcode=True)
    await evolution.emulator.advance(2.9)
    assert await evolution.state() == "connecting"
    await evolution.emulator.advance(0.2)
    assert await evolution.state() == "open"


async def test_a_deleted_name_stays_taken_for_a_while(evolution: Evolution) -> None:
    await evolution.create()
    assert (await evolution.ask("DELETE", "/instance/delete/wa1")).status_code == 200
    again = {"instanceName": "wa1", "integration": "WHATSAPP-BAILEYS"}
    refused = await evolution.ask("POST", "/instance/create", json=again)
    assert refused.status_code == 403
    assert refused.json()["response"]["message"] == ['This name "wa1" is already in use.']
    await evolution.emulator.advance(0.5)
    assert (await evolution.ask("GET", "/instance/connectionState/wa1")).status_code == 404
    await evolution.create()


async def test_how_long_a_delete_takes_is_a_setting(evolution: Evolution) -> None:
    evolution.emulator.configure(evolution_delete_seconds=30.0)
    await evolution.create()
    await evolution.ask("DELETE", "/instance/delete/wa1")
    await evolution.emulator.advance(29)
    assert await evolution.state() == "close"
    await evolution.emulator.advance(1)
    assert evolution.server.instances == {}


async def test_the_loser_of_a_race_destroys_the_winners_instance(evolution: Evolution) -> None:
    evolution.emulator.configure(evolution_race_seconds=1.0)
    await evolution.create()
    again = {"instanceName": "wa1", "integration": "WHATSAPP-BAILEYS"}
    loser = await evolution.ask("POST", "/instance/create", json=again)
    assert loser.status_code == 400
    assert "Unique constraint" in loser.json()["response"]["message"][0]
    assert (await evolution.ask("GET", "/instance/connectionState/wa1")).status_code == 404
    await evolution.create()
    await evolution.emulator.advance(1)
    assert (await evolution.ask("POST", "/instance/create", json=again)).status_code == 403


async def test_existence_and_name_are_looked_at_before_the_key(evolution: Evolution) -> None:
    await evolution.create()
    assert (await evolution.ask("GET", "/instance/connectionState/ghost", key=None)).status_code == 404
    taken = await evolution.ask("POST", "/instance/create", key="wrong", json={"instanceName": "wa1"})
    assert taken.status_code == 403
    assert (await evolution.ask("GET", "/instance/connectionState/wa1", key=None)).status_code == 401


async def test_a_token_opens_its_own_instance_only(evolution: Evolution) -> None:
    own = (await evolution.create("one"))["hash"]
    await evolution.create("two")
    path = "/instance/connectionState/"
    assert (await evolution.ask("GET", f"{path}one", key=own)).status_code == 200
    assert (await evolution.ask("GET", f"{path}two", key=own)).status_code == 401
    (row,) = (await evolution.ask("GET", "/instance/fetchInstances", key=own)).json()
    assert row["name"] == "one"


async def test_an_unlinked_phone_closes_the_instance_and_tells_why(
    evolution: Evolution, receiver: Receiver
) -> None:
    await evolution.create(qrcode=True, **ALL)
    evolution.emulator.network.link("wa1")
    evolution.emulator.network.unlink("wa1")
    await evolution.emulator.advance(0)
    told = events(receiver)[-3:]
    assert told == [("status.instance", None), ("logout.instance", None), ("connection.update", "close")]
    assert await evolution.state() == "close"


async def test_a_socket_that_goes_away_says_nothing_and_comes_back_without_a_code(
    evolution: Evolution, receiver: Receiver
) -> None:
    await evolution.create(qrcode=True, **ALL)
    evolution.emulator.network.link("wa1")
    await evolution.emulator.advance(0)
    before = len(receiver.calls)
    evolution.emulator.network.port("wa1").force("close")
    assert (await evolution.text()).json()["response"]["message"] == "Connection Closed"
    await evolution.emulator.advance(10)
    assert len(receiver.calls) == before
    answer = await evolution.ask("GET", "/instance/connect/wa1")
    assert answer.json() == {"count": 1}
    assert events(receiver)[before:] == [("connection.update", "connecting"), ("connection.update", "open")]


async def test_an_open_instance_can_be_dead(evolution: Evolution) -> None:
    instance = evolution.server.paired("wa1")
    instance.force("dead")
    assert await evolution.state() == "open"
    refused = await evolution.text()
    assert (refused.status_code, refused.json()["response"]["message"]) == (500, "Connection Closed")
    numbers = {"numbers": ["5511900000000"]}
    check = await evolution.ask("POST", "/chat/whatsappNumbers/wa1", json=numbers)
    assert (check.status_code, check.json()) == (400, {})
    await evolution.ask("POST", "/instance/restart/wa1")
    await evolution.emulator.advance(1)
    assert (await evolution.text()).status_code == 201


async def test_commands_reach_an_instance_by_its_name(wire: Wire, evolution: Evolution) -> None:
    await evolution.create(qrcode=True)
    scanned = {"channel_id": "wa1", "phone": "5511900000101"}
    assert (await wire.control("POST", "/scan", json=scanned)).json() == scanned
    sent = (await evolution.text(to="5511900000000")).json()["key"]["id"]
    answer = await wire.control("POST", "/reply", json={"phone": "5511900000000", "text": "oi"})
    assert answer.json()["channel_id"] == "wa1"
    assert (await wire.control("POST", "/read", json={"phone": "5511900000000"})).json() == {"read": 1}
    where = {"where": {"id": sent}}
    (row,) = (await evolution.ask("POST", "/chat/findStatusMessage/wa1", json=where)).json()
    assert row["status"] == "READ"
    forced = await wire.control("POST", "/channel", json={"channel_id": "wa1", "state": "banned"})
    assert forced.json() == {
        "gateway": "evolution",
        "name": "wa1",
        "state": "close",
        "phone": None,
        "mode": "v2 WHATSAPP-BAILEYS",
        "messages": 2,
    }
    bad = await wire.control("POST", "/channel", json={"channel_id": "wa1", "state": "asleep"})
    assert bad.status_code == 409
    assert (await wire.control("POST", "/unlink", json={"channel_id": "wa1"})).status_code == 409


async def test_the_inbox_counts_events_by_their_name_in_either_mode(wire: Wire) -> None:
    body = {"event": "messages.update", "instance": "wa1", "data": {}}
    await wire.control("POST", "/inbox", json=body)
    await wire.control("POST", "/inbox/messages-update", json=body)
    assert (await wire.control("GET", "/inbox")).json() == {"messages.update": 2}


async def test_the_two_servers_share_the_key_and_nothing_else(
    evolution: Evolution, evolution_v1: Evolution
) -> None:
    await evolution.create("same")
    await evolution_v1.create("same")
    names = [name for name, port in evolution.emulator.network.ports() if isinstance(port, Instance)]
    assert names == ["same", "same (v1)"]
    await evolution.ask("DELETE", "/instance/delete/same")
    await evolution.emulator.advance(1)
    assert await evolution_v1.state("same") == "close"


def test_the_settings_that_are_shown_have_no_key() -> None:
    settings = EmulatorSettings(evolution_key="very-secret")
    assert "very-secret" not in str(settings.as_dict())


@pytest.mark.parametrize(("method", "status"), [("PUT", 404), ("POST", 200)])
async def test_version_2_is_restarted_by_post(evolution: Evolution, method: str, status: int) -> None:
    evolution.server.paired("wa1")
    assert (await evolution.ask(method, "/instance/restart/wa1")).status_code == status


@pytest.mark.parametrize(("method", "status"), [("PUT", 200), ("POST", 404)])
async def test_version_1_is_restarted_by_put(evolution_v1: Evolution, method: str, status: int) -> None:
    evolution_v1.server.paired("wa1")
    assert (await evolution_v1.ask(method, "/instance/restart/wa1")).status_code == status
