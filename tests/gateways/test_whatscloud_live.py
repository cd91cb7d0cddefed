"""The gateway at the emulator: what only a server with a memory shows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from tests.gateways.whatscloud_facts import PHONE
from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.errors import (
    CredentialRejectedError,
    Disposition,
    NameTakenError,
    NotFoundError,
    QuotaExceededError,
    RateLimitedError,
    RecipientRejectedError,
    RequestRejectedError,
    WhatsAppError,
)
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.directory import ContactDraft, ContactQuery, Shelf
from whatsapp_provider.gateways.whatscloud.gateway import WhatsCloudGateway, open_gateway
from whatsapp_provider.gateways.whatscloud.webhooks import SIGNATURE_HEADER, verify_signature
from whatsapp_provider.messages import parse_message
from whatsapp_provider.model import ChannelState
from whatsapp_provider.transport import Wire

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
TEMPLATE: dict[str, Any] = {"kind": "template", "language": "en_US"}
Open = Callable[..., WhatsCloudGateway]


@pytest.fixture
async def world() -> AsyncIterator[Emulator]:
    emulator = Emulator(EmulatorSettings(seed=7))
    yield emulator
    await emulator.aclose()


@pytest.fixture
def open_at(world: Emulator) -> Open:
    def opened(*, tenant: str = "acme", token: str = "wc-token-of-acme") -> WhatsCloudGateway:
        values = ConnectionValues(
            "live", host="http://emulator/whatscloud/api/v1", password=token, extra={"tenant": tenant}
        )
        wire = Wire(transport=httpx.ASGITransport(app=world.app))
        return open_gateway(values, wire=wire, sleep=world.advance)

    return opened


def channel(gateway: WhatsCloudGateway) -> Any:
    return gateway.channel(gateway.default_channel)


async def send(gateway: WhatsCloudGateway, message: Any, to: str = PHONE) -> Any:
    parsed = parse_message(message)
    (await channel(gateway).message_check(parsed.kind))(parsed)
    return await channel(gateway).send(to, parsed)


# -- messages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        {**TEMPLATE, "name": "order_update", "body": ["Ada", "47"]},
        {**TEMPLATE, "name": "order_update", "body": {"2": "47", "1": "Ada"}},
        {**TEMPLATE, "name": "hello_world"},
        {**TEMPLATE, "name": "welcome", "language": "pt_BR", "body": ["Ada"]},
        {**TEMPLATE, "name": "ticket", "header": "47", "body": ["Ada"]},
        {**TEMPLATE, "name": "parcel", "body": ["Ada"], "buttons": {0: "47"}},
        {**TEMPLATE, "name": "login_code", "body": ["123456"], "buttons": {0: "123456"}},
        {
            **TEMPLATE,
            "name": "clip",
            "header": {"kind": "video", "media": {"url": "https://example.com/a.mp4"}},
        },
        {
            **TEMPLATE,
            "name": "sale_photo",
            "body": ["Ada"],
            "header": {"kind": "image", "media": {"data": PNG}},
        },
        {
            **TEMPLATE,
            "name": "invoice",
            "body": ["47"],
            "header": {"kind": "document", "media": {"data": b"%PDF-1.7"}, "filename": "47.pdf"},
        },
        {"kind": "image", "media": {"data": PNG}, "caption": "Look"},
        {"kind": "document", "media": {"data": b"%PDF-1.7"}, "filename": "47.pdf"},
        {"kind": "buttons", "body": "a", "buttons": [{"type": "reply", "title": word} for word in "abc"]},
        {
            "kind": "buttons",
            "body": "a",
            "header": "h",
            "footer": "f",
            "buttons": [{"type": "url", "title": "Open", "url": "https://example.com"}],
        },
    ],
    ids=lambda message: f"{message['kind']} {message.get('name', '')}",
)
async def test_what_passes_the_check_is_taken_by_the_server(
    world: Emulator, open_at: Open, message: Any
) -> None:
    sent = await send(open_at(), message)
    assert [entry.message_id for entry in world.network.received()] == [sent.message_id]


@pytest.mark.parametrize(("place", "is_told"), [("data", True), ("whatsapp_response", True), ("none", False)])
async def test_a_message_is_sent_whether_its_id_is_told_or_not(
    world: Emulator, open_at: Open, place: str, is_told: bool
) -> None:
    world.configure(whatscloud_message_id=place)
    assert bool((await send(open_at(), "Hello")).message_id) is is_told
    assert world.network.total() == 1


@pytest.mark.parametrize("wrapping", ["errors", "data", "text"])
@pytest.mark.parametrize("status", [None, 422, 500])
async def test_a_refusal_of_metas_is_known_by_its_code(
    world: Emulator, open_at: Open, wrapping: str, status: int | None
) -> None:
    world.configure(whatscloud_meta_wrapping=wrapping, whatscloud_meta_status=status)
    for code, disposition in (
        (131047, Disposition.SKIP),
        (130429, Disposition.RETRY),
        (132015, Disposition.HALT),
        (131000, Disposition.HOLD),
    ):
        world.whatscloud.refuse_next(code)
        with pytest.raises(WhatsAppError) as caught:
            await send(open_at(), "Hello")
        assert (caught.value.code, caught.value.disposition) == (f"meta_{code}", disposition)
    assert world.network.total() == 0


async def test_a_refusal_of_metas_in_words_alone_is_never_taken_for_one_persons(
    world: Emulator, open_at: Open
) -> None:
    world.configure(whatscloud_meta_wrapping="words")
    world.whatscloud.refuse_next(131047)
    with pytest.raises(RequestRejectedError):
        await send(open_at(), "Hello")


async def test_a_full_plan_stops_sends_to_new_people(world: Emulator, open_at: Open) -> None:
    world.configure(whatscloud_contact_limit=0)
    with pytest.raises(QuotaExceededError, match="Contact limit exceeded"):
        await send(open_at(), "Hello")


# -- the token ------------------------------------------------------------------------------------


async def test_what_is_wrong_with_the_connection_is_told_apart(world: Emulator, open_at: Open) -> None:
    with pytest.raises(NotFoundError, match="knows no tenant 'other'"):
        await open_at(tenant="other").test()
    with pytest.raises(CredentialRejectedError, match="Copy the API token anew"):
        await open_at(token="another-token").test()
    world.configure(whatscloud_api_access=False)
    with pytest.raises(CredentialRejectedError, match="API access"):
        await channel(open_at()).status()
    world.configure(whatscloud_api_access=True)
    assert (await channel(open_at()).status()).state is ChannelState.CONNECTED


@pytest.mark.parametrize(
    ("ability", "message"),
    [
        ("messages.send_text", "Hello"),
        ("messages.send_media", {"kind": "image", "media": {"url": "https://example.com/a.png"}}),
        ("messages.send_template", {**TEMPLATE, "name": "hello_world"}),
        ("templates.read", {**TEMPLATE, "name": "hello_world"}),
    ],
)
async def test_the_ability_that_is_missing_is_named(
    world: Emulator, open_at: Open, ability: str, message: Any
) -> None:
    world.whatscloud.forbid(ability)
    with pytest.raises(CredentialRejectedError, match=f"Give the token the ability {ability} on") as caught:
        await send(open_at(), message)
    assert caught.value.code == "missing_ability"
    assert world.network.total() == 0


@pytest.mark.parametrize("form", ["body", "header", "both"])
async def test_the_limit_of_requests_is_told_with_its_wait_in_either_form(
    world: Emulator, open_at: Open, form: str
) -> None:
    world.configure(whatscloud_rate_limit=1, whatscloud_rate_limit_form=form)
    gateway = open_at()
    await send(gateway, "Hello")
    with pytest.raises(RateLimitedError) as caught:
        await send(gateway, "Hello")
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= 60
    await world.advance(caught.value.retry_after)
    await send(gateway, "Hello")
    assert world.network.total() == 2


# -- people ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["nested", "flat"])
async def test_a_book_of_many_people_is_read_to_its_end_in_both_forms(
    world: Emulator, open_at: Open, shape: str
) -> None:
    world.configure(whatscloud_page_shape=shape)
    directory = open_at().account().directory()
    for number in range(120):
        await directory.create_entry(Shelf.GROUPS, f"group {number}")
    entries = await directory.entries(Shelf.GROUPS)
    assert [entry.name for entry in entries] == [f"group {number}" for number in range(120)]


async def test_a_contact_lives_in_the_book_from_its_creation_to_its_end(open_at: Open) -> None:
    directory = open_at().account().directory()
    draft = ContactDraft(
        phone=PHONE, firstname="Ada", lastname="L", source="Website", status="New", groups=("vip",)
    )
    made = await directory.create_contact(draft)
    with pytest.raises(NameTakenError):
        await directory.create_contact(draft)
    changed = await directory.update_contact(made.id, {"company": "Engines", "status": "Closed"})
    assert (changed.firstname, changed.company, changed.group_ids) == ("Ada", "Engines", made.group_ids)
    assert changed.status_id != made.status_id
    vip = await directory.find_entry(Shelf.GROUPS, "vip")
    assert vip is not None
    assert made.group_ids == (vip.id,)
    found = [one async for one in directory.contacts(ContactQuery(group="vip", status="Closed", type="lead"))]
    assert found == [changed] == [await directory.find_contact(f"+{PHONE}")]
    assert await directory.delete_contact(made.id) is True
    assert await directory.delete_contact(made.id) is False
    assert await directory.get_contact(made.id) is None


@pytest.mark.parametrize("shelf", list(Shelf))
async def test_an_entry_of_each_shelf_is_created_renamed_and_deleted(open_at: Open, shelf: Shelf) -> None:
    directory = open_at().account().directory()
    made = await directory.create_entry(shelf, "Made here")
    renamed = await directory.update_entry(shelf, made.id, name="Renamed")
    assert renamed.name == "Renamed"
    assert (
        await directory.find_entry(shelf, "Renamed") == await directory.get_entry(shelf, made.id) == renamed
    )
    assert await directory.delete_entry(shelf, made.id) is True
    assert await directory.delete_entry(shelf, made.id) is False


async def test_bots_are_read(open_at: Open) -> None:
    account = open_at().account()
    [greeting] = await account.template_bots()
    [hours] = await account.message_bots()
    assert (await account.template_bot(greeting.id), await account.message_bot(hours.id)) == (greeting, hours)
    assert (await account.number_format(PHONE)).format_valid is True


# -- webhooks -------------------------------------------------------------------------------------


async def test_what_the_server_posts_proves_whom_it_is_from() -> None:
    came: list[httpx.Request] = []

    def receive(request: httpx.Request) -> httpx.Response:
        came.append(request)
        return httpx.Response(200)

    settings = EmulatorSettings(
        seed=7, whatscloud_webhook_url="https://hook.example/wa", whatscloud_webhook_secret="hush-hush-hush"
    )
    world = Emulator(settings, webhook_transport=httpx.MockTransport(receive))
    values = ConnectionValues(
        "live",
        host="http://emulator/whatscloud/api/v1",
        password=settings.whatscloud_token,
        extra={"tenant": "acme"},
    )
    wire = Wire(transport=httpx.ASGITransport(app=world.app))
    await send(open_gateway(values, wire=wire, sleep=world.advance), "Hello")
    await world.advance(5)
    assert came
    for request in came:
        signature = request.headers[SIGNATURE_HEADER]
        assert verify_signature("hush-hush-hush", request.content, signature)
        assert not verify_signature("hush-hush", request.content, signature)
    await world.aclose()


async def test_a_person_without_whatsapp_fails_later_and_one_that_meta_refuses_at_once(
    world: Emulator, open_at: Open
) -> None:
    with pytest.raises(RecipientRejectedError):
        await send(open_at(), "Hello", to="15559131026")
    with pytest.raises(RateLimitedError) as caught:
        await send(open_at(), "Hello", to="15559131056")
    assert caught.value.retry_after == 6
