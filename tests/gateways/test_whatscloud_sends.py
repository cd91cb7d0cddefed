"""What leaves for WhatsCloud, what is refused before, and what its answers prove."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateways import whatscloud_facts as facts
from tests.gateways.whatscloud_server import WhatsCloudServer
from whatsapp_provider.errors import (
    ChannelHaltedError,
    CredentialRejectedError,
    Disposition,
    InputError,
    NoAnswerError,
    NotConnectedError,
    NotFoundError,
    NotReachedError,
    QuotaExceededError,
    RateLimitedError,
    RecipientError,
    RecipientRejectedError,
    RequestRejectedError,
    TemplateError,
    TemporarilyUnavailableError,
    UnsupportedError,
    WhatsAppError,
)
from whatsapp_provider.gateways.whatscloud import channel as channel_module
from whatsapp_provider.messages import parse_message
from whatsapp_provider.model import MessageStatus
from whatsapp_provider.transport import Wire

SEND, MEDIA, TEMPLATE = "POST /messages/send", "POST /messages/media", "POST /messages/template"
HELLO = parse_message("the private words")
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
URL = {"url": "https://example.com/a"}
REPLY = {"type": "reply", "title": "Yes"}
PAGE = {"type": "url", "title": "Open", "url": "https://example.com"}
CALL = {"type": "call", "title": "Call", "phone": "15550000009"}
ORDER = {"kind": "template", "name": "order_confirmation", "language": "en_US"}


async def failed(server: WhatsCloudServer, *answer: Any, what: str = SEND, **options: Any) -> WhatsAppError:
    """Return the error of a text that is answered so; it is tried once."""
    server.say(what, *answer, **options)
    with pytest.raises(WhatsAppError) as caught:
        await server.channel().send(facts.PHONE, HELLO)
    assert len(server.calls(what)) == 1
    assert "private words" not in str(caught.value)
    assert facts.PHONE not in str(caught.value)
    return caught.value


# -- before anything leaves -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "error", "words"),
    [
        ({"kind": "text", "body": "x" * 4097}, InputError, "body has 4097 characters.*takes 4096"),
        ({"kind": "image", "media": URL, "caption": "x" * 1025}, InputError, "caption has 1025"),
        ({"kind": "document", "media": URL, "filename": "x" * 256}, InputError, "filename has 256"),
        (
            {"kind": "image", "media": {"data": b"x" * (5120 * 1024 + 1)}},
            InputError,
            "its image has 5,242,881",
        ),
        ({"kind": "image", "media": {"media_id": "a"}}, UnsupportedError, "keeps no uploaded files"),
        ({"kind": "buttons", "body": "a", "buttons": [CALL]}, UnsupportedError, "no call button"),
        ({"kind": "buttons", "body": "a", "buttons": [PAGE, REPLY]}, UnsupportedError, "one url button by"),
        ({"kind": "buttons", "body": "a", "buttons": [PAGE, PAGE]}, UnsupportedError, "one url button by"),
        (
            {"kind": "buttons", "body": "a", "buttons": [{**REPLY, "title": "x" * 21}]},
            InputError,
            r"buttons\.0\.title has 21",
        ),
        (
            {"kind": "buttons", "body": "a", "header": "x" * 61, "buttons": [REPLY]},
            InputError,
            "header has 61",
        ),
        (
            {"kind": "buttons", "body": "a", "footer": "x" * 61, "buttons": [REPLY]},
            InputError,
            "footer has 61",
        ),
        ({"kind": "buttons", "body": "x" * 1025, "buttons": [REPLY]}, InputError, "body has 1025"),
        (
            {"kind": "buttons", "body": "a", "buttons": [{**REPLY, "id": "1"}, {**REPLY, "id": "2"}]},
            InputError,
            "two buttons have the same title",
        ),
        ({**ORDER, "language": "abc_abcdefgh", "body": ["a", "b"]}, InputError, "language has 12"),
        ({**ORDER, "body": ["x"] * 11}, UnsupportedError, "takes 10 values"),
        ({**ORDER, "body": ["a", "b"], "buttons": {3: "x"}}, UnsupportedError, "first 3 buttons"),
        ({"kind": "location", "latitude": 1, "longitude": 1}, UnsupportedError, "'location'"),
        ({"kind": "voice", "media": URL}, UnsupportedError, "'voice'.* Send the recording as audio"),
    ],
)
async def test_what_the_api_does_not_take_is_refused_before_anything_is_sent(
    whatscloud: WhatsCloudServer, message: Any, error: type[WhatsAppError], words: str
) -> None:
    whatscloud.say("GET /templates", facts.nested(facts.TEMPLATE))
    channel, parsed = whatscloud.channel(), parse_message(message)
    with pytest.raises(error, match=words) as caught:
        (await channel.message_check(parsed.kind))(parsed)
    assert "xxxx" not in str(caught.value)
    with pytest.raises(error):
        await channel.send(facts.PHONE, parsed)
    assert not [asked for asked in whatscloud.asked if asked.what.startswith("POST")]


async def test_a_file_that_is_too_large_is_refused_by_its_size_and_is_not_read(
    whatscloud: WhatsCloudServer, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        file.truncate(5120 * 1024 + 1)
    message = parse_message({"kind": "image", "media": {"file": path}})
    with pytest.raises(InputError, match="its image has 5,242,881 bytes"):
        (await whatscloud.channel().message_check("image"))(message)
    missing = parse_message({"kind": "image", "media": {"file": tmp_path / "none.png"}})
    with pytest.raises(InputError, match=r"'none\.png' can't be read"):
        (await whatscloud.channel().message_check("image"))(missing)


@pytest.mark.parametrize(
    "recipient", ["120363000000000000@g.us", "123456789012345@lid", "15550@newsletter", "12345"]
)
async def test_only_phone_numbers_are_recipients(whatscloud: WhatsCloudServer, recipient: str) -> None:
    with pytest.raises(RecipientError, match="phone numbers alone") as caught:
        await whatscloud.channel().send(recipient, HELLO)
    assert caught.value.disposition is Disposition.SKIP
    assert recipient.partition("@")[0] not in str(caught.value)
    assert whatscloud.asked == []


async def test_a_persons_chat_id_is_their_number(whatscloud: WhatsCloudServer) -> None:
    whatscloud.say(SEND, facts.SENT)
    await whatscloud.channel().send(f"{facts.PHONE}@s.whatsapp.net", HELLO)
    assert whatscloud.asked[0].body["phone_number"] == f"+{facts.PHONE}"


# -- templates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message", "words"),
    [
        ({"status": "PAUSED"}, {"body": ["a", "b"]}, "is PAUSED"),
        ({"language": "de"}, {"body": ["a", "b"]}, "not there in 'en_US'; it has: de"),
        ({"template_name": "other"}, {"body": ["a", "b"]}, "no template 'order_confirmation'"),
        ({}, {"body": ["a"]}, "takes 2 values, and 1 are given"),
        ({}, {"body": ["a", "b"], "buttons": {}}, "its button 0 needs a value"),
        ({"header_data_format": "IMAGE"}, {"body": ["a", "b"]}, "its header needs a file"),
        ({"header_data_text": "Order {{1}}"}, {"body": ["a", "b"]}, "its header needs a value"),
        ({"body_data": None, "body_params_count": 3}, {"body": ["a", "b"]}, "takes 3 values, and 2"),
    ],
)
async def test_a_template_message_is_held_against_the_template_as_it_is_told(
    whatscloud: WhatsCloudServer, changes: Any, message: Any, words: str
) -> None:
    whatscloud.say("GET /templates", facts.nested({**facts.TEMPLATE, **changes}))
    check = await whatscloud.channel().message_check("template")
    with pytest.raises(TemplateError, match=words):
        check(parse_message({**ORDER, "buttons": {0: "x"}, **message}))


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ({"buttons_data": '[{"type":"COPY_CODE","text":"Copy"}]'}, "a code to copy"),
        ({"buttons_data": '[{"type":"FLOW","text":"Book"}]'}, "a flow"),
        ({"cards_json": '[{"components":[]}]'}, "cards"),
        ({"cards_json": [{"components": []}]}, "cards"),
    ],
)
async def test_a_template_that_takes_more_than_the_api_has_fields_for_is_refused(
    whatscloud: WhatsCloudServer, column: Any, told: str
) -> None:
    whatscloud.say("GET /templates", facts.nested({**facts.TEMPLATE, **column}))
    check = await whatscloud.channel().message_check("template")
    with pytest.raises(TemplateError, match=f"it has {told}, which a message can't tell"):
        check(parse_message({**ORDER, "body": ["a", "b"]}))


@pytest.mark.parametrize("cards", [None, "", "[]", "null", []])
async def test_a_template_without_cards_can_be_sent(whatscloud: WhatsCloudServer, cards: Any) -> None:
    whatscloud.say("GET /templates", facts.nested({**facts.TEMPLATE, "cards_json": cards}))
    check = await whatscloud.channel().message_check("template")
    check(parse_message({**ORDER, "body": ["a", "b"], "buttons": {0: "x"}}))


async def test_a_template_with_a_place_above_it_has_no_field_in_the_api(whatscloud: WhatsCloudServer) -> None:
    whatscloud.say("GET /templates", facts.nested({**facts.TEMPLATE, "header_data_format": "LOCATION"}))
    check = await whatscloud.channel().message_check("template")
    with pytest.raises(UnsupportedError, match="its header is of kind location"):
        check(parse_message({**ORDER, "body": ["a", "b"], "buttons": {0: "x"}}))


NAMED = {
    **facts.PHOTO,
    "template_name": "named",
    "body_data": "{{who}} has {{what}}",
    "header_data_format": None,
}


async def test_values_given_by_name_go_into_the_places_of_the_template_asked_for_once(
    whatscloud: WhatsCloudServer,
) -> None:
    whatscloud.say("GET /templates", facts.nested(NAMED))
    whatscloud.say(TEMPLATE, facts.SENT)
    channel = whatscloud.channel()
    for _ in range(2):
        await channel.send(
            facts.PHONE, parse_message({**ORDER, "name": "named", "body": {"what": "a cat", "who": "Ada"}})
        )
    first, second = whatscloud.calls(TEMPLATE)
    assert (first.body["field_1"], first.body["field_2"]) == ("Ada", "a cat")
    assert first.body == second.body
    assert len(whatscloud.calls("GET /templates")) == 1


async def test_numbered_names_need_no_look_at_the_template(whatscloud: WhatsCloudServer) -> None:
    whatscloud.say(TEMPLATE, facts.SENT)
    body = {str(place): f"v{place}" for place in range(10, 0, -1)}
    await whatscloud.channel().send(facts.PHONE, parse_message({**ORDER, "body": body}))
    [asked] = whatscloud.asked
    assert [asked.body[f"field_{place}"] for place in range(1, 11)] == [f"v{place}" for place in range(1, 11)]


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("silence"), httpx.Response(200, text="<html>")])
async def test_that_the_templates_can_not_be_had_puts_no_send_in_doubt(
    whatscloud: WhatsCloudServer, answer: Any
) -> None:
    whatscloud.say("GET /templates", answer)
    with pytest.raises(NotReachedError, match="nothing was sent") as caught:
        await whatscloud.channel().send(
            facts.PHONE, parse_message({**ORDER, "body": {"what": "a cat", "who": "Ada"}})
        )
    assert caught.value.disposition is Disposition.RETRY
    assert whatscloud.calls(TEMPLATE) == []


async def test_templates_that_do_not_come_in_time_put_no_send_in_doubt(
    whatscloud: WhatsCloudServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def never(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(channel_module, "TEMPLATES_WITHIN", 0.01)
    whatscloud.wire = Wire(transport=httpx.MockTransport(never))
    with pytest.raises(NotReachedError, match=r"within 0\.01 s; nothing was sent") as caught:
        await whatscloud.channel().send(
            facts.PHONE, parse_message({**ORDER, "body": {"what": "a cat", "who": "Ada"}})
        )
    assert caught.value.disposition is Disposition.RETRY
    assert asked == ["GET"]


async def test_names_that_the_template_does_not_have_are_refused(whatscloud: WhatsCloudServer) -> None:
    whatscloud.say("GET /templates", facts.nested(NAMED))
    with pytest.raises(TemplateError, match="takes values for who, what"):
        await whatscloud.channel().send(
            facts.PHONE, parse_message({**ORDER, "name": "named", "body": {"who": "Ada", "wat": "x"}})
        )


# -- files ----------------------------------------------------------------------------------------


async def test_a_file_of_the_worker_goes_as_a_form(whatscloud: WhatsCloudServer, tmp_path: Path) -> None:
    path = tmp_path / "plan.png"
    path.write_bytes(PNG)
    whatscloud.say(MEDIA, facts.SENT)
    message = parse_message({"kind": "image", "media": {"file": path}, "caption": "Look"})
    assert (await whatscloud.channel().send(facts.PHONE, message)).message_id == facts.WAMID
    [asked] = whatscloud.asked
    assert asked.body == {"phone_number": f"+{facts.PHONE}", "media_type": "image", "caption": "Look"}
    assert asked.files == {"media_file": ("plan.png", "image/png", PNG)}


async def test_bytes_get_a_name_and_a_document_shows_it(whatscloud: WhatsCloudServer) -> None:
    whatscloud.say(MEDIA, facts.SENT)
    message = parse_message({"kind": "document", "media": {"data": b"%PDF-1.7"}})
    await whatscloud.channel().send(facts.PHONE, message)
    [asked] = whatscloud.asked
    assert asked.body["filename"] == "document.pdf"
    assert asked.files == {"media_file": ("document.pdf", "application/pdf", b"%PDF-1.7")}


@pytest.mark.parametrize(
    ("header", "fields", "files"),
    [
        (
            {"kind": "document", "media": URL, "filename": "a.pdf"},
            {"header_document_url": URL["url"], "header_document_name": "a.pdf"},
            {},
        ),
        ({"kind": "video", "media": URL}, {"header_video_url": URL["url"]}, {}),
        (
            {"kind": "image", "media": {"data": PNG}},
            {},
            {"header_image_file": ("image.png", "image/png", PNG)},
        ),
        (
            {"kind": "document", "media": {"data": b"%PDF"}, "filename": "b.pdf"},
            {"header_document_name": "b.pdf"},
            {"header_document_file": ("b.pdf", "application/pdf", b"%PDF")},
        ),
        ("47", {"header_field_1": "47"}, {}),
    ],
)
async def test_each_header_of_a_template_has_its_fields(
    whatscloud: WhatsCloudServer, header: Any, fields: Any, files: Any
) -> None:
    whatscloud.say(TEMPLATE, facts.SENT)
    await whatscloud.channel().send(facts.PHONE, parse_message({**ORDER, "header": header}))
    [asked] = whatscloud.asked
    usual = {
        "phone_number": f"+{facts.PHONE}",
        "template_name": "order_confirmation",
        "template_language": "en_US",
    }
    assert asked.body == {**usual, **fields}
    assert asked.files == files


# -- what an answer proves ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message_id", "status"),
    [
        (facts.SENT, facts.WAMID, MessageStatus.SENT),
        (facts.SENT_LATER, facts.WAMID, MessageStatus.PENDING),
        (facts.ok("Message sent successfully"), None, MessageStatus.PENDING),
        (facts.ok(data=None), None, MessageStatus.PENDING),
        (facts.ok(data=[]), None, MessageStatus.PENDING),
        (facts.ok(data={"message_id": 47, "status": 3}), None, MessageStatus.PENDING),
    ],
)
async def test_a_success_is_accepted_with_the_id_where_one_is_told(
    whatscloud: WhatsCloudServer, body: Any, message_id: str | None, status: MessageStatus
) -> None:
    whatscloud.say(SEND, body)
    sent = await whatscloud.channel().send(facts.PHONE, HELLO)
    assert (sent.message_id, sent.status) == (message_id, status)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text=""),
        httpx.Response(200, text="<html>OK</html>"),
        httpx.Response(200, text='{"status": "success", "da'),
        httpx.Response(204),
        httpx.Response(200, json=[]),
        httpx.Response(200, json="success"),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"data": {"message_id": facts.WAMID}}),
        httpx.Response(200, json={"status": True}),
        httpx.Response(200, json=facts.refused("Something went wrong")),
        httpx.Response(200, json={**facts.SENT, "error": facts.meta_error(131026)}),
        httpx.Response(200, json=facts.ok(data={"status": "failed"})),
        httpx.Response(200, json=facts.ok(data={"message_id": facts.WAMID, "status": "failed"})),
        httpx.Response(302, headers={"location": "https://elsewhere.example/login"}),
        httpx.Response(500, json=facts.refused("Failed to send message")),
        httpx.Response(500, text="<html>Whoops</html>"),
        httpx.Response(502),
        httpx.Response(503),
        httpx.Response(504),
        httpx.Response(408),
        httpx.ReadTimeout("silence"),
        httpx.ReadError("reset"),
    ],
    ids=lambda answer: str(getattr(answer, "text", answer))[:30] + str(getattr(answer, "status_code", "")),
)
async def test_what_proves_nothing_is_held(whatscloud: WhatsCloudServer, answer: Any) -> None:
    error = await failed(whatscloud, answer)
    assert isinstance(error, NoAnswerError)
    assert error.disposition is Disposition.HOLD


def wrapped(code: int) -> list[Any]:
    """Return an error of Meta's in all the places where it was or may be found."""
    error = facts.meta_error(code)
    return [
        facts.refused(f"(#{code}) Refused", errors=error),
        facts.refused(f"(#{code}) Refused", data={"error": error}),
        facts.refused("Failed to send message", data={"whatsapp_response": {"error": error}}),
        facts.refused(f"(#{code}) Refused"),
        {"error": error},
        error,
    ]


