"""What is sent to the Bots API, and what its answers mean for the message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateways import waabot_facts as facts
from tests.gateways.waabot_server import REF, WaabotServer
from tests.gateways.wire_facts import Fact
from whatsapp_provider.errors import (
    CredentialRejectedError,
    Disposition,
    GatewayError,
    NoAnswerError,
    NotConnectedError,
    NotReachedError,
    RateLimitedError,
    RecipientError,
    RecipientRejectedError,
    RequestRejectedError,
    UnsupportedError,
    WhatsAppError,
)
from whatsapp_provider.messages import parse_message

DATA = b"%PDF-1.7 and more"
FILE_URL = "https://files.example/a.jpg"
SEND = "POST /whatsapp/message"
REPLY, LINK, CALL = (
    {"type": "reply", "title": "Reply this text (REPLY)"},
    {"type": "url", "title": "Click me (URL)", "url": "https://google.com"},
    {"type": "call", "title": "Click to call (CALL)", "phone": f"+{facts.OWNER}"},
)

#: A message for each documented body, in the order of the facts.
MESSAGES: tuple[dict[str, Any], ...] = (
    {"kind": "text", "body": "hi"},
    {"kind": "location", "latitude": 6.556452, "longitude": 3.2774487, "name": "Lagos"},
    {"kind": "image", "media": {"media_id": "61c08cdf2ff357329471bbb9"}},
    {"kind": "image", "media": {"data": DATA}, "caption": "look"},
    {"kind": "video", "media": {"data": DATA}, "caption": "look"},
    {"kind": "audio", "media": {"data": DATA}},
    {"kind": "document", "media": {"data": DATA}, "filename": "offer.pdf"},
    {"kind": "image", "media": {"url": FILE_URL}, "caption": "look"},
    {"kind": "buttons", "body": "title Head", "footer": "title footer", "buttons": [REPLY, LINK, CALL]},
    {
        "kind": "media_buttons",
        "body": "Title of Message",
        "footer": "Footer text",
        "buttons": [REPLY, CALL],
        "media": {"url": facts.URL},
    },
    {
        "kind": "list",
        "body": "Which one?",
        "title": "Today",
        "footer": "Until noon",
        "button": "Choose",
        "sections": [
            {"title": "All", "rows": [{"title": "First", "description": "The first one", "id": "one"}]}
        ],
    },
    {"kind": "contact", "full_name": "Ada Lovelace", "organization": "Engines", "phone": f"+{facts.OWNER}"},
    {"kind": "text", "body": "hi"},
)
FACTS = [fact for fact in facts.WIRE if fact.kind]


@pytest.mark.parametrize(
    ("fact", "message"),
    list(zip(FACTS, MESSAGES, strict=True)),
    ids=[f"{fact.kind}-{fact.asked}" for fact in FACTS],
)
async def test_a_message_is_written_as_the_documentation_has_it(
    waabot: WaabotServer, fact: Fact, message: dict[str, Any]
) -> None:
    waabot.say(fact.asked, fact.answer)
    deprecated = {"text_call": "deprecated"} if "sendText" in fact.asked else {}
    await waabot.channel(**deprecated).send(facts.PHONE, parse_message(message))
    [asked] = waabot.calls(fact.asked)
    assert asked.body == fact.request
    if "data" in message.get("media", {}):
        assert asked.files["file"][1] == DATA
        assert asked.content_type == "multipart/form-data"


@pytest.mark.parametrize(
    ("what", "answer", "message_id"),
    [
        ("/whatsapp/message", facts.TEXT_SENT, None),
        ("/whatsapp/message", {"status": True, "message": "Message sent successfully"}, None),
        ("/whatsapp/message", facts.IMAGE_SENT, facts.MESSAGE_ID),
        ("/whatsapp/sendText", facts.DEPRECATED_SENT, "3EB015715C3A6439227F"),
        # as the server below answers, in the envelope and bare
        ("/whatsapp/message", facts.done("Sent", {"error": False, **facts.IMAGE_SENT}), facts.MESSAGE_ID),
        ("/whatsapp/message", {"error": False, "data": facts.IMAGE_SENT["data"]}, facts.MESSAGE_ID),
    ],
    ids=["combined", "bare", "frame", "deprecated", "nested", "inner"],
)
@pytest.mark.parametrize("status", [200, 201])
async def test_a_send_is_accepted_with_a_message_id_or_without_one(
    waabot: WaabotServer, what: str, answer: Any, message_id: str | None, status: int
) -> None:
    waabot.say(f"POST {what}", answer, status=status)
    text_call = "deprecated" if "sendText" in what else "message"
    result = await waabot.channel(text_call=text_call).send(facts.PHONE, parse_message("hi"))
    assert result.message_id == message_id


@pytest.mark.parametrize("tail", ["", f"_{facts.PHONE}@c.us"], ids=["of a person", "of a group"])
async def test_the_id_of_the_older_call_is_kept_without_the_number_in_it(
    waabot: WaabotServer, tail: str
) -> None:
    told = facts.done("Message sent successfully", facts.DEPRECATED_ID + tail)
    waabot.say("POST /whatsapp/sendText", told)
    result = await waabot.channel(text_call="deprecated").send(facts.PHONE, parse_message("hi"))
    assert result.message_id == "3EB015715C3A6439227F"


#: What a 2xx may say, by which a message may have been sent or not.
UNCLEAR: dict[str, httpx.Response] = {
    "nothing": httpx.Response(204),
    "an empty body": httpx.Response(200),
    "a page": httpx.Response(200, text="<html>ok</html>"),
    "half an answer": httpx.Response(200, text='{"status":true,"mess'),
    "an empty object": httpx.Response(200, json={}),
    "a list": httpx.Response(200, json=[facts.IMAGE_SENT]),
    "true in words": httpx.Response(200, json={"status": "true"}),
    "one": httpx.Response(200, json={"status": 1}),
    "an id that is none": httpx.Response(200, json={"data": {"key": {"id": 7}}}),
    "another text": httpx.Response(200, json={"data": "queued"}),
    "done and refused": httpx.Response(200, json=facts.done("no account exists", {})),
    "done, and inside refused": httpx.Response(
        200, json=facts.done("Message sent", {"message": "phone isn't connected"})
    ),
    "done, and a refusal as its data": httpx.Response(
        200, json=facts.done("Message sent", "phone isn't connected")
    ),
    "done, and an error beside it": httpx.Response(
        200, json={**facts.done("Message sent successfully", {}), "error": "Timed Out"}
    ),
    "done, and an error inside": httpx.Response(
        200, json=facts.done("Message sent successfully", {"message": {}, "error": "Timed Out"})
    ),
    "a message, and an error beside it": httpx.Response(200, json={**facts.IMAGE_SENT, "error": {"code": 1}}),
    "a refusal without words": httpx.Response(200, json={"status": False}),
    "a refusal in other words": httpx.Response(201, json=facts.CRASHED),
    "an inner refusal": httpx.Response(
        200, json=facts.done("Message sent successfully", {"error": True, "message": "Timed Out"})
    ),
}


@pytest.mark.parametrize("answer", UNCLEAR.values(), ids=UNCLEAR)
async def test_a_2xx_that_does_not_say_that_it_was_sent_is_held(
    waabot: WaabotServer, answer: httpx.Response
) -> None:
    waabot.say(SEND, answer)
    with pytest.raises(NoAnswerError) as caught:
        await waabot.channel().send(facts.PHONE, parse_message("hi"))
    assert caught.value.disposition is Disposition.HOLD
    assert len(waabot.calls(SEND)) == 1


async def test_a_2xx_that_refuses_in_unknown_words_is_shown_with_them(waabot: WaabotServer) -> None:
    waabot.say(SEND, facts.CRASHED)
    with pytest.raises(NoAnswerError, match=r"'mimetype'.*and not what was done before") as caught:
        await waabot.channel().send(facts.PHONE, parse_message("hi"))
    assert caught.value.code == "refused_in_2xx"


#: Status and body of a refusal, and what it is.
REFUSALS: dict[str, tuple[int, Any, type[WhatsAppError]]] = {
    "not on WhatsApp": (500, facts.NOT_THERE, RecipientRejectedError),
    "not on WhatsApp, in a 200": (200, facts.NOT_THERE, RecipientRejectedError),
    "not on WhatsApp, in the inner answer": (
        201,
        facts.done("Message sent", {"error": True, "code": 500, "message": "no account exists"}),
        RecipientRejectedError,
    ),
    "no phone": (401, facts.NOT_CONNECTED, NotConnectedError),
    "no phone, in a 200": (200, facts.NOT_CONNECTED, NotConnectedError),
    "unknown pair": (403, facts.UNKNOWN_PAIR, CredentialRejectedError),
    "unknown pair, in a 201": (201, facts.UNKNOWN_PAIR, CredentialRejectedError),
    "no pair": (403, facts.NO_PAIR, CredentialRejectedError),
    "token ended": (403, facts.NOT_LOGGED_IN, CredentialRejectedError),
    "a 401 in other words": (401, facts.refused("Unauthorized"), CredentialRejectedError),
    "form": (400, facts.INVALID, RequestRejectedError),
    "no such route": (404, "Cannot POST /api/v1/whatsapp/message", RequestRejectedError),
    "too many": (429, facts.refused("Too many requests"), RateLimitedError),
    "crashed": (500, facts.CRASHED, NoAnswerError),
    # quoting a known text is not saying it
    "crashed over a text": (
        500,
        facts.refused("Something went wrong!", 'near "no account exists"'),
        NoAnswerError,
    ),
    "proxy": (502, "<html>bad gateway</html>", NoAnswerError),
}


@pytest.mark.parametrize(("status", "body", "kind"), REFUSALS.values(), ids=REFUSALS)
async def test_a_refusal_says_whom_it_concerns(
    waabot: WaabotServer, status: int, body: Any, kind: type[WhatsAppError]
) -> None:
    waabot.say(SEND, body, status=status)
    with pytest.raises(kind) as caught:
        await waabot.channel().send(facts.PHONE, parse_message("hi"))
    assert type(caught.value) is kind
    assert len(waabot.calls(SEND)) == 1


#: Parts of messages for which the API has no place.
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "voice": ({"kind": "voice", "media": {"data": DATA}}, "'voice'"),
    "template": ({"kind": "template", "name": "a", "language": "en"}, "'template'"),
    "address": ({"kind": "location", "latitude": 1, "longitude": 1, "address": "A 1"}, "address"),
    "header": ({"kind": "buttons", "header": "A", "body": "B", "buttons": [REPLY]}, "header"),
    "buttons below a file": (
        {"kind": "media_buttons", "body": "B", "buttons": [REPLY], "media": {"data": DATA}},
        "image that is given by its url",
    ),
    "buttons below a film": (
        {
            "kind": "media_buttons",
            "body": "B",
            "buttons": [REPLY],
            "media": {"url": FILE_URL},
            "media_kind": "video",
        },
        "image that is given by its url",
    ),
    "captioned attachment": ({"kind": "image", "media": {"media_id": "a"}, "caption": "B"}, "caption"),
    "captioned upload": ({"kind": "document", "media": {"data": DATA}, "caption": "B"}, "caption"),
    "named link": ({"kind": "document", "media": {"url": FILE_URL}, "filename": "a.pdf"}, "filename"),
}


@pytest.mark.parametrize(("message", "words"), REFUSED.values(), ids=REFUSED)
async def test_what_the_api_has_no_place_for_is_refused_before_anything_is_asked(
    waabot: WaabotServer, message: dict[str, Any], words: str
) -> None:
    parsed = parse_message(message)
    channel = waabot.channel()
    with pytest.raises(UnsupportedError, match=f"'waabot' can't .*{words}"):
        (await channel.message_check(parsed.kind))(parsed)
    with pytest.raises(UnsupportedError, match=words):
        await channel.send(facts.PHONE, parsed)
    assert waabot.asked == []


@pytest.mark.parametrize(
    ("recipient", "chat_id"),
    [
        (facts.PHONE, facts.PHONE),
        (f"+{facts.PHONE}", facts.PHONE),
        (f"{facts.PHONE}@s.whatsapp.net", facts.PHONE),
        (f"{facts.PHONE}@c.us", facts.PHONE),
        (facts.GROUP, facts.GROUP),
        ("15550001000-1600000000@g.us", "15550001000-1600000000@g.us"),
    ],
)
async def test_a_person_goes_as_digits_and_a_group_with_its_server(
    waabot: WaabotServer, recipient: str, chat_id: str
) -> None:
    waabot.say(SEND, facts.TEXT_SENT)
    await waabot.channel().send(recipient, parse_message("hi"))
    assert waabot.calls(SEND)[0].body["chatId"] == chat_id


async def test_a_hidden_id_of_which_the_api_would_make_a_person_is_refused(waabot: WaabotServer) -> None:
    with pytest.raises(RecipientError, match="'lid'") as caught:
        await waabot.channel().send("955000000000@lid", parse_message("hi"))
    assert caught.value.disposition is Disposition.SKIP
    assert waabot.asked == []


async def test_a_card_without_organization_does_not_say_undefined(waabot: WaabotServer) -> None:
    waabot.say(f"{SEND}/contact", facts.IMAGE_SENT)
    message = parse_message({"kind": "contact", "full_name": "Ada", "phone": facts.OWNER})
    await waabot.channel().send(facts.PHONE, message)
    assert waabot.calls(f"{SEND}/contact")[0].body["vcard"]["organization"] == ""


async def test_an_uploaded_file_keeps_its_name(waabot: WaabotServer, tmp_path: Path) -> None:
    waabot.say(f"{SEND}/doc", facts.IMAGE_SENT)
    path = tmp_path / "invoice 47.pdf"
    path.write_bytes(DATA)
    await waabot.channel().send(
        facts.PHONE, parse_message({"kind": "document", "media": {"file": str(path)}})
    )
    [asked] = waabot.calls(f"{SEND}/doc")
    assert asked.body == {"chatId": facts.PHONE, "filename": "invoice 47.pdf"}
    assert asked.files == {"file": ("invoice 47.pdf", DATA)}


async def test_that_the_pair_could_not_be_had_puts_no_message_in_doubt(waabot: WaabotServer) -> None:
    waabot.say("GET /whatsapp", httpx.Response(200, text="{"))
    with pytest.raises(NotReachedError, match="was not sent") as caught:
        await waabot.channel().send(facts.PHONE, parse_message("hi"))
    assert caught.value.disposition is Disposition.RETRY
    assert waabot.calls(SEND) == []


async def test_a_pair_that_was_changed_is_asked_for_anew_at_the_next_send(waabot: WaabotServer) -> None:
    channel = waabot.channel()
    waabot.say(SEND, httpx.Response(403, json=facts.UNKNOWN_PAIR), httpx.Response(200, json=facts.TEXT_SENT))
    with pytest.raises(CredentialRejectedError):
        await channel.send(facts.PHONE, parse_message("hi"))
    settings = {**facts.ROW["settings"], "access_token": "another-access-token"}
    waabot.say("GET /whatsapp", facts.done("", [{**facts.ROW, "settings": settings}]))
    await channel.send(facts.PHONE, parse_message("hi"))
    assert [asked.query["access_token"] for asked in waabot.calls(SEND)] == [
        facts.ACCESS_TOKEN,
        "another-access-token",
    ]


async def test_no_refusal_tells_the_pair_a_token_the_number_or_the_text(waabot: WaabotServer) -> None:
    private = [
        *facts.PAIR.values(),
        facts.TOKEN,
        facts.REFRESH,
        facts.RENEWED,
        facts.PHONE,
        "the private words",
    ]
    waabot.say("GET /whatsapp", facts.LISTED, **{"x-access-token": facts.RENEWED})
    for status in (200, 400, 401, 403, 404, 429, 500):
        waabot.say(
            SEND, facts.refused(" ".join(private), f"at ?session_id={facts.SESSION_ID}"), status=status
        )
        with pytest.raises(GatewayError) as caught:
            await (
                waabot.gateway(refresh_token=facts.REFRESH)
                .channel(REF)
                .send(facts.PHONE, parse_message("the private words"))
            )
        shown = f"{caught.value} {caught.value!r} {vars(caught.value)}"
        assert not any(secret in shown for secret in private), status


@pytest.mark.parametrize("media", [{"data": DATA}, {"url": FILE_URL}])
@pytest.mark.parametrize("status", [200, 400])
async def test_no_refusal_of_a_form_tells_what_was_in_it_or_in_its_address(
    waabot: WaabotServer, media: dict[str, Any], status: int
) -> None:
    private = [*facts.PAIR.values(), facts.PHONE, "the private words"]
    what = f"{SEND}/image" if "data" in media else f"{SEND}/fileurl"
    waabot.say(what, facts.refused(" ".join(private)), status=status)
    message = parse_message({"kind": "image", "media": media, "caption": "the private words"})
    with pytest.raises(GatewayError) as caught:
        await waabot.channel().send(facts.PHONE, message)
    assert not any(secret in str(caught.value) for secret in private)
