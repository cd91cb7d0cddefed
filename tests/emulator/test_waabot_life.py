"""A bot's life in the Waabot dialect: created, initialised, scanned in time or not, changed, unlinked, deleted."""

from __future__ import annotations

import base64

import pytest

from tests.emulator.waabot_facts import facts
from tests.emulator.waabot_wire import Waabot, pair, refusal
from whatsapp_provider.emulator.network import NetworkError

UPSTREAM = facts("upstream")
FIRST, LATER = UPSTREAM["scan"]["seconds"]
PNG = b"\x89PNG\r\n\x1a\n"


async def test_a_new_bot_says_connected_and_is_not(waabot: Waabot) -> None:
    bot = await waabot.create(bot_name="Front desk")
    assert bot.row["settings"]["bot_name"] == "Front desk"
    (listed,) = (await waabot.ask("GET", "/whatsapp")).json()["data"]
    assert listed["settings"]["status"] == "CONNECTED"
    assert "bot_number" not in listed["settings"]
    assert (await waabot.instance(bot))["instance_data"] == {}
    assert refusal(await waabot.text(bot)) == UPSTREAM["refusals"]["not connected"]


async def test_a_code_comes_a_moment_after_init_and_a_scan_connects(waabot: Waabot) -> None:
    bot = await waabot.create()
    assert await waabot.qr(bot) == ""
    await waabot.init(bot)
    assert await waabot.qr(bot) == ""
    starting = (await waabot.instance(bot))["instance_data"]
    assert ("phone_connected" in starting, starting["user"]) == (False, {})
    with pytest.raises(NetworkError, match="nothing to scan"):
        waabot.emulator.network.link(bot.id)
    await waabot.emulator.advance(1)
    code = await waabot.qr(bot)
    assert base64.b64decode(code.removeprefix("data:image/png;base64,")).startswith(PNG)
    phone = waabot.emulator.network.link(bot.id)
    assert (await waabot.instance(bot))["instance_data"]["phone_connected"] is True
    (listed,) = (await waabot.ask("GET", "/whatsapp")).json()["data"]
    assert listed["settings"]["bot_name"] == f"WhatsappClient ({phone})"
    assert (await waabot.text(bot)).status_code == 200


async def test_only_the_first_code_can_be_scanned_then_init_is_due_again(waabot: Waabot) -> None:
    bot = await waabot.create()
    await waabot.init(bot)
    await waabot.emulator.advance(0.5 + FIRST - 1)
    assert bot.linkable()
    await waabot.emulator.advance(1)
    assert await waabot.qr(bot) == " "
    assert not bot.linkable()
    await waabot.init(bot)
    await waabot.emulator.advance(1)
    assert (await waabot.qr(bot)).startswith("data:image/png;base64,")
    assert bot.linkable()


async def test_with_a_higher_cap_later_codes_live_for_a_shorter_time(waabot: Waabot) -> None:
    waabot.emulator.configure(waabot_qr_limit=4, waabot_qr_after=0)
    bot = await waabot.create()
    await waabot.init(bot)
    seen = []
    for seconds in (0, FIRST, LATER, LATER):
        await waabot.emulator.advance(seconds)
        seen.append(await waabot.qr(bot))
    assert len(set(seen)) == 4
    assert seen[-1] == " "


async def test_the_code_has_three_forms(waabot: Waabot) -> None:
    bot = await waabot.create()
    await waabot.init(bot)
    await waabot.emulator.advance(1)
    text = await waabot.qr(bot)
    params = {**pair(bot), "format": "base64"}
    nested = (await waabot.ask("GET", "/whatsapp/scan", params=params)).json()["data"]
    assert nested == {**UPSTREAM["scan"]["data"], "qrcode": text}
    waabot.emulator.configure(waabot_qr_form="json")
    params["format"] = "base64text"
    answer = (await waabot.ask("GET", "/whatsapp/scan", params=params)).json()
    assert (answer["status"], answer["data"]) == (True, text)