@pytest.mark.parametrize(
    ("code", "kind", "disposition"),
    [
        (130429, RateLimitedError, Disposition.RETRY),
        (131056, RateLimitedError, Disposition.RETRY),
        (131057, TemporarilyUnavailableError, Disposition.RETRY),
        (131026, RecipientRejectedError, Disposition.SKIP),
        (131047, RecipientRejectedError, Disposition.SKIP),
        (131050, RecipientRejectedError, Disposition.SKIP),
        (132015, RequestRejectedError, Disposition.HALT),
        (132016, RequestRejectedError, Disposition.HALT),
        (132001, NotFoundError, Disposition.HALT),
        (133010, NotConnectedError, Disposition.HALT),
        (368, ChannelHaltedError, Disposition.HALT),
        (131031, ChannelHaltedError, Disposition.HALT),
        (190, CredentialRejectedError, Disposition.HALT),
        (131042, QuotaExceededError, Disposition.HALT),
        (131000, NoAnswerError, Disposition.HOLD),
    ],
)
async def test_metas_code_decides_wherever_it_stands_and_whatever_the_status(
    whatscloud: WhatsCloudServer, code: int, kind: type[WhatsAppError], disposition: Disposition
) -> None:
    for status in (400, 422, 429, 500, 200):
        for body in wrapped(code):
            whatscloud.say(SEND, body, status=status)
            with pytest.raises(kind) as caught:
                await whatscloud.channel().send(facts.PHONE, HELLO)
            assert caught.value.disposition is disposition
            assert caught.value.code == f"meta_{code}"


