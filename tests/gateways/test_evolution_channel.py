"""One Evolution instance: its states, its settings, and what it tells of messages, numbers and groups."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.gateways import evolution_facts as facts
from tests.gateways.evolution_server import EvolutionServer
from whatsapp_provider.errors import (
    ConfigurationError,
    NoAnswerError,
    NotConnectedError,
    NotFoundError,
    TemporarilyUnavailableError,
)
from whatsapp_provider.model import ChannelState, GroupMember, HistoryEntry, MessageStatus, Profile

STATE = f"GET /instance/connectionState/{facts.NAME}"
LIST = "GET /instance/fetchInstances"
SETTINGS = f"GET /settings/find/{facts.NAME}"
SET = f"POST /settings/set/{facts.NAME}"
STATUSES = f"POST /chat/findStatusMessage/{facts.NAME}"
MESSAGES = f"POST /chat/findMessages/{facts.NAME}"
NUMBERS = f"POST /chat/whatsappNumbers/{facts.NAME}"
PROFILE = f"POST /chat/fetchProfile/{facts.NAME}"
LID = "95511999990005@lid"

WAITING, CONNECTED = ChannelState.WAITING_FOR_PAIRING, ChannelState.CONNECTED
INITIALIZING, DISCONNECTED = ChannelState.INITIALIZING, ChannelState.DISCONNECTED

#: The live state, the row beside it, and what they mean together.
STATES: dict[str, tuple[str | None, dict[str, Any], ChannelState]] = {
    "new": ("close", {}, WAITING),
    "shows a QR code": ("connecting", {"connectionStatus": "connecting"}, WAITING),
    "open": ("open", facts.OWNED, CONNECTED),
    "born open": ("open", {"integration": "EVOLUTION"}, CONNECTED),
    "comes back": ("connecting", {**facts.OWNED, "connectionStatus": "open"}, INITIALIZING),
    # The reason of an unlinking long ago stays in the row of a phone that was paired anew since.
    "comes back, unlinked once": (
        "connecting",
        {**facts.OWNED, "connectionStatus": "open", "disconnectionReasonCode": 401},
        INITIALIZING,
    ),
    "shows a QR code to a lost phone": (
        "connecting",
        {**facts.OWNED, "connectionStatus": "connecting", "disconnectionReasonCode": 401},
        WAITING,
    ),
    "logged out": ("close", {**facts.OWNED, "disconnectionReasonCode": 401}, WAITING),
    "banned": ("close", {**facts.OWNED, "disconnectionReasonCode": 403}, ChannelState.ERROR),
    "restricted": ("close", {**facts.OWNED, "disconnectionReasonCode": 402}, ChannelState.ERROR),
    "lost": ("close", facts.OWNED, DISCONNECTED),
    "gave up its QR codes": ("refused", {}, WAITING),
    "just started": (None, facts.OWNED, INITIALIZING),
    "a word to come": ("hibernating", facts.OWNED, INITIALIZING),
    "logged out for good": ("close", {"integration": "EVOLUTION"}, DISCONNECTED),
}


@pytest.mark.parametrize(("word", "row", "state"), STATES.values(), ids=STATES)
async def test_a_state_is_read_with_the_row_beside_it(
    server: EvolutionServer, word: str | None, row: dict[str, Any], state: ChannelState
) -> None:
    server.is_in(word, **row)
    status = await server.channel().status()
    assert status.state is state
    assert status.account_phone == (facts.OWNER if state is CONNECTED and "ownerJid" in row else None)
    assert facts.OWNER not in f"{status.detail}{status!r}"


async def test_version_1_is_read_in_its_own_shape(server: EvolutionServer) -> None:
    server.say(STATE, facts.state("open"))
    server.say(LIST, [facts.ROW_1])
    assert (await server.channel().status()).account_phone == facts.OWNER
    # It tells no reason, and closes for good only.
    server.say(STATE, facts.state("close"))
    assert (await server.channel().status()).state is WAITING


@pytest.mark.parametrize(
    "answers", [{STATE: facts.missing()}, {LIST: facts.unlisted()}], ids=["gone", "just gone"]
)
async def test_an_instance_that_somebody_deleted_is_told_by_its_name(
    server: EvolutionServer, answers: dict[str, Any]
) -> None:
    server.is_in("connecting")
    assert (await server.channel().status()).state is WAITING
    for what, answer in answers.items():
        server.say(what, answer, status=404)
    with pytest.raises(NotFoundError, match=f"no instance '{facts.NAME}'; it was deleted"):
        await server.channel().status()


# -- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"readMessages": True}, {"read_messages": True}], ids=["camel", "snake"])
async def test_a_changed_setting_goes_out_with_all_the_others(
    server: EvolutionServer, changes: dict[str, Any]
) -> None:
    server.say(SETTINGS, {**facts.SETTINGS, "groupsIgnore": True, "msgCall": "busy"})
    server.say(SET, {}, status=201)
    await server.channel().update_settings(changes)
    expected = {**facts.SETTINGS, "groupsIgnore": True, "msgCall": "busy", "readMessages": True}
    assert server.calls(SET)[0].body == expected
    server.say(SETTINGS, facts.SETTINGS_1)
    await server.channel(api_version="v1").update_settings(changes)
    assert server.calls(SET)[1].body == {**facts.SETTINGS_1, "read_messages": True}


@pytest.mark.parametrize(("name", "value"), [("colour", "red"), ("reject_call", "true"), ("msg_call", 5)])
async def test_a_setting_that_there_is_not_changes_nothing(
    server: EvolutionServer, name: str, value: Any
) -> None:
    server.say(SETTINGS, facts.SETTINGS)
    with pytest.raises(ConfigurationError, match=name):
        await server.channel().update_settings({name: value})
    assert server.calls(SET) == []


# -- messages -------------------------------------------------------------------------------------

STEPS: dict[str, tuple[list[str], MessageStatus]] = {
    "nothing heard": ([], MessageStatus.PENDING),
    "without order": (["READ", "SERVER_ACK", "DELIVERY_ACK"], MessageStatus.READ),
    "repeated": (["DELIVERY_ACK", "DELIVERY_ACK"], MessageStatus.DELIVERED),
    "played": (["PLAYED"], MessageStatus.READ),
    "refused": (["ERROR", "PENDING"], MessageStatus.FAILED),
    "refused after the server had it": (["SERVER_ACK", "ERROR"], MessageStatus.FAILED),
    "refused once, and there": (["ERROR", "DELIVERY_ACK"], MessageStatus.DELIVERED),
    "Meta's words": (["DELIVERED", "SENT"], MessageStatus.DELIVERED),
    "Meta's refusal": (["SENT", "FAILED"], MessageStatus.FAILED),
    "taken back": (["READ", "DELETED"], MessageStatus.DELETED),
    "edited": (["EDITED"], MessageStatus.PENDING),
}


@pytest.mark.parametrize(("words", "status"), STEPS.values(), ids=STEPS)
async def test_a_message_is_as_far_as_its_furthest_update(
    server: EvolutionServer, words: list[str], status: MessageStatus
) -> None:
    rows = [{"keyId": "3EB0", "fromMe": True, "status": word, "messageId": "cmw"} for word in words]
    server.say(STATUSES, rows)
    assert await server.channel().message_status("3EB0") is status
    assert server.calls(STATUSES)[0].body["where"] == {"id": "3EB0"}


def stored(message_id: str, at: float, *, mine: bool = True, **more: Any) -> dict[str, Any]:
    return {
        "id": f"row-{message_id}",
        "key": {"id": message_id, "fromMe": mine, "remoteJid": f"{facts.PHONE}@s.whatsapp.net"},
        "messageType": "conversation",
        "message": {"conversation": f"text {message_id}"},
        "messageTimestamp": at,
        "MessageUpdate": [{"status": "DELIVERY_ACK"}],
        **more,
    }


def page(number: int, pages: int, *records: Any) -> dict[str, Any]:
    return {"messages": {"total": 9, "pages": pages, "currentPage": number, "records": list(records)}}


async def test_the_history_is_read_page_by_page_until_it_is_too_old(server: EvolutionServer) -> None:
    image: dict[str, Any] = {"messageType": "imageMessage", "message": {"imageMessage": {"caption": "look"}}}
    server.say(
        MESSAGES,
        page(1, 3, stored("d", 400, **image), stored("theirs", 390, mine=False), stored("c", 300)),
        page(2, 3, stored("c", 300), stored("b", 200), stored("a", 100)),
    )
    found = await server.channel().history(facts.PHONE, since=150)
    assert [(entry.message_id, entry.kind, entry.text, entry.sent_at) for entry in found] == [
        ("d", "image", "look", 400),
        ("c", "text", "text c", 300),
        ("b", "text", "text b", 200),
    ]
    assert {entry.status for entry in found} == {MessageStatus.DELIVERED}
    asked = [call.body for call in server.calls(MESSAGES)]
    assert [body["page"] for body in asked] == [1, 2], "the third page is older still"
    assert asked[0]["where"]["key"] == {"remoteJid": f"{facts.PHONE}@s.whatsapp.net", "fromMe": True}


async def test_a_history_whose_pages_repeat_is_no_answer_and_no_proof_that_nothing_was_sent(
    server: EvolutionServer,
) -> None:
    row = {"key": {"id": "m1", "fromMe": True}, "messageTimestamp": 1_795_220_810}
    server.say(MESSAGES, {"messages": {"pages": 10**30, "currentPage": 1, "records": [row]}})
    with pytest.raises(NoAnswerError, match="repeats a page"):
        await server.channel().history(facts.PHONE, since=0)


async def test_a_long_history_is_cut_at_the_limit(server: EvolutionServer) -> None:
    server.say(MESSAGES, page(1, 9, stored("c", 3), stored("b", 2)), page(2, 9, stored("a", 1)))
    found = await server.channel().history(facts.PHONE, since=0, limit=1)
    assert [entry.message_id for entry in found] == ["c"]
    assert len(server.calls(MESSAGES)) == 1


async def test_the_history_of_an_integration_that_keeps_bare_numbers_is_found(
    server: EvolutionServer,
) -> None:
    server.say(MESSAGES, page(1, 1), page(1, 1, stored("a", 100)))
    assert len(await server.channel().history(facts.PHONE, since=0)) == 1
    assert server.calls(MESSAGES)[1].body["where"]["key"]["remoteJid"] == facts.PHONE


async def test_the_history_of_version_1_is_one_list_in_any_order(server: EvolutionServer) -> None:
    old: dict[str, Any] = {
        "messageType": "extendedTextMessage",
        "message": {"extendedTextMessage": {"text": "old"}},
    }
    rows = [stored("a", 100, **old), stored("c", 300), stored("theirs", 200, mine=False), stored("x", 1)]
    server.say(MESSAGES, [{**row, "messageTimestamp": str(row["messageTimestamp"])} for row in rows])
    found = await server.channel(api_version="v1").history(facts.PHONE, since=50)
    assert [(entry.message_id, entry.text) for entry in found] == [("c", "text c"), ("a", "old")]
    assert isinstance(found[0], HistoryEntry)


# -- numbers, groups, the account -----------------------------------------------------------------


async def test_numbers_are_matched_by_number_and_asked_once_each(server: EvolutionServer) -> None:
    nobody = "551190000000"
    server.say(
        NUMBERS,
        [
            {"jid": f"{nobody}@s.whatsapp.net", "exists": False, "number": nobody},
            {"jid": "551100000000@s.whatsapp.net", "exists": True, "number": facts.PHONE, "lid": LID},
        ],
    )
    found = await server.channel().check_numbers([facts.PHONE, nobody, facts.PHONE])
    assert [(check.number, check.exists, check.chat_id, check.hidden_id) for check in found] == [
        (facts.PHONE, True, "551100000000@s.whatsapp.net", LID),
        (nobody, False, None, None),
        (facts.PHONE, True, "551100000000@s.whatsapp.net", LID),
    ]
    assert server.calls(NUMBERS)[0].body == {"numbers": [facts.PHONE, nobody]}
    assert await server.channel().check_numbers([]) == []
    with pytest.raises(NoAnswerError, match="lacks a number"):
        await server.channel().check_numbers(["15550009999"])


async def test_a_server_that_can_check_no_number_is_not_connected(server: EvolutionServer) -> None:
    server.say(NUMBERS, {}, status=400)
    with pytest.raises(NotConnectedError, match="look at its state"):
        await server.channel().check_numbers([facts.PHONE])


async def test_members_of_a_group_are_told_by_number_where_the_server_knows_it(
    server: EvolutionServer,
) -> None:
    server.say(
        f"GET /group/participants/{facts.NAME}",
        {
            "participants": [
                {"id": f"{facts.OWNER}@s.whatsapp.net", "admin": "superadmin", "name": "Ana", "imgUrl": None},
                {"id": LID, "phoneNumber": f"{facts.PHONE}@s.whatsapp.net", "admin": None},
                {"id": "95511000000000@lid", "admin": "admin"},
            ]
        },
    )
    assert await server.channel().group_members("1203@g.us") == [
        GroupMember(f"{facts.OWNER}@s.whatsapp.net", facts.OWNER, True),
        GroupMember(LID, facts.PHONE, False),
        GroupMember("95511000000000@lid", None, True),
    ]


async def test_groups_are_listed_without_their_members(server: EvolutionServer) -> None:
    what = f"GET /group/fetchAllGroups/{facts.NAME}"
    server.say(what, [{"id": "1203@g.us", "subject": "Runners", "size": 3, "owner": facts.OWNER}])
    [group] = await server.channel().groups()
    assert (group.chat_id, group.subject, group.size) == ("1203@g.us", "Runners", 3)
    assert server.calls(what)[0].query == {"getParticipants": "false"}
    server.refuse(what, 500, "Cannot read properties of undefined (reading 'groupFetchAllParticipating')")
    with pytest.raises(NotConnectedError):
        await server.channel().groups()


async def test_a_closed_connection_is_worth_another_try_of_a_read(server: EvolutionServer) -> None:
    server.say(
        PROFILE,
        httpx.Response(500, json=facts.refused(500, facts.CLOSED)),
        httpx.Response(
            200, json={"wuid": f"{facts.OWNER}:12@s.whatsapp.net", "name": "Loja", "isBusiness": True}
        ),
    )
    assert await server.channel().profile() == Profile(facts.OWNER, "Loja", True)
    server.refuse(PROFILE, 500, facts.CLOSED)
    with pytest.raises(TemporarilyUnavailableError, match="lost its connection to WhatsApp"):
        await server.channel().profile()


async def test_an_integration_without_profiles_tells_what_the_list_has(server: EvolutionServer) -> None:
    server.refuse(PROFILE, 400, [facts.UNAVAILABLE])
    server.say(LIST, [{**facts.ROW, **facts.OWNED}])
    assert await server.channel().profile() == Profile(facts.OWNER, "Loja Teste")
