"""Sends: their answers, their refusals, and what the phones received."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from tests.emulator import wire_facts as facts
from tests.emulator.conftest import Wire
from whatsapp_provider.emulator.whapi.channel import WhapiChannel

TO = "5511900000000"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
MIME = {
    "image": "image/png",
    "video": "video/mp4",
    "gif": "video/mp4",
    "audio": "audio/mpeg",
    "voice": "audio/ogg; codecs=opus",
    "document": "application/pdf",
    "sticker": "image/webp",
    "short": "video/mp4",
}


async def test_an_accepted_text_is_answered_like_the_stored_message(
    wire: Wire, channel: WhapiChannel
) -> None:
    answer = await wire.text(channel, TO)
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["sent", "message"]
    assert body["sent"] is True
    assert facts.shape(body["message"]) == facts.shape(facts.SENT_MESSAGE)
    same = ("from_me", "type", "chat_id", "source", "status", "text", "from")
    assert all(body["message"][name] == facts.SENT_MESSAGE[name] for name in same)
    assert re.fullmatch(facts.MESSAGE_ID, body["message"]["id"])


async def test_the_phone_received_it_once(wire: Wire, channel: WhapiChannel) -> None:
    message_id = (await wire.text(channel, TO, "Hi Ana")).json()["message"]["id"]
    (entry,) = wire.emulator.network.received(TO)
    assert entry._asdict() == {
        "at": wire.emulator.clock.now(),
        "phone": TO,
        "channel_id": channel.id,
        "message_id": message_id,
        "kind": "text",
        "text": "Hi Ana",
        "media": None,
        "chat_id": f"{TO}@s.whatsapp.net",
    }
    assert wire.emulator.network.counts() == {TO: 1}


async def test_bare_digits_and_a_chat_id_reach_the_same_phone(wire: Wire, channel: WhapiChannel) -> None:
    await wire.text(channel, TO)
    await wire.text(channel, f"{TO}@s.whatsapp.net")
    assert wire.emulator.network.counts() == {TO: 2}


@pytest.mark.parametrize(
    "to", [f"+{TO}", "55 11 90000-0000", "12345678", "abc", "", f"{TO}@c.us", "٥٥١١٩٠٠٠٠"]
)
async def test_a_bad_address_is_400_with_the_validators_text(
    wire: Wire, channel: WhapiChannel, to: str
) -> None:
    answer = await wire.text(channel, to)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"] == facts.BAD_TO


async def test_a_body_that_is_no_json_object_is_400(wire: Wire, channel: WhapiChannel) -> None:
    for content in (b"{", b"[]", b""):
        answer = await wire.gate(channel.token, "POST", "/messages/text", content=content)
        assert answer.status_code == 400


async def test_a_channel_that_is_not_paired_answers_401(wire: Wire) -> None:
    token = (await wire.until_qr())["token"]
    answer = await wire.gate(token, "POST", "/messages/text", json={"to": TO, "body": "x"})
    assert (answer.status_code, answer.json()) == (401, facts.NOT_AUTHORIZED)


async def test_text_that_utf_8_can_not_carry_is_answered_all_the_same(
    wire: Wire, channel: WhapiChannel
) -> None:
    content = f'{{"to": "{TO}", "body": "half \\ud83d pair"}}'.encode()
    answer = await wire.gate(channel.token, "POST", "/messages/text", content=content)
    assert answer.json()["message"]["text"] == {"body": "half ? pair"}


async def test_unknown_fields_of_a_send_are_ignored(wire: Wire, channel: WhapiChannel) -> None:
    request = {"to": TO, "body": "x", "ephemeral": 60, "blocking": "wait"}
    assert (await wire.gate(channel.token, "POST", "/messages/text", json=request)).status_code == 200


@pytest.mark.parametrize("kind", MIME)
async def test_media_is_sent_by_link(wire: Wire, channel: WhapiChannel, kind: str) -> None:
    request = {"to": TO, "media": "https://files.example/a", "caption": "Look", "filename": "a.bin"}
    body = (await wire.gate(channel.token, "POST", f"/messages/{kind}", json=request)).json()
    content = body["message"][kind]
    assert body["message"]["type"] == kind
    assert {"id", "mime_type", "file_size", "timestamp"} <= set(content)
    assert re.fullmatch(facts.MEDIA_ID, content["id"])
    (entry,) = wire.emulator.network.received(TO)
    assert (entry.kind, entry.text) == (kind, "Look")
    assert entry.media
    assert entry.media["link"] == "https://files.example/a"


@pytest.mark.parametrize("kind", MIME)
@pytest.mark.parametrize("form", ["data_uri", "base64", "media_id", "file", "raw"])
async def test_media_is_sent_with_its_bytes(wire: Wire, channel: WhapiChannel, kind: str, form: str) -> None:
    mime, text = MIME[kind], base64.b64encode(PIXEL).decode()
    path, request = f"/messages/{kind}", dict[str, Any]()
    if form == "data_uri":
        request = {"json": {"to": TO, "media": f"data:{mime};base64,{text}", "caption": "c"}}
    elif form == "base64":
        request = {"json": {"to": TO, "media": text, "mime_type": mime, "caption": "c"}}
    elif form == "media_id":
        upload = await wire.gate(
            channel.token, "POST", "/media", content=PIXEL, headers={"content-type": mime}
        )
        request = {"json": {"to": TO, "media": upload.json()["media"][0]["id"], "caption": "c"}}
    elif form == "file":
        request = {"data": {"to": TO, "caption": "c"}, "files": {"media": ("a.bin", PIXEL, mime)}}
    else:
        path = f"/messages/media/{kind}?to={TO}&caption=c"
        request = {"content": PIXEL, "headers": {"content-type": mime}}
    answer = await wire.gate(channel.token, "POST", path, **request)
    assert answer.status_code == 200, answer.text
    content = answer.json()["message"][kind]
    assert (content["file_size"], content["caption"], content["mime_type"]) == (len(PIXEL), "c", mime)
    (entry,) = wire.emulator.network.received(TO)
    assert entry.media
    assert (entry.text, entry.media["size"], entry.media["mime_type"]) == ("c", len(PIXEL), mime)


async def test_media_must_be_there_be_known_be_reachable_and_fit(wire: Wire, channel: WhapiChannel) -> None:
    wire.emulator.configure(media_limit_bytes=16)
    text = base64.b64encode(PIXEL).decode()
    cases: list[tuple[dict[str, str], int, str]] = [
        ({}, 400, facts.NO_MEDIA.removeprefix("/body/media ")),
        ({"media": "pdf-b487668896662779cbdb29a3c29c0a9a-804713c25d2b57"}, 404, "Media with specified id"),
        ({"media": "https://nowhere.invalid/a.png"}, 400, "media link is not available"),
        ({"media": f"data:image/png;base64,{text}"}, 413, "too large"),
        ({"media": "data:application/pdf;base64,AAAA"}, 415, "Unsupported media type"),
        ({"media": "data:image/png;base64,%%%"}, 400, "base64"),
    ]
    for fields, status, words in cases:
        answer = await wire.gate(channel.token, "POST", "/messages/image", json={"to": TO, **fields})
        assert answer.status_code == status, fields
        assert words in answer.text
    assert wire.emulator.network.received() == []


async def test_an_uploaded_file_is_given_back(wire: Wire, channel: WhapiChannel) -> None:
    files = {"file": ("a.png", PIXEL, "image/png")}
    answer = (await wire.gate(channel.token, "POST", "/media", files=files)).json()
    assert list(answer) == ["media"]
    found = await wire.gate(channel.token, "GET", f"/media/{answer['media'][0]['id']}")
    assert (found.content, found.headers["content-type"]) == (PIXEL, "image/png")
    assert (await wire.gate(channel.token, "GET", "/media/png-00-00")).status_code == 404


@pytest.mark.parametrize(
    ("kind", "fields", "text"),
    [
        ("location", {"latitude": 1.5, "longitude": 2.5, "name": "Office"}, "Office"),
        ("live_location", {"latitude": 1.5, "longitude": 2.5}, None),
        ("contact", {"name": "Ana", "vcard": "BEGIN:VCARD\nEND:VCARD"}, "Ana"),
        ("contact_list", {"list": [{"name": "Ana", "vcard": "BEGIN:VCARD\nEND:VCARD"}]}, None),
        ("poll", {"title": "When?", "options": ["now", "later"], "count": 1}, "When?"),
        ("interactive", {"body": {"text": "Choose"}, "action": {"buttons": []}}, "Choose"),
        ("carousel", {"body": {"text": "See"}, "cards": []}, "See"),
        ("link_preview", {"body": "https://a.example", "title": "A"}, "https://a.example"),
        ("event", {"title": "Party", "startTime": 1767225600}, "Party"),
    ],
)
async def test_other_kinds_need_their_fields_and_arrive(
    wire: Wire, channel: WhapiChannel, kind: str, fields: dict[str, Any], text: str | None
) -> None:
    path = f"/messages/{kind}"
    assert (await wire.gate(channel.token, "POST", path, json={"to": TO})).status_code == 400
    answer = await wire.gate(channel.token, "POST", path, json={"to": TO, **fields})
    assert answer.json()["message"][kind] == fields
    (entry,) = wire.emulator.network.received(TO)
    # What the gate has one word for is logged by what a person sees.
    assert (entry.kind, entry.text) == ("buttons" if kind == "interactive" else kind, text)


REPLY = {"type": "quick_reply", "title": "Yes", "id": "y"}
LIST = {"label": "Open", "sections": [{"title": "T", "rows": [{"id": "1", "title": "One"}]}]}


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"action": {"buttons": [REPLY] * 3}}, "buttons"),
        (
            {"type": "button", "action": {"buttons": [REPLY]}, "media": "https://a.example/i.png"},
            "media_buttons",
        ),
        ({"type": "list", "action": {"list": LIST}}, "list"),
    ],
)
async def test_what_can_be_tapped_is_logged_by_what_a_person_sees(
    wire: Wire, channel: WhapiChannel, fields: dict[str, Any], kind: str
) -> None:
    request = {"to": TO, "body": {"text": "Choose"}, **fields}
    answer = await wire.gate(channel.token, "POST", "/messages/interactive", json=request)
    assert answer.json()["message"]["type"] == "interactive"
    (entry,) = wire.emulator.network.received(TO)
    assert (entry.kind, entry.text, entry.media is not None) == (kind, "Choose", "media" in fields)


@pytest.mark.parametrize(
    ("action", "complaint"),
    [
        ("buttons", "action must be object"),
        ({"buttons": [REPLY] * 4}, "more than 3"),
        ({"buttons": [{"type": "reply", "title": "Yes", "id": "y"}]}, "allowed values"),
        ({"buttons": [{"type": "url", "title": "Yes"}]}, "required property 'id'"),
    ],
)
async def test_buttons_that_are_none_are_refused(
    wire: Wire, channel: WhapiChannel, action: Any, complaint: str
) -> None:
    request = {"to": TO, "body": {"text": "Choose"}, "action": action}
    answer = await wire.gate(channel.token, "POST", "/messages/interactive", json=request)
    assert answer.status_code == 400
    assert complaint in answer.text
    assert wire.emulator.network.total() == 0


async def test_an_edit_changes_the_message_and_is_not_another_one(wire: Wire, channel: WhapiChannel) -> None:
    message_id = (await wire.text(channel, TO, "Helo")).json()["message"]["id"]
    request = {"to": TO, "body": "Hello", "edit": message_id}
    answer = await wire.gate(channel.token, "POST", "/messages/text", json=request)
    assert answer.json()["message"]["text"] == {"body": "Hello"}
    assert wire.emulator.network.counts() == {TO: 1}
    assert [entry.kind for entry in wire.emulator.network.received(TO)] == ["text", "edit"]


async def test_a_message_gets_its_ticks_in_order_and_never_goes_back(
    wire: Wire, channel: WhapiChannel
) -> None:
    wire.emulator.configure(sent_after=1, delivered_after=2, read_after=4)
    message_id = (await wire.text(channel, TO)).json()["message"]["id"]
    seen = []
    for _second in range(5):
        answer = await wire.gate(channel.token, "GET", f"/statuses/{message_id}")
        seen.append(answer.json()["statuses"][0]["status"])
        await wire.emulator.advance(1)
    assert seen == ["pending", "sent", "delivered", "delivered", "read"]
    channel.receipt(message_id, "delivered")
    answer = await wire.gate(channel.token, "GET", f"/messages/{message_id}")
    assert answer.json()["status"] == "read"


async def test_a_number_without_whatsapp_receives_nothing_and_the_message_fails_later(
    wire: Wire, channel: WhapiChannel
) -> None:
    wire.emulator.configure(numbers_without_whatsapp=[TO])
    message_id = (await wire.text(channel, TO)).json()["message"]["id"]
    await wire.emulator.advance(1)
    (status,) = (await wire.gate(channel.token, "GET", f"/statuses/{message_id}")).json()["statuses"]
    assert status["status"] == "failed"
    assert wire.emulator.network.counts() == {}


async def test_typing_and_latency_delay_the_answer(wire: Wire, channel: WhapiChannel) -> None:
    wire.emulator.configure(send_latency=0.5)
    before = wire.emulator.clock.now()
    request = {"to": TO, "body": "x", "typing_time": 3}
    await wire.gate(channel.token, "POST", "/messages/text", json=request)
    assert wire.emulator.clock.now() - before == 3.5
    request["typing_time"] = 61
    assert (await wire.gate(channel.token, "POST", "/messages/text", json=request)).status_code == 400


async def test_statuses_have_the_captured_form(wire: Wire, channel: WhapiChannel) -> None:
    message_id = (await wire.text(channel, TO)).json()["message"]["id"]
    await wire.emulator.advance(1)
    body = (await wire.gate(channel.token, "GET", f"/statuses/{message_id}")).json()
    assert facts.shape(body["statuses"]) == facts.shape(facts.STATUS["statuses"])
    assert body["statuses"][0]["code"] == 3
    assert (await wire.gate(channel.token, "GET", "/statuses/none-none")).status_code == 404
