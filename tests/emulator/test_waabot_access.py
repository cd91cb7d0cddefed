"""Who may ask the Waabot dialect for what: bearer, ``x-refresh``, and the pair of each bot."""

from __future__ import annotations

import httpx
import pytest

from tests.emulator.waabot_facts import facts
from tests.emulator.waabot_wire import TO, Waabot, pair, refusal

REFUSALS = facts("upstream")["refusals"]
LOGIN = facts("upstream")["login refused"]


@pytest.mark.parametrize("bearer", [None, "", "wrong", "a.b.c", "eyJ.waabot.refresh"])
async def test_a_bad_bearer_is_403(waabot: Waabot, bearer: str | None) -> None:
    bot = waabot.account.paired_bot("bot")
    for method, path in (("POST", "/whatsapp/createNewWhatsapp"), ("GET", "/whatsapp/instance")):
        answer = await waabot.ask(method, path, bearer, params=pair(bot))
        assert (answer.status_code, answer.json()) == (403, LOGIN["no bearer"])
    assert len(waabot.account.bots) == 1


async def test_without_strictness_calls_for_one_bot_need_its_pair_alone(waabot: Waabot) -> None:
    waabot.emulator.configure(waabot_strict_auth=False)
    bot = waabot.account.paired_bot("bot")
    body = {"chatId": TO, "message": "Hello"}
    sent = await waabot.ask("POST", "/whatsapp/message", None, params=pair(bot), json=body)
    assert sent.status_code == 200
    for method, path in (
        ("POST", "/whatsapp/createNewWhatsapp"),
        ("GET", "/whatsapp"),
        ("PUT", "/whatsapp/updateGeneral"),
        ("DELETE", f"/whatsapp/{bot.id}"),
    ):
        answer = await waabot.ask(method, path, None, params=pair(bot), json={})
        assert answer.json() == LOGIN["no bearer"], path


