"""Sending through Whapi's gate: what is asked, and what each answer proves about the message."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateways import whapi_facts as facts
from tests.gateways.conftest import REF, Asked, Hosts
from whatsapp_provider.campaigns.body import body_hash, is_body
from whatsapp_provider.emulator import Emulator, Fault
from whatsapp_provider.errors import (
    CredentialRejectedError,
    Disposition,
    InputError,
    NoAnswerError,
    NotConnectedError,
    NotFoundError,
    NotReachedError,
    QuotaExceededError,
    RateLimitedError,
    RecipientRejectedError,
    RequestRejectedError,
    TemporarilyUnavailableError,
    WhatsAppError,
)
from whatsapp_provider.gateways.whapi import gateway as whapi_gateway
from whatsapp_provider.gateways.whapi.gateway import WhapiGateway
from whatsapp_provider.messages import (
    Audio,
    Buttons,
    CallButton,
    ContactCard,
    Document,
    Image,
    ListMessage,
    ListRow,
    ListSection,
    Location,
    Media,
    MediaButtons,
    Message,
    ReplyButton,
    Text,
    UrlButton,
    Video,
    Voice,
    message_text,
    parse_message,
)
from whatsapp_provider.model import ChannelRef, MessageStatus, SendResult

PHONE = facts.PHONE
PNG = b"\x89PNG\r\n\x1a\n rest"
DATA_URI = f"data:image/png;base64,{b64encode(PNG).decode()}"
URL = "https://files.example/a.bin"
HELLO = Text(body="Hello")
SHOP = UrlButton(title="Shop", url="https://shop.example")
CALL = CallButton(title="Call", phone="+15550000001")
CONFIRM = Buttons(header="H", body="B", footer="F", buttons=(ReplyButton(title="Confirm", id="btn_confirm"),))
TOPICS = ListMessage(
    body="Choose:",
    button="Open menu",
    sections=(
        ListSection(title="Topics", rows=(ListRow(title="Billing", id="billing", description="Invoices"),)),
    ),
)
SKIP, RETRY, HOLD, HALT = Disposition.SKIP, Disposition.RETRY, Disposition.HOLD, Disposition.HALT


def sent(hosts: Hosts) -> list[Asked]:
    return [asked for asked in hosts.asked if asked.method == "POST"]


# -- the request ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "path", "body"),
    [
        (HELLO, "text", {"body": "Hello"}),
        (Image(media=Media(url=URL)), "image", {"media": URL}),
        (Image(media=Media(url=URL), caption="c"), "image", {"media": URL, "caption": "c"}),
        (Video(media=Media(url=URL), caption=""), "video", {"media": URL, "caption": ""}),
        (Audio(media=Media(media_id="mp3-1")), "audio", {"media": "mp3-1"}),
        (
            Voice(media=Media(url=URL, mime_type="audio/ogg; codecs=opus")),
            "voice",
            {"media": URL, "mime_type": "audio/ogg; codecs=opus"},
        ),
        (
            Document(media=Media(url=URL), caption="c", filename="offer.pdf"),
            "document",
            {"media": URL, "caption": "c", "filename": "offer.pdf"},
        ),
        (Image(media=Media(data=PNG)), "image", {"media": DATA_URI, "mime_type": "image/png"}),
        (
            Document(media=Media(data=b"x", mime_type="text/csv"), filename="a.csv"),
            "document",
            {"media": "data:text/csv;base64,eA==", "mime_type": "text/csv", "filename": "a.csv"},
        ),
        (parse_message({"kind": "location", **facts.PLACE}), "location", facts.PLACE),
        (Location(latitude=-1.5, longitude=0), "location", {"latitude": -1.5, "longitude": 0.0}),
        (
            ContactCard(full_name="Ana\\B; & Co", phone="+15550000001", organization="A, B"),
            "contact",
            {
                "name": "Ana\\B; & Co",
                "vcard": "BEGIN:VCARD\nVERSION:3.0\nN:;Ana\\\\B\\; & Co;;;\nFN:Ana\\\\B\\; & Co\nORG:A\\, B\n"
                "TEL;type=CELL;waid=15550000001:+15550000001\nEND:VCARD",
            },
        ),
        (CONFIRM, "interactive", facts.BUTTONS),
        (
            Buttons(body="B", buttons=(ReplyButton(title="B"), SHOP, CALL)),
            "interactive",
            {
                "type": "button",
                "body": {"text": "B"},
                "action": {
                    "buttons": [
                        {"type": "quick_reply", "title": "B", "id": "1"},
                        {"type": "url", "title": "Shop", "id": "2", "url": "https://shop.example"},
                        {"type": "call", "title": "Call", "id": "3", "phone_number": "15550000001"},
                    ]
                },
            },
        ),
        (
            MediaButtons(body="B", buttons=(SHOP,), media=Media(data=PNG)),
            "interactive",
            {
                "type": "button",
                "body": {"text": "B"},
                "media": DATA_URI,
                "action": {
                    "buttons": [{"type": "url", "title": "Shop", "id": "1", "url": "https://shop.example"}]
                },
            },
        ),
        (TOPICS, "interactive", facts.LIST),
    ],
)
async def test_each_kind_is_sent_as_the_gates_schema_has_it(
    hosts: Hosts, message: Message, path: str, body: dict[str, Any]
) -> None:
    hosts.say(f"POST gate /messages/{path}", facts.SENT)
    result = await hosts.channel().send(PHONE, message)
    assert result == SendResult(facts.MESSAGE["id"], MessageStatus.PENDING)
    token = facts.CHANNEL_TOKEN
    assert hosts.asked == [Asked("gate", "POST", f"/messages/{path}", {}, token, {"to": PHONE, **body})]


async def test_a_file_is_sent_with_its_content_and_a_document_with_its_name(
    hosts: Hosts, tmp_path: Path
) -> None:
    (tmp_path / "offer.png").write_bytes(PNG)
    hosts.say("POST gate /messages/document", facts.SENT)
    await hosts.channel().send(PHONE, Document(media=Media(file=str(tmp_path / "offer.png"))))
    assert hosts.asked[0].body == {
        "to": PHONE,
        "media": DATA_URI,
        "mime_type": "image/png",
        "filename": "offer.png",
    }


async def test_a_file_that_is_not_there_is_told_before_anything_is_asked(
    hosts: Hosts, tmp_path: Path
) -> None:
    with pytest.raises(InputError):
        await hosts.channel().send(PHONE, Document(media=Media(file=str(tmp_path / "none.pdf"))))
    assert hosts.asked == []


@pytest.mark.parametrize("to", [PHONE, f"{PHONE}@s.whatsapp.net", "120363012345678901@g.us"])
async def test_the_recipient_is_handed_on_as_it_is(hosts: Hosts, to: str) -> None:
    hosts.say("POST gate /messages/text", facts.SENT)
    await hosts.channel().send(to, HELLO)
    assert hosts.asked[0].body["to"] == to


@pytest.mark.parametrize("source", ["url", "data", "file"])
@pytest.mark.parametrize("kind", ["audio", "document", "image", "video", "voice"])
async def test_each_kind_of_media_arrives_at_the_emulated_phone(
    emulator: Emulator, live: WhapiGateway, tmp_path: Path, kind: str, source: str
) -> None:
    name = {"image": "a.png", "video": "a.mp4", "audio": "a.mp3", "voice": "a.ogg", "document": "a.pdf"}[kind]
    (tmp_path / name).write_bytes(b"content")
    mime = {"mime_type": Media(file=str(tmp_path / name)).content()[1]}  # type: ignore[index]
    media = {
        "url": {"url": f"https://files.example/{name}"},
        "data": {"data": b"content", **mime},
        "file": {"file": str(tmp_path / name)},
    }[source]
    paired = await emulator.paired_channel()
    await live.channel(ChannelRef("whapi", paired.id)).send(
        PHONE, parse_message({"kind": kind, "media": media})
    )
    [received] = emulator.network.received(PHONE)
    assert received.kind == kind


# -- the answer -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (facts.SENT, SendResult(facts.MESSAGE["id"], MessageStatus.PENDING)),
        ({"message": {"id": "x"}}, SendResult("x", MessageStatus.PENDING)),  # [COMM] sent is missing
        ({"sent": True, "message": {"id": "x", "status": "sent"}}, SendResult("x", MessageStatus.SENT)),
        ({"sent": None, "message": {"id": "7"}}, SendResult("7", MessageStatus.PENDING)),
    ],
)
async def test_a_send_is_accepted_when_the_answer_names_the_message(
    hosts: Hosts, answer: Any, result: SendResult
) -> None:
    hosts.say("POST gate /messages/text", answer)
    assert await hosts.channel().send(PHONE, HELLO) == result


@pytest.mark.parametrize(
    ("told", "known"), [("15550000001@lid", ("15550000001@lid",)), (None, ()), ("", ()), (7, ())]
)
async def test_what_the_gate_calls_the_chat_is_told(hosts: Hosts, told: Any, known: tuple[str, ...]) -> None:
    hosts.say("POST gate /messages/text", {"sent": True, "message": {"id": "x", "chat_id": told}})
    assert (await hosts.channel().send(PHONE, HELLO)).chat_ids == known


OUTCOMES: list[tuple[str, Any, type[WhatsAppError], Disposition, str]] = [
    # said in a 200
    ("sent is false", (200, {"sent": False}), RecipientRejectedError, SKIP, "sent_false"),
    ("no message", (200, {"sent": True}), NoAnswerError, HOLD, "no_message_id"),
    ("no id", (200, {"sent": True, "message": {}}), NoAnswerError, HOLD, "unreadable"),
    ("an empty body", (200, ""), NoAnswerError, HOLD, "unreadable"),
    ("half of it", (200, '{"sent":tr'), NoAnswerError, HOLD, "unreadable"),
    ("a page", (200, facts.CLOUDFLARE_PAGE), NoAnswerError, HOLD, "unreadable"),
    ("a list", (200, []), NoAnswerError, HOLD, "unreadable"),
    ("an empty id", (200, {"sent": True, "message": {"id": ""}}), NoAnswerError, HOLD, "unreadable"),
    ("a number for an id", (200, {"sent": True, "message": {"id": 7}}), NoAnswerError, HOLD, "unreadable"),
    ("sent is a text", (200, {"sent": "false"}), NoAnswerError, HOLD, "unreadable"),
    ("sent is a number", (200, {"sent": 0}), NoAnswerError, HOLD, "unreadable"),
    ("sent is said twice", (200, '{"sent": false, "sent": true}'), NoAnswerError, HOLD, "unreadable"),
    ("no content", (204, ""), NoAnswerError, HOLD, "unreadable"),
    # this recipient, or this file
    ("bad to", (400, facts.error("bad request", details=facts.BAD_TO)), RecipientRejectedError, SKIP, "bad_recipient"),
    ("bad to in the message", (400, facts.error(facts.BAD_TO)), RecipientRejectedError, SKIP, "bad_recipient"),
    ("bad to, flat", (400, facts.flat(facts.BAD_TO)), RecipientRejectedError, SKIP, "bad_recipient"),
    ("link", (400, facts.error("media link is not available")), RecipientRejectedError, SKIP, "media_unavailable"),
    (
        "forbidden",
        (403, facts.error("It is forbidden to send to this group/recipient", 403)),
        RecipientRejectedError,
        SKIP,
        "forbidden_recipient",
    ),
    (
        "media id",
        (404, facts.error("Media with specified id not found", 404)),
        RecipientRejectedError,
        SKIP,
        "media_not_found",
    ),
    ("size", (413, facts.flat("Request body/media too large")), RecipientRejectedError, SKIP, "media_too_large"),
    ("type", (415, facts.flat("Unsupported media type")), RecipientRejectedError, SKIP, "media_unsupported"),
    # our request, the channel, the account
    ("our shape", (400, facts.error("bad request", details=facts.NO_MEDIA)), RequestRejectedError, HALT, "http_400"),
    ("no words", (400, ""), RequestRejectedError, HALT, "http_400"),
    ("unpaired", (401, facts.error("need channel authorization", 401)), NotConnectedError, HALT, "http_401"),
    ("bad token", (401, facts.error("invalid token", 401)), CredentialRejectedError, HALT, "http_401"),
    ("trial", (402, facts.flat("trial version limit exceeded", 402)), QuotaExceededError, HALT, "http_402"),
    ("a page", (403, "<title>Ask the recipient of the group</title>"), CredentialRejectedError, HALT, "http_403"),
    ("cloudflare", (403, facts.CLOUDFLARE), CredentialRejectedError, HALT, "http_403"),
    ("channel", (404, facts.error("Channel not found", 404)), NotFoundError, HALT, "http_404"),
    # not now
    ("too many", (429, facts.error("Too many requests", 429)), RateLimitedError, RETRY, "http_429"),
    # nobody knows
    ("redirect", (302, ""), NoAnswerError, HOLD, "http_302"),
    ("internal", (500, facts.error("Internal Error", 500)), NoAnswerError, HOLD, "http_500"),
    ("link, 500", (500, facts.error("media link is not available", 500)), NoAnswerError, HOLD, "http_500"),
    ("bad gateway", (502, facts.CLOUDFLARE_PAGE), NoAnswerError, HOLD, "http_502"),
    ("unavailable", (503, ""), NoAnswerError, HOLD, "http_503"),
    ("timeout", (504, ""), NoAnswerError, HOLD, "http_504"),
    ("silence", httpx.ReadTimeout("x"), NoAnswerError, HOLD, "ReadTimeout"),
    ("reset", httpx.ReadError("x"), NoAnswerError, HOLD, "ReadError"),
    ("refused", httpx.ConnectError("x"), NotReachedError, RETRY, "ConnectError"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "kind", "disposition", "code"),
    [line[1:] for line in OUTCOMES],
    ids=[line[0] for line in OUTCOMES],
)
async def test_an_answer_to_a_send_proves_this_and_no_more(
    hosts: Hosts, answer: Any, kind: type[WhatsAppError], disposition: Disposition, code: str
) -> None:
    if isinstance(answer, tuple):
        status, body = answer
        answer = httpx.Response(status, **({"text": body} if isinstance(body, str) else {"json": body}))
    hosts.say("POST gate /messages/text", answer)
    with pytest.raises(kind) as caught:
        await hosts.channel().send(PHONE, HELLO)
    assert type(caught.value) is kind
    assert (caught.value.disposition, caught.value.code) == (disposition, code)
    assert len(hosts.asked) == 1
    assert hosts.pauses == []
    for shown in (str(caught.value), repr(caught.value), repr(vars(caught.value))):
        assert facts.CHANNEL_TOKEN not in shown
        assert PHONE not in shown


async def test_a_503_that_says_when_to_come_back_did_nothing(hosts: Hosts) -> None:
    hosts.say("POST gate /messages/text", {}, status=503, **{"retry-after": "9"})
    with pytest.raises(TemporarilyUnavailableError) as caught:
        await hosts.channel().send(PHONE, HELLO)
    assert (caught.value.disposition, caught.value.retry_after) == (RETRY, 9)


async def test_an_unpaired_channel_is_told_with_what_to_do(emulator: Emulator, live: WhapiGateway) -> None:
    paired = await emulator.paired_channel()
    emulator.network.unlink(paired.id)
    with pytest.raises(NotConnectedError, match="Pair a phone"):
        await live.channel(ChannelRef("whapi", paired.id)).send(PHONE, HELLO)


@pytest.mark.parametrize("shape", ["object", "flat"])
async def test_both_shapes_of_an_error_are_understood(
    emulator: Emulator, live: WhapiGateway, shape: str
) -> None:
    paired = await emulator.paired_channel()
    emulator.configure(error_shape=shape, enforce_trial=True, trial_messages_per_day=0)
    channel = live.channel(ChannelRef("whapi", paired.id))
    with pytest.raises(RecipientRejectedError):
        await channel.send("12", HELLO)
    with pytest.raises(QuotaExceededError):
        await channel.send(PHONE, HELLO)


@pytest.mark.parametrize("kind", ["deliver_then_status", "half_json", "empty"])
async def test_a_message_that_arrived_in_spite_of_a_broken_answer_is_in_doubt_and_sent_once(
    emulator: Emulator, live: WhapiGateway, kind: str
) -> None:
    paired = await emulator.paired_channel()
    emulator.faults.add(Fault(kind=kind, path="/messages/text"))
    with pytest.raises(NoAnswerError) as caught:
        await live.channel(ChannelRef("whapi", paired.id)).send(PHONE, HELLO)
    assert caught.value.disposition is HOLD
    assert emulator.network.counts() == {PHONE: 1}


# -- the channel's token is asked for before the send ---------------------------------------------


@pytest.mark.parametrize("trouble", [httpx.ReadTimeout("x"), httpx.Response(200, text="<html>")], ids=str)
async def test_a_token_that_could_not_be_had_puts_no_message_in_doubt(hosts: Hosts, trouble: Any) -> None:
    hosts.say(f"GET manager /channels/{facts.CHANNEL_ID}", trouble)
    with pytest.raises(NotReachedError, match="the message was not sent") as caught:
        await hosts.gateway().channel(REF).send(PHONE, HELLO)
    assert caught.value.disposition is RETRY
    assert sent(hosts) == []


async def test_a_refused_partner_token_halts_a_send(hosts: Hosts) -> None:
    hosts.say(f"GET manager /channels/{facts.CHANNEL_ID}", facts.error("Unauthorized", 401), status=401)
    with pytest.raises(CredentialRejectedError):
        await hosts.gateway().channel(REF).send(PHONE, HELLO)
    assert sent(hosts) == []


async def test_a_manager_that_takes_its_time_does_not_outlast_the_told_bound_of_a_send(
    hosts: Hosts, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whapi_gateway, "TOKEN_WITHIN", 0.02)
    emulator.faults.add(Fault(kind="hang", path="/whapi/manager/channels/"))
    gateway = hosts.gateway(host="http://emulator/whapi/gate", manager_url="http://emulator/whapi/manager")
    hosts.wire._transport = httpx.ASGITransport(app=emulator.app)
    with pytest.raises(NotReachedError, match=r"within 0\.02 s"):
        async with asyncio.timeout(5):
            await gateway.channel(REF).send(PHONE, HELLO)


# -- found again in the history -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        # What the emulator keeps, which is what was asked for.
        ({"type": "interactive", "interactive": facts.BUTTONS}, CONFIRM),
        ({"type": "interactive", "interactive": facts.LIST}, TOPICS),
        # [GATE] content of a text may have buttons or sections; [HELP] a quoted one has bare texts.
        ({"type": "text", "text": {"body": "B", "buttons": [{"id": "1"}]}}, CONFIRM),
        (
            {"type": "text", "text": {"body": "Choose:", "sections": [{"title": "T"}], "button": "Open"}},
            TOPICS,
        ),
        (
            {"type": "hsm", "hsm": {"header": "H", "body": "B", "footer": "F", "buttons": [{"id": "1"}]}},
            CONFIRM,
        ),
        ({"type": "location", "location": facts.PLACE}, parse_message({"kind": "location", **facts.PLACE})),
        ({"type": "contact", "contact": facts.CARD}, ContactCard(full_name="Ana", phone="15550000001")),
        ({"type": "text", "text": {"body": "Hello", "buttons": []}}, HELLO),
    ],
)
async def test_a_sent_message_is_known_again_by_what_it_has(
    hosts: Hosts, shown: dict[str, Any], found: Message
) -> None:
    hosts.say(f"GET gate /messages/list/{PHONE}@s.whatsapp.net", {"messages": [{**facts.MESSAGE, **shown}]})
    [entry] = await hosts.channel().history(PHONE, since=0)
    assert is_body(body_hash(found), entry.kind, entry.text)


@pytest.mark.parametrize(
    "shown",
    [
        {"type": "interactive", "interactive": {"body": {"text": "B"}}},
        {"type": "interactive", "interactive": {**facts.BUTTONS, "body": {"text": "other words"}}},
        {"type": "interactive", "interactive": {**facts.BUTTONS, "media": {"id": "m"}}},
        {"type": "interactive", "interactive": {**facts.LIST, "body": {"text": "B"}}},
        {"type": "interactive", "interactive": None},
        {"type": "text", "text": {"body": "B"}},
        {"type": "reply", "reply": {"type": "buttons_reply", "buttons_reply": {"id": "1", "title": "B"}}},
        {"type": "poll", "poll": {"title": "B"}},
    ],
)
async def test_another_message_is_shown_and_not_taken_for_it(hosts: Hosts, shown: dict[str, Any]) -> None:
    hosts.say(f"GET gate /messages/list/{PHONE}@s.whatsapp.net", {"messages": [{**facts.MESSAGE, **shown}]})
    [entry] = await hosts.channel().history(PHONE, since=0)
    assert not is_body(body_hash(CONFIRM), entry.kind, entry.text)


@pytest.mark.parametrize(
    "message",
    [CONFIRM, MediaButtons(body="B", buttons=(SHOP,), media=Media(data=PNG)), TOPICS],
    ids=lambda message: message.kind,
)
async def test_what_can_be_tapped_arrives_and_is_found_again(
    live: WhapiGateway, emulator: Emulator, message: Message
) -> None:
    channel = live.channel(ChannelRef("whapi", (await emulator.paired_channel()).id))
    sent = await channel.send(PHONE, message)
    [received] = emulator.network.received()
    assert (received.kind, received.text) == (message.kind, message_text(message))
    [entry] = await channel.history(PHONE, since=0)
    assert entry.message_id == sent.message_id
    assert is_body(body_hash(message), entry.kind, entry.text)