@pytest.mark.parametrize(
    "place", [{"message": {"id": "x"}}, {"messages": [{"id": 7}]}, {"type": {"id": "x"}}]
)
async def test_an_error_of_metas_beside_a_message_leaves_it_in_doubt(
    whatscloud: WhatsCloudServer, place: dict[str, Any]
) -> None:
    handed_on = {**facts.meta_error(131026), **place}
    found = await failed(whatscloud, {"data": {"whatsapp_response": handed_on}}, status=200)
    assert found.disposition is Disposition.HOLD


@pytest.mark.parametrize("name", ["error", "errors"])
async def test_a_success_with_an_error_beside_it_is_in_doubt(whatscloud: WhatsCloudServer, name: str) -> None:
    found = await failed(whatscloud, {"status": "success", name: {"anything": 1}}, status=200)
    assert found.disposition is Disposition.HOLD


async def test_words_of_metas_that_quote_a_message_are_not_told(whatscloud: WhatsCloudServer) -> None:
    error = facts.meta_error(132012, "the private words", f"to +{facts.PHONE}: the private words")
    found = await failed(whatscloud, facts.refused("the private words", errors=error), status=400)
    assert found.code == "meta_132012"


@pytest.mark.parametrize(
    ("body", "headers", "wait"),
    [
        ({"message": "Too many requests", "retry_after": 45}, {}, 45),
        ({"message": "Too many requests", "retry_after": 45}, {"retry-after": "9"}, 45),
        ({"message": "Too many requests", "retry_after": "12"}, {}, 12),
        ({"message": "Too Many Attempts."}, {"retry-after": "9"}, 9),
        ({"message": "…", "retry_after": None}, {"retry-after": "9"}, 9),
        ({"message": "…", "retry_after": True}, {"retry-after": "9"}, 9),
        ({"message": "…", "retry_after": "soon"}, {"retry-after": "9"}, 9),
        ({"message": "…", "retry_after": [1]}, {}, None),
        ({"message": "…", "retry_after": -1}, {"retry-after": "9"}, 9),
        ([], {}, None),
    ],
)
async def test_the_wait_is_that_of_the_body_else_that_of_the_header(
    whatscloud: WhatsCloudServer, body: Any, headers: dict[str, str], wait: float | None
) -> None:
    error = await failed(whatscloud, body, status=429, **headers)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == wait


