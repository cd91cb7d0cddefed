"""What every gateway does alike, whatever it says on the wire."""

from __future__ import annotations

import asyncio
import json
import pickle
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.contract.conftest import Subject
from tests.contract.harness import Refusal
from tests.contract.tenants import two_tenants
from whatsapp_provider.emulator import Fault
from whatsapp_provider.emulator.network import Inbound
from whatsapp_provider.errors import (
    AlreadyConnectedError,
    ChannelHaltedError,
    ConfigurationError,
    Disposition,
    GatewayError,
    NoAnswerError,
    NotConnectedError,
    NotFoundError,
    QuotaExceededError,
    RateLimitedError,
    RecipientRejectedError,
    TemporarilyUnavailableError,
    UnsupportedError,
    WhatsAppError,
)
from whatsapp_provider.gateways.base import Sender
from whatsapp_provider.messages import KINDS, Text, parse_message
from whatsapp_provider.model import ChannelRef, ChannelSpec, ChannelState, MessageStatus, Webhook

PHONE = "5511900000000"
OTHER_PHONE = "5511900000001"
HELLO = Text(body="the private words")
FILE = {"media": {"url": "https://files.example/a.bin"}}
REPLY = {"type": "reply", "title": "Yes", "id": "yes"}
#: What each kind of message holds; the others hold a file.
CONTENTS: dict[str, dict[str, Any]] = {
    "text": {"body": "Hi"},
    "location": {"latitude": 52.5, "longitude": 13.4},
    "contact": {"full_name": "Ada Lovelace", "phone": "+15550000000"},
    "buttons": {"body": "Well?", "buttons": [REPLY]},
    "media_buttons": {"body": "Well?", "buttons": [REPLY], **FILE},
    "list": {
        "body": "Which?",
        "button": "Choose",
        "sections": [{"title": "All", "rows": [{"title": "One"}]}],
    },
    "template": {"name": "order_update", "language": "en_US", "body": ["Ada", "47"]},
}


def refused(subject: Subject, refusal: Refusal) -> None:
    subject.emulator.faults.add(
        Fault(kind="status", path=subject.harness.send_path, status=refusal.status, body=refusal.body)
    )


# -- the connection -------------------------------------------------------------------------------


async def test_opening_a_connection_asks_nothing(subject: Subject) -> None:
    gateway = subject.open()
    channel = gateway.channel(gateway.default_channel or subject.ref("SOME-CHANNEL"))
    assert subject.emulator.requests.counts == {}
    assert gateway.name == subject.line.name
    assert gateway.capabilities == subject.line.capabilities
    assert isinstance(channel, Sender)


async def test_the_connection_test_says_in_one_line_what_is_reached(subject: Subject) -> None:
    channel_id = await subject.harness.paired(subject.emulator)
    for values in (None, subject.harness.one_channel(subject.emulator, channel_id)):
        line = await subject.open(values).test()
        assert line
        assert "\n" not in line
        assert not any(secret in line for secret in subject.harness.secrets(subject.emulator))


async def test_the_account_has_a_stable_name_that_is_no_secret(subject: Subject) -> None:
    key = subject.open().account_key
    assert key == subject.open().account_key
    assert key.startswith(f"{subject.line.name}/")
    assert not any(secret in key for secret in subject.harness.secrets(subject.emulator))


async def test_a_send_has_a_bound(subject: Subject) -> None:
    assert 0 < subject.open().send_timeout < 600


async def test_a_channel_of_another_gateway_is_refused_by_name(subject: Subject) -> None:
    with pytest.raises(ConfigurationError, match="'another-gateway'"):
        subject.open().channel(ChannelRef("another-gateway", "A"))


async def test_a_connection_to_one_channel_uses_it_where_none_is_named(subject: Subject) -> None:
    channel_id = await subject.harness.paired(subject.emulator)
    gateway = subject.open(subject.harness.one_channel(subject.emulator, channel_id))
    own = gateway.default_channel
    assert own is not None
    assert (own.gateway, own.channel_id) == (subject.line.name, channel_id)
    assert (await gateway.channel(subject.ref(channel_id)).status()).state is ChannelState.CONNECTED


