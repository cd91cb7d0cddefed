"""Version 1 of the Evolution dialect: the documented create, and the same calls in its own words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.evolution_facts import v1
from tests.emulator.evolution_wire import TO, Evolution, differences

Body = dict[str, Any]


def documented(answer: Any, example: Any) -> Any:
    """Return of an answer what the documentation shows, in the answer's own order."""
    if not isinstance(example, dict):
        return answer
    return {name: documented(answer[name], example[name]) for name in answer if name in example}


async def test_the_documented_create_has_the_documented_answer(evolution_v1: Evolution) -> None:
    body = {"instanceName": "teste-docs", "token": "123456"}
    answer = await evolution_v1.ask("POST", "/instance/create", json=body)
    assert answer.status_code == 201
    created = answer.json()
    created["instance"]["instanceId"] = v1.CREATED["instance"]["instanceId"]
    assert differences(v1.CREATED, documented(created, v1.CREATED)) == []
    assert "qrcode" not in created
    assert await evolution_v1.state("teste-docs") == "close"


async def test_every_documented_option_is_taken(evolution_v1: Evolution) -> None:
    answer = await evolution_v1.ask("POST", "/instance/create", json=v1.CREATE)
    assert answer.status_code == 201, answer.text
    created = answer.json()
    assert created["hash"] == {"apikey": "123456"}
    assert created["settings"] == {
        "reject_call": True,
        "msg_call": "busy",
        "groups_ignore": True,
        "always_online": True,
        "read_messages": True,
        "read_status": True,
        "sync_full_history": False,
        "wavoipToken": "",
    }
    assert created["webhook"] == {
        "webhook": "https://hook.example/v1",
        "webhook_by_events": True,
        "events": v1.EVENTS,
    }
    assert created["rabbitmq"] == {"enabled": True, "events": v1.EVENTS}
    assert created["typebot"]["typebot"] == "bot"
    assert created["typebot"]["expire"] == 123
    assert len(created["qrcode"]["pairingCode"]) == 8
    stored = (await evolution_v1.ask("GET", "/webhook/find/teste-docs")).json()
    assert (stored["enabled"], stored["url"], stored["events"]) == (
        True,
        "https://hook.example/v1",
        v1.EVENTS,
    )


async def test_with_chatwoot_no_code_is_made(evolution_v1: Evolution) -> None:
    body = {**v1.CREATE, **v1.CHATWOOT}
    created = (await evolution_v1.ask("POST", "/instance/create", json=body)).json()
    assert ("qrcode" in created, created["chatwoot"]["account_id"]) == (False, 123)


async def test_a_webhook_without_events_is_silently_none(evolution_v1: Evolution) -> None:
    await evolution_v1.create(webhook="https://hook.example/v1")
    stored = (await evolution_v1.ask("GET", "/webhook/find/wa1")).json()
    assert (stored["enabled"], stored["url"], stored["events"]) == (False, "", [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook": "not a url", "events": []},
        {"reject_call": "yes"},
        {"events": ["NOT_AN_EVENT"]},
        {"events": ["INSTANCE_CREATE"]},
        {"token": "taken"},
        {"integration": "PIGEON"},
        {"integration": "WHATSAPP-BUSINESS", "number": "100200300"},
    ],
)
async def test_a_wrong_create_is_400_and_leaves_nothing(evolution_v1: Evolution, wrong: Body) -> None:
    await evolution_v1.create("first", token="taken")
    body = {"instanceName": "wa1", **wrong}
    assert (await evolution_v1.ask("POST", "/instance/create", json=body)).status_code == 400
    assert list(evolution_v1.server.instances) == ["first"]


async def test_a_row_is_wrapped_and_short(evolution_v1: Evolution) -> None:
    instance = evolution_v1.server.paired("one", "5511900000101")
    (row,) = (await evolution_v1.ask("GET", "/instance/fetchInstances")).json()
    assert row == {
        "instance": {
            "instanceName": "one",
            "instanceId": instance.id,
            "owner": "5511900000101@s.whatsapp.net",
            "profileName": "one",
            "profilePictureUrl": None,
            "profileStatus": "",
            "status": "open",
            "serverUrl": "http://emulator/evolution/v1",
            "apikey": instance.token,
            "integration": {
                "integration": "WHATSAPP-BAILEYS",
                "webhook_wa_business": None,
                "access_token_wa_business": "",
            },
        }
    }
    ghost = await evolution_v1.ask("GET", "/instance/fetchInstances?instanceName=ghost")
    assert ghost.status_code == 404


async def test_the_version_is_told_without_a_key(evolution_v1: Evolution) -> None:
    welcome = (await evolution_v1.ask("GET", "/", key=None)).json()
    assert (welcome["version"], "swagger" in welcome, "clientName" in welcome) == ("1.8.6", True, False)