async def test_a_wait_without_end_is_bounded(whatscloud: WhatsCloudServer) -> None:
    answer = httpx.Response(429, text='{"retry_after": 1' + "0" * 400 + "}")
    error = await failed(whatscloud, answer)
    assert error.retry_after is None or error.retry_after < 1e9


async def test_the_longer_of_two_waits_counts_where_meta_limits_a_pair(whatscloud: WhatsCloudServer) -> None:
    body = {**facts.refused("(#131056) pair", errors=facts.meta_error(131056)), "retry_after": 2}
    assert (await failed(whatscloud, body, status=429)).retry_after == 6


INVALID = "Validation failed"


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (422, facts.REFUSALS["phone"][1], RecipientRejectedError, "bad_recipient"),
        (422, facts.refused(INVALID, {"contact.email": ["…"]}), RecipientRejectedError, "bad_recipient"),
        (
            422,
            facts.refused(INVALID, {"phone_number": ["…"], "message_body": ["…"]}),
            RequestRejectedError,
            None,
        ),
        (422, facts.refused(INVALID, {"template_name": ["…"]}), RequestRejectedError, None),
        (422, facts.refused(INVALID), RequestRejectedError, None),
        (422, facts.refused(INVALID, {}), RequestRejectedError, None),
        (404, facts.refused("Template not found"), NotFoundError, None),
        (403, facts.REFUSALS["plan"][1], QuotaExceededError, "plan_limit"),
        (403, facts.refused("Conversation limit exceeded."), QuotaExceededError, "plan_limit"),
        (403, facts.refused("Your monthly quota is used up."), QuotaExceededError, "plan_limit"),
        (403, facts.refused("Contact has opted out of messages"), RecipientRejectedError, "opted_out"),
        (403, facts.refused("Forbidden"), CredentialRejectedError, None),
        (413, None, RecipientRejectedError, "media_too_large"),
        (400, facts.refused("Bad request"), RequestRejectedError, None),
        (402, facts.refused("Pay"), QuotaExceededError, None),
        (405, {"message": "The GET method is not supported"}, RequestRejectedError, None),
    ],
)
async def test_a_refusal_is_about_one_person_only_where_it_says_so(
    whatscloud: WhatsCloudServer, status: int, body: Any, kind: type[WhatsAppError], code: str | None
) -> None:
    error = await failed(whatscloud, httpx.Response(status, content=json.dumps(body)))
    assert type(error) is kind
    assert code is None or error.code == code


