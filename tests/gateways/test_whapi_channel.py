"""Whapi's gate, without the sends: state, pairing, settings, statuses, numbers, history."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.gateways import whapi_facts as facts
from tests.gateways.conftest import REF, Asked, Hosts
from whatsapp_provider.emulator import Emulator, Fault
from whatsapp_provider.emulator.network import Inbound
from whatsapp_provider.errors import (
    AlreadyConnectedError,
    ConfigurationError,
    CredentialRejectedError,
    Disposition,
    InputError,
    NoAnswerError,
    NotConnectedError,
    NotFoundError,
    NotReachedError,
    QuotaExceededError,
    RateLimitedError,
    RequestRejectedError,
    TemporarilyUnavailableError,
    WhatsAppError,
)
from whatsapp_provider.gateways.whapi.channel import WhapiChannel
from whatsapp_provider.gateways.whapi.gateway import WhapiGateway
from whatsapp_provider.messages import Text
from whatsapp_provider.model import (
    ChannelRef,
    ChannelState,
    ChannelStatus,
    HistoryEntry,
    MessageStatus,
    NumberCheck,
    Pairing,
    PairingKind,
)

ID, PHONE, MESSAGE_ID = facts.CHANNEL_ID, facts.PHONE, facts.MESSAGE["id"]
NOT_FOUND = facts.error("Channel not found", 404)
MANAGER = f"GET manager /channels/{ID}"


@dataclass(frozen=True)
class Call:
    """A method of the channel, the request it must make, and what the answer must become."""

    run: Callable[[WhapiChannel], Awaitable[Any]]
    answer: Any
    method: str
    path: str
    query: dict[str, str]
    body: Any
    result: Any

    @property
    def said(self) -> str:
        return f"{self.method} gate {self.path}"


def get(run: Any, answer: Any, path: str, result: Any, **query: str) -> Call:
    return Call(run, answer, "GET", path, query, None, result)


PNG = b64decode(facts.PICTURE)
CHAT = f"/messages/list/{PHONE}@s.whatsapp.net"
CALLS = {
    "status": get(
        lambda c: c.status(),
        facts.health("AUTH", paired=True),
        "/health",
        ChannelStatus(ChannelState.CONNECTED, "AUTH", "15550001000"),
        wakeup="true",
    ),
    "pairing_qr": get(
        lambda c: c.pairing_qr(),
        facts.QR_OK,
        "/users/login",
        Pairing(PairingKind.QR, image=PNG, expires_in=54),
        wakeup="true",
    ),
    "pairing_raw": get(
        lambda c: c.pairing_raw(),
        {"status": "OK", "expire": 20, "rowdata": "2@abc"},
        "/users/login/rowdata",
        Pairing(PairingKind.QR, raw="2@abc", expires_in=20),
        wakeup="true",
    ),
    "pairing_code": get(
        lambda c: c.pairing_code(PHONE),
        facts.CODE,
        f"/users/login/{PHONE}",
        Pairing(PairingKind.CODE, code="123-456"),
    ),
    "logout": Call(lambda c: c.logout(), facts.SUCCESS, "POST", "/users/logout", {}, None, result=True),
    "settings": get(lambda c: c.settings(), facts.SETTINGS, "/settings", facts.SETTINGS),
    "update_settings": Call(
        lambda c: c.update_settings({"offline_mode": True}),
        {"before_update": {}, "after_update": {}, "changes": []},
        "PATCH",
        "/settings",
        {},
        {"offline_mode": True},
        None,
    ),
    "webhooks": get(lambda c: c.webhooks(), facts.SETTINGS, "/settings", []),
    "message_status": get(
        lambda c: c.message_status(MESSAGE_ID),
        {"statuses": [facts.DELIVERED]},
        f"/statuses/{MESSAGE_ID}",
        MessageStatus.DELIVERED,
    ),
    "check_numbers": Call(
        lambda c: c.check_numbers([PHONE, "61000000000"]),
        facts.CHECKED,
        "POST",
        "/contacts",
        {},
        {"contacts": [PHONE, "61000000000"]},
        [
            NumberCheck(PHONE, exists=True, chat_id=f"{PHONE}@s.whatsapp.net"),
            NumberCheck("61000000000", exists=False),
        ],
    ),
    "history": get(
        lambda c: c.history(PHONE, since=1751579000.7),
        {"messages": [facts.MESSAGE], "count": 1, "total": 1, "offset": 0},
        CHAT,
        [HistoryEntry(MESSAGE_ID, 1751579980, "text", "Hello", MessageStatus.PENDING)],
        from_me="true",
        time_from="1751579000",
        count="100",
    ),
}
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@each_call
async def test_each_method_makes_the_documented_request(hosts: Hosts, call: Call) -> None:
    hosts.say(call.said, call.answer)
    assert await call.run(hosts.channel()) == call.result
    assert hosts.asked == [
        Asked("gate", call.method, call.path, call.query, facts.CHANNEL_TOKEN, call.body),
    ]


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (400, facts.error(f"bad request {PHONE}", 400), RequestRejectedError),
        (400, facts.flat(f"bad token {facts.CHANNEL_TOKEN}", 400), RequestRejectedError),
        (401, facts.error("need channel authorization", 401), NotConnectedError),
        (401, facts.flat("Channel not authorized", 401), NotConnectedError),
        (401, {"message": "session terminated"}, NotConnectedError),
        (401, facts.error("You are logged out", 401), NotConnectedError),
        (401, facts.error(f"invalid token {facts.CHANNEL_TOKEN}", 401), CredentialRejectedError),
        (402, facts.flat("trial version limit exceeded", 402), QuotaExceededError),
        (403, facts.CLOUDFLARE, CredentialRejectedError),
        (404, NOT_FOUND, NotFoundError),
        (406, facts.error("Not acceptable for mobile type channel", 406), RequestRejectedError),
        (429, facts.error("Too many requests", 429), RateLimitedError),
        (500, facts.error("Internal Error", 500), TemporarilyUnavailableError),
        (502, facts.CLOUDFLARE_PAGE, TemporarilyUnavailableError),
        (503, "", TemporarilyUnavailableError),
        (200, facts.CLOUDFLARE_PAGE, NoAnswerError),
        (200, "[]", NoAnswerError),
    ],
)
@pytest.mark.parametrize("name", [name for name in CALLS if name != "status"])
async def test_a_refusal_is_told_in_the_gates_words_and_without_token_or_number(
    hosts: Hosts, name: str, status: int, answer: Any, kind: type[WhatsAppError]
) -> None:
    call = CALLS[name]
    content = {"text": answer} if isinstance(answer, str) else {"json": answer}
    hosts.say(call.said, httpx.Response(status, **content))
    if answer == "[]" and name in {"logout", "update_settings"}:
        await call.run(hosts.channel())  # nothing is read from these answers
        return
    with pytest.raises(kind) as caught:
        await call.run(hosts.channel())
    for shown in (str(caught.value), repr(caught.value), repr(vars(caught.value))):
        assert facts.CHANNEL_TOKEN not in shown
        assert PHONE not in shown


# -- the state ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("NOT_INIT", ChannelState.INITIALIZING),
        ("INIT", ChannelState.INITIALIZING),
        ("LAUNCH", ChannelState.INITIALIZING),
        ("QR", ChannelState.WAITING_FOR_PAIRING),
        ("AUTH", ChannelState.CONNECTED),
        ("auth", ChannelState.CONNECTED),
        ("SYNC_ERROR", ChannelState.CONNECTED),  # [GATE] can send
        ("ERROR", ChannelState.ERROR),
        ("STOP", ChannelState.STOPPED),
        ("SOMETHING_NEW", ChannelState.INITIALIZING),
        ("", ChannelState.INITIALIZING),
    ],
)
async def test_the_health_text_decides_and_its_code_does_not(
    hosts: Hosts, text: str, state: ChannelState
) -> None:
    hosts.say("GET gate /health", facts.health(text))
    assert await hosts.channel().status() == ChannelStatus(state, detail=text)


async def test_a_channel_goes_from_provisioning_to_connected(emulator: Emulator, live: WhapiGateway) -> None:
    created = emulator.whapi.create_channel({"name": "Bot", "projectId": "default"})
    channel = live.channel(ChannelRef("whapi", created.id))
    seen = [(await channel.status()).state]
    for seconds in (60, 2, 20):
        await emulator.advance(seconds)
        seen.append((await channel.status()).state)
        seen.append((await channel.status()).state)
    emulator.network.link(created.id, "15550001000")
    status = await channel.status()
    assert list(dict.fromkeys(seen)) == [
        ChannelState.PROVISIONING,
        ChannelState.INITIALIZING,
        ChannelState.WAITING_FOR_PAIRING,
    ]
    assert (status.state, status.account_phone) == (ChannelState.CONNECTED, "15550001000")


REFUSALS = {
    "404": httpx.Response(404, json=NOT_FOUND),
    "402": httpx.Response(402, json=facts.flat("trial version limit exceeded", 402)),
    "401": httpx.Response(401, json=facts.error("invalid token", 401)),
    "403": httpx.Response(403, json=facts.CLOUDFLARE),
    "500": httpx.Response(500),
    "silence": httpx.ReadTimeout("silence"),  # [COMM] stopped channels may hang
}
each_refusal = pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)


async def explained(hosts: Hosts, refusal: Any, manager: Any, status: int = 200) -> ChannelStatus:
    hosts.say("GET gate /health", refusal)
    hosts.say(MANAGER, {**facts.CREATED, **manager}, status=status)
    return await hosts.gateway().channel(REF).status()


@each_refusal
async def test_a_channel_that_the_manager_stopped_is_stopped_whatever_the_gate_says(
    hosts: Hosts, refusal: Any
) -> None:
    for facts_of_manager in ({"stopped": True}, {"blocked": True}):
        status = await explained(hosts, refusal, facts_of_manager)
        assert status.state is ChannelState.STOPPED
        assert "says the manager" in status.detail


@each_refusal
async def test_a_channel_whose_time_is_over_is_stopped_and_says_what_to_do(
    hosts: Hosts, refusal: Any
) -> None:
    status = await explained(hosts, refusal, {"activeTill": facts.BEFORE_ITS_END * 1000 - 1})
    assert status.state is ChannelState.STOPPED
    assert "extend it" in status.detail


@each_refusal
async def test_a_channel_that_the_manager_does_not_know_is_deleted(hosts: Hosts, refusal: Any) -> None:
    hosts.say("GET gate /health", refusal)
    hosts.say(MANAGER, facts.CREATED, httpx.Response(404, json=facts.error("Specified channel not found")))
    with pytest.raises(NotFoundError, match=rf"no channel '{ID}' \(Bot for Ukindo\); it was deleted"):
        await hosts.gateway().channel(REF).status()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("404", ChannelState.PROVISIONING),  # [COMM] up to 90 seconds after its creation
        ("402", ChannelState.STOPPED),
        ("401", CredentialRejectedError),
        ("403", CredentialRejectedError),
        ("500", TemporarilyUnavailableError),
        ("silence", NoAnswerError),
    ],
)
async def test_a_channel_that_is_well_at_the_manager_is_what_the_gates_refusal_means(
    hosts: Hosts, name: str, expected: Any
) -> None:
    if isinstance(expected, ChannelState):
        assert (await explained(hosts, REFUSALS[name], {})).state is expected
        return
    with pytest.raises(expected):
        await explained(hosts, REFUSALS[name], {})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("404", ChannelState.PROVISIONING),
        ("402", ChannelState.STOPPED),
        ("401", CredentialRejectedError),
        ("500", TemporarilyUnavailableError),
        ("silence", NoAnswerError),
    ],
)
async def test_without_a_partner_token_the_gates_refusal_stands_alone(
    hosts: Hosts, name: str, expected: Any
) -> None:
    hosts.say("GET gate /health", REFUSALS[name])
    if isinstance(expected, ChannelState):
        assert (await hosts.channel().status()).state is expected
    else:
        with pytest.raises(expected):
            await hosts.channel().status()
    assert {asked.host for asked in hosts.asked} == {"gate"}


async def test_a_gate_that_is_not_reached_is_not_explained_by_the_manager(hosts: Hosts) -> None:
    with pytest.raises(NotReachedError):
        await explained(hosts, httpx.ConnectError("refused"), {"stopped": True})


async def test_a_look_that_says_no_phone_is_paired_is_waited_out(hosts: Hosts) -> None:
    hosts.say("GET gate /health", facts.error("need channel authorization", 401), status=401)
    assert (await hosts.channel().status()).state is ChannelState.INITIALIZING


async def test_a_token_that_has_changed_is_used_at_the_next_look(hosts: Hosts) -> None:
    new = {**facts.CREATED, "token": "n" * 32}
    hosts.say(MANAGER, facts.CREATED, new)
    hosts.say("GET gate /health", httpx.Response(404, json=NOT_FOUND), facts.health("AUTH"))
    channel = hosts.gateway().channel(REF)
    assert (await channel.status()).state is ChannelState.PROVISIONING
    assert (await channel.status()).state is ChannelState.CONNECTED
    assert [asked.token for asked in hosts.asked if asked.host == "gate"] == [facts.CHANNEL_TOKEN, "n" * 32]


async def test_a_connections_channel_token_that_is_not_the_channels_is_told(hosts: Hosts) -> None:
    hosts.say("GET gate /health", NOT_FOUND, status=404)
    hosts.say(MANAGER, facts.CREATED)
    gateway = hosts.gateway(channel_token="w" * 32, channel_id=ID)
    with pytest.raises(CredentialRejectedError, match="Correct it, or leave it empty"):
        await gateway.channel(REF).status()


async def test_a_channel_token_of_another_channel_is_refused_before_it_sends_from_the_wrong_number(
    hosts: Hosts,
) -> None:
    hosts.say("GET gate /health", {**facts.health("AUTH"), "channel_id": "MANTIS-M72HC"})
    with pytest.raises(ConfigurationError, match=f"that of channel 'MANTIS-M72HC', not of '{ID}'"):
        await hosts.channel().status()


async def test_a_channel_token_without_an_id_is_good_for_whichever_channel_it_is(hosts: Hosts) -> None:
    hosts.say("GET gate /health", facts.health("AUTH"))
    for partner in ("", facts.PARTNER_TOKEN):
        gateway = hosts.gateway(partner=partner, channel_token=facts.CHANNEL_TOKEN)
        assert gateway.default_channel is not None
        assert (await gateway.channel(gateway.default_channel).status()).state is ChannelState.CONNECTED


async def test_a_channel_known_by_its_token_alone_is_not_sought_at_the_manager(hosts: Hosts) -> None:
    hosts.say("GET gate /health", NOT_FOUND, status=404)
    gateway = hosts.gateway(channel_token=facts.CHANNEL_TOKEN)
    assert gateway.default_channel is not None
    status = await gateway.channel(gateway.default_channel).status()
    assert status.state is ChannelState.PROVISIONING
    assert {asked.host for asked in hosts.asked} == {"gate"}


# -- the channel's token --------------------------------------------------------------------------


async def test_the_token_is_asked_for_once_and_not_before_it_is_needed(hosts: Hosts) -> None:
    hosts.say(MANAGER, facts.CREATED)
    hosts.say("GET gate /settings", facts.SETTINGS)
    gateway = hosts.gateway()
    channel = gateway.channel(REF)
    assert hosts.asked == []
    for _ in range(2):
        await channel.settings()
        await gateway.channel(REF).settings()
    assert [asked.host for asked in hosts.asked] == ["manager", "gate", "gate", "gate", "gate"]


async def test_a_channel_that_is_not_there_is_told_by_id_and_name(hosts: Hosts) -> None:
    hosts.say(MANAGER, facts.error("Specified channel not found", 404), status=404)
    with pytest.raises(NotFoundError, match=rf"'{ID}' \(Bot for Ukindo\).*another account"):
        await hosts.gateway().channel(REF).settings()


async def test_a_manager_that_tells_no_token_is_told_with_what_to_do(hosts: Hosts) -> None:
    hosts.say(MANAGER, {**facts.CREATED, "token": ""})
    with pytest.raises(ConfigurationError, match="fill in channel id and channel token"):
        await hosts.gateway().channel(REF).settings()


# -- pairing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("base64", [facts.PICTURE, f"data:image/png;base64,{facts.PICTURE}"])
async def test_the_qr_image_comes_bare_or_as_a_data_uri(hosts: Hosts, base64: str) -> None:
    hosts.say("GET gate /users/login", {"status": "OK", "base64": base64})
    pairing = await hosts.channel().pairing_qr()
    assert pairing is not None
    assert pairing.image == PNG
    assert pairing.expires_in is None


@pytest.mark.parametrize(
    "answer", [facts.QR_TIMEOUT, {"status": "WAITING"}, {"status": "ERROR"}, {"status": "OK"}, {}]
)
@pytest.mark.parametrize("path", ["/users/login", "/users/login/rowdata"])
async def test_without_a_code_there_is_none_yet(hosts: Hosts, path: str, answer: Any) -> None:
    hosts.say(f"GET gate {path}", answer)
    channel = hosts.channel()
    assert await (channel.pairing_raw() if "rowdata" in path else channel.pairing_qr()) is None


async def test_a_code_that_could_not_be_drawn_is_none_yet(hosts: Hosts) -> None:
    hosts.say("GET gate /users/login", facts.error("Render QR failed", 422), status=422)
    assert await hosts.channel().pairing_qr() is None


async def test_a_code_by_number_that_could_not_be_made_is_worth_another_try(hosts: Hosts) -> None:
    hosts.say(f"GET gate /users/login/{PHONE}", facts.error("Render QR failed", 422), status=422)
    with pytest.raises(TemporarilyUnavailableError, match="try again in a moment") as caught:
        await hosts.channel().pairing_code(PHONE)
    assert caught.value.disposition is Disposition.RETRY


async def test_a_picture_that_is_none_is_an_unreadable_answer(hosts: Hosts) -> None:
    hosts.say("GET gate /users/login", {"status": "OK", "base64": "not base64!"})
    with pytest.raises(NoAnswerError, match="not an image"):
        await hosts.channel().pairing_qr()


@pytest.mark.parametrize("name", ["pairing_qr", "pairing_raw", "pairing_code"])
@pytest.mark.parametrize("text", ["Channel already authenticated", ""])
async def test_a_paired_channel_has_no_code(hosts: Hosts, name: str, text: str) -> None:
    call = CALLS[name]
    hosts.say(call.said, facts.error(text, 409), status=409)
    with pytest.raises(AlreadyConnectedError):
        await call.run(hosts.channel())


@pytest.mark.parametrize(
    "phone", ["", "image", "rowdata", "../settings", "+1 555 000", "123456", "1" * 16, "٥٥١١٩٠٠٠٠"]
)
async def test_what_is_no_number_gets_no_code_and_asks_nothing(hosts: Hosts, phone: str) -> None:
    with pytest.raises(InputError, match="country code"):
        await hosts.channel().pairing_code(phone)
    assert hosts.asked == []


async def test_a_plus_before_the_number_does_no_harm(hosts: Hosts) -> None:
    hosts.say(f"GET gate /users/login/{PHONE}", facts.CODE)
    assert (await hosts.channel().pairing_code(f"+{PHONE}")).code == "123-456"


async def test_pairing_with_the_emulator_by_qr_code_and_logging_out(
    emulator: Emulator, live: WhapiGateway
) -> None:
    created = emulator.whapi.create_channel({"name": "Bot", "projectId": "default"})
    await emulator.advance(60)
    channel = live.channel(ChannelRef("whapi", created.id))
    assert await channel.pairing_qr() is None
    await emulator.advance(22)
    pairing = await channel.pairing_qr()
    assert pairing is not None
    assert (pairing.image or b"").startswith(b"\x89PNG")
    assert (await channel.pairing_code("15550001000")).code
    emulator.network.link(created.id, "15550001000")
    with pytest.raises(AlreadyConnectedError):
        await channel.pairing_qr()
    assert await channel.logout() is True
    assert await channel.logout() is False


# -- statuses, numbers, history -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("failed", MessageStatus.FAILED),
        ("pending", MessageStatus.PENDING),
        ("sent", MessageStatus.SENT),
        ("delivered", MessageStatus.DELIVERED),
        ("read", MessageStatus.READ),
        ("played", MessageStatus.READ),
        ("deleted", MessageStatus.DELETED),
        ("Delivered", MessageStatus.DELIVERED),
        ("something new", MessageStatus.UNKNOWN),
    ],
)
async def test_each_status_word_has_one_of_ours(hosts: Hosts, word: str, status: MessageStatus) -> None:
    hosts.say(f"GET gate /statuses/{MESSAGE_ID}", {"statuses": [{**facts.DELIVERED, "status": word}]})
    assert await hosts.channel().message_status(MESSAGE_ID) is status


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([], MessageStatus.PENDING),
        ([("sent", "10"), ("delivered", "12"), ("read", "11")], MessageStatus.DELIVERED),
        ([("read", "10"), ("sent", "10"), ("delivered", "10")], MessageStatus.READ),
        ([("pending", "10"), ("failed", "10")], MessageStatus.FAILED),
        ([("delivered", None)], MessageStatus.DELIVERED),
        ([("sent", 10), ("delivered", "11")], MessageStatus.DELIVERED),
    ],
)
async def test_of_several_steps_the_latest_counts_and_of_one_second_the_furthest(
    hosts: Hosts, steps: list[tuple[str, Any]], status: MessageStatus
) -> None:
    entries = [{"id": MESSAGE_ID, "status": word, "timestamp": at} for word, at in steps]
    hosts.say(f"GET gate /statuses/{MESSAGE_ID}", {"statuses": entries})
    assert await hosts.channel().message_status(MESSAGE_ID) is status


async def test_an_unknown_message_is_told(hosts: Hosts) -> None:
    hosts.say("GET gate /statuses/x", facts.error("Specified message not found", 404), status=404)
    with pytest.raises(NotFoundError, match="Specified message not found"):
        await hosts.channel().message_status("x")


@pytest.mark.parametrize(
    ("entry", "check"),
    [
        ({"status": "valid", "wa_id": f"{PHONE}@s.whatsapp.net"}, f"{PHONE}@s.whatsapp.net"),
        ({"status": "valid", "wa_id": PHONE}, f"{PHONE}@s.whatsapp.net"),
        ({"status": "valid"}, None),
    ],
)
async def test_the_id_of_a_number_comes_in_two_forms_or_not_at_all(
    hosts: Hosts, entry: dict[str, str], check: str | None
) -> None:
    hosts.say("POST gate /contacts", {"contacts": [{"input": PHONE, **entry}]})
    assert await hosts.channel().check_numbers([PHONE]) == [NumberCheck(PHONE, exists=True, chat_id=check)]


@pytest.mark.parametrize("echoed", [PHONE, f"+{PHONE}", "+55 11 90000-0000", f"{PHONE}@s.whatsapp.net"])
async def test_a_number_is_found_in_the_answer_however_it_is_written_there(hosts: Hosts, echoed: str) -> None:
    hosts.say("POST gate /contacts", {"contacts": [{"input": echoed, "status": "valid"}]})
    assert (await hosts.channel().check_numbers([PHONE]))[0].exists


@pytest.mark.parametrize(
    "contacts",
    [[], [{"input": "61000000000", "status": "valid"}], [{"input": PHONE, "status": "processing"}]],
)
async def test_an_answer_that_does_not_settle_a_number_is_not_a_no(hosts: Hosts, contacts: Any) -> None:
    hosts.say("POST gate /contacts", {"contacts": contacts})
    with pytest.raises(NoAnswerError) as caught:
        await hosts.channel().check_numbers([PHONE])
    assert PHONE not in str(caught.value)


async def test_nothing_was_sent_to_a_chat_that_the_gate_does_not_know(hosts: Hosts) -> None:
    hosts.say(f"GET gate {CHAT}", facts.error("Specified chat not found", 404), status=404)
    assert await hosts.channel().history(PHONE, since=0) == []


@pytest.mark.parametrize("answer", [NOT_FOUND, facts.flat("Channel not found", 404), {}, facts.CLOUDFLARE])
async def test_a_channel_that_is_not_found_does_not_prove_that_nothing_was_sent(
    hosts: Hosts, answer: Any
) -> None:
    hosts.say(f"GET gate {CHAT}", answer, status=404)
    with pytest.raises(NotFoundError):
        await hosts.channel().history(PHONE, since=0)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"type": "text", "text": {"body": "b"}}, "b"),
        ({"type": "image", "image": {"id": "x", "caption": "c"}}, "c"),
        ({"type": "voice", "voice": {"id": "x"}}, None),
        ({"type": "unheard of"}, None),
        ({"type": "text", "text": "not an object"}, None),
    ],
)
async def test_a_message_in_the_history_has_its_text_where_there_is_one(
    hosts: Hosts, message: dict[str, Any], text: str | None
) -> None:
    bare = {key: value for key, value in facts.MESSAGE.items() if key not in {"type", "text"}}
    hosts.say(f"GET gate {CHAT}", {"messages": [{**bare, **message}]})
    [entry] = await hosts.channel().history(PHONE, since=0)
    assert (entry.kind, entry.text) == (message["type"], text)


async def test_what_the_other_side_wrote_is_not_in_the_history_of_what_was_sent(
    emulator: Emulator, live: WhapiGateway
) -> None:
    paired = await emulator.paired_channel()
    channel = live.channel(ChannelRef("whapi", paired.id))
    assert await channel.history(PHONE, since=0) == []
    await channel.send(PHONE, Text(body="Hi"))
    emulator.network.reply(Inbound(PHONE, "Gerald", "Hello"), paired.id)
    assert [entry.text for entry in await channel.history(PHONE, since=0)] == ["Hi"]


async def test_a_reply_that_the_gate_tells_unasked_is_not_taken_for_something_sent(hosts: Hosts) -> None:
    reply = {**facts.MESSAGE, "id": "other", "from_me": False}
    hosts.say(f"GET gate {CHAT}", {"messages": [reply, facts.MESSAGE]})
    assert [entry.message_id for entry in await hosts.channel().history(PHONE, since=0)] == [MESSAGE_ID]


@pytest.mark.parametrize("own", ["the-partner-token", "the-channel-token"])
async def test_neither_token_of_the_connection_is_told_whatever_it_looks_like(hosts: Hosts, own: str) -> None:
    hosts.say("GET gate /settings", facts.error(f"bad {own} given", 400), status=400)
    gateway = hosts.gateway(partner="the-partner-token", channel_token="the-channel-token", channel_id=ID)
    with pytest.raises(RequestRejectedError) as caught:
        await gateway.channel(REF).settings()
    assert "bad *** given" in str(caught.value)


async def test_a_token_from_the_manager_is_not_told_whatever_it_looks_like(hosts: Hosts) -> None:
    hosts.say(MANAGER, {**facts.CREATED, "token": "looked-up"})
    hosts.say("GET gate /settings", facts.error("bad looked-up given", 400), status=400)
    with pytest.raises(RequestRejectedError, match=r"bad \*\*\* given"):
        await hosts.gateway().channel(REF).settings()


@pytest.mark.parametrize(("limit", "count"), [(1, "1"), (500, "500"), (10_000, "500")])
async def test_no_more_history_is_asked_for_than_the_gate_gives(hosts: Hosts, limit: int, count: str) -> None:
    hosts.say("GET gate /messages/list/120363012345678901@g.us", {"messages": []})
    await hosts.channel().history("120363012345678901@g.us", since=0, limit=limit)
    assert hosts.asked[0].query["count"] == count


async def test_reads_fail_and_sends_go_on_while_the_gate_reports_a_sync_error(
    emulator: Emulator, live: WhapiGateway
) -> None:
    paired = await emulator.paired_channel()
    paired.force("SYNC_ERROR")
    channel = live.channel(ChannelRef("whapi", paired.id))
    assert (await channel.status()).state is ChannelState.CONNECTED
    with pytest.raises(TemporarilyUnavailableError):
        await channel.history(PHONE, since=0)


async def test_a_read_is_tried_again_when_the_gate_stumbles(emulator: Emulator, live: WhapiGateway) -> None:
    paired = await emulator.paired_channel()
    emulator.faults.add(Fault(kind="status", status=503, path="/settings", times=2))
    assert "webhooks" in await live.channel(ChannelRef("whapi", paired.id)).settings()
