"""What is sent to an Evolution server of each version, and what its answers mean for the message."""

from __future__ import annotations

import time
from base64 import b64encode
from typing import Any

import httpx
import pytest

from tests.gateways import evolution_facts as facts
from tests.gateways.evolution_server import EvolutionServer
from whatsapp_provider.errors import (
    CredentialRejectedError,
    Disposition,
    GatewayError,
    NoAnswerError,
    NotConnectedError,
    NotFoundError,
    QuotaExceededError,
    RateLimitedError,
    RecipientRejectedError,
    RequestRejectedError,
    TemporarilyUnavailableError,
    UnsupportedError,
    WhatsAppError,
)
from whatsapp_provider.messages import parse_message
from whatsapp_provider.model import MessageStatus

DATA = b"%PDF-1.7 and more"
BASE64 = b64encode(DATA).decode()
URL = "https://files.example/a.bin"
SEND = f"POST /message/sendText/{facts.NAME}"

#: A message, the route, and the content that both versions send, each in its own place.
MESSAGES: dict[str, tuple[dict[str, Any], str, str, dict[str, Any]]] = {
    "text": ({"kind": "text", "body": "hi"}, "sendText", "textMessage", {"text": "hi"}),
    "image": (
        {"kind": "image", "media": {"url": URL}, "caption": "look"},
        "sendMedia",
        "mediaMessage",
        {"mediatype": "image", "media": URL, "caption": "look"},
    ),
    "video": (
        {"kind": "video", "media": {"url": URL}},
        "sendMedia",
        "mediaMessage",
        {"mediatype": "video", "media": URL},
    ),
    "audio": (
        {"kind": "audio", "media": {"url": URL}},
        "sendMedia",
        "mediaMessage",
        {"mediatype": "audio", "media": URL},
    ),
    "voice": (
        {"kind": "voice", "media": {"data": DATA}},
        "sendWhatsAppAudio",
        "audioMessage",
        {"audio": BASE64},
    ),
    "document": (
        {"kind": "document", "media": {"url": URL}, "filename": "a.pdf"},
        "sendMedia",
        "mediaMessage",
        {"mediatype": "document", "media": URL, "fileName": "a.pdf"},
    ),
    # A document that comes as bytes is refused without a name.
    "unnamed": (
        {"kind": "document", "media": {"data": DATA}},
        "sendMedia",
        "mediaMessage",
        {"mediatype": "document", "media": BASE64, "fileName": "document.pdf"},
    ),
}


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(("message", "route", "wrapped", "content"), MESSAGES.values(), ids=MESSAGES)
async def test_a_message_is_written_as_the_version_wants_it(
    server: EvolutionServer, version: str, message: Any, route: str, wrapped: str, content: dict[str, Any]
) -> None:
    server.say(f"POST /message/{route}/{facts.NAME}", facts.SENT, status=201)
    result = await server.channel(api_version=version).send(facts.PHONE, parse_message(message))
    assert (result.message_id, result.status) == (facts.SENT["key"]["id"], MessageStatus.PENDING)
    body = {name: value for name, value in server.asked[0].body.items() if name != "mimetype"}
    inner = {wrapped: content} if version == "v1" else content
    assert body == {"number": facts.PHONE, **inner}


async def test_a_file_that_was_uploaded_elsewhere_is_refused_by_name(server: EvolutionServer) -> None:
    with pytest.raises(UnsupportedError, match="media_id"):
        await server.channel().send(
            facts.PHONE, parse_message({"kind": "image", "media": {"media_id": "abc"}})
        )
    assert server.calls(f"POST /message/sendMedia/{facts.NAME}") == []


@pytest.mark.parametrize("recipient", [facts.PHONE, f"{facts.PHONE}@s.whatsapp.net", "1203@g.us", "955@lid"])
async def test_numbers_groups_and_hidden_ids_go_as_they_are(server: EvolutionServer, recipient: str) -> None:
    server.say(SEND, facts.SENT, status=201)
    await server.channel().send(recipient, parse_message("hi"))
    assert server.calls(SEND)[0].body["number"] == recipient


#: Status and message of a refusal, what it is, and what is known of the message.
REFUSALS: dict[str, tuple[int, Any, type[WhatsAppError], Disposition]] = {
    "not on WhatsApp": (400, facts.NOT_THERE, RecipientRejectedError, Disposition.SKIP),
    "never paired": (500, facts.NEVER_PAIRED, NotConnectedError, Disposition.HALT),
    "not the first look": (
        500,
        "Cannot read properties of undefined (reading 'user')",
        NoAnswerError,
        Disposition.HOLD,
    ),
    "closed, uncaught": (500, facts.CLOSED, NoAnswerError, Disposition.HOLD),
    "closed, caught": (400, [facts.CLOSED_LISTED], NoAnswerError, Disposition.HOLD),
    "schema": (400, facts.NO_TEXT, RequestRejectedError, Disposition.HALT),
    "integration": (400, [facts.UNAVAILABLE], RequestRejectedError, Disposition.HALT),
    "no such media": (400, [facts.NOT_MEDIA], RecipientRejectedError, Disposition.SKIP),
    "Meta not reached": (400, [facts.NO_GRAPH], NoAnswerError, Disposition.HOLD),
    "inner failure": (400, [facts.UNKNOWN_GROUP], NoAnswerError, Disposition.HOLD),
    "database": (400, [facts.LOST_RACE], NoAnswerError, Disposition.HOLD),
    "key": (401, "Unauthorized", CredentialRejectedError, Disposition.HALT),
    "deleted": (404, [f'The "{facts.NAME}" instance does not exist'], NotFoundError, Disposition.HALT),
    "500": (500, "Internal Server Error", NoAnswerError, Disposition.HOLD),
}