async def test_a_redirect_is_not_followed_and_the_token_goes_nowhere_else(
    whatscloud: WhatsCloudServer,
) -> None:
    away = httpx.Response(307, headers={"location": "https://elsewhere.example/api/v1/acme/messages/send"})
    await failed(whatscloud, away)
    whatscloud.say("GET /templates", away)
    with pytest.raises(RequestRejectedError, match="points elsewhere"):
        await whatscloud.channel().templates()
    assert {asked.host for asked in whatscloud.asked} == {"whatscloud.pro"}


async def test_the_next_page_is_asked_for_at_the_same_host_whatever_its_url(
    whatscloud: WhatsCloudServer,
) -> None:
    first = facts.nested(facts.TEMPLATE, last=2, total=2)
    first["data"]["next_page_url"] = "https://elsewhere.example/templates?page=2"
    whatscloud.say("GET /templates", first, facts.nested(facts.PHOTO, page=2, last=2, total=2))
    assert len(await whatscloud.channel().templates()) == 2
    assert {asked.host for asked in whatscloud.asked} == {"whatscloud.pro"}


async def test_a_messages_id_can_not_leave_its_part_of_the_path(whatscloud: WhatsCloudServer) -> None:
    whatscloud.say("GET /messages/..%2F..%2Fcontacts%3Fa%3D1/status", facts.STATUS_OF_MESSAGE)
    assert await whatscloud.channel().message_status("../../contacts?a=1") is MessageStatus.DELIVERED