async def test_a_person_scans_what_was_looked_at_if_set_so(waabot: Waabot) -> None:
    waabot.emulator.configure(scan_after=3)
    bot = await waabot.create()
    await waabot.init(bot)
    await waabot.emulator.advance(10)
    assert bot.phone is None
    await waabot.qr(bot)
    await waabot.emulator.advance(3)
    assert bot.online
    await waabot.init(await waabot.create())


async def test_a_code_that_was_scanned_stays_shown_until_the_next_init(waabot: Waabot) -> None:
    bot = await waabot.create()
    await waabot.init(bot)
    await waabot.emulator.advance(1)
    code = await waabot.qr(bot)
    waabot.emulator.network.link(bot.id)
    assert await waabot.qr(bot) == code
    waabot.emulator.network.unlink(bot.id)
    assert await waabot.qr(bot) == code
    assert not bot.linkable()
    await waabot.init(bot)
    assert await waabot.qr(bot) == ""
    assert "phone_connected" not in (await waabot.instance(bot))["instance_data"]
    waabot.emulator.configure(waabot_instance_shape="2023-12")
    await waabot.emulator.advance(1)
    waabot.emulator.network.link(bot.id)
    assert await waabot.qr(bot) == ""


async def test_a_bot_that_was_never_started_may_be_an_unknown_key_below(waabot: Waabot) -> None:
    waabot.emulator.configure(waabot_unstarted="invalid")
    bot = await waabot.create()
    for path in ("/whatsapp/instance", "/whatsapp/scan"):
        answer = await waabot.ask("GET", path, params=pair(bot))
        assert refusal(answer) == UPSTREAM["refusals"]["unknown pair"]
    await waabot.init(bot)
    assert (await waabot.ask("GET", "/whatsapp/instance", params=pair(bot))).status_code == 200


async def test_the_later_server_tells_the_row_with_its_true_status(waabot: Waabot) -> None:
    waabot.emulator.configure(waabot_instance_shape="2023-12")
    bot = await waabot.create()
    fresh = await waabot.instance(bot)
    assert (fresh["_id"], fresh["settings"]["status"]) == (bot.id, "CONNECTED")
    assert len(bot.session_id) == len("464c3391-0000-4000-8000-000000000000")
    await waabot.init(bot)
    await waabot.emulator.advance(1)
    waabot.emulator.network.link(bot.id)
    assert (await waabot.instance(bot))["settings"]["status"] == "ONLINE"
    waabot.emulator.network.unlink(bot.id)
    assert (await waabot.instance(bot))["settings"]["status"] == "DISCONNECTED"