@pytest.mark.parametrize(("status", "message", "kind", "disposition"), REFUSALS.values(), ids=REFUSALS)
async def test_a_refusal_says_what_is_known_of_the_message(
    server: EvolutionServer, status: int, message: Any, kind: type[WhatsAppError], disposition: Disposition
) -> None:
    server.refuse(SEND, status, message)
    with pytest.raises(kind) as caught:
        await server.channel().send(facts.PHONE, parse_message("the private words"))
    assert caught.value.disposition is disposition
    assert len(server.calls(SEND)) == 1
    told = str(caught.value)
    assert len(told) < 600
    assert "secretSource" not in told
    assert not any(private in told for private in (facts.GLOBAL_KEY, facts.PHONE, "the private words"))


async def test_a_group_that_the_instance_is_not_in_is_skipped(server: EvolutionServer) -> None:
    server.refuse(SEND, 400, [facts.UNKNOWN_GROUP])
    with pytest.raises(RecipientRejectedError, match="in no such group"):
        await server.channel().send("120363000000000000@g.us", parse_message("hi"))


@pytest.mark.parametrize(
    ("code", "kind", "disposition"),
    [
        (190, CredentialRejectedError, Disposition.HALT),
        (219, CredentialRejectedError, Disposition.HALT),
        (131042, QuotaExceededError, Disposition.HALT),
        (130429, RateLimitedError, Disposition.RETRY),
        (131056, RateLimitedError, Disposition.RETRY),
        (131016, TemporarilyUnavailableError, Disposition.RETRY),
        (131026, RecipientRejectedError, Disposition.SKIP),
        (131030, RecipientRejectedError, Disposition.SKIP),
        (131047, RecipientRejectedError, Disposition.SKIP),
        (999999, RequestRejectedError, Disposition.HALT),
    ],
)
async def test_metas_error_in_a_201_is_no_success(
    server: EvolutionServer, code: int, kind: type[WhatsAppError], disposition: Disposition
) -> None:
    body = {**facts.META_ERROR, "code": code, "message": f"(#{code}) {facts.PHONE} is refused"}
    server.say(SEND, body, status=201)
    with pytest.raises(kind, match=f"Meta refused the message with code {code}") as caught:
        await server.channel().send(facts.PHONE, parse_message("hi"))
    assert (caught.value.disposition, caught.value.code) == (disposition, f"meta_{code}")
    assert facts.PHONE not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "known"),
    [
        (facts.SENT["key"], (facts.SENT["key"]["remoteJid"],)),
        ({"remoteJid": "1@lid", "remoteJidAlt": "2@s.whatsapp.net"}, ("1@lid", "2@s.whatsapp.net")),
        ({"remoteJid": "", "remoteJidAlt": None}, ()),
        ({"remoteJid": 7, "remoteJidAlt": ["1@lid"]}, ()),
    ],
)
async def test_what_the_server_calls_the_chat_is_told(
    server: EvolutionServer, key: dict[str, Any], known: tuple[str, ...]
) -> None:
    server.say(SEND, {"key": {**key, "id": "x"}}, status=201)
    assert (await server.channel().send(facts.PHONE, parse_message("hi"))).chat_ids == known


@pytest.mark.parametrize(
    "body", [{}, [], None, {"key": {}}, {"key": {"id": ""}}, {"code": 5}, {"error": True}]
)
async def test_a_success_without_a_messages_id_is_in_doubt(server: EvolutionServer, body: Any) -> None:
    server.say(SEND, body, status=201)
    with pytest.raises(NoAnswerError) as caught:
        await server.channel().send(facts.PHONE, parse_message("hi"))
    assert caught.value.disposition is Disposition.HOLD


@pytest.mark.parametrize(
    "page",
    [
        b'{"status": 400, "status": 400, "response": {"message": ["Owned media must be a url or base64"]}}',
        b"<title>unsupported image format</title>",
        b"<title>Method not available: [object Object]</title>",
    ],
    ids=["a key twice", "a page", "a page that names an exception"],
)
async def test_the_words_of_a_page_are_not_taken_for_the_servers(
    server: EvolutionServer, page: bytes
) -> None:
    server.say(SEND, httpx.Response(400, content=page))
    with pytest.raises(GatewayError) as caught:
        await server.channel().send("120363194291501000@g.us", parse_message("hello"))
    assert caught.value.disposition in {Disposition.HALT, Disposition.HOLD}


async def test_a_long_answer_is_read_in_no_time(server: EvolutionServer) -> None:
    server.refuse(SEND, 400, ["x" * 1_000_000])
    began = time.process_time()
    with pytest.raises(RequestRejectedError):
        await server.channel().send(facts.PHONE, parse_message("hello"))
    assert time.process_time() - began < 5
