"""Which kinds of message an Evolution instance takes, in what form, and what is refused before it is sent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.gateways import evolution_facts as facts
from tests.gateways.evolution_server import EvolutionServer
from whatsapp_provider.campaigns.body import body_hash, is_body
from whatsapp_provider.emulator import Emulator
from whatsapp_provider.errors import InputError, UnsupportedError, WhatsAppError
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.evolution.channel import EvolutionChannel
from whatsapp_provider.gateways.evolution.connection import EvolutionConfig
from whatsapp_provider.gateways.evolution.gateway import EvolutionGateway
from whatsapp_provider.messages import Message, message_text, parse_message
from whatsapp_provider.model import ChannelRef
from whatsapp_provider.transport import Wire

BAILEYS, BUSINESS, EVOLUTION = "WHATSAPP-BAILEYS", "WHATSAPP-BUSINESS", "EVOLUTION"
YES = {"type": "reply", "title": "Yes", "id": "y"}
SHOP = {"type": "url", "title": "Shop", "url": "https://shop.example"}
CALL = {"type": "call", "title": "Call", "phone": "15550000001"}
ROW = {"title": "R1", "description": "d", "id": "r1"}
LIST = {"kind": "list", "body": "D", "button": "Open", "sections": [{"title": "S", "rows": [ROW]}]}
PLACE = {"kind": "location", "latitude": -23.5, "longitude": -46.6, "name": "HQ", "address": "Av. X"}
CARD = {"kind": "contact", "full_name": "Ana", "phone": "+15550000001", "organization": "A"}
BUTTONS = {"kind": "buttons", "header": "T", "body": "D", "footer": "F", "buttons": [YES]}
PLAIN_BUTTONS = {"kind": "buttons", "body": "D", "buttons": [YES]}
TEMPLATE = {"kind": "template", "name": "order_update", "language": "pt_BR", "body": ["Ana"]}

PERSON = {"fullName": "Ana", "wuid": "15550000001", "phoneNumber": "+15550000001", "organization": "A"}
SECTIONS = [{"title": "S", "rows": [{"title": "R1", "description": "d", "rowId": "r1"}]}]

#: A message, the route, what version 1 wraps it in (``None`` where it has no such thing), and the content.
MESSAGES: dict[str, tuple[dict[str, Any], str, str | None, Any]] = {
    "location": (
        PLACE,
        "sendLocation",
        "locationMessage",
        {"latitude": -23.5, "longitude": -46.6, "name": "HQ", "address": "Av. X"},
    ),
    # Its schema wants words where a person gave none.
    "bare location": (
        {"kind": "location", "latitude": 1, "longitude": 2.5},
        "sendLocation",
        "locationMessage",
        {"latitude": 1.0, "longitude": 2.5, "name": "1.0, 2.5", "address": "1.0, 2.5"},
    ),
    "buttons": (
        BUTTONS,
        "sendButtons",
        None,
        {
            "title": "T",
            "description": "D",
            "footer": "F",
            "buttons": [{"type": "reply", "displayText": "Yes", "id": "y"}],
        },
    ),
    "other buttons": (
        {"kind": "buttons", "body": "D", "buttons": [SHOP, CALL]},
        "sendButtons",
        None,
        {
            "title": "D",
            "buttons": [
                {"type": "url", "displayText": "Shop", "url": "https://shop.example"},
                {"type": "call", "displayText": "Call", "phoneNumber": "+15550000001"},
            ],
        },
    ),
    "list": (
        {**LIST, "title": "T", "footer": "F"},
        "sendList",
        "listMessage",
        {"title": "T", "description": "D", "footerText": "F", "buttonText": "Open", "sections": SECTIONS},
    ),
    "bare list": (
        {
            "kind": "list",
            "body": "D",
            "button": "Open",
            "sections": [{"title": "S", "rows": [{"title": "R1"}]}],
        },
        "sendList",
        "listMessage",
        {
            "title": "D",
            "footerText": "",
            "buttonText": "Open",
            "sections": [{"title": "S", "rows": [{"title": "R1", "rowId": "1.1"}]}],
        },
    ),
    "template": (
        TEMPLATE,
        "sendTemplate",
        "templateMessage",
        {
            "name": "order_update",
            "language": "pt_BR",
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}],
        },
    ),
}


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(("message", "route", "wrapped", "content"), MESSAGES.values(), ids=MESSAGES)
async def test_a_message_is_written_as_the_version_wants_it(
    server: EvolutionServer, version: str, message: Any, route: str, wrapped: str | None, content: Any
) -> None:
    server.say(f"POST /message/{route}/{facts.NAME}", facts.SENT, status=201)
    channel = server.channel(api_version=version)
    if version == "v1" and wrapped is None:
        with pytest.raises(UnsupportedError, match="version 1"):
            await channel.send(facts.PHONE, parse_message(message))
        assert server.asked == []
        return
    result = await channel.send(facts.PHONE, parse_message(message))
    assert result.message_id == facts.SENT["key"]["id"]
    inner = {wrapped: content} if version == "v1" else content
    assert [asked.body for asked in server.asked] == [{"number": facts.PHONE, **inner}]


@pytest.mark.parametrize(("version", "named"), [("v1", "contactMessage"), ("v2", "contact")])
async def test_a_contact_is_a_list_of_persons_in_both_versions(
    server: EvolutionServer, version: str, named: str
) -> None:
    server.say(f"POST /message/sendContact/{facts.NAME}", facts.SENT, status=201)
    await server.channel(api_version=version).send(facts.PHONE, parse_message(CARD))
    assert server.asked[0].body == {"number": facts.PHONE, named: [PERSON]}


# -- who can send what ----------------------------------------------------------------------------


def of(server: EvolutionServer, integration: str | None, version: str = "v2") -> EvolutionChannel:
    """Return the channel of an instance with that integration."""
    if version == "v2":
        server.is_in("open", integration=integration)
    else:
        row = {**facts.ROW_1["instance"], "integration": {"integration": integration} if integration else {}}
        server.say("GET /instance/fetchInstances", [{"instance": row}])
    server.say(f"GET /template/find/{facts.NAME}", [])
    return server.channel(api_version=version)


#: By version: what each integration refuses of what the gateway can send.
REFUSED = {
    ("v2", BAILEYS): {"list", "template"},
    ("v2", BUSINESS): set(),
    ("v2", EVOLUTION): {"voice", "location", "contact", "list", "template"},
    ("v1", BAILEYS): {"buttons", "template"},
    ("v1", None): {"buttons", "template"},  # where it is left out it is Baileys
    ("v1", BUSINESS): {"buttons"},
    ("v1", EVOLUTION): {"voice", "location", "contact", "buttons", "list", "template"},
}


@pytest.mark.parametrize(("version", "integration"), REFUSED)
async def test_a_kind_that_the_integration_lacks_is_refused_by_name(
    server: EvolutionServer, version: str, integration: str | None
) -> None:
    channel = of(server, integration, version)
    refused = {}
    for kind in channel.capabilities.message_kinds:
        try:
            await channel.message_check(kind)
        except UnsupportedError as refusal:
            refused[kind] = str(refusal)
    assert set(refused) == REFUSED[version, integration]
    for kind, told in refused.items():
        words = (f"'{kind}'", f"'{facts.NAME}'", integration or BAILEYS, f"version {version[1]}")
        assert [word for word in words if word not in told] == []
    # The question for the row is asked once for all kinds.
    assert len(server.calls("GET /instance/fetchInstances")) == 1


async def test_what_every_integration_sends_asks_for_none(server: EvolutionServer) -> None:
    channel = server.channel()
    for kind in ("text", "image", "video", "audio", "document"):
        (await channel.message_check(kind))(parse_message("hi"))
    assert server.asked == []


async def test_media_buttons_are_refused_for_nothing_tells_where_their_file_goes(
    server: EvolutionServer,
) -> None:
    channel = server.channel()
    with pytest.raises(UnsupportedError, match="media_buttons"):
        await channel.message_check("media_buttons")
    message = {
        "kind": "media_buttons",
        "body": "b",
        "buttons": [YES],
        "media": {"url": "https://a.example/b"},
    }
    with pytest.raises(UnsupportedError, match="media_buttons"):
        await channel.send(facts.PHONE, parse_message(message))
    assert server.asked == []


#: A message that the integration can't send as it is, and a word of the refusal.
UNFIT: dict[str, tuple[str, dict[str, Any], type[WhatsAppError], str]] = {
    "mixed buttons": (BAILEYS, {**BUTTONS, "buttons": [YES, SHOP]}, UnsupportedError, "mix"),
    "header on Meta": (BUSINESS, BUTTONS, UnsupportedError, "header and footer"),
    "links on Meta": (BUSINESS, {**PLAIN_BUTTONS, "buttons": [SHOP]}, UnsupportedError, "open a page"),
    "titled list on Meta": (BUSINESS, {**LIST, "title": "T"}, UnsupportedError, "title or footer"),
    "long title on Meta": (
        BUSINESS,
        {**PLAIN_BUTTONS, "buttons": [{**YES, "title": "x" * 21}]},
        InputError,
        r"buttons\.0\.title has 21 characters, and Meta takes 20",
    ),
    "long row on Meta": (
        BUSINESS,
        {**LIST, "sections": [{"title": "S", "rows": [{**ROW, "description": "x" * 73}]}]},
        InputError,
        r"sections\.0\.rows\.0\.description has 73 characters, and Meta takes 72",
    ),
    "short number": (BAILEYS, {**CARD, "phone": "5550001"}, InputError, "10 digits"),
    "uploaded before": (BAILEYS, {"kind": "voice", "media": {"media_id": "a"}}, UnsupportedError, "media_id"),
}


@pytest.mark.parametrize(("integration", "message", "kind", "word"), UNFIT.values(), ids=UNFIT)
async def test_a_message_that_would_not_arrive_as_it_is_is_refused_before_it_is_sent(
    server: EvolutionServer, integration: str, message: Any, kind: type[WhatsAppError], word: str
) -> None:
    parsed = parse_message(message)
    check = await of(server, integration).message_check(parsed.kind)
    with pytest.raises(kind, match=word):
        check(parsed)
    assert not any(asked.what.startswith("POST") for asked in server.asked)


@pytest.mark.parametrize("integration", [BAILEYS, EVOLUTION])
async def test_what_is_fit_passes(server: EvolutionServer, integration: str) -> None:
    for message in (BUTTONS, PLAIN_BUTTONS, {**PLAIN_BUTTONS, "buttons": [SHOP, CALL]}):
        (await of(server, integration).message_check("buttons"))(parse_message(message))


# -- found again in the history -------------------------------------------------------------------


def live(emulator: Emulator, name: str, version: str = "v2") -> EvolutionChannel:
    """Return an instance of the emulator as a channel."""
    values = ConnectionValues(
        "whatsapp_test",
        host=f"http://emulator/evolution/{version}",
        password=emulator.settings.evolution_key,
        extra={},
    )
    wire = Wire(transport=httpx.ASGITransport(app=emulator.app))
    gateway = EvolutionGateway(EvolutionConfig.read(values), wire, sleep=emulator.advance)
    return gateway.channel(ChannelRef("evolution", name, name))


@pytest.mark.parametrize(
    ("integration", "message"),
    [
        (BAILEYS, PLACE),
        (BAILEYS, CARD),
        (BAILEYS, BUTTONS),
        (BAILEYS, PLAIN_BUTTONS),
        (BAILEYS, {**BUTTONS, "header": "2 * 2", "body": "*bold*\n\nlast words"}),
        (BUSINESS, PLACE),
        (BUSINESS, CARD),
        (EVOLUTION, BUTTONS),
        (EVOLUTION, PLAIN_BUTTONS),
    ],
)
async def test_what_was_sent_is_known_again(emulator: Emulator, integration: str, message: Any) -> None:
    emulator.evolution.v2.paired("one", integration=integration)
    channel, parsed = live(emulator, "one"), parse_message(message)
    (await channel.message_check(parsed.kind))(parsed)
    sent = await channel.send(facts.PHONE, parsed)
    [received] = emulator.network.received()
    assert (received.kind, received.phone) == (parsed.kind, facts.PHONE)
    assert message_text(parsed) in (None, received.text)
    [entry] = await channel.history(facts.PHONE, since=0)
    assert entry.message_id == sent.message_id
    assert is_body(body_hash(parsed), entry.kind, entry.text)


@pytest.mark.parametrize("message", [PLAIN_BUTTONS, LIST])
async def test_what_meta_shows_as_plain_text_is_there_and_proves_nothing(
    emulator: Emulator, message: Any
) -> None:
    emulator.evolution.v2.paired("one", integration=BUSINESS)
    channel, parsed = live(emulator, "one"), parse_message(message)
    await channel.send(facts.PHONE, parsed)
    [entry] = await channel.history(facts.PHONE, since=0)
    assert not is_body(body_hash(parsed), entry.kind, entry.text)


@pytest.mark.parametrize(
    "shown",
    [
        {"messageType": "viewOnceMessage", "message": {"viewOnceMessage": {"message": {"imageMessage": {}}}}},
        {"messageType": "viewOnceMessage", "message": {"viewOnceMessage": None}},
        {"messageType": "buttonMessage", "message": {"title": "other words"}},
        {"messageType": "conversation", "message": {"conversation": "D"}},
        {"messageType": "listMessage", "message": {"listMessage": {"title": "D"}}},
        {"messageType": None, "message": None},
    ],
)
async def test_another_message_is_not_taken_for_it(server: EvolutionServer, shown: dict[str, Any]) -> None:
    row = {"key": {"id": "A", "fromMe": True}, "messageTimestamp": 5, **shown}
    page = {"messages": {"total": 1, "pages": 1, "currentPage": 1, "records": [row]}}
    server.say(f"POST /chat/findMessages/{facts.NAME}", page)
    [entry] = await server.channel().history(facts.PHONE, since=0)
    buttons: Message = parse_message(PLAIN_BUTTONS)
    assert not is_body(body_hash(buttons), entry.kind, entry.text)