async def test_a_connection_to_one_channel_reaches_no_other_and_no_account(subject: Subject) -> None:
    subject.can("create_channels")
    channel_id = await subject.harness.paired(subject.emulator)
    another = await subject.harness.paired(subject.emulator)
    gateway = subject.open(subject.harness.one_channel(subject.emulator, channel_id))
    with pytest.raises(ConfigurationError):
        gateway.account()
    with pytest.raises(ConfigurationError):
        await gateway.channel(subject.ref(another)).send(PHONE, HELLO)
    assert subject.emulator.network.total() == 0


# -- channels of the account ----------------------------------------------------------------------


async def test_where_channels_can_not_be_created_the_account_tells_those_it_has(subject: Subject) -> None:
    subject.lacks("create_channels")
    channel_id = await subject.harness.paired(subject.emulator)
    gateway = subject.open()
    account = gateway.account()
    [channel] = await account.list_channels()
    assert channel.ref.channel_id == channel_id
    assert await account.get_channel(channel_id) == channel
    assert await account.find_channel(channel.ref.name) == channel
    assert await account.find_channel("another") is None
    assert await account.get_channel("another") is None
    with pytest.raises(UnsupportedError, match="can't create and delete channels"):
        await account.create_channel(ChannelSpec("Bot"))
    with pytest.raises(UnsupportedError, match="can't create and delete channels"):
        await account.delete_channel(channel_id)
    with pytest.raises(WhatsAppError):
        await gateway.channel(subject.ref("another")).send(PHONE, HELLO)
    assert subject.emulator.network.total() == 0


#: What an account, and what a channel, that lacks an ability refuses.
REFUSALS: tuple[tuple[str, Callable[[Any, Any], Awaitable[Any]]], ...] = (
    ("channel_lifecycle", lambda account, _: account.extend_channel("a", days=1, comment="")),
    ("channel_lifecycle", lambda account, _: account.set_channel_mode("a", "live")),
    ("channel_lifecycle", lambda account, _: account.start_channel("a")),
    ("channel_lifecycle", lambda account, _: account.stop_channel("a")),
    ("restart", lambda account, _: account.restart_channel("a")),
    ("pairing_qr", lambda _, channel: channel.pairing_qr()),
    ("pairing_code", lambda _, channel: channel.pairing_code(PHONE)),
    ("logout", lambda _, channel: channel.logout()),
    ("webhooks", lambda _, channel: channel.webhooks()),
    ("webhooks", lambda _, channel: channel.set_webhook(Webhook("https://hook.example"))),
    ("webhooks", lambda _, channel: channel.remove_webhook("https://hook.example")),
    ("message_status", lambda _, channel: channel.message_status("a")),
    ("check_numbers", lambda _, channel: channel.check_numbers([PHONE])),
    ("history", lambda _, channel: channel.history(PHONE, since=0)),
    ("groups", lambda _, channel: channel.groups()),
    ("groups", lambda _, channel: channel.group("120363000000000000@g.us")),
    ("groups", lambda _, channel: channel.group_members("120363000000000000@g.us")),
    ("profile", lambda _, channel: channel.profile()),
    ("settings", lambda _, channel: channel.settings()),
    ("settings", lambda _, channel: channel.update_settings({})),
    ("templates", lambda _, channel: channel.templates()),
    ("create_templates", lambda _, channel: channel.create_template({})),
)


async def test_what_a_gateway_lacks_it_refuses_by_name_and_asks_nothing(subject: Subject) -> None:
    channel_id = await subject.harness.paired(subject.emulator)
    gateway, able = subject.open(), subject.line.capabilities
    account, channel = gateway.account(), gateway.channel(subject.ref(channel_id))
    for flag, call in REFUSALS:
        if not getattr(able, flag):
            with pytest.raises(
                UnsupportedError, match=f"'{subject.line.name}' can't {re.escape(able.label(flag))}"
            ):
                await call(account, channel)
    assert subject.emulator.requests.counts == {}


async def test_who_keeps_no_contacts_says_so(subject: Subject) -> None:
    subject.lacks("contact_book")
    with pytest.raises(UnsupportedError, match="can't keep contacts"):
        subject.open().account().directory()