KINDS: list[tuple[str, Body, str]] = [
    ("sendText", {"textMessage": {"text": "Hi"}}, "text"),
    ("sendMedia", {"mediaMessage": {"mediatype": "image", "media": "https://a.example/a.png"}}, "image"),
    ("sendWhatsAppAudio", {"audioMessage": {"audio": "https://a.example/a.ogg"}}, "voice"),
    ("sendSticker", {"stickerMessage": {"image": "https://a.example/a.webp"}}, "sticker"),
    (
        "sendLocation",
        {"locationMessage": {"latitude": -23.5, "longitude": -46.6, "name": "HQ", "address": "Av. X"}},
        "location",
    ),
    ("sendContact", {"contactMessage": [{"fullName": "Ana", "phoneNumber": "5511900000001"}]}, "contact"),
    ("sendPoll", {"pollMessage": {"name": "Q", "selectableCount": 1, "values": ["a", "b"]}}, "poll"),
    (
        "sendList",
        {
            "listMessage": {
                "title": "T",
                "footerText": "F",
                "buttonText": "Open",
                "sections": [{"title": "S", "rows": [{"title": "R", "rowId": "r"}]}],
            }
        },
        "list",
    ),
]


@pytest.mark.parametrize(("path", "body", "kind"), KINDS, ids=[kind for *_, kind in KINDS])
async def test_a_message_is_wrapped_by_its_kind(
    evolution_v1: Evolution, path: str, body: Body, kind: str
) -> None:
    evolution_v1.server.paired("one")
    answer = await evolution_v1.ask("POST", f"/message/{path}/one", json={"number": TO, **body})
    assert answer.status_code == 201, answer.text
    sent = answer.json()
    assert list(sent) == ["key", "message", "messageTimestamp", "status"]
    assert (sent["status"], type(sent["messageTimestamp"])) == ("PENDING", str)
    (received,) = evolution_v1.emulator.network.received(TO)
    assert (received.kind, received.message_id) == (kind, sent["key"]["id"])
    flat = next(iter(body.values()))
    unwrapped = flat if isinstance(flat, dict) else {"contact": flat}
    refused = await evolution_v1.ask("POST", f"/message/{path}/one", json={"number": TO, **unwrapped})
    wrapper = next(iter(body))
    assert refused.status_code == 400
    assert refused.json()["response"]["message"] == [[f'instance requires property "{wrapper}"']]


async def test_a_text_comes_back_in_another_wrapper(evolution_v1: Evolution) -> None:
    evolution_v1.server.paired("one")
    sent = (await evolution_v1.text("one", text="Hi")).json()
    assert sent["message"] == {"extendedTextMessage": {"text": "Hi"}}


async def test_the_options_hold_the_call_open(evolution_v1: Evolution) -> None:
    evolution_v1.server.paired("one")
    begin = evolution_v1.emulator.clock.now()
    await evolution_v1.text("one", options={"delay": 1500, "presence": "composing"})
    assert evolution_v1.emulator.clock.now() == begin + 1.5
    refused = await evolution_v1.text("one", options={"delay": "soon"})
    assert refused.json()["response"]["message"] == [["Enter a value in milliseconds"]]


async def test_messages_and_updates_are_plain_lists(evolution_v1: Evolution) -> None:
    evolution_v1.server.paired("one")
    sent = (await evolution_v1.text("one")).json()["key"]["id"]
    await evolution_v1.emulator.advance(1)
    where = {"where": {"key": {"id": sent}}}
    (message,) = (await evolution_v1.ask("POST", "/chat/findMessages/one", json=where)).json()
    assert (message["key"]["id"], message["owner"]) == (sent, "one")
    where = {"where": {"id": sent}}
    (update,) = (await evolution_v1.ask("POST", "/chat/findStatusMessage/one", json=where)).json()
    assert (update["id"], update["status"], update["owner"]) == (sent, "DELIVERY_ACK", "one")


async def test_settings_are_in_snake_case(evolution_v1: Evolution) -> None:
    await evolution_v1.create()
    names = ("reject_call", "groups_ignore", "always_online", "read_messages", "read_status")
    wanted: Body = dict.fromkeys(names, True)
    answer = await evolution_v1.ask("POST", "/settings/set/wa1", json=wanted)
    assert (answer.status_code, answer.json()["settings"]["settings"]) == (201, wanted)
    camel = {"rejectCall": True}
    refused = await evolution_v1.ask("POST", "/settings/set/wa1", json=camel)
    assert 'instance requires property "reject_call"' in refused.json()["response"]["message"][0]
    found = (await evolution_v1.ask("GET", "/settings/find/wa1")).json()
    assert {name: found[name] for name in names} == wanted
