"""One bot: its state, its pairing, its settings and its webhook."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.gateways import waabot_facts as facts
from tests.gateways.waabot_server import REF, WaabotServer
from whatsapp_provider.errors import (
    AlreadyConnectedError,
    ConfigurationError,
    CredentialRejectedError,
    NoAnswerError,
    NotFoundError,
    UnsupportedError,
)
from whatsapp_provider.model import ChannelRef, ChannelState, Webhook

INIT, INSTANCE, SCAN = "POST /whatsapp/init", "GET /whatsapp/instance", "GET /whatsapp/scan"
LOGOUT = f"GET /whatsapp/instance/logout/{facts.BOT_ID}"
IMAGE = base64.b64decode(facts.PICTURE)
SPENT = " "


# -- state ----------------------------------------------------------------------------------------

#: What the server tells of a bot, the QR code there is then, and what state that is.
STATES: dict[str, tuple[Any, str, ChannelState]] = {
    "connected": (facts.instance(**facts.CONNECTED), "", ChannelState.CONNECTED),
    "started, no code yet": (facts.instance(**facts.STARTING), "", ChannelState.INITIALIZING),
    "shows its code": (facts.instance(**facts.STARTING), facts.DATA_URL, ChannelState.WAITING_FOR_PAIRING),
    "showed its last code": (facts.instance(**facts.STARTING), SPENT, ChannelState.WAITING_FOR_PAIRING),
    "lost its phone": (facts.instance(**facts.LOST), "", ChannelState.WAITING_FOR_PAIRING),
    "online": (facts.document("ONLINE"), "", ChannelState.CONNECTED),
    "new, in the later shape": (facts.document("CONNECTED"), "", ChannelState.INITIALIZING),
    "shows its code, in the later shape": (
        facts.document("CONNECTED"),
        facts.DATA_URL,
        ChannelState.WAITING_FOR_PAIRING,
    ),
    "lost its phone, in the later shape": (
        facts.document("DISCONNECTED"),
        "",
        ChannelState.WAITING_FOR_PAIRING,
    ),
    "in a word of another time": (facts.document("CONFLICT"), SPENT, ChannelState.WAITING_FOR_PAIRING),
}


@pytest.mark.parametrize(("told", "code", "state"), STATES.values(), ids=STATES)
async def test_a_state_is_read_from_what_proves_it(
    waabot: WaabotServer, told: Any, code: str, state: ChannelState
) -> None:
    waabot.say_instance(told)
    waabot.say_scan(code)
    status = await waabot.channel().status()
    assert status.state is state
    assert status.account_phone == (facts.OWNER if state is ChannelState.CONNECTED else None)
    assert waabot.calls(INIT) == []


@pytest.mark.parametrize(
    "told", [httpx.Response(200, json=facts.instance()), httpx.Response(403, json=facts.UNKNOWN_PAIR)]
)
async def test_a_bot_that_the_server_does_not_run_is_started(
    waabot: WaabotServer, told: httpx.Response
) -> None:
    waabot.say_instance(told)
    waabot.say(INIT, facts.INITIALIZED)
    assert (await waabot.channel().status()).state is ChannelState.INITIALIZING
    assert len(waabot.calls(INIT)) == 1


@pytest.mark.parametrize(
    "told", [httpx.Response(200, json=facts.instance()), httpx.Response(403, json=facts.UNKNOWN_PAIR)]
)
async def test_a_bot_that_is_gone_is_told_by_its_id_and_not_started(
    waabot: WaabotServer, told: httpx.Response
) -> None:
    channel = waabot.channel()
    waabot.say_instance(facts.instance(**facts.CONNECTED))
    await channel.status()
    waabot.say_instance(told)
    waabot.say("GET /whatsapp", facts.done("", []))
    with pytest.raises(NotFoundError, match=facts.BOT_ID):
        await channel.status()


async def test_a_pair_that_was_changed_is_asked_for_anew(waabot: WaabotServer) -> None:
    channel = waabot.channel()
    waabot.say_instance(
        facts.instance(**facts.CONNECTED),
        httpx.Response(403, json=facts.UNKNOWN_PAIR),
        facts.instance(**facts.CONNECTED),
    )
    await channel.status()
    waabot.say("GET /whatsapp", facts.done("", [{**facts.ROW, "session_id": "another-session"}]))
    assert (await channel.status()).state is ChannelState.CONNECTED
    assert waabot.calls(INSTANCE)[-1].query["session_id"] == "another-session"


async def test_a_wrong_pair_of_a_connection_to_one_bot_is_refused(waabot: WaabotServer) -> None:
    waabot.say_instance(httpx.Response(403, json=facts.UNKNOWN_PAIR))
    waabot.say("GET /whatsapp", facts.NOT_LOGGED_IN, status=403)
    with pytest.raises(CredentialRejectedError, match="not there, or was not started"):
        await waabot.own_channel().status()


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        facts.done("", None),
        facts.done("", {}),
        facts.done("", {"instance_data": None}),
        facts.done("", {"instance_data": {"phone_connected": "very"}}),
        facts.done("", {"settings": "CONNECTED"}),
        facts.refused("Something went wrong!"),
    ],
)
async def test_a_look_that_can_not_be_read_is_no_state(waabot: WaabotServer, body: Any) -> None:
    waabot.say_instance(body)
    with pytest.raises(NoAnswerError):
        await waabot.channel().status()


async def test_a_profile_is_that_of_the_paired_phone(waabot: WaabotServer) -> None:
    waabot.say_instance(facts.instance(**facts.CONNECTED))
    profile = await waabot.channel().profile()
    assert (profile.phone, profile.name) == (facts.OWNER, "Waap Test")
    waabot.say_instance(facts.instance(**facts.STARTING))
    assert (await waabot.channel().profile()).phone is None


# -- pairing --------------------------------------------------------------------------------------

CODES: dict[str, httpx.Response] = {
    "bare text": httpx.Response(200, text=facts.PICTURE),
    "a data URL": httpx.Response(200, text=facts.DATA_URL),
    "an envelope": httpx.Response(200, json=facts.done("QR Base64 fetched successfully", facts.DATA_URL)),
    "the inner answer": httpx.Response(200, json=facts.QR_ENVELOPE),
    "the inner answer in an envelope": httpx.Response(200, json=facts.done("", facts.QR_ENVELOPE)),
    "as init has it": httpx.Response(
        200, json=facts.done("", {"qrcode": {"base64": facts.DATA_URL, "url": ""}})
    ),
    "a text in JSON": httpx.Response(200, json=facts.DATA_URL),
    "a page": httpx.Response(200, text=facts.QR_PAGE),
}


@pytest.mark.parametrize("answer", CODES.values(), ids=CODES)
async def test_a_qr_code_is_read_in_each_of_its_forms(waabot: WaabotServer, answer: httpx.Response) -> None:
    waabot.say_instance(facts.instance(**facts.STARTING))
    waabot.say(SCAN, answer)
    pairing = await waabot.channel().pairing_qr()
    assert pairing is not None
    assert pairing.image == IMAGE
    assert waabot.calls(SCAN)[0].query == {**facts.PAIR, "format": "base64text"}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="not base64!"),
        httpx.Response(200, json=facts.done("", "not base64!")),
        httpx.Response(200, text='{"status":true,'),
    ],
)
async def test_what_is_no_picture_is_no_answer(waabot: WaabotServer, answer: httpx.Response) -> None:
    waabot.say_instance(facts.instance(**facts.STARTING))
    waabot.say(SCAN, answer)
    with pytest.raises(NoAnswerError):
        await waabot.channel().pairing_qr()


@pytest.mark.parametrize("answer", [httpx.Response(204), httpx.Response(200, text="")])
async def test_a_code_that_is_not_there_yet_is_waited_for(
    waabot: WaabotServer, answer: httpx.Response
) -> None:
    waabot.say_instance(facts.instance(**facts.STARTING))
    waabot.say(SCAN, answer)
    assert await waabot.channel().pairing_qr() is None
    assert waabot.calls(INIT) == []


#: A bot that shows no code, and won't by itself.
SILENT: dict[str, tuple[Any, str | None]] = {
    "nobody scanned": (facts.instance(**facts.STARTING), SPENT),
    "nobody scanned, on a page": (facts.document("CONNECTED"), '<img src=" ">'),
    "perhaps not started": (facts.document("CONNECTED"), ""),
    "in a word of another time": (facts.document("CONFLICT"), ""),
    # These may still show the code that was scanned before, so that is not looked at.
    "not started": (facts.instance(), None),
    "it lost its phone": (facts.instance(**facts.LOST), None),
    "it lost its phone, in the later shape": (facts.document("DISCONNECTED"), None),
}


@pytest.mark.parametrize(("told", "code"), SILENT.values(), ids=SILENT)
async def test_a_bot_that_shows_no_code_is_started_anew_and_its_code_waited_for(
    waabot: WaabotServer, told: Any, code: str | None
) -> None:
    waabot.say_instance(told)
    waabot.say(INIT, facts.INITIALIZED)
    waabot.say_scan(*([] if code is None else [code]), "", "", facts.DATA_URL)
    pairing = await waabot.channel().pairing_qr()
    assert pairing is not None
    assert pairing.image == IMAGE
    assert len(waabot.calls(INIT)) == 1
    assert waabot.pauses == [0.5, 0.5]


async def test_a_code_is_not_waited_for_for_ever(waabot: WaabotServer) -> None:
    waabot.say_instance(facts.instance(**facts.STARTING))
    waabot.say(INIT, facts.INITIALIZED)
    waabot.say_scan(SPENT)
    assert await waabot.channel().pairing_qr() is None
    assert sum(waabot.pauses) == 10
    assert len(waabot.calls(INIT)) == 1


@pytest.mark.parametrize("told", [facts.instance(**facts.CONNECTED), facts.document("ONLINE")])
async def test_a_paired_bot_shows_no_code_and_is_not_started_anew(waabot: WaabotServer, told: Any) -> None:
    waabot.say_instance(told)
    with pytest.raises(AlreadyConnectedError):
        await waabot.channel().pairing_qr()
    assert waabot.calls(INIT) == []


@pytest.mark.parametrize("answer", [httpx.Response(200, json=facts.LOGGED_OUT), httpx.Response(204)])
async def test_a_logout_is_made_once_by_the_bots_id(waabot: WaabotServer, answer: httpx.Response) -> None:
    waabot.say(LOGOUT, answer)
    assert await waabot.channel().logout() is True
    [asked] = waabot.calls(LOGOUT)
    assert asked.query == facts.PAIR


async def test_a_bot_without_a_phone_is_not_logged_out(waabot: WaabotServer) -> None:
    waabot.say(LOGOUT, facts.NOT_CONNECTED, status=401)
    assert await waabot.channel().logout() is False


@pytest.mark.parametrize("answer", [httpx.Response(502), httpx.ReadError("reset")])
async def test_a_logout_without_an_answer_is_looked_up_and_not_repeated(
    waabot: WaabotServer, answer: Any
) -> None:
    waabot.say(LOGOUT, answer)
    waabot.say_instance(facts.instance(**facts.LOST))
    assert await waabot.channel().logout() is True
    waabot.say_instance(facts.instance(**facts.CONNECTED))
    with pytest.raises(NoAnswerError):
        await waabot.channel().logout()
    assert len(waabot.calls(LOGOUT)) == 2


async def test_a_pair_alone_asks_for_the_id_that_a_logout_needs(waabot: WaabotServer) -> None:
    gateway = waabot.gateway(token="", session_secret=facts.SESSION_ID, access_token=facts.ACCESS_TOKEN)
    own = gateway.default_channel
    assert isinstance(own, ChannelRef)
    waabot.say(LOGOUT, facts.LOGGED_OUT)
    assert await gateway.channel(own).logout() is True
    waabot.say("GET /whatsapp", facts.done("", []))
    with pytest.raises(NotFoundError):
        await gateway.channel(own).logout()


# -- settings -------------------------------------------------------------------------------------

GENERAL = {"bot_name": "Bot", "bot_timezone": "+1", "bot_lang": "en", "default_msg": True}
GROUPS = {
    "actions": {"reply_msgs": False, "send_webhook": True},
    "active_days": {"sunday": False},
    "active_hours": {"from": "00:00", "to": "always"},
}
ALL = {**GENERAL, **GROUPS}
UPDATES = {
    "general": "PUT /whatsapp/updateGeneral",
    "actions": "PUT /whatsapp/updateActions",
    "active_days": "PUT /whatsapp/updateActiveDays",
    "active_hours": "PUT /whatsapp/updateActiveHours",
}


async def test_settings_go_to_the_call_of_their_section_and_others_stay(waabot: WaabotServer) -> None:
    for what in UPDATES.values():
        waabot.say(what, facts.UPDATED)
    await waabot.channel().update_settings(ALL)
    for section, what in UPDATES.items():
        [asked] = waabot.calls(what)
        assert asked.body == {**facts.PAIR, **{"general": GENERAL, **GROUPS}[section]}
        assert asked.query == facts.PAIR


@pytest.mark.parametrize("what", UPDATES.values())
async def test_an_update_that_matched_nothing_is_an_error_that_says_so(
    waabot: WaabotServer, what: str
) -> None:
    for other in UPDATES.values():
        waabot.say(other, facts.UPDATED if other != what else facts.MATCHED_NOTHING)
    with pytest.raises(
        NotFoundError, match=f"updated .* of bot '{facts.BOT_ID}', and that this matched nothing"
    ):
        await waabot.channel().update_settings(ALL)


@pytest.mark.parametrize("answer", [httpx.Response(204), httpx.Response(200, json={"status": True})])
async def test_an_update_that_does_not_say_what_it_matched_is_no_success(
    waabot: WaabotServer, answer: httpx.Response
) -> None:
    waabot.say(UPDATES["general"], answer)
    with pytest.raises(NoAnswerError):
        await waabot.channel().update_settings({"bot_lang": "en"})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bot_lang": "en", "colour": "red"}, "no setting 'colour' at the top. There are bot_name"),
        ({"sunday": False}, "no setting 'sunday' at the top. It stands in 'active_days'"),
        ({"general": {"bot_lang": "en"}}, "no setting 'general' at the top"),
        ({"actions": {"sunday": True}}, "no setting 'sunday' in 'actions'. It stands in 'active_days'"),
        ({"actions": {"bot_lang": "en"}}, "no setting 'bot_lang' in 'actions'. It stands at the top"),
        ({"actions": True}, "'actions' of a bot must be a mapping"),
        ({"active_days": {"sunday": "yes"}}, "'sunday' of a bot must be true or false"),
        ({"actions": {"reply_msgs": 1}}, "'reply_msgs' of a bot must be true or false"),
        ({"bot_name": " "}, "'bot_name' of a bot must be text"),
        ({"default_msg": 3}, "'default_msg' of a bot must be text, or true or false"),
        ({"active_hours": {"from": "25:00"}}, "'from' of a bot must be 'always' or a time"),
        ({"active_hours": {"to": "5"}}, "'to' of a bot must be 'always' or a time"),
    ],
)
async def test_a_setting_that_can_not_be_is_refused_before_anything_is_changed(
    waabot: WaabotServer, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        await waabot.channel().update_settings(changes)
    assert waabot.asked == []


async def test_settings_are_told_without_the_access_token_in_them(waabot: WaabotServer) -> None:
    settings = await waabot.channel().settings()
    assert settings["active_hours"] == {"from": "always", "to": "always"}
    assert "access_token" not in settings
    assert not any(half in repr(settings) for half in facts.PAIR.values())


async def test_what_is_told_can_be_written_back(waabot: WaabotServer) -> None:
    # The list leaves the language out, and a database may put an id of its own into each group.
    days = {**facts.SETTINGS["active_days"], "_id": "61c08cdf2ff357329471bbb7"}
    row = {**facts.ROW, "settings": {**facts.ROW["settings"], "active_days": days}}
    waabot.say("GET /whatsapp", facts.done("", [row]))
    for what in UPDATES.values():
        waabot.say(what, facts.UPDATED)
    settings = await waabot.channel().settings()
    assert settings["bot_lang"] is None
    changes = {name: settings[name] for name in (*GENERAL, *GROUPS)} | {"bot_lang": "en"}
    await waabot.channel().update_settings(changes)
    assert waabot.calls(UPDATES["active_days"])[0].body == {**facts.PAIR, **facts.SETTINGS["active_days"]}


# -- webhook --------------------------------------------------------------------------------------

HOOK = Webhook("https://ours.example/in", ("onMessage", "onAnyMessage"), {"x": "hush"})
SET = "PUT /whatsapp/setWebhook"


async def test_a_webhook_is_set_with_its_headers_and_switched_on(waabot: WaabotServer) -> None:
    waabot.say_instance(facts.instance(**facts.CONNECTED))
    waabot.say(SET, facts.UPDATED)
    waabot.say(UPDATES["actions"], facts.UPDATED)
    assert await waabot.channel().set_webhook(HOOK) is True
    assert waabot.calls(SET)[0].body == {
        **facts.PAIR,
        "webhook_url": HOOK.url,
        "events": ["onMessage", "onAnyMessage"],
        "requestConfig": {"headers": {"x": "hush"}},
    }
    assert waabot.calls(UPDATES["actions"])[0].body == {**facts.PAIR, "send_webhook": True}


async def test_headers_that_are_left_out_are_left_as_they_are(waabot: WaabotServer) -> None:
    waabot.say_instance(facts.instance(**facts.CONNECTED))
    waabot.say(SET, httpx.Response(204))
    waabot.say(UPDATES["actions"], facts.UPDATED)
    await waabot.channel().set_webhook(Webhook(HOOK.url))
    assert waabot.calls(SET)[0].body == {
        **facts.PAIR,
        "webhook_url": HOOK.url,
        "events": ["onMessage", "onAck"],
    }


async def test_a_webhook_that_matched_no_bot_is_an_error(waabot: WaabotServer) -> None:
    waabot.say_instance(facts.instance(**facts.CONNECTED))
    waabot.say(SET, facts.MATCHED_NOTHING)
    with pytest.raises(NotFoundError, match="matched nothing"):
        await waabot.channel().set_webhook(HOOK)


async def test_an_event_that_there_is_not_is_refused_with_those_there_are(waabot: WaabotServer) -> None:
    with pytest.raises(ConfigurationError, match="no event 'messages'; it has all, onAck"):
        await waabot.channel().set_webhook(Webhook(HOOK.url, ("messages",)))
    assert waabot.asked == []


async def test_the_address_is_read_back_and_of_events_nothing(waabot: WaabotServer) -> None:
    waabot.say_instance(facts.instance(**{**facts.CONNECTED, "webhookUrl": "https://theirs.example/in"}))
    channel = waabot.channel()
    assert list(await channel.webhooks()) == [Webhook("https://theirs.example/in")]
    with pytest.raises(ConfigurationError, match=r"theirs\.example .*replace"):
        await channel.set_webhook(HOOK)


async def test_a_server_that_tells_no_address_is_not_overwritten_without_a_word(waabot: WaabotServer) -> None:
    waabot.say_instance(facts.document("ONLINE"))
    channel = waabot.channel()
    assert list(await channel.webhooks()) == []  # its bot has webhooks switched off
    on = {**facts.ROW["settings"], "actions": {"send_webhook": True}}
    waabot.say("GET /whatsapp", facts.done("", [{**facts.ROW, "settings": on}]))
    for work in (channel.webhooks(), channel.set_webhook(HOOK), channel.remove_webhook(HOOK.url)):
        with pytest.raises(UnsupportedError, match=r"can't tell the webhook.*replace=True"):
            await work
    waabot.say(SET, facts.UPDATED)
    waabot.say(UPDATES["actions"], facts.UPDATED)
    assert await channel.set_webhook(HOOK, replace=True) is True
    assert list(await channel.webhooks()) == [HOOK]


async def test_a_removed_webhook_is_emptied_and_switched_off(waabot: WaabotServer) -> None:
    waabot.say_instance(facts.instance(**{**facts.CONNECTED, "webhookUrl": HOOK.url}))
    waabot.say(SET, facts.UPDATED)
    waabot.say(UPDATES["actions"], facts.UPDATED)
    assert await waabot.channel().remove_webhook("https://other.example") is False
    assert await waabot.channel().remove_webhook(HOOK.url) is True
    assert waabot.calls(SET)[0].body["webhook_url"] == ""
    assert waabot.calls(UPDATES["actions"])[0].body["send_webhook"] is False


async def test_a_channel_is_reached_by_the_ref_that_another_task_handed_on(waabot: WaabotServer) -> None:
    waabot.say_instance(facts.instance(**facts.CONNECTED))
    ref = ChannelRef.from_dict(REF.to_dict())
    assert (await waabot.gateway().channel(ref).status()).state is ChannelState.CONNECTED
