"""Who gets in: paths, tokens, the switch, abilities, and the limit of requests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.whatscloud_wire import WhatsCloud

RESOURCES = ("contacts", "statuses", "sources", "groups")
DONE = {"POST": "create", "GET": "read", "PUT": "update", "DELETE": "delete"}
#: The permissions that the vendor's page lists, and a call of each.
ABILITIES = [
    *((f"{name}.{done}", method, f"/{name}" + ("" if method in ("POST", "GET") else "/1"))
      for name in RESOURCES for method, done in DONE.items()),
    *((f"{name}.read", "GET", f"/{name}/1") for name in ("templates", "templatebots", "messagebots")),
    ("messages.send_text", "POST", "/messages/send"),
    ("messages.send_media", "POST", "/messages/media"),
    ("messages.send_template", "POST", "/messages/template"),
]  # fmt: skip


def test_there_are_the_22_abilities_of_the_vendors_page() -> None:
    assert len({ability for ability, _method, _path in ABILITIES}) == 22


@pytest.mark.parametrize(("ability", "method", "path"), ABILITIES)
async def test_a_call_needs_its_own_ability_and_no_other(
    whatscloud: WhatsCloud, ability: str, method: str, path: str
) -> None:
    whatscloud.tenant.forbid(*({one for one, _method, _path in ABILITIES} - {ability}))
    assert (await whatscloud.ask(method, path, {})).status_code != 403
    whatscloud.tenant.forbid(ability)
    answer = await whatscloud.ask(method, path, {})
    assert answer.status_code == 403
    assert answer.json()["message"] == f"Token does not have the required ability: {ability}"


async def test_any_way_of_sending_reads_statuses(whatscloud: WhatsCloud) -> None:
    whatscloud.tenant.forbid("messages.send_text", "messages.send_media")
    assert (await whatscloud.ask("GET", "/messages/x/status")).status_code == 404
    whatscloud.tenant.forbid("messages.send_text", "messages.send_media", "messages.send_template")
    assert (await whatscloud.ask("GET", "/messages/x/status")).status_code == 403


async def test_access_can_be_switched_off(whatscloud: WhatsCloud) -> None:
    whatscloud.emulator.configure(whatscloud_api_access=False)
    answer = await whatscloud.ask("GET", "/contacts")
    assert (answer.status_code, answer.json()["status"]) == (403, "error")


async def test_a_token_in_the_query_is_none(whatscloud: WhatsCloud) -> None:
    token = whatscloud.emulator.settings.whatscloud_token
    answer = await whatscloud.ask("GET", f"/contacts?token={token}", token=None)
    assert answer.json()["message"] == "API token is required"


async def test_a_path_nobody_has_is_answered_by_the_framework(whatscloud: WhatsCloud) -> None:
    answer = await whatscloud.ask("GET", "/campaigns")
    assert (answer.status_code, list(answer.json())) == (404, ["message"])
    answer = await whatscloud.ask("GET", "/messages/send")
    assert answer.status_code == 405
    assert answer.json()["message"].endswith("Supported methods: POST.")


async def test_whoever_accepts_no_json_gets_a_page_from_the_framework(whatscloud: WhatsCloud) -> None:
    answer = await whatscloud.ask("GET", "/campaigns", headers={"accept": "*/*"})
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("form", "body", "header"),
    [
        ("body", {"message": "Too many requests", "retry_after": 40}, None),
        ("header", {"message": "Too Many Attempts."}, "40"),
        ("both", {"message": "Too many requests", "retry_after": 40}, "40"),
    ],
)
async def test_the_limit_holds_for_a_minute_from_the_first_request(
    whatscloud: WhatsCloud, form: str, body: dict[str, Any], header: str | None
) -> None:
    whatscloud.emulator.configure(whatscloud_rate_limit=2, whatscloud_rate_limit_form=form)
    assert (await whatscloud.ask("GET", "/contacts")).headers["x-ratelimit-remaining"] == "1"
    await whatscloud.emulator.advance(20)
    assert (await whatscloud.ask("GET", "/contacts/1")).headers["x-ratelimit-remaining"] == "0"
    answer = await whatscloud.ask("GET", "/contacts")
    assert (answer.status_code, answer.json(), answer.headers.get("retry-after")) == (429, body, header)
    await whatscloud.emulator.advance(40)
    assert (await whatscloud.ask("GET", "/contacts")).status_code == 200


async def test_by_default_there_is_no_limit(whatscloud: WhatsCloud) -> None:
    answers = [await whatscloud.ask("GET", "/sources") for _ in range(100)]
    assert {answer.status_code for answer in answers} == {200}


async def test_neither_token_nor_secret_is_shown_by_the_control_api(whatscloud: WhatsCloud) -> None:
    whatscloud.emulator.configure(whatscloud_webhook_secret="a-secret")
    shown = (await whatscloud.http.get("/_emulator/settings")).text
    assert whatscloud.emulator.settings.whatscloud_token not in shown
    assert "a-secret" not in shown
