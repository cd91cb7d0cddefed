"""The Waabot dialect answers as the vendor's page shows, key by key, and as its open source says."""

from __future__ import annotations

import base64
import json
import re

import pytest

from tests.emulator.waabot_facts import facts
from tests.emulator.waabot_wire import PICTURE, TO, Waabot, pair
from tests.emulator.wire_facts import shape

DOCUMENTED = facts("documented")
UPSTREAM = facts("upstream")


async def test_a_bot_is_created_as_documented(waabot: Waabot) -> None:
    answer = await waabot.ask("POST", "/whatsapp/createNewWhatsapp", json={})
    expected = DOCUMENTED["create"]["answer"]
    assert answer.status_code == 200
    assert shape(answer.json()) == shape(expected)
    data, shown = answer.json()["data"], expected["data"]
    assert {**data["settings"], "access_token": ""} == {**shown["settings"], "access_token": ""}
    for secret in (data["session_id"], data["settings"]["access_token"]):
        assert re.fullmatch(r"[0-9a-f]{4}(-[0-9a-f]{4}){4}", secret)


async def test_the_list_is_as_documented_without_language_and_owner(waabot: Waabot) -> None:
    waabot.account.paired_bot("WhatsappClient (bot_number)", "15550001000")
    body = {"session_id": "", "access_token": ""}
    answer = await waabot.ask("GET", "/whatsapp", json=body)
    expected = DOCUMENTED["bots"]["answer"]
    assert shape(answer.json()) == shape(expected)
    names = ("bot_number", "bot_name", "status")
    settings, shown = answer.json()["data"][0]["settings"], expected["data"][0]["settings"]
    assert [settings[name] for name in names] == [shown[name] for name in names]
    assert [(path, json.loads(body)) for path, body in waabot.account.get_bodies] == [
        ("/api/v1/whatsapp", {"session_id": "", "access_token": ""})
    ]


@pytest.mark.parametrize("call", DOCUMENTED["update"]["bodies"])
async def test_an_update_without_a_pair_succeeds_and_matches_nothing(waabot: Waabot, call: str) -> None:
    bot = await waabot.create()
    before = json.dumps(bot.row)
    answer = await waabot.ask("PUT", f"/whatsapp/{call}", json=DOCUMENTED["update"]["bodies"][call])
    assert answer.json() == DOCUMENTED["update"]["answer"]
    assert list(answer.json()["data"]) == list(DOCUMENTED["update"]["answer"]["data"])
    assert json.dumps(bot.row) == before


async def test_init_tells_where_the_code_will_be(waabot: Waabot) -> None:
    data = await waabot.init(await waabot.create(), **DOCUMENTED["init"]["config"])
    assert shape(data) == shape(DOCUMENTED["init"]["data"])
    assert (data["webhook"], data["qrcode"]["base64"]) == (DOCUMENTED["init"]["data"]["webhook"], "")
    await waabot.emulator.advance(1)
    path = data["qrcode"]["url"].removeprefix("http://emulator/waabot/api/v1")
    page = (await waabot.ask("GET", path)).text
    assert UPSTREAM["scan"]["title"] in page
    assert 'src="data:image/png;base64,' in page