async def test_a_channel_is_created_found_and_deleted(subject: Subject) -> None:
    subject.can("create_channels")
    account = subject.open().account()
    assert await account.find_channel("Bot") is None
    channel = await account.create_channel(ChannelSpec("Bot"))
    assert (channel.ref.gateway, channel.ref.name) == (subject.line.name, "Bot")
    for found in (await account.find_channel("Bot"), await account.get_channel(channel.ref.channel_id)):
        assert found is not None
        assert found.ref == channel.ref
    assert [other.ref for other in await account.list_channels()] == [channel.ref]
    assert await account.delete_channel(channel.ref.channel_id) is True
    assert await account.delete_channel(channel.ref.channel_id) is False
    assert await account.find_channel("Bot") is None
    assert await account.get_channel(channel.ref.channel_id) is None


async def test_a_channels_name_is_found_exactly(subject: Subject) -> None:
    subject.can("create_channels")
    account = subject.open().account()
    for name in ("bot", "Bot 2"):
        await account.create_channel(ChannelSpec(name))
    assert await account.find_channel("Bot") is None


async def test_a_creation_without_an_answer_is_in_doubt_and_not_repeated(subject: Subject) -> None:
    subject.can("create_channels")
    account = subject.open().account()
    subject.emulator.faults.add(
        Fault(kind="deliver_then_status", status=502, path=subject.harness.create_path, times=None)
    )
    with pytest.raises(GatewayError) as caught:
        await account.create_channel(ChannelSpec("Bot"))
    assert caught.value.disposition is Disposition.HOLD
    assert [channel.ref.name for channel in await account.list_channels()] == ["Bot"]


async def test_the_life_of_a_channel_can_be_steered(subject: Subject) -> None:
    subject.can("channel_lifecycle")
    channel_id = await subject.harness.paired(subject.emulator)
    gateway = subject.open()
    account, channel = gateway.account(), gateway.channel(subject.ref(channel_id))
    await account.extend_channel(channel_id, days=1, comment="a day more")
    await account.stop_channel(channel_id)
    assert (await channel.status()).state is ChannelState.STOPPED
    await account.start_channel(channel_id)
    await subject.harness.until_pairable(subject.emulator)
    assert (await channel.status()).state is ChannelState.CONNECTED


async def test_a_restarted_channel_is_connected_again(subject: Subject) -> None:
    subject.can("restart")
    channel_id = await subject.harness.paired(subject.emulator)
    gateway = subject.open()
    await gateway.account().restart_channel(channel_id)
    await subject.harness.until_pairable(subject.emulator)
    assert (await gateway.channel(subject.ref(channel_id)).status()).state is ChannelState.CONNECTED


async def test_a_channel_that_is_not_there_is_not_deleted(subject: Subject) -> None:
    subject.can("create_channels")
    assert await subject.open().account().delete_channel("NOBODY-HAS1") is False


# -- pairing --------------------------------------------------------------------------------------


async def test_a_channel_waits_for_its_phone_is_paired_and_unlinked(subject: Subject) -> None:
    subject.can("create_channels", "pairing_qr")
    gateway = subject.open()
    created = await gateway.account().create_channel(ChannelSpec("Bot"))
    channel = gateway.channel(created.ref)
    assert (await channel.status()).state.is_initialized is subject.harness.pairable_at_once
    await subject.harness.until_pairable(subject.emulator)
    assert (await channel.status()).state is ChannelState.WAITING_FOR_PAIRING
    pairing = await channel.pairing_qr()
    assert pairing is not None
    assert (pairing.image or b"").startswith(b"\x89PNG")
    if subject.line.capabilities.pairing_code:
        assert (await channel.pairing_code("15550001000")).code
    subject.emulator.network.link(created.ref.channel_id, "15550001000")
    status = await channel.status()
    assert (status.state, status.account_phone) == (ChannelState.CONNECTED, "15550001000")
    with pytest.raises(AlreadyConnectedError):
        await channel.pairing_qr()
    if subject.line.capabilities.logout:
        assert (await channel.logout(), await channel.logout()) == (True, False)


async def test_a_channel_that_was_deleted_is_told_by_its_id(subject: Subject) -> None:
    subject.can("create_channels")
    gateway = subject.open()
    created = await gateway.account().create_channel(ChannelSpec("Bot"))
    channel = gateway.channel(created.ref)
    await channel.status()
    await gateway.account().delete_channel(created.ref.channel_id)
    with pytest.raises(NotFoundError, match=created.ref.channel_id):
        await channel.status()


