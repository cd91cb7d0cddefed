"""Webhooks of the Evolution dialect: captured bodies, names, headers, retries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from typing import Any

import pytest

from tests.emulator.conftest import Receiver
from tests.emulator.evolution_facts import captured
from tests.emulator.evolution_wire import TO, Evolution, differences
from whatsapp_provider.emulator import Fault
from whatsapp_provider.emulator.network import Inbound

FROM = "5511900000099"


def hook(name: str = "wa1", *events: str, **more: Any) -> dict[str, Any]:
    return {"webhook": {"url": f"https://hook.example/hook/{name}", "events": list(events), **more}}


async def paired(evolution: Evolution, *events: str, **more: Any) -> None:
    await evolution.create(**hook("wa1", *events, **more))
    await evolution.ask("GET", "/instance/connect/wa1")
    evolution.emulator.network.link("wa1")


async def send(evolution: Evolution, kind: str, name: str, **body: Any) -> None:
    answer = await evolution.ask("POST", f"/message/{kind}/{name}", json={"number": FROM, **body})
    assert answer.status_code == 201, answer.text


async def _live(evolution: Evolution) -> None:
    """Let each kind of instance do what the real ones did while they were listened to."""
    emulator, network = evolution.emulator, evolution.emulator.network
    emulator.configure(evolution_qr_limit=1, read_after=1.0)
    common = {"headers": {"authorization": "Bearer hook-secret", "X-Custom": "abc"}}
    await evolution.create("evo1", integration="EVOLUTION", **hook("evo1", **common))
    meta = {"integration": "WHATSAPP-BUSINESS", "token": "EAA-x", "number": "100200300"}
    await evolution.create("biz1", **meta, **hook("biz1", byEvents=True))
    # What goes before a phone was ever linked names no sender.
    await evolution.create(**hook(), qrcode=True)
    await evolution.ask("DELETE", "/instance/delete/wa1")
    await emulator.advance(1)
    await evolution.create(**hook(), qrcode=True)
    await emulator.advance(60)
    await evolution.ask("GET", "/instance/connect/wa1?number=5511900000101")
    network.link("wa1", "5511900000101")
    await evolution.text(to="5511900000005", text="hello real baileys")
    for name, text in (("evo1", "hello from v2"), ("biz1", "hello cloud")):
        await send(evolution, "sendText", name, text=text)
        picture = {"mediatype": "image", "media": "https://example.com/a.png"}
        await send(evolution, "sendMedia", name, **picture, **({"caption": "cap"} if name == "biz1" else {}))
    await emulator.advance(5)
    for name in ("evo1", "biz1"):
        network.reply(Inbound(FROM, "Maria", "oi"), name)
    network.reply(Inbound("5511900000005", "Maria", "oi, tudo bem?"), "wa1")
    await evolution.ask("DELETE", "/instance/delete/wa1")
    await emulator.advance(5)


def _kind(call: dict[str, Any]) -> tuple[str, str, Any]:
    """Return what two calls must share to be compared."""
    data = call["body"]["data"] or {}
    detail = data.get("state") or data.get("statusCode") or data.get("messageType") or data.get("status")
    return call["body"]["instance"], call["body"]["event"], detail


async def test_each_captured_call_is_made_in_the_same_form(evolution: Evolution, receiver: Receiver) -> None:
    await _live(evolution)
    ours = [
        {"url": call["path"], "headers": call["headers"], "body": body}
        for call, body in zip(receiver.calls, receiver.bodies(), strict=True)
    ]
    found = []
    for expected in captured("webhooks"):
        same = [call for call in ours if _kind(call) == _kind(expected)]
        if not same:
            found.append(f"{_kind(expected)} was never told")
            continue
        # Some are told more than once, and a pairing code is null in some of them.
        closest = min([_compare(expected, call) for call in same], key=len)
        found += closest
    assert not found, "\n".join(found)


def _compare(expected: dict[str, Any], call: dict[str, Any]) -> list[str]:
    found = differences(expected["body"], call["body"], call["body"]["event"])
    if expected["url"] != call["url"]:
        found.append(f"{expected['url']} became {call['url']}")
    names = [name for name in expected["headers"] if name not in call["headers"]]
    return found + [f"no header {name}" for name in names]


async def test_a_headers_jwt_key_signs_a_token_and_stays_at_home(
    evolution: Evolution, receiver: Receiver
) -> None:
    await paired(evolution, "SEND_MESSAGE", headers={"jwt_key": "signing-secret", "x-more": "1"})
    await evolution.text()
    await evolution.emulator.advance(0)
    headers = receiver.calls[-1]["headers"]
    assert (headers["x-more"], "jwt_key" in headers) == ("1", False)
    head, claims, signature = headers["authorization"].removeprefix("Bearer ").split(".")
    digest = hmac.digest(b"signing-secret", f"{head}.{claims}".encode(), hashlib.sha256)
    assert signature == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    now = int(evolution.emulator.clock.now())
    assert told == {"iat": now, "exp": now + 600, "app": "evolution", "action": "webhook"}


@pytest.mark.parametrize(
    ("answers", "waits"),
    [
        ([500, 503, 200], [5, 10]),
        ([429, 201], [5]),
        ([204], []),
        *(([status], []) for status in (400, 401, 403, 404, 422)),
    ],
)
async def test_a_failed_call_is_made_again_ever_later_unless_the_status_is_final(
    evolution: Evolution, receiver: Receiver, answers: list[int], waits: list[int]
) -> None:
    await paired(evolution, "SEND_MESSAGE")
    receiver.answers = list(answers)
    begin = evolution.emulator.clock.now()
    await evolution.text()
    await evolution.emulator.advance(4000)
    at = [call["at"] - begin for call in evolution.emulator.webhooks]
    assert at == [sum(waits[:number]) for number in range(len(waits) + 1)]
    assert len({call["body"] for call in receiver.calls}) == 1


async def test_after_ten_tries_no_more(evolution: Evolution, receiver: Receiver) -> None:
    await paired(evolution, "SEND_MESSAGE")
    receiver.answers = [500] * 20
    await evolution.text()
    await evolution.emulator.advance(10_000)
    at = [call["at"] for call in evolution.emulator.webhooks]
    waits = [round(later - earlier) for earlier, later in itertools.pairwise(at)]
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]


async def test_a_url_that_is_none_is_stored_and_never_called(
    evolution: Evolution, receiver: Receiver
) -> None:
    await paired(evolution, "SEND_MESSAGE")
    body = {"webhook": {"enabled": True, "url": "not a url", "events": ["SEND_MESSAGE"]}}
    assert (await evolution.ask("POST", "/webhook/set/wa1", json=body)).status_code == 201
    await evolution.text()
    await evolution.emulator.advance(100)
    assert evolution.emulator.webhooks == []


async def test_a_failing_webhook_keeps_a_deleted_instance_alive(
    evolution: Evolution, receiver: Receiver
) -> None:
    await paired(evolution, "REMOVE_INSTANCE")
    receiver.answers = [500, 500]
    await evolution.ask("DELETE", "/instance/delete/wa1")
    await evolution.emulator.advance(14)
    assert await evolution.state() == "close"
    await evolution.emulator.advance(2)
    assert (await evolution.ask("GET", "/instance/connectionState/wa1")).status_code == 404


@pytest.mark.parametrize("kind", ["webhook_drop", "webhook_duplicate"])
async def test_a_delete_takes_its_time_whatever_happens_to_its_webhook(
    evolution: Evolution, kind: str
) -> None:
    await paired(evolution, "REMOVE_INSTANCE")
    evolution.emulator.faults.add(Fault(kind=kind, path="^remove.instance$"))
    await evolution.ask("DELETE", "/instance/delete/wa1")
    await evolution.emulator.advance(0.4)
    assert await evolution.state() == "close"
    await evolution.emulator.advance(0.2)
    assert evolution.server.instances == {}


@pytest.mark.parametrize("kind", ["webhook_drop", "webhook_duplicate"])
async def test_webhook_faults_find_events_by_their_name(
    evolution: Evolution, receiver: Receiver, kind: str
) -> None:
    await paired(evolution, "SEND_MESSAGE", "CONNECTION_UPDATE")
    evolution.emulator.faults.add(Fault(kind=kind, path="^send.message$"))
    await evolution.text()
    await evolution.emulator.advance(0)
    events = [body["event"] for body in receiver.bodies()]
    assert events.count("send.message") == {"webhook_drop": 0, "webhook_duplicate": 2}[kind]


async def test_an_update_of_version_1_has_its_own_words(evolution_v1: Evolution, receiver: Receiver) -> None:
    evolution_v1.server.paired("one")
    body = {"url": "https://hook.example/one", "webhook_by_events": True, "events": ["MESSAGES_UPDATE"]}
    answer = await evolution_v1.ask("POST", "/webhook/set/one", json=body)
    assert answer.json() == {
        "webhook": {
            "instanceName": "one",
            "webhook": {"url": body["url"], "events": ["MESSAGES_UPDATE"], "enabled": True},
        }
    }
    sent = (await evolution_v1.text("one")).json()
    await evolution_v1.emulator.advance(5)
    (call,), (told,) = receiver.calls, receiver.bodies()
    assert call["path"] == "/one/messages-update"
    assert told["data"] == {
        "remoteJid": f"{TO}@s.whatsapp.net",
        "fromMe": True,
        "id": sent["key"]["id"],
        "status": "DELIVERY_ACK",
        "datetime": int((evolution_v1.emulator.clock.now() - 4.5) * 1000),
        "owner": "one",
    }
