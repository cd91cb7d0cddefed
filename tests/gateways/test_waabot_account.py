"""The bots of an account: created, found, deleted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.gateways import waabot_facts as facts
from tests.gateways.waabot_server import REF, WaabotServer
from whatsapp_provider.errors import (
    ConfigurationError,
    CredentialRejectedError,
    NoAnswerError,
    WhatsAppError,
)
from whatsapp_provider.model import ChannelSpec

CREATE, INIT = "POST /whatsapp/createNewWhatsapp", "POST /whatsapp/init"
DELETE = f"DELETE /whatsapp/{facts.BOT_ID}"
SPEC = ChannelSpec(facts.NAME)


async def test_a_bot_is_created_with_its_name_and_started(waabot: WaabotServer) -> None:
    waabot.say(CREATE, facts.CREATED)
    waabot.say(INIT, facts.INITIALIZED)
    channel = await waabot.gateway().account().create_channel(SPEC)
    assert channel.ref == REF
    assert [asked.what for asked in waabot.asked] == [CREATE, INIT]
    assert waabot.asked[0].body == {"bot_name": facts.NAME}
    assert waabot.asked[1].body == facts.PAIR


@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(204), httpx.ReadError("reset")])
async def test_a_bot_that_could_not_be_started_is_created_all_the_same(
    waabot: WaabotServer, answer: Any
) -> None:
    waabot.say(CREATE, facts.CREATED)
    waabot.say(INIT, answer)
    assert (await waabot.gateway().account().create_channel(SPEC)).ref == REF
    assert len(waabot.calls(CREATE)) == 1


async def test_a_bot_whose_creation_took_no_name_is_given_it_afterwards(waabot: WaabotServer) -> None:
    settings = {**facts.SETTINGS, "bot_name": "WhatsappClient (bot_number)"}
    waabot.say(CREATE, facts.done("", {**facts.BOT, "settings": settings}))
    waabot.say("PUT /whatsapp/updateGeneral", facts.UPDATED)
    waabot.say(INIT, facts.INITIALIZED)
    assert (await waabot.gateway().account().create_channel(SPEC)).ref == REF
    [asked] = waabot.calls("PUT /whatsapp/updateGeneral")
    assert asked.body == {**facts.PAIR, "bot_name": facts.NAME}
    assert asked.query == facts.PAIR


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        # A retry would create a second bot, and could not name that one either.
        (facts.MATCHED_NOTHING, ConfigurationError),
        (httpx.Response(400, json=facts.refused("bot_name is not allowed")), ConfigurationError),
        (httpx.Response(204), NoAnswerError),
    ],
    ids=["matched nothing", "refused", "unclear"],
)
async def test_a_bot_that_can_not_be_given_its_name_is_told_and_not_created_again(
    waabot: WaabotServer, answer: Any, error: type[WhatsAppError]
) -> None:
    waabot.say(CREATE, facts.done("", {**facts.BOT, "settings": {**facts.SETTINGS, "bot_name": None}}))
    waabot.say("PUT /whatsapp/updateGeneral", answer)
    with pytest.raises(error, match=f"created bot '{facts.BOT_ID}'.* Name it, or delete it"):
        await waabot.gateway().account().create_channel(SPEC)
    assert len(waabot.calls(CREATE)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(204),
        httpx.Response(200, json={"status": True}),
        httpx.Response(200, json={"status": True, "data": {"settings": {}}}),
        httpx.Response(200, json=facts.refused("Something went wrong!")),
        httpx.Response(502),
    ],
)
async def test_a_creation_that_is_not_clearly_answered_is_in_doubt_and_made_once(
    waabot: WaabotServer, answer: httpx.Response
) -> None:
    waabot.say(CREATE, answer)
    with pytest.raises(NoAnswerError):
        await waabot.gateway().account().create_channel(SPEC)
    assert len(waabot.asked) == 1


@pytest.mark.parametrize("spec", [ChannelSpec("A", project="P"), ChannelSpec("A", options={"number": "1"})])
async def test_what_a_creation_does_not_know_is_refused_before_anything_is_asked(
    waabot: WaabotServer, spec: ChannelSpec
) -> None:
    with pytest.raises(ConfigurationError):
        await waabot.gateway().account().create_channel(spec)
    assert waabot.asked == []


def row(bot_id: str, name: str | None, created: str | None) -> dict[str, Any]:
    settings = {**facts.ROW["settings"], "bot_name": name}
    return {**facts.ROW, "_id": bot_id, "createdAt": created, "settings": settings}


async def test_of_several_bots_of_one_name_the_oldest_is_found(waabot: WaabotServer) -> None:
    rows = [
        row("c" * 24, "Bot", "2022-02-01T00:00:00.000Z"),
        row("a" * 24, "Bot", "2021-02-01T00:00:00.000Z"),
        row("b" * 24, "bot", "2020-02-01T00:00:00.000Z"),
        row("d" * 24, None, None),
    ]
    waabot.say("GET /whatsapp", facts.done("", rows))
    account = waabot.gateway().account()
    found = await account.find_channel("Bot")
    assert found is not None
    assert found.ref.channel_id == "a" * 24
    assert await account.find_channel("BOT") is None
    assert [channel.ref.name for channel in await account.list_channels()] == ["Bot", "Bot", "bot", ""]


async def test_what_can_be_no_id_is_not_asked_for(waabot: WaabotServer) -> None:
    account = waabot.gateway().account()
    assert await account.get_channel("front-desk") is None
    assert await account.delete_channel("front-desk") is False
    assert waabot.asked == []


@pytest.mark.parametrize(("count", "deleted"), [(1, True), (0, False)])
async def test_a_deletion_says_whether_there_was_something_to_delete(
    waabot: WaabotServer, count: int, deleted: bool
) -> None:
    waabot.say(
        DELETE, facts.done("Whatsapp deleted successfully!", {"acknowledged": True, "deletedCount": count})
    )
    assert await waabot.gateway().account().delete_channel(facts.BOT_ID) is deleted
    [asked] = waabot.asked
    assert (asked.body, asked.query) == (None, {})


@pytest.mark.parametrize("answer", [httpx.Response(204), httpx.Response(502), httpx.Response(200, json={})])
async def test_a_deletion_without_a_clear_answer_is_looked_up_and_not_repeated(
    waabot: WaabotServer, answer: httpx.Response
) -> None:
    waabot.say(DELETE, answer)
    waabot.say("GET /whatsapp", facts.done("", []))
    assert await waabot.gateway().account().delete_channel(facts.BOT_ID) is True
    waabot.say("GET /whatsapp", facts.LISTED)
    with pytest.raises(NoAnswerError):
        await waabot.gateway().account().delete_channel(facts.BOT_ID)
    assert len(waabot.calls(DELETE)) == 2


async def test_a_refused_deletion_is_not_looked_up(waabot: WaabotServer) -> None:
    waabot.say(DELETE, facts.NOT_LOGGED_IN, status=403)
    with pytest.raises(CredentialRejectedError):
        await waabot.gateway().account().delete_channel(facts.BOT_ID)
    assert len(waabot.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": True, "data": None},
        {"status": True, "data": {}},
        {"data": [{}]},
        {"data": ["a"]},
        [1],
        "x",
    ],
)
async def test_a_list_that_is_none_is_never_taken_for_an_account_without_bots(
    waabot: WaabotServer, body: Any
) -> None:
    waabot.say("GET /whatsapp", body)
    with pytest.raises(NoAnswerError):
        await waabot.gateway().account().find_channel("Bot")