# -- webhooks -------------------------------------------------------------------------------------


async def test_a_webhook_is_merged_into_those_there_are(subject: Subject) -> None:
    subject.can("webhooks", "several_webhooks")
    channel = await subject.paired()
    one, both = subject.harness.events[:1], subject.harness.events
    theirs, ours = Webhook("https://hook.example/theirs", one), Webhook("https://hook.example/ours", one)
    assert await channel.set_webhook(theirs) is True
    assert await channel.set_webhook(ours) is True
    assert await channel.set_webhook(ours) is False
    assert await channel.set_webhook(Webhook(ours.url, both)) is True
    assert {hook.url: set(hook.events) for hook in await channel.webhooks()} == {
        theirs.url: set(one),
        ours.url: set(both),
    }
    assert await channel.remove_webhook(ours.url) is True
    assert await channel.remove_webhook(ours.url) is False
    assert [hook.url for hook in await channel.webhooks()] == [theirs.url]


async def test_where_there_is_room_for_one_webhook_anothers_is_only_replaced_on_demand(
    subject: Subject,
) -> None:
    subject.can("webhooks")
    if subject.line.capabilities.several_webhooks:
        pytest.skip(f"{subject.line.name} keeps several")
    channel = await subject.paired()
    one, both = subject.harness.events[:1], subject.harness.events
    theirs, ours = Webhook("https://theirs.example/hush-hush", one), Webhook("https://ours.example/hook", one)
    assert list(await channel.webhooks()) == []
    assert await channel.set_webhook(theirs) is True
    with pytest.raises(ConfigurationError, match=r"theirs\.example .*replace") as caught:
        await channel.set_webhook(ours)
    assert "hush-hush" not in str(caught.value)
    assert await channel.remove_webhook(ours.url) is False
    assert [hook.url for hook in await channel.webhooks()] == [theirs.url]
    assert await channel.set_webhook(ours, replace=True) is True
    assert await channel.set_webhook(ours) is False
    assert await channel.set_webhook(Webhook(ours.url, both)) is True
    assert [(hook.url, set(hook.events)) for hook in await channel.webhooks()] == [(ours.url, set(both))]
    assert await channel.remove_webhook(ours.url) is True
    assert await channel.remove_webhook(ours.url) is False
    assert list(await channel.webhooks()) == []


# -- sending --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_each_kind_of_message_is_sent_once_or_refused_by_name(subject: Subject, kind: str) -> None:
    capabilities = subject.line.capabilities
    if kind not in capabilities.message_kinds:
        with pytest.raises(UnsupportedError, match=kind):
            capabilities.require_kind(subject.line.name, kind)
        return
    channel = await subject.paired()
    message = parse_message({"kind": kind, **CONTENTS.get(kind, FILE)})
    try:
        check = await channel.message_check(kind)
    except UnsupportedError as refusal:
        # What hangs on the channel has a footnote in the matrix.
        assert kind in capabilities.notes
        assert f"'{kind}'" in str(refusal)  # noqa: PT017 - whether it is refused is what the test asks
        assert subject.emulator.network.total() == 0
        return
    check(message)
    result = await channel.send(PHONE, message)
    [received] = subject.emulator.network.received()
    assert (received.phone, received.kind) == (PHONE, kind)
    # A harness names the kinds that its gateway accepts without telling their id.
    is_told = kind not in getattr(subject.harness, "kinds_without_id", ())
    assert result.message_id == (received.message_id if is_told else None)


async def test_a_kind_that_can_not_be_sent_is_refused_before_anything_is_asked(subject: Subject) -> None:
    channel = await subject.paired()
    for kind in sorted(KINDS - subject.line.capabilities.message_kinds):
        with pytest.raises(
            UnsupportedError, match=f"'{subject.line.name}' can't send messages of kind '{kind}'"
        ):
            await channel.message_check(kind)
        with pytest.raises(UnsupportedError, match=kind):
            await channel.send(PHONE, parse_message({"kind": kind, **CONTENTS.get(kind, FILE)}))
    assert subject.emulator.network.total() == 0
    assert not [
        path for path in subject.emulator.requests.counts if re.search(subject.harness.send_path, path)
    ]


