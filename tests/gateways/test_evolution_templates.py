"""Templates of the official API on Evolution's WHATSAPP-BUSINESS: told, handed in, checked and sent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.emulator.evolution_facts import captured
from tests.gateways import evolution_facts as facts
from tests.gateways.evolution_server import EvolutionServer
from tests.gateways.test_evolution_kinds import BAILEYS, BUSINESS, EVOLUTION, live
from whatsapp_provider.emulator import Emulator, Fault
from whatsapp_provider.errors import (
    CredentialRejectedError,
    Disposition,
    InputError,
    NoAnswerError,
    NotFoundError,
    NotReachedError,
    RecipientRejectedError,
    RequestRejectedError,
    TemplateError,
    TemporarilyUnavailableError,
    UnsupportedError,
    WhatsAppError,
)
from whatsapp_provider.messages import TemplateMessage, parse_message
from whatsapp_provider.templates import OfficialTemplate

FIND, CREATE = f"GET /template/find/{facts.NAME}", f"POST /template/create/{facts.NAME}"
SEND = f"POST /message/sendTemplate/{facts.NAME}"
BUSINESS_CAPTURES = {exchange["title"]: exchange for exchange in captured("business_sends")}
#: [WIRE2]
TOLD = BUSINESS_CAPTURES["template find"]["answer"]
HANDED_IN = BUSINESS_CAPTURES["template create"]
EXISTS = BUSINESS_CAPTURES["template create duplicate -> Meta error mapped to 400"]["answer"]
MISSING = BUSINESS_CAPTURES["sendTemplate missing template on Meta side -> 201 with error body"]["answer"]
#: [WIRE2] the answer to template find when the server can't reach Meta, 400.
CUT_OFF = {
    "status": 400,
    "error": "Bad Request",
    "message": "Connection error: connect ECONNREFUSED 127.0.0.1:18082",
    "details": {
        "whatsapp_error": "Connection error: connect ECONNREFUSED 127.0.0.1:18082",
        "whatsapp_code": "UNKNOWN_ERROR",
        "error_type": "UNKNOWN",
        "context": "template_find",
        "type": "whatsapp_api_error",
    },
    "timestamp": "2026-11-21T00:41:54.399Z",
}
DEFINITION: dict[str, Any] = {
    "name": "order_update",
    "category": "UTILITY",
    "language": "pt_BR",
    "components": [{"type": "BODY", "text": "Oi {{1}}"}],
}
ANA = TemplateMessage(name="order_update", language="pt_BR", body=("Ana",))
#: What a template with all that takes a value has, in Meta's words.
RICH = [
    {"type": "HEADER", "format": "TEXT", "text": "Order {{number}}"},
    {"type": "BODY", "text": "Hello {{first_name}}, it is {{state}}."},
    {
        "type": "BUTTONS",
        "buttons": [
            {"type": "QUICK_REPLY", "text": "Thanks"},
            {"type": "URL", "text": "Follow", "url": "https://shop.example/{{1}}"},
            {"type": "COPY_CODE", "text": "Copy"},
        ],
    },
]
RICH_MESSAGE = TemplateMessage(
    name="rich",
    language="en_US",
    header="47",
    body={"first_name": "Ada", "state": "sent"},
    buttons={1: "orders/47", 2: "SAVE5"},
)


def business(server: EvolutionServer, told: Any = TOLD, **extra: Any) -> Any:
    """Return a channel of WHATSAPP-BUSINESS whose templates are these."""
    server.is_in("open", integration=BUSINESS)
    server.say(FIND, told)
    return server.channel(**extra)


# -- told and handed in ---------------------------------------------------------------------------


async def test_templates_are_told_as_meta_lists_them(server: EvolutionServer) -> None:
    assert await business(server).templates() == [
        OfficialTemplate(
            "order_update", "pt_BR", "PENDING", category="UTILITY", body_names=("1",), body="Oi {{1}}"
        )
    ]


@pytest.mark.parametrize("integration", [BAILEYS, EVOLUTION])
async def test_an_instance_of_another_integration_has_none_and_shows_meta_no_token(
    server: EvolutionServer, integration: str
) -> None:
    server.is_in("open", integration=integration)
    for ask in (server.channel().templates(), server.channel().create_template(DEFINITION)):
        with pytest.raises(UnsupportedError, match=f"'evolution' can't .*'{facts.NAME}'.*{integration}"):
            await ask
    assert [asked.what for asked in server.asked] == ["GET /instance/fetchInstances"] * 2


async def test_version_1_tells_no_templates(server: EvolutionServer) -> None:
    server.is_in("open", integration=BUSINESS)
    with pytest.raises(UnsupportedError, match="version 1"):
        await server.channel(api_version="v1").templates()


@pytest.mark.parametrize(
    ("told", "kind", "disposition"),
    [
        # [WIRE2] an empty body is all that is told where Meta refuses the token.
        (None, CredentialRejectedError, Disposition.HALT),
        ({"data": []}, NoAnswerError, Disposition.HOLD),
        (["hello_world"], NoAnswerError, Disposition.HOLD),
    ],
)
async def test_a_list_that_is_none_is_not_taken_for_no_templates(
    server: EvolutionServer, told: Any, kind: type[WhatsAppError], disposition: Disposition
) -> None:
    channel = business(server)
    server.say(FIND, httpx.Response(200) if told is None else told)
    with pytest.raises(kind) as caught:
        await channel.templates()
    assert caught.value.disposition is disposition


async def test_a_server_that_can_not_reach_meta_may_be_asked_again(server: EvolutionServer) -> None:
    channel = business(server)
    server.say(FIND, CUT_OFF, status=400)
    with pytest.raises(TemporarilyUnavailableError, match="did not reach Meta"):
        await channel.templates()


async def test_a_template_is_handed_in_and_waits_for_its_approval(server: EvolutionServer) -> None:
    channel = business(server)
    server.say(CREATE, HANDED_IN["answer"], status=201)
    made = await channel.create_template(HANDED_IN["body"])
    assert (made.name, made.language, made.status, made.body_names) == (
        "order_update",
        "pt_BR",
        "PENDING",
        ("1",),
    )
    assert [asked.body for asked in server.calls(CREATE)] == [HANDED_IN["body"]]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"name": ""}, "needs name"),
        ({"components": []}, "needs components"),
        ({"category": "FOO"}, "AUTHENTICATION, MARKETING, UTILITY"),
        ({"components": {"type": "BODY"}}, "components"),
        ({"language": 5}, "language"),
    ],
)
async def test_a_definition_that_lacks_something_is_refused_before_anything_is_asked(
    server: EvolutionServer, change: dict[str, Any], word: str
) -> None:
    with pytest.raises(InputError, match=word):
        await server.channel().create_template({**DEFINITION, **change})
    assert server.asked == []


async def test_metas_refusal_of_a_template_is_told_with_its_code(server: EvolutionServer) -> None:
    channel = business(server)
    server.say(CREATE, EXISTS, status=400)
    with pytest.raises(
        RequestRejectedError, match=r"Meta refused the template with code 100.*already exists"
    ) as caught:
        await channel.create_template(DEFINITION)
    assert caught.value.code == "meta_100"
    assert len(server.calls(CREATE)) == 1


@pytest.mark.parametrize("answer", [{}, [], {"template": {"id": "1"}}])
async def test_a_template_that_was_answered_without_a_status_may_be_there(
    server: EvolutionServer, answer: Any
) -> None:
    channel = business(server)
    server.say(CREATE, answer, status=201)
    with pytest.raises(NoAnswerError, match="may have been handed in"):
        await channel.create_template(DEFINITION)


# -- sent -----------------------------------------------------------------------------------------


async def test_values_go_where_the_template_has_them(server: EvolutionServer) -> None:
    rich = {
        "name": "rich",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "components": RICH,
    }
    channel = business(server, [rich])
    server.say(SEND, facts.SENT, status=201)
    (await channel.message_check("template"))(RICH_MESSAGE)
    await channel.send(facts.PHONE, RICH_MESSAGE)
    [asked] = server.calls(SEND)
    assert asked.body["components"] == [
        {"type": "header", "parameters": [{"type": "text", "parameter_name": "number", "text": "47"}]},
        {
            "type": "body",
            "parameters": [
                {"type": "text", "parameter_name": "first_name", "text": "Ada"},
                {"type": "text", "parameter_name": "state", "text": "sent"},
            ],
        },
        {
            "type": "button",
            "sub_type": "url",
            "index": "1",
            "parameters": [{"type": "text", "text": "orders/47"}],
        },
        {
            "type": "button",
            "sub_type": "copy_code",
            "index": "2",
            "parameters": [{"type": "coupon_code", "coupon_code": "SAVE5"}],
        },
    ]
    # What was checked is known when it is sent.
    assert len(server.calls(FIND)) == 1


async def test_a_template_that_could_not_be_had_puts_no_message_in_doubt(server: EvolutionServer) -> None:
    channel = business(server, {"no": "list"})
    with pytest.raises(NotReachedError, match="the message was not sent") as caught:
        await channel.send(facts.PHONE, RICH_MESSAGE)
    assert caught.value.disposition is Disposition.RETRY
    assert server.calls(SEND) == []


async def test_a_buttons_value_without_its_template_is_refused(server: EvolutionServer) -> None:
    with pytest.raises(UnsupportedError, match=r"button 1 of template 'rich'"):
        await business(server, []).send(facts.PHONE, RICH_MESSAGE)
    with pytest.raises(UnsupportedError, match=r"button 1 of template 'rich'"):
        await server.channel(api_version="v1").send(facts.PHONE, RICH_MESSAGE)
    assert server.calls(SEND) == []


async def test_a_template_may_be_on_a_page_that_the_server_does_not_hand_on(server: EvolutionServer) -> None:
    listed = [{**TOLD[0], "name": f"other_{number}", "status": "APPROVED"} for number in range(25)]
    (await business(server, listed).message_check("template"))(ANA)
    with pytest.raises(TemplateError, match="no template 'order_update'"):
        (await business(server, listed[:24]).message_check("template"))(ANA)
    # One that is listed is checked however many there are.
    with pytest.raises(TemplateError, match="takes 1 values, and 0 are given"):
        (await business(server, listed).message_check("template"))(
            TemplateMessage(name="other_3", language="pt_BR")
        )


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"type": "CAROUSEL", "cards": [{}]}, "has cards"),
        ({"type": "LIMITED_TIME_OFFER", "limited_time_offer": {}}, "has an offer that ends"),
        ({"type": "BUTTONS", "buttons": [{"type": "FLOW", "text": "Book"}]}, "has a flow"),
        ({"type": "BUTTONS", "buttons": [{"type": "MPM", "text": "See"}]}, "has products"),
        ({"type": "buttons", "buttons": [{"type": "spm", "text": "See"}]}, "has a product"),
    ],
)
async def test_a_template_that_takes_more_than_values_is_refused_before_the_first_send(
    server: EvolutionServer, part: Any, told: str
) -> None:
    listed = {**TOLD[0], "status": "APPROVED"}
    listed["components"] = [*listed["components"], part]
    check = await business(server, [listed]).message_check("template")
    with pytest.raises(TemplateError, match=f"it {told}, which a message can't tell"):
        check(ANA)


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_buttons_value_that_can_never_be_placed_is_refused_before_the_first_send(
    server: EvolutionServer, version: str
) -> None:
    listed = [{**TOLD[0], "name": f"other_{number}", "status": "APPROVED"} for number in range(25)]
    check = await business(server, listed, api_version=version).message_check("template")
    check(ANA)
    with pytest.raises(UnsupportedError, match=r"button 1 of template 'rich'"):
        check(RICH_MESSAGE)


@pytest.mark.parametrize("media", [{"data": b"\x89PNG\r\n\x1a\n"}, {"media_id": "1"}])
async def test_a_headers_file_must_have_an_address(server: EvolutionServer, media: dict[str, Any]) -> None:
    header = {"kind": "image", "media": media}
    message = parse_message({"kind": "template", "name": "a", "language": "en", "header": header})
    with pytest.raises(UnsupportedError, match="url"):
        (await business(server, []).message_check("template"))(message)


async def test_what_meta_quotes_of_a_message_is_struck_out(server: EvolutionServer) -> None:
    details = {
        "messaging_product": "whatsapp",
        "details": f"body: 'Zoë of 7th Avenue' for {facts.PHONE} is too long",
    }
    channel = business(server)
    server.say(SEND, {**MISSING, "code": 132005, "error_data": details}, status=201)
    message = TemplateMessage(name="order_update", language="pt_BR", body=("Zoë", "7th Avenue"))
    with pytest.raises(RequestRejectedError, match="code 132005") as caught:
        await channel.send(facts.PHONE, message)
    told = str(caught.value)
    assert "too long" in told
    assert not any(private in told for private in ("Zoë", "7th Avenue", facts.PHONE))


# -- against the emulator -------------------------------------------------------------------------


async def test_a_template_is_handed_in_approved_checked_and_sent(emulator: Emulator) -> None:
    emulator.evolution.v2.paired("biz", integration=BUSINESS)
    channel = live(emulator, "biz")
    assert (await channel.create_template(DEFINITION)).status == "PENDING"
    with pytest.raises(TemplateError, match="is PENDING"):
        (await channel.message_check("template"))(ANA)
    await emulator.advance(60)
    (await channel.message_check("template"))(ANA)
    sent = await channel.send(facts.PHONE, ANA)
    [received] = emulator.network.received()
    assert (received.kind, received.text, received.message_id) == ("template", "Oi Ana", sent.message_id)


async def test_all_that_takes_a_value_is_taken_by_meta(emulator: Emulator) -> None:
    instance = emulator.evolution.v2.paired("biz", integration=BUSINESS)
    instance.add_template({"name": "rich", "language": "en_US", "category": "UTILITY", "components": RICH})
    channel = live(emulator, "biz")
    (await channel.message_check("template"))(RICH_MESSAGE)
    await channel.send(facts.PHONE, RICH_MESSAGE)
    [received] = emulator.network.received()
    assert received.text == "Hello Ada, it is sent."


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_both_versions_send_templates(emulator: Emulator, version: str) -> None:
    instance = getattr(emulator.evolution, version).paired("biz", integration=BUSINESS)
    instance.add_template(DEFINITION)
    channel = live(emulator, "biz", version)
    (await channel.message_check("template"))(ANA)
    await channel.send(facts.PHONE, ANA)
    assert [entry.text for entry in emulator.network.received()] == ["Oi Ana"]


#: How a template comes to be refused, Meta's code, and what is known of the message then.
STOPS: dict[str, tuple[str, TemplateMessage, int, type[WhatsAppError]]] = {
    "unknown": ("APPROVED", ANA.model_copy(update={"language": "en_US"}), 132001, NotFoundError),
    "rejected": ("REJECTED", ANA, 132001, NotFoundError),
    "paused": ("PAUSED", ANA, 132015, RequestRejectedError),
    "disabled": ("DISABLED", ANA, 132016, RequestRejectedError),
    "values": ("APPROVED", ANA.model_copy(update={"body": ()}), 132000, RequestRejectedError),
    "header": ("APPROVED", ANA.model_copy(update={"header": "x"}), 132000, RequestRejectedError),
}


@pytest.mark.parametrize(("status", "message", "code", "kind"), STOPS.values(), ids=STOPS)
async def test_a_template_that_meta_refuses_halts_for_all_others_would_fare_alike(
    emulator: Emulator, status: str, message: TemplateMessage, code: int, kind: type[WhatsAppError]
) -> None:
    instance = emulator.evolution.v2.paired("biz", integration=BUSINESS)
    instance.add_template(DEFINITION)
    instance.judge_template("order_update", status)
    with pytest.raises(kind) as caught:
        await live(emulator, "biz").send(facts.PHONE, message)
    assert (caught.value.code, caught.value.disposition) == (f"meta_{code}", Disposition.HALT)  # type: ignore[attr-defined]  # of GatewayError
    assert emulator.network.total() == 0


async def test_a_recipient_that_meta_refuses_is_skipped(emulator: Emulator) -> None:
    instance = emulator.evolution.v2.paired("biz", integration=BUSINESS)
    instance.add_template(DEFINITION)
    emulator.faults.add(Fault(kind="unsent", path="/evolution/v2/message/"))
    with pytest.raises(RecipientRejectedError):
        await live(emulator, "biz").send(facts.PHONE, ANA)
    assert emulator.network.total() == 0