async def test_an_older_version_without_message_status_is_told_from_an_unknown_message(
    whatscloud: WhatsCloudServer,
) -> None:
    path = f"GET /messages/{facts.QUOTED_WAMID}/status"
    whatscloud.say(path, {"message": "The route api/v1 could not be found."}, status=404)
    with pytest.raises(RequestRejectedError, match="this version of WhatsCloud lacks it"):
        await whatscloud.channel().message_status(facts.WAMID)
    whatscloud.say(path, facts.refused("Message not found"), status=404)
    with pytest.raises(NotFoundError):
        await whatscloud.channel().message_status(facts.WAMID)


@pytest.mark.parametrize(
    "answered", [{"messages": [None]}, {"code": 131026, "message": "(#131026) Refused"}, [], "?"]
)
async def test_a_success_that_hands_on_an_answer_of_metas_without_a_message_is_held(
    whatscloud: WhatsCloudServer, answered: Any
) -> None:
    whatscloud.say("POST /messages/send", facts.ok(data={"message_id": " ", "whatsapp_response": answered}))
    with pytest.raises(NoAnswerError):
        await whatscloud.channel().send(facts.PHONE, parse_message("hi"))


async def test_a_page_that_speaks_of_opting_out_refuses_nobody_in_particular(
    whatscloud: WhatsCloudServer,
) -> None:
    whatscloud.say("POST /messages/send", httpx.Response(403, text="<title>You opted out</title>"))
    with pytest.raises(CredentialRejectedError):
        await whatscloud.channel().send(facts.PHONE, parse_message("hi"))