async def test_a_chat_id_is_a_recipient_too(subject: Subject) -> None:
    channel = await subject.paired()
    await channel.send(f"{PHONE}@s.whatsapp.net", HELLO)
    assert subject.emulator.network.counts() == {PHONE: 1}


#: A fault of the world, whether the phone has the message, and what the caller must be told.
FAULTS: dict[str, tuple[Fault, int, type[WhatsAppError], Disposition]] = {
    "429": (Fault(kind="status", status=429), 0, RateLimitedError, Disposition.RETRY),
    "503, told when": (
        Fault(kind="status", status=503, headers={"Retry-After": "9"}),
        0,
        TemporarilyUnavailableError,
        Disposition.RETRY,
    ),
    "503": (Fault(kind="status", status=503), 0, NoAnswerError, Disposition.HOLD),
    "500": (Fault(kind="status", status=500), 0, NoAnswerError, Disposition.HOLD),
    "302": (Fault(kind="status", status=302), 0, NoAnswerError, Disposition.HOLD),
    "502, sent": (Fault(kind="deliver_then_status", status=502), 1, NoAnswerError, Disposition.HOLD),
    "504, sent": (Fault(kind="deliver_then_status", status=504), 1, NoAnswerError, Disposition.HOLD),
    "half an answer": (Fault(kind="half_json"), 1, NoAnswerError, Disposition.HOLD),
    "no answer": (Fault(kind="empty"), 1, NoAnswerError, Disposition.HOLD),
    "a page": (Fault(kind="html"), 0, NoAnswerError, Disposition.HOLD),
    "said not sent": (Fault(kind="unsent"), 0, RecipientRejectedError, Disposition.SKIP),
}


@pytest.mark.parametrize(("fault", "came", "kind", "disposition"), FAULTS.values(), ids=FAULTS)
async def test_a_failed_send_is_tried_once_and_says_what_is_known(
    subject: Subject, fault: Fault, came: int, kind: type[WhatsAppError], disposition: Disposition
) -> None:
    channel = await subject.paired()
    data = {**fault.as_dict(), "path": subject.harness.send_path, "times": None}
    subject.emulator.faults.add(Fault.from_dict(data))
    with pytest.raises(kind) as caught:
        await channel.send(PHONE, HELLO)
    assert caught.value.disposition is disposition
    assert subject.emulator.network.total() == came
    assert sum(entry["happened"] for entry in subject.emulator.faults.as_list()) == 1
    if "Retry-After" in fault.headers:
        assert caught.value.retry_after == 9


@pytest.mark.parametrize(
    ("name", "kind", "disposition"),
    [
        ("unpaired", NotConnectedError, Disposition.HALT),
        ("used_up", QuotaExceededError, Disposition.HALT),
        ("bad_recipient", RecipientRejectedError, Disposition.SKIP),
    ],
)
async def test_a_refusal_concerns_the_channel_or_one_recipient(
    subject: Subject, name: str, kind: type[WhatsAppError], disposition: Disposition
) -> None:
    channel = await subject.paired()
    refused(subject, getattr(subject.harness, name))
    with pytest.raises(kind) as caught:
        await channel.send(PHONE, HELLO)
    assert caught.value.disposition is disposition


async def test_a_channel_that_was_never_paired_halts(subject: Subject) -> None:
    subject.can("create_channels")
    gateway = subject.open()
    channel = gateway.channel((await gateway.account().create_channel(ChannelSpec("Bot"))).ref)
    await channel.status()
    await subject.harness.until_pairable(subject.emulator)
    with pytest.raises(ChannelHaltedError):
        await channel.send(PHONE, HELLO)
    assert subject.emulator.network.total() == 0


async def test_a_channel_that_lost_its_phone_sends_nothing_and_is_not_connected(subject: Subject) -> None:
    channel_id = await subject.harness.paired(subject.emulator)
    subject.emulator.network.unlink(subject.harness.in_network(subject.emulator, channel_id))
    channel = subject.open().channel(subject.ref(channel_id))
    with pytest.raises(GatewayError) as caught:
        await channel.send(PHONE, HELLO)
    # Some gateways say no more than that the connection is closed; whether it closed before, nobody knows.
    assert caught.value.disposition in {Disposition.HALT, Disposition.HOLD}
    assert subject.emulator.network.total() == 0
    if subject.line.capabilities.pairing_qr:
        assert (await channel.status()).state is ChannelState.WAITING_FOR_PAIRING


