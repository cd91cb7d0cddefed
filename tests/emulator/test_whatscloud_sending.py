"""Sending by the WhatsCloud dialect: fields, templates, files, the 24 hours, and what Meta refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.whatscloud_wire import TO, WhatsCloud
from whatsapp_provider.emulator.faults import Fault
from whatsapp_provider.emulator.network import Inbound

SENDS = "/whatscloud/api/v1/acme/messages/"
PNG = ("picture.png", b"\x89PNG", "image/png")
NO_WHATSAPP = frozenset({TO})
BUTTON = {"id": "yes", "title": "Yes"}
REFUSED_TEXTS: list[tuple[dict[str, Any], str, str]] = [
    ({"phone_number": None}, "phone_number", "The phone number field is required."),
    ({"phone_number": 15550000001}, "phone_number", "The phone number field must be a string."),
    ({"phone_number": "nobody"}, "phone_number", "The phone number field format is invalid."),
    ({"message_body": "   "}, "message_body", "The message body field is required."),
    (
        {"message_body": "x" * 4097},
        "message_body",
        "The message body field must not be greater than 4096 characters.",
    ),
    ({"message_type": "poll"}, "message_type", "The selected message type is invalid."),
    ({"header": "x" * 61}, "header", "The header field must not be greater than 60 characters."),
    ({"message_type": "interactive"}, "buttons", "The buttons field is required."),
    (
        {"message_type": "interactive", "buttons": [BUTTON] * 4},
        "buttons",
        "The buttons field must have between 1 and 3 items.",
    ),
    (
        {"message_type": "interactive", "buttons": [{"id": "yes"}]},
        "buttons.0.title",
        "The buttons.0.title field is required.",
    ),
    (
        {"message_type": "cta_url", "button_text": "Go", "button_url": "here"},
        "button_url",
        "The button url field must be a valid URL.",
    ),
]
REFUSED_TEMPLATES: list[tuple[str, dict[str, Any], str]] = [
    ("unheard_of", {}, "template_name"),
    ("spring_sale", {"field_1": "Ada"}, "template_name"),
    ("old_offer", {"field_1": "Ada"}, "template_name"),
    ("late_notice", {"field_1": "Ada"}, "template_name"),
    ("welcome", {"field_1": "Ada", "template_language": "de"}, "template_name"),
    ("order_update", {"field_1": "Ada"}, "field_2"),
    ("order_update", {"field_1": "Ada", "field_2": ""}, "field_2"),
    ("ticket", {"field_1": "Ada"}, "header_field_1"),
    ("parcel", {"field_1": "Ada"}, "button_0"),
    ("sale_photo", {"field_1": "Ada"}, "header_image_url"),
    ("sale_photo", {"field_1": "Ada", "header_video_url": "https://example.com/v.mp4"}, "header_image_url"),
    ("hello_world", {"phone_number": "+123456"}, "phone_number"),
    ("hello_world", {"template_language": "e"}, "template_language"),
]


def requested(whatscloud: WhatsCloud, message_id: str) -> Any:
    """Return what the product asked of Meta for a message."""
    return whatscloud.tenant.history.messages[message_id].request


# -- texts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "field", "sentence"), REFUSED_TEXTS)
async def test_a_text_that_breaks_a_rule_is_refused_in_laravels_words(
    whatscloud: WhatsCloud, change: dict[str, Any], field: str, sentence: str
) -> None:
    body = {"phone_number": f"+{TO}", "message_body": "Hello", **change}
    assert (await whatscloud.complaints("/messages/send", body))[field] == sentence
    assert whatscloud.emulator.network.received() == []


async def test_a_text_arrives_and_a_new_number_becomes_a_contact(whatscloud: WhatsCloud) -> None:
    first = (await whatscloud.text(contact={"firstname": "Ada", "groups": "vip"})).json()["data"]
    second = (await whatscloud.text(to="1 555 000-0001")).json()["data"]
    assert (first["contact_created"], second["contact_created"]) == (True, False)
    assert first["contact_id"] == second["contact_id"]
    contact = (await whatscloud.ask("GET", f"/contacts/{first['contact_id']}")).json()["data"]
    assert (contact["firstname"], contact["phone"], contact["group_id"]) == ("Ada", f"+{TO}", [1])
    log = whatscloud.emulator.network.received(TO)
    assert [(entry.kind, entry.text) for entry in log] == [("text", "Hello")] * 2
    assert whatscloud.tenant.counts == {"accepted": 2}


async def test_buttons_go_to_meta_as_interactive_messages(whatscloud: WhatsCloud) -> None:
    replies = {"message_type": "interactive", "buttons": [BUTTON], "header": "Well?", "footer": "Bye"}
    link = {"message_type": "cta_url", "button_text": "Look", "button_url": "https://example.com"}
    one, two = await whatscloud.sent(**replies), await whatscloud.sent(**link)
    asked = requested(whatscloud, one)["interactive"]
    assert asked["action"] == {"buttons": [{"type": "reply", "reply": BUTTON}]}
    assert (asked["header"]["text"], asked["footer"]["text"]) == ("Well?", "Bye")
    parameters = requested(whatscloud, two)["interactive"]["action"]["parameters"]
    assert parameters == {"display_text": "Look", "url": "https://example.com"}
    assert [entry.kind for entry in whatscloud.emulator.network.received()] == ["buttons", "buttons"]


async def test_a_form_is_read_as_php_reads_it(whatscloud: WhatsCloud) -> None:
    fields = {
        "phone_number": f"+{TO}",
        "message_body": "Hello",
        "message_type": "interactive",
        "buttons[0][id]": "yes",
        "buttons[0][title]": "Yes",
        "contact[firstname]": "Ada",
    }
    for form in ({"data": fields}, {"files": {name: (None, value) for name, value in fields.items()}}):
        answer = await whatscloud.ask("POST", "/messages/send", **form)
        assert answer.status_code == 200, answer.text
    assert whatscloud.tenant.contacts.rows[1]["firstname"] == "Ada"


@pytest.mark.parametrize(
    "request_", [{"content": b'{"message_body":'}, {"content": b"[]"}, {"content": b'{"message_body":"x"}'}]
)
async def test_a_body_that_is_no_json_object_is_an_empty_one(
    whatscloud: WhatsCloud, request_: dict[str, Any]
) -> None:
    types = {} if b"x" in request_["content"] else {"content-type": "application/json"}
    answer = await whatscloud.ask("POST", "/messages/send", headers=types, **request_)
    assert answer.json()["errors"]["message_body"] == ["The message body field is required."]


@pytest.mark.parametrize("place", ["both", "data", "whatsapp_response", "none"])
async def test_the_id_stands_where_the_setting_says(whatscloud: WhatsCloud, place: str) -> None:
    whatscloud.emulator.configure(whatscloud_message_id=place)
    data = (await whatscloud.text()).json()["data"]
    (known,) = whatscloud.tenant.history.messages
    assert data.get("message_id") == (known if place in ("both", "data") else None)
    assert ("whatsapp_response" in data) == (place in ("both", "whatsapp_response"))


# -- media ----------------------------------------------------------------------------------------


async def test_a_file_arrives_with_its_caption_and_type(whatscloud: WhatsCloud) -> None:
    fields = {"phone_number": f"+{TO}", "media_type": "image", "caption": "Look"}
    answer = await whatscloud.ask("POST", "/messages/media", data=fields, files={"media_file": PNG})
    assert answer.status_code == 200, answer.text
    (entry,) = whatscloud.emulator.network.received(TO)
    assert (entry.kind, entry.text) == ("image", "Look")
    assert entry.media is not None
    assert (entry.media["mime_type"], entry.media["size"]) == ("image/png", 4)


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"media_type": "sticker"}, "media_type", "The selected media type is invalid."),
        ({"media_url": None}, "media_url", "The media url field is required when media file is not present."),
        ({"phone_number": "+12345678"}, "phone_number", "The phone number field must be between 10 and 15 characters."),
        ({"caption": "x" * 1025}, "caption", "The caption field must not be greater than 1024 characters."),
    ],
)  # fmt: skip
async def test_media_that_break_a_rule_are_refused(
    whatscloud: WhatsCloud, change: dict[str, Any], field: str, sentence: str
) -> None:
    body = {"phone_number": f"+{TO}", "media_type": "image", "media_url": "https://example.com/a.png"}
    assert (await whatscloud.complaints("/messages/media", {**body, **change}))[field] == sentence


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (("big.png", b"x" * (5120 * 1024 + 1), "image/png"), "must not be greater than 5120 kilobytes."),
        (("a.gif", b"GIF", "image/gif"), "must be a file of type: image/jpeg, image/png."),
    ],
)
async def test_a_file_is_refused_for_its_size_and_its_type(
    whatscloud: WhatsCloud, file: tuple[str, bytes, str], sentence: str
) -> None:
    fields = {"phone_number": f"+{TO}", "media_type": "image"}
    answer = await whatscloud.ask("POST", "/messages/media", data=fields, files={"media_file": file})
    assert answer.json()["errors"] == {"media_file": [f"The media file field {sentence}"]}


async def test_a_documents_name_is_the_given_one_or_that_of_its_file(whatscloud: WhatsCloud) -> None:
    body = {"phone_number": f"+{TO}", "media_type": "document", "media_url": "https://example.com/7"}
    await whatscloud.ask("POST", "/messages/media", {**body, "filename": "bill.pdf"})
    fields = {"phone_number": f"+{TO}", "media_type": "document"}
    for name in ("", "bill.pdf"):
        file = {"media_file": ("7.pdf", b"%PDF", "application/pdf")}
        await whatscloud.ask("POST", "/messages/media", data={**fields, "filename": name}, files=file)
    names = [entry.media["filename"] for entry in whatscloud.emulator.network.received(TO) if entry.media]
    assert names == ["bill.pdf", "7.pdf", "bill.pdf"]


async def test_a_body_above_the_web_servers_limit_is_answered_with_a_page(whatscloud: WhatsCloud) -> None:
    whatscloud.emulator.configure(media_limit_bytes=1000)
    fields = {"phone_number": f"+{TO}", "media_type": "document"}
    file = {"media_file": ("7.pdf", b"x" * 70_000, "application/pdf")}
    answer = await whatscloud.ask("POST", "/messages/media", data=fields, files=file)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "text/html"


async def test_a_file_and_a_url_exclude_each_other(whatscloud: WhatsCloud) -> None:
    fields = {"phone_number": f"+{TO}", "media_type": "image", "media_url": "https://example.com/a.png"}
    answer = await whatscloud.ask("POST", "/messages/media", data=fields, files={"media_file": PNG})
    assert "prohibits" in answer.json()["errors"]["media_url"][0]


async def test_a_url_that_leads_nowhere_is_metas_download_error(whatscloud: WhatsCloud) -> None:
    body = {"phone_number": f"+{TO}", "media_type": "image", "media_url": "https://nowhere.invalid/a.png"}
    answer = await whatscloud.ask("POST", "/messages/media", body)
    assert answer.json()["errors"]["code"] == 131052


# -- templates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "fields", "complained_of"), REFUSED_TEMPLATES)
async def test_a_template_that_can_not_be_sent_is_refused(
    whatscloud: WhatsCloud, name: str, fields: dict[str, Any], complained_of: str
) -> None:
    answer = await whatscloud.template(name, **fields)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [complained_of]
    assert whatscloud.emulator.network.received() == []


async def test_a_template_arrives_with_its_values_in_its_text(whatscloud: WhatsCloud) -> None:
    await whatscloud.template("order_update", field_1="Ada", field_2="17")
    (entry,) = whatscloud.emulator.network.received(TO)
    assert (entry.kind, entry.text) == ("template", "Hi Ada, your order 17 is on its way.")


async def test_header_body_and_button_go_to_meta_as_components(whatscloud: WhatsCloud) -> None:
    row = {
        "body": "Hi {{1}}.",
        "header": "TEXT",
        "header_text": "No. {{1}}",
        "buttons": (
            {"type": "QUICK_REPLY", "text": "ok"},
            {"type": "URL", "url": "https://example.com/{{1}}"},
        ),
    }
    whatscloud.tenant.add_template("all_of_it", **row)
    answer = await whatscloud.template("all_of_it", field_1="Ada", header_field_1="17", button_1="abc")
    template = requested(whatscloud, answer.json()["data"]["message_id"])["template"]
    assert template["language"] == {"code": "en_US"}
    header, body, button = template["components"]
    assert header == {"type": "header", "parameters": [{"type": "text", "text": "17"}]}
    assert body == {"type": "body", "parameters": [{"type": "text", "text": "Ada"}]}
    parameters = [{"type": "text", "text": "abc"}]
    assert button == {"type": "button", "sub_type": "url", "index": "1", "parameters": parameters}


async def test_a_headers_file_comes_by_url_or_in_a_form(whatscloud: WhatsCloud) -> None:
    await whatscloud.template("sale_photo", field_1="Ada", header_image_url="https://example.com/a.png")
    fields = {
        "phone_number": f"+{TO}",
        "template_name": "sale_photo",
        "template_language": "en_US",
        "field_1": "Ada",
    }
    await whatscloud.ask("POST", "/messages/template", data=fields, files={"header_image_file": PNG})
    by_url, by_form = (entry.media for entry in whatscloud.emulator.network.received(TO))
    assert by_url is not None
    assert by_form is not None
    assert (by_url["link"], by_form["filename"]) == ("https://example.com/a.png", "picture.png")


async def test_each_language_of_a_template_is_its_own(whatscloud: WhatsCloud) -> None:
    await whatscloud.template("welcome", field_1="Ana", template_language="pt_BR")
    (entry,) = whatscloud.emulator.network.received(TO)
    assert entry.text == "Boas-vindas, Ana!"


async def test_a_code_is_given_or_made_and_stands_in_the_button_too(whatscloud: WhatsCloud) -> None:
    given = (await whatscloud.template("login_code", field_1="123456")).json()["data"]
    made = (await whatscloud.template("login_code", auto_generate_otp=True)).json()["data"]
    _body, button = requested(whatscloud, given["message_id"])["template"]["components"]
    assert button["parameters"] == [{"type": "text", "text": "123456"}]
    assert "otp" not in given
    assert made["otp"].isdigit()
    assert whatscloud.emulator.network.received(TO)[1].text == f"*{made['otp']}* is your verification code."


async def test_a_booleans_word_is_refused_and_its_digit_taken(whatscloud: WhatsCloud) -> None:
    word = await whatscloud.template("login_code", auto_generate_otp="true")
    assert word.json()["errors"] == {
        "auto_generate_otp": ["The auto generate otp field must be true or false."]
    }
    assert (await whatscloud.template("login_code", auto_generate_otp="1")).status_code == 200


async def test_a_template_can_be_paused_and_approved_again(whatscloud: WhatsCloud) -> None:
    whatscloud.tenant.set_template_status("hello_world", "PAUSED")
    assert (await whatscloud.template("hello_world")).status_code == 422
    whatscloud.tenant.set_template_status("hello_world", "APPROVED")
    assert (await whatscloud.template("hello_world")).status_code == 200


# -- a message's way ------------------------------------------------------------------------------


async def test_a_message_is_pending_sent_delivered_and_read(whatscloud: WhatsCloud) -> None:
    message_id = await whatscloud.sent()
    assert "=" in message_id
    seen = [(await whatscloud.status(message_id))["delivery_status"]]
    for seconds in (0.2, 0.3):
        await whatscloud.emulator.advance(seconds)
        seen.append((await whatscloud.status(message_id))["delivery_status"])
    whatscloud.emulator.network.read(TO)
    seen.append((await whatscloud.status(message_id))["delivery_status"])
    assert seen == ["pending", "sent", "delivered", "read"]


async def test_a_message_that_was_read_does_not_go_back(whatscloud: WhatsCloud) -> None:
    message_id = await whatscloud.sent()
    whatscloud.emulator.network.read(TO)
    await whatscloud.emulator.advance(1)
    assert (await whatscloud.status(message_id))["delivery_status"] == "read"


async def test_a_number_without_whatsapp_fails_later(whatscloud: WhatsCloud) -> None:
    whatscloud.emulator.configure(numbers_without_whatsapp=NO_WHATSAPP)
    message_id = await whatscloud.sent()
    await whatscloud.emulator.advance(1)
    status = await whatscloud.status(message_id)
    assert (status["delivery_status"], status["error_message"]) == (
        "failed",
        "(#131026) Message undeliverable",
    )
    assert whatscloud.emulator.network.received() == []


async def test_the_status_of_an_unknown_message_is_404(whatscloud: WhatsCloud) -> None:
    answer = await whatscloud.ask("GET", "/messages/wamid.unknown/status")
    assert (answer.status_code, answer.json()["status"]) == (404, "error")


async def test_without_the_newer_calls_their_paths_are_unknown(whatscloud: WhatsCloud) -> None:
    whatscloud.emulator.configure(whatscloud_newer_calls=False)
    for method, path in (("GET", "/messages/wamid.x/status"), ("POST", "/phone/validate")):
        answer = await whatscloud.ask(method, path)
        assert answer.status_code == 404
        assert "could not be found" in answer.json()["message"]


# -- Meta's refusals ------------------------------------------------------------------------------


async def test_free_messages_need_the_persons_word_within_a_day_and_templates_do_not(
    whatscloud: WhatsCloud,
) -> None:
    emulator = whatscloud.emulator
    emulator.configure(whatscloud_window=True)
    assert (await whatscloud.text()).json()["errors"]["code"] == 131047
    assert (await whatscloud.template("hello_world")).status_code == 200
    emulator.network.reply(Inbound(TO, "Ada", "hi"))
    assert (await whatscloud.text()).status_code == 200
    await emulator.advance(86_400)
    assert (await whatscloud.text()).json()["errors"]["code"] == 131047


async def test_the_window_of_one_number_can_be_closed(whatscloud: WhatsCloud) -> None:
    whatscloud.tenant.close_window(TO)
    assert (await whatscloud.text()).json()["errors"]["code"] == 131047
    assert (await whatscloud.text(to="+15550000002")).status_code == 200
    whatscloud.emulator.network.reply(Inbound(TO, "Ada", "hi"), whatscloud.tenant.channel_id)
    assert (await whatscloud.text()).status_code == 200


@pytest.mark.parametrize(
    ("wrapping", "more"),
    [
        ("errors", {"message": "(#131048) Spam rate limit hit", "errors": 131048}),
        ("data", {"message": "(#131048) Spam rate limit hit", "data": 131048}),
        ("text", {"message": "(#131048) Spam rate limit hit"}),
        ("words", {"message": "Spam rate limit hit"}),
    ],
)
async def test_metas_error_is_wrapped_as_the_setting_says(
    whatscloud: WhatsCloud, wrapping: str, more: dict[str, Any]
) -> None:
    whatscloud.emulator.configure(whatscloud_meta_wrapping=wrapping)
    whatscloud.tenant.refuse_next(131048)
    answer = await whatscloud.text()
    assert answer.status_code == 400
    body = answer.json()
    if "errors" in more:
        body["errors"] = body["errors"]["code"]
    if "data" in more:
        body["data"] = body["data"]["error"]["code"]
    assert body == {"status": "error", **more}


async def test_meta_can_refuse_one_send_all_sends_or_a_magic_number(whatscloud: WhatsCloud) -> None:
    whatscloud.tenant.refuse_next(131000)
    assert (await whatscloud.text()).status_code == 500
    assert (await whatscloud.text()).status_code == 200
    assert (await whatscloud.text(to="+15559131031")).json()["errors"]["code"] == 131031
    assert (await whatscloud.text(to="+15559000123")).status_code == 200
    whatscloud.emulator.configure(whatscloud_meta_error=190, whatscloud_meta_status=500)
    answer = await whatscloud.template("hello_world")
    assert (answer.status_code, answer.json()["errors"]["code"]) == (500, 190)


async def test_meta_can_refuse_later_by_the_messages_status(whatscloud: WhatsCloud) -> None:
    whatscloud.emulator.configure(whatscloud_meta_late=True)
    whatscloud.tenant.refuse_next(131049)
    message_id = await whatscloud.sent()
    await whatscloud.emulator.advance(1)
    status = await whatscloud.status(message_id)
    assert (status["delivery_status"], status["error_message"]) == (
        "failed",
        "(#131049) Meta chose not to deliver",
    )
    assert whatscloud.emulator.network.received() == []


@pytest.mark.parametrize(
    ("state", "code"), [("unregistered", 133010), ("locked", 131031), ("maintenance", 131057)]
)
async def test_a_number_in_trouble_sends_nothing(whatscloud: WhatsCloud, state: str, code: int) -> None:
    whatscloud.tenant.force(state)
    assert (await whatscloud.text()).json()["errors"]["code"] == code
    whatscloud.tenant.force("connected")
    assert (await whatscloud.text()).status_code == 200


async def test_nobody_writes_to_oneself(whatscloud: WhatsCloud) -> None:
    assert (await whatscloud.text(to="+15550009000")).json()["errors"]["code"] == 131021


# -- faults and time ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("send", {"message_body": "Hello"}),
        ("media", {"media_type": "image", "media_url": "https://example.com/a.png"}),
        ("template", {"template_name": "hello_world", "template_language": "en_US"}),
    ],
)
async def test_what_a_fault_leaves_unsent_is_refused_and_arrives_nowhere(
    whatscloud: WhatsCloud, path: str, body: dict[str, Any]
) -> None:
    whatscloud.emulator.faults.add(Fault(kind="unsent", path=SENDS))
    answer = await whatscloud.ask("POST", f"/messages/{path}", {"phone_number": f"+{TO}", **body})
    assert (answer.status_code, answer.json()["errors"]["code"]) == (400, 131026)
    assert whatscloud.emulator.network.received() == []


async def test_it_is_refused_at_once_even_where_meta_refuses_later(whatscloud: WhatsCloud) -> None:
    whatscloud.emulator.configure(whatscloud_meta_late=True)
    whatscloud.emulator.faults.add(Fault(kind="unsent", path=SENDS))
    assert (await whatscloud.text()).status_code == 400


async def test_a_send_can_arrive_although_its_answer_is_lost(whatscloud: WhatsCloud) -> None:
    whatscloud.emulator.faults.add(Fault(kind="deliver_then_status", status=502, path=SENDS))
    assert (await whatscloud.text()).status_code == 502
    assert whatscloud.emulator.network.counts() == {TO: 1}


async def test_a_send_takes_its_time(whatscloud: WhatsCloud) -> None:
    whatscloud.emulator.configure(send_latency=2.0)
    before = whatscloud.emulator.clock.now()
    await whatscloud.sent()
    assert whatscloud.emulator.clock.now() == before + 2.0