async def test_the_pair_may_be_in_the_query_or_in_the_body(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    text = {"chatId": TO, "message": "Hello"}
    only_query = await waabot.ask("POST", "/whatsapp/message", params=pair(bot), json=text)
    only_body = await waabot.ask("POST", "/whatsapp/message", json={**pair(bot), **text})
    by_get = await waabot.ask("GET", "/whatsapp/instance", json=pair(bot))
    assert [answer.status_code for answer in (only_query, only_body, by_get)] == [200, 200, 200]
    assert by_get.json()["data"]["instance_data"]["phone_connected"] is True


async def test_an_unknown_pair_and_none_at_all_are_403(waabot: Waabot) -> None:
    bot, other = waabot.account.paired_bot("bot"), waabot.account.paired_bot("other")
    assert refusal(await waabot.ask("POST", "/whatsapp/message", json={})) == REFUSALS["no pair"]
    crossed = {**pair(bot), "access_token": other.access_token}
    for wrong in (crossed, {"session_id": "x", "access_token": "y"}, {"session_id": bot.session_id}):
        assert refusal(await waabot.ask("POST", "/whatsapp/message", json=wrong)) == REFUSALS["unknown pair"]
    assert waabot.emulator.network.total() == 0


async def test_json_that_is_not_said_to_be_json_is_one_odd_key(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    form = {"content-type": "application/x-www-form-urlencoded"}
    body = httpx.Request("POST", "http://x", json=pair(bot)).content
    answer = await waabot.ask("POST", "/whatsapp/init", content=body, headers=form)
    assert refusal(answer) == REFUSALS["no pair"]
    assert refusal(await waabot.ask("POST", "/whatsapp/init", content=body)) == REFUSALS["no pair"]
    assert (await waabot.ask("POST", "/whatsapp/init", data=pair(bot))).status_code == 200


async def test_an_expired_bearer_with_x_refresh_gets_a_new_one_and_its_answer(waabot: Waabot) -> None:
    settings = waabot.emulator.settings
    refresh = {"x-refresh": settings.waabot_refresh_token}
    assert "x-access-token" not in (await waabot.ask("GET", "/whatsapp", headers=refresh)).headers
    waabot.emulator.configure(waabot_token_expired=True)
    assert (await waabot.ask("GET", "/whatsapp")).status_code == 403
    # The vendor's samples send it empty.
    assert (await waabot.ask("GET", "/whatsapp", headers={"x-refresh": ""})).status_code == 403
    answer = await waabot.ask("GET", "/whatsapp", headers=refresh)
    assert answer.status_code == 200
    fresh = answer.headers["x-access-token"]
    assert (await waabot.ask("GET", "/whatsapp", fresh)).status_code == 200
    await waabot.emulator.advance(899)
    assert (await waabot.ask("GET", "/whatsapp", fresh)).status_code == 200
    await waabot.emulator.advance(1)
    assert (await waabot.ask("GET", "/whatsapp", fresh)).status_code == 403
    again = await waabot.ask("GET", "/whatsapp", fresh, headers=refresh)
    assert again.headers["x-access-token"] != fresh


async def test_a_new_bearer_comes_with_a_refusal_too(waabot: Waabot) -> None:
    waabot.emulator.configure(waabot_token_expired=True)
    refresh = {"x-refresh": waabot.emulator.settings.waabot_refresh_token}
    answer = await waabot.ask("POST", "/whatsapp/message", json={}, headers=refresh)
    assert refusal(answer) == REFUSALS["no pair"]
    assert "x-access-token" in answer.headers


@pytest.mark.parametrize("bearer", [None, "wrong"])
async def test_x_refresh_helps_nobody_whose_bearer_was_never_good(waabot: Waabot, bearer: str | None) -> None:
    refresh = {"x-refresh": waabot.emulator.settings.waabot_refresh_token}
    answer = await waabot.ask("GET", "/whatsapp", bearer, headers=refresh)
    assert (answer.status_code, answer.headers.get("x-access-token")) == (403, None)


async def test_a_session_that_was_left_renews_no_bearer(waabot: Waabot) -> None:
    settings = waabot.emulator.settings
    body = {"email": settings.waabot_email, "password": settings.waabot_password}
    tokens = (await waabot.ask("POST", "/sessions", None, json=body)).json()
    refresh = {"x-refresh": tokens["refreshToken"]}
    assert len((await waabot.ask("GET", "/sessions", tokens["accessToken"])).json()) == 2
    left = await waabot.ask("DELETE", "/sessions", tokens["accessToken"])
    assert (left.status_code, left.text) == (200, "OK")
    assert (await waabot.ask("GET", "/whatsapp", tokens["accessToken"], headers=refresh)).status_code == 200
    await waabot.emulator.advance(900)
    assert (await waabot.ask("GET", "/whatsapp", tokens["accessToken"], headers=refresh)).status_code == 403


async def test_a_bad_login_is_a_bare_text_and_an_empty_one_a_list(waabot: Waabot) -> None:
    wrong = {"email": waabot.emulator.settings.waabot_email, "password": "wrong"}
    answer = await waabot.ask("POST", "/sessions", None, json=wrong)
    assert [answer.status_code, answer.text] == LOGIN["bad password"]
    answer = await waabot.ask("POST", "/sessions", None, json={})
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "status": False,
            "message": "email is required",
            "error": ["email is required", "password is required"],
        },
    )


@pytest.mark.parametrize(
    "path", ["/whatsapp/INSTANCE", "/whatsapp/instance/", "/Whatsapp/Instance/", "/whatsapp/info"]
)
async def test_paths_are_taken_in_any_case_and_with_a_slash(waabot: Waabot, path: str) -> None:
    bot = waabot.account.paired_bot("bot")
    assert (await waabot.ask("GET", path, params=pair(bot))).status_code == 200


async def test_express_answers_for_itself_with_pages(waabot: Waabot) -> None:
    unknown = await waabot.ask("GET", "/whatsapp/<nothing>")
    broken = await waabot.ask(
        "POST", "/whatsapp/init", content=b'{"a":', headers={"content-type": "application/json"}
    )
    large = await waabot.ask("POST", "/whatsapp/init", json={"message": "x" * 102_400})
    answers = (unknown, broken, large)
    assert [answer.status_code for answer in answers] == [404, 400, 413]
    assert all("text/html" in answer.headers["content-type"] for answer in answers)
    assert "Cannot GET /api/v1/whatsapp/&lt;nothing&gt;" in unknown.text


async def test_the_secrets_are_not_among_the_settings_shown(waabot: Waabot) -> None:
    settings = waabot.emulator.settings
    shown = str(settings.as_dict())
    for secret in (settings.waabot_token, settings.waabot_refresh_token, settings.waabot_password):
        assert secret not in shown