# -- afterwards -----------------------------------------------------------------------------------


async def test_a_message_comes_to_its_end(subject: Subject) -> None:
    subject.can("message_status")
    channel = await subject.paired()
    sent = await channel.send(PHONE, HELLO)
    seen = [await channel.message_status(sent.message_id)]
    for _ in range(2):
        await subject.emulator.advance(1)
        seen.append(await channel.message_status(sent.message_id))
    assert seen == [MessageStatus.PENDING, MessageStatus.SENT, MessageStatus.DELIVERED]
    subject.emulator.network.read(PHONE)
    assert await channel.message_status(sent.message_id) is MessageStatus.READ


async def test_numbers_are_checked_in_the_order_they_were_asked(subject: Subject) -> None:
    subject.can("check_numbers")
    channel = await subject.paired()
    subject.emulator.configure(numbers_without_whatsapp=[OTHER_PHONE])
    checks = await channel.check_numbers([OTHER_PHONE, PHONE])
    assert [(check.number, check.exists) for check in checks] == [(OTHER_PHONE, False), (PHONE, True)]


async def test_the_history_tells_what_was_sent_to_one_chat_and_since_when(subject: Subject) -> None:
    subject.can("history")
    channel = await subject.paired()
    assert await channel.history(PHONE, since=0) == []
    first = await channel.send(PHONE, HELLO)
    await channel.send(OTHER_PHONE, HELLO)
    subject.emulator.network.reply(Inbound(PHONE, "Gerald", "a reply"))
    [entry] = await channel.history(PHONE, since=0)
    assert (entry.message_id, entry.kind, entry.text) == (first.message_id, "text", HELLO.body)
    assert entry.sent_at == pytest.approx(subject.emulator.clock.now(), abs=1)
    assert await channel.history(PHONE, since=subject.emulator.clock.now() + 60) == []


# -- groups and the account itself ----------------------------------------------------------------


async def test_a_group_is_listed_tells_its_members_and_takes_a_message(subject: Subject) -> None:
    subject.can("groups")
    channel = await subject.paired()
    assert list(await channel.groups()) == []
    chat_id = subject.emulator.network.add_group("Runners", [PHONE, OTHER_PHONE])
    [group] = await channel.groups()
    assert (group.chat_id, group.subject) == (chat_id, "Runners")
    alone = await channel.group(chat_id)
    assert alone is not None
    assert (alone.chat_id, alone.subject) == (chat_id, "Runners")
    members = await channel.group_members(chat_id)
    own = (await channel.status()).account_phone
    assert {member.phone for member in members} == {PHONE, OTHER_PHONE, own}
    assert {member.chat_id for member in members} == {f"{member.phone}@s.whatsapp.net" for member in members}
    assert [member.phone for member in members if member.is_admin] == [own]
    sent = await channel.send(chat_id, HELLO)
    assert {entry.message_id for entry in subject.emulator.network.received()} == {sent.message_id}


async def test_a_group_that_there_is_not_has_no_members_to_tell(subject: Subject) -> None:
    subject.can("groups")
    channel = await subject.paired()
    assert await channel.group("120363000000000000@g.us") is None
    with pytest.raises(NotFoundError):
        await channel.group_members("120363000000000000@g.us")


async def test_a_deleted_channel_is_not_taken_for_a_group_that_there_is_not(subject: Subject) -> None:
    subject.can("groups", "create_channels")
    channel_id = await subject.harness.paired(subject.emulator)
    gateway = subject.open()
    channel = gateway.channel(subject.ref(channel_id))
    await channel.status()
    await gateway.account().delete_channel(channel_id)
    with pytest.raises(NotFoundError):
        await channel.group("120363000000000000@g.us")


async def test_a_channel_tells_the_profile_it_is_paired_with(subject: Subject) -> None:
    subject.can("profile")
    channel = await subject.paired()
    profile = await channel.profile()
    assert profile.phone == (await channel.status()).account_phone
    assert profile.phone
    assert profile.phone not in repr(profile)