async def test_a_paired_instance_is_shown_as_documented(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("Waap Test", "15550001000")
    answer = await waabot.ask("GET", "/whatsapp/instance", params={**pair(bot), "format": "base64"})
    expected = DOCUMENTED["instance"]["answer"]
    told = expected["data"]["instance_data"]
    # The page shows no webhook; the key and the number of the device are the instance's own.
    assert list(answer.json()["data"]["instance_data"]) == list(told)
    shown = answer.json()["data"]["instance_data"]
    assert shown["user"] == {"id": "15550001000:1@s.whatsapp.net", "name": told["user"]["name"]}
    assert shown["instance_key"] != bot.session_id
    shown |= {"instance_key": told["instance_key"], "user": told["user"]}
    assert {**answer.json(), "data": {**expected["data"], "instance_data": shown}} == expected


async def test_the_combined_call_answers_as_documented_and_names_no_message(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    await waabot.ask("POST", "/attachment", params=pair(bot), files=PICTURE)
    contact = await waabot.ask(
        "POST", "/contact", json={**pair(bot), "name": "Maria", "number": "15550004321"}
    )
    (file,) = (await waabot.ask("GET", "/attachment", json=pair(bot))).json()["data"]
    more = {"attachments": [file["_id"]], "contactId": contact.json()["data"]["_id"]}
    answer = await waabot.send(bot, json={**DOCUMENTED["message"]["body"], **more})
    expected = DOCUMENTED["message"]["answer"]
    assert list(answer.json()["data"]) == list(expected["data"])
    assert answer.json() == {**expected, "data": {**expected["data"], "attachment": [file["_id"]]}}
    received = waabot.emulator.network.received(TO)
    assert [entry.kind for entry in received] == ["text", "image", "location", "contact"]
    assert len({entry.message_id for entry in received}) == 4


async def test_an_image_is_answered_as_documented(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    answer = await waabot.send(bot, "/image", data={"chatId": TO, "caption": "Look"}, files=PICTURE)
    expected = DOCUMENTED["image"]["answer"]
    assert shape(answer.json()) == shape(expected)
    assert re.fullmatch("BAE5[0-9A-F]{12}", answer.json()["data"]["key"]["id"])
    content = answer.json()["data"]["message"]["imageMessage"]
    assert (content["mimetype"], content["fileLength"]) == ("image/png", str(len(PICTURE["file"][1])))
    (entry,) = waabot.emulator.network.received(TO)
    assert (entry.message_id, entry.text) == (answer.json()["data"]["key"]["id"], "Look")


@pytest.mark.parametrize("path", DOCUMENTED["sendText"]["paths"])
async def test_the_deprecated_text_has_an_id_on_both_paths(waabot: Waabot, path: str) -> None:
    bot = waabot.account.paired_bot("bot")
    answer = await waabot.ask("POST", path, json={**pair(bot), "to": TO, "message": "Hello"})
    message_id = answer.json()["data"]
    digits = len(DOCUMENTED["sendText"]["message_id"].rpartition("3EB0")[2])
    assert re.fullmatch(rf"true_{TO}@c\.us_3EB0[0-9A-F]{{{digits}}}", message_id)
    (entry,) = waabot.emulator.network.received(TO)
    assert (entry.message_id, entry.text) == (message_id, "Hello")


async def test_buttons_become_a_template_seen_once(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    answer = await waabot.send(bot, "/button", json=DOCUMENTED["button"]["body"])
    assert answer.json()["data"]["message"] == UPSTREAM["buttons"]["content"]
    answer = await waabot.send(bot, "/MediaButton", json=DOCUMENTED["MediaButton"]["body"])
    content = answer.json()["data"]["message"]["viewOnceMessage"]["message"]["templateMessage"]
    assert content["hydratedTemplate"]["imageMessage"]["mimetype"] == "image/jpeg"
    assert len(content["hydratedTemplate"]["hydratedButtons"]) == 2
    received = waabot.emulator.network.received(TO)
    assert [(entry.kind, entry.text) for entry in received] == [
        ("buttons", "title Head"),
        ("media_buttons", "Title of Message"),
    ]


async def test_a_list_shows_its_text_as_description_and_its_description_as_footer(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    answer = await waabot.send(bot, "/list", json={"chatId": TO, "msgdata": UPSTREAM["list"]["msgdata"]})
    assert answer.json()["data"]["message"] == UPSTREAM["list"]["content"]


async def test_a_contact_becomes_upstreams_card(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    vcard = UPSTREAM["vcard"]
    answer = await waabot.send(bot, "/contact", json={"chatId": TO, "vcard": vcard["data"]})
    assert answer.json()["data"]["message"] == {
        "contactMessage": {"displayName": vcard["data"]["fullName"], "vcard": vcard["text"]}
    }
    nowhere = {name: value for name, value in vcard["data"].items() if name != "organization"}
    answer = await waabot.send(bot, "/contact", json={"chatId": TO, "vcard": nowhere})
    card = answer.json()["data"]["message"]["contactMessage"]["vcard"]
    assert card == vcard["text"].replace("ORG:Padaria", "ORG:undefined")


async def test_a_login_gives_two_tokens_without_an_envelope(waabot: Waabot) -> None:
    settings, expected = waabot.emulator.settings, DOCUMENTED["login"]
    body = {"email": settings.waabot_email, "password": settings.waabot_password}
    tokens = (await waabot.ask("POST", "/sessions", None, json=body)).json()
    assert list(tokens) == expected["keys"]
    for name, seconds in zip(expected["keys"], expected["lifetimes"], strict=True):
        part = tokens[name].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        assert claims["exp"] - claims["iat"] == seconds
    assert (await waabot.ask("GET", "/whatsapp", tokens["accessToken"])).status_code == 200


async def test_calls_without_a_recorded_answer_may_be_the_204_of_the_documents(waabot: Waabot) -> None:
    waabot.emulator.configure(waabot_documented_204=True)
    bot = waabot.account.paired_bot("bot")
    silent = await waabot.send(bot, "/video", data={"chatId": TO}, files=PICTURE)
    assert (silent.status_code, silent.content) == (204, b"")
    assert (await waabot.text(bot)).status_code == 200
    assert waabot.emulator.network.counts() == {TO: 2}