async def test_a_phone_that_drops_the_bot_ends_it_until_the_next_init(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    waabot.emulator.network.unlink(bot.id)
    told = (await waabot.instance(bot))["instance_data"]
    assert (told["phone_connected"], told["user"]) == (False, {})
    await waabot.emulator.advance(600)
    assert not bot.linkable()
    assert refusal(await waabot.text(bot)) == UPSTREAM["refusals"]["not connected"]
    await waabot.init(bot)
    await waabot.emulator.advance(1)
    waabot.emulator.network.link(bot.id)
    assert (await waabot.text(bot)).status_code == 200


@pytest.mark.parametrize("path", ["/whatsapp/instance/logout/{id}", "/whatsapp/logout"])
async def test_a_logout_is_a_get_on_both_paths(waabot: Waabot, path: str) -> None:
    bot = waabot.account.paired_bot("bot")
    answer = await waabot.ask("GET", path.format(id=bot.id), params=pair(bot))
    assert answer.json()["data"] == UPSTREAM["logout"]["data"]
    assert bot.phone is None
    again = await waabot.ask("GET", path.format(id=bot.id), params=pair(bot))
    assert refusal(again) == UPSTREAM["refusals"]["not connected"]


async def test_a_logout_by_another_bots_id_is_refused(waabot: Waabot) -> None:
    bot, other = waabot.account.paired_bot("bot"), waabot.account.paired_bot("other")
    answer = await waabot.ask("GET", f"/whatsapp/instance/logout/{other.id}", params=pair(bot))
    assert refusal(answer) == UPSTREAM["refusals"]["unknown pair"]
    assert (bot.online, other.online) == (True, True)


async def test_a_bot_is_deleted_by_its_id_and_only_once(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    counts = [
        (await waabot.ask("DELETE", f"/whatsapp/{bot.id}")).json()["data"]["deletedCount"] for _ in range(2)
    ]
    assert counts == [1, 0]
    assert (await waabot.ask("GET", "/whatsapp")).json()["data"] == []
    assert refusal(await waabot.text(bot)) == UPSTREAM["refusals"]["unknown pair"]
    with pytest.raises(NetworkError, match="no channel"):
        waabot.emulator.network.port(bot.id)


async def test_an_init_of_a_connected_bot_leaves_it_connected(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    await waabot.init(bot)
    assert (await waabot.text(bot)).status_code == 200
    await waabot.emulator.advance(120)
    assert bot.online


# -- settings ---------------------------------------------------------------------------------


async def test_updates_with_the_pair_merge_and_say_what_they_met(waabot: Waabot) -> None:
    bot = await waabot.create()
    settings = bot.row["settings"]

    async def update(call: str, **body: object) -> tuple[int, int]:
        data = (await waabot.ask("PUT", f"/whatsapp/{call}", json={**pair(bot), **body})).json()["data"]
        return data["matchedCount"], data["modifiedCount"]

    await waabot.emulator.advance(1)
    assert await update("updateActions", reply_msgs=False) == (1, 1)
    changed_at = bot.row["updatedAt"]
    assert changed_at > bot.row["createdAt"]
    await waabot.emulator.advance(1)
    assert await update("updateActions", reply_msgs=False) == (1, 0)
    assert bot.row["updatedAt"] == changed_at
    assert (settings["actions"]["reply_msgs"], settings["actions"]["send_default_msg"]) == (False, True)
    assert await update("updateGeneral", default_msg=True, unknown=1) == (1, 1)
    assert (settings["default_msg"], "unknown" in settings) == ("true", False)
    assert await update("updateActiveDays", sunday=False) == (1, 1)
    assert await update("updateActiveHours", to="5:00") == (1, 1)
    assert settings["active_hours"] == {"from": "always", "to": "5:00"}


async def test_a_day_that_is_no_boolean_is_refused_with_a_list(waabot: Waabot) -> None:
    bot = await waabot.create()
    body = {**pair(bot), "monday": "often"}
    answer = await waabot.ask("PUT", "/whatsapp/updateActiveDays", json=body)
    assert refusal(answer) == [400, ["monday must be a boolean"]]
    assert bot.row["settings"]["active_days"]["monday"] is True


# -- trouble ----------------------------------------------------------------------------------


async def test_a_connection_that_is_down_for_a_moment_still_counts_as_one(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    bot.force("lost")
    assert (await waabot.instance(bot))["instance_data"]["phone_connected"] is True
    assert refusal(await waabot.text(bot)) == [500, "Connection Closed"]
    bot.force("open")
    assert (await waabot.text(bot)).status_code == 200
    bot.force("closed")
    assert (await waabot.instance(bot))["instance_data"]["phone_connected"] is False
    bot.force("qr")
    assert bot.linkable()


async def test_a_state_that_cannot_be_is_not_forced(waabot: Waabot) -> None:
    bot = await waabot.create()
    for state in ("open", "dreaming"):
        with pytest.raises(NetworkError):
            bot.force(state)
    assert bot.describe() == {
        "gateway": "waabot",
        "name": "WhatsappClient (bot_number)",
        "state": "new",
        "phone": None,
        "messages": 0,
    }