# -- tenants --------------------------------------------------------------------------------------


async def test_two_tenants_in_one_process_never_see_each_others_tokens(subject: Subject) -> None:
    async with two_tenants(subject) as tenants:
        for tenant in tenants:
            await tenant.pair()
        await asyncio.gather(
            *(tenant.channel.send(PHONE, Text(body=f"from {tenant.name}")) for tenant in tenants * 5)
        )
        for tenant in tenants:
            await tenant.gateway.test()
        for tenant, other in (tenants, tenants[::-1]):
            assert {entry.text for entry in tenant.emulator.network.received()} == {f"from {tenant.name}"}
            assert tenant.emulator.network.total() == 5
            assert any(secret in str(tenant.asked) for secret in tenant.secrets())
            assert not any(secret in str(tenant.asked) for secret in other.secrets())
            assert tenant.gateway.account_key != other.gateway.account_key
            # What the ledger calls the channel, also where both accounts have one of the same id.
            assert tenant.ledger_key() != other.ledger_key()
            assert not any(secret in tenant.ledger_key() for secret in tenant.secrets())


# -- nothing private ------------------------------------------------------------------------------

FAILING: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "send": lambda channel: channel.send(PHONE, HELLO),
    "pairing_qr": lambda channel: channel.pairing_qr(),
    "pairing_code": lambda channel: channel.pairing_code(PHONE),
    "logout": lambda channel: channel.logout(),
    "settings": lambda channel: channel.settings(),
    "webhooks": lambda channel: channel.webhooks(),
    "set_webhook": lambda channel: channel.set_webhook(Webhook("https://hook.example", (), {"x": "hush"})),
    "message_status": lambda channel: channel.message_status("some-message"),
    "check_numbers": lambda channel: channel.check_numbers([PHONE]),
    "history": lambda channel: channel.history(PHONE, since=0),
    "groups": lambda channel: channel.groups(),
    "group": lambda channel: channel.group(f"{PHONE}-1@g.us"),
    "group_members": lambda channel: channel.group_members(f"{PHONE}-1@g.us"),
    "profile": lambda channel: channel.profile(),
    "remove_webhook": lambda channel: channel.remove_webhook("https://hook.example"),
}


@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest.mark.parametrize("name", FAILING)
async def test_no_error_tells_a_token_a_number_or_a_text(subject: Subject, name: str, status: int) -> None:
    channel_id = await subject.harness.paired(subject.emulator)
    values = subject.harness.one_channel(subject.emulator, channel_id)
    channel = subject.open(values).channel(subject.ref(channel_id))
    held = f"{values.password} {values.extra}"
    secrets = [secret for secret in subject.harness.secrets(subject.emulator) if secret in held]
    assert secrets
    echo = {"error": " ".join([*secrets, PHONE, f"+{PHONE}", f"{PHONE}@s.whatsapp.net"])}
    subject.emulator.faults.add(Fault(kind="status", status=status, body=echo, times=None))
    with pytest.raises(WhatsAppError) as caught:
        await FAILING[name](channel)
    for shown in (str(caught.value), repr(caught.value), repr(vars(caught.value))):
        assert not any(private in shown for private in [*secrets, PHONE, HELLO.body])


async def test_no_token_travels_with_what_the_account_returns(subject: Subject) -> None:
    subject.can("create_channels")
    account = subject.open().account()
    created = await account.create_channel(ChannelSpec("Bot"))
    travels = json.dumps(created.ref.to_dict()) + repr([created, await account.list_channels()])
    travels += str(pickle.dumps(created))
    assert not any(secret in travels for secret in subject.harness.secrets(subject.emulator))


async def test_no_token_is_in_the_repr_of_anything_that_is_held(subject: Subject) -> None:
    channel_id = await subject.harness.paired(subject.emulator)
    for values in (
        subject.harness.account(subject.emulator),
        subject.harness.one_channel(subject.emulator, channel_id),
    ):
        gateway = subject.open(values)
        channel = gateway.channel(subject.ref(channel_id))
        await channel.status()
        shown = repr([values, gateway, vars(gateway).get("_config"), channel, gateway.default_channel])
        assert not any(secret in shown for secret in subject.harness.secrets(subject.emulator))
