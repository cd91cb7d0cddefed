"""The partner's host: channels, projects, and the creation limit."""

from __future__ import annotations

import re

import pytest

from tests.emulator import wire_facts as facts
from tests.emulator.conftest import Wire

DAY_MS = 86_400_000


async def test_a_created_channel_has_the_keys_and_types_of_the_captured_one(wire: Wire) -> None:
    channel = await wire.create()
    assert facts.shape(channel) == facts.shape(facts.CREATED_CHANNEL)
    assert re.fullmatch(facts.CHANNEL_ID, channel["id"])
    assert re.fullmatch(facts.CHANNEL_TOKEN, channel["token"])
    assert re.fullmatch(facts.PROJECT_ID, channel["projectId"])
    assert (channel["apiUrl"], channel["mode"]) == ("https://gate.whapi.cloud/", "trial")


async def test_a_trial_channel_has_five_days_of_trial_and_is_active_for_six(wire: Wire) -> None:
    channel = await wire.create()
    assert channel["trial"] - channel["creationTS"] == 5 * DAY_MS
    assert channel["activeTill"] - channel["creationTS"] == 6 * DAY_MS


async def test_a_channel_is_found_again_with_its_token_in_the_captured_order_of_keys(wire: Wire) -> None:
    channel = await wire.create()
    found = (await wire.manager("GET", f"/channels/{channel['id']}")).json()
    assert list(found) == facts.LISTED_CHANNEL_KEYS
    assert found["token"] == channel["token"]


async def test_a_phone_given_at_creation_is_echoed_but_not_shown_later(wire: Wire) -> None:
    request = {"name": "a", "projectId": "default", "phone": "15550001234"}
    created = (await wire.manager("PUT", "/channels", json=request)).json()
    assert created["phone"] == "15550001234"
    assert "phone" not in (await wire.manager("GET", f"/channels/{created['id']}")).json()


async def test_the_twenty_first_channel_in_thirty_minutes_is_refused_until_the_window_resets(
    wire: Wire,
) -> None:
    for number in range(20):
        await wire.create(f"channel {number}")
    request = {"name": "one too many", "projectId": "default"}
    refused = await wire.manager("PUT", "/channels", json=request)
    assert refused.status_code == 429
    assert refused.json() == {"error": {"code": 429, "message": "Too Many Requests"}}
    assert "retry-after" not in refused.headers
    await wire.emulator.advance(1799)
    assert (await wire.manager("PUT", "/channels", json=request)).status_code == 429
    await wire.emulator.advance(1)
    assert (await wire.manager("PUT", "/channels", json=request)).status_code == 200


async def test_a_channel_in_an_unknown_project_is_404_and_does_not_count(wire: Wire) -> None:
    answer = await wire.manager("PUT", "/channels", json={"name": "a", "projectId": "k" * 20})
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "Specified project not found"
    wire.emulator.configure(creation_limit=1)
    await wire.create()


@pytest.mark.parametrize("missing", ["name", "projectId"])
async def test_a_channel_needs_a_name_and_a_project(wire: Wire, missing: str) -> None:
    request = {"name": "a", "projectId": "default"}
    del request[missing]
    answer = await wire.manager("PUT", "/channels", json=request)
    assert answer.status_code == 400
    assert missing in answer.json()["error"]["details"]


async def test_unknown_fields_of_a_request_are_ignored(wire: Wire) -> None:
    request = {"name": "a", "projectId": "default", "surprise": {"deep": 1}}
    channel = (await wire.manager("PUT", "/channels", json=request)).json()
    assert "surprise" not in channel


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_a_bad_partner_token_is_401(wire: Wire, token: str) -> None:
    answer = await wire.http.get("/whapi/manager/channels/list", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_the_partner_token_may_also_come_in_the_query(wire: Wire) -> None:
    path = f"/whapi/manager/projects?token={wire.emulator.partner_token}"
    assert (await wire.http.get(path)).status_code == 200


async def test_channels_are_listed_in_pages_and_by_project(wire: Wire) -> None:
    project = (await wire.manager("PUT", "/projects", json={"name": "Second"})).json()
    await wire.create("in the main one")
    request = {"name": "in the second", "projectId": project["id"]}
    await wire.manager("PUT", "/channels", json=request)
    everything = (await wire.manager("GET", "/channels/list?count=1&offset=1")).json()
    assert list(everything) == ["channels", "count", "total", "offset"]
    assert (everything["count"], everything["total"], everything["offset"]) == (1, 2, 1)
    second = (await wire.manager("GET", f"/channels/list/{project['id']}")).json()
    assert [channel["name"] for channel in second["channels"]] == ["in the second"]
    assert (await wire.manager("GET", f"/channels/list/{'k' * 20}")).status_code == 404
    assert (await wire.manager("GET", "/channels/list?count=501")).status_code == 400


async def test_a_deleted_channel_is_gone_on_both_hosts(wire: Wire) -> None:
    channel = await wire.create()
    await wire.emulator.advance(60)
    answer = await wire.manager("DELETE", f"/channels/{channel['id']}")
    assert answer.json() == facts.DELETED_CHANNEL
    assert (await wire.manager("GET", f"/channels/{channel['id']}")).status_code == 404
    assert (await wire.gate(channel["token"], "GET", "/health")).status_code == 404
    assert (await wire.manager("DELETE", f"/channels/{channel['id']}")).status_code == 404


async def test_a_renamed_channel_is_listed_by_its_new_name(wire: Wire) -> None:
    channel = await wire.create()
    answer = await wire.manager("PATCH", f"/channels/{channel['id']}", json={"name": "New"})
    assert answer.json() == {"success": True}
    assert (await wire.manager("GET", f"/channels/{channel['id']}")).json()["name"] == "New"


async def test_extending_adds_days_and_needs_a_comment(wire: Wire) -> None:
    channel = await wire.create()
    path = f"/channels/{channel['id']}/extend"
    assert (await wire.manager("POST", path, json={"days": 10})).status_code == 400
    answer = await wire.manager("POST", path, json={"days": 10, "comment": "Top-up"})
    assert answer.json() == {"success": True}
    after = (await wire.manager("GET", f"/channels/{channel['id']}")).json()
    assert after["activeTill"] - channel["activeTill"] == 10 * DAY_MS


async def test_a_live_channel_that_is_deleted_gives_its_days_back(wire: Wire) -> None:
    channel = await wire.create()
    path = f"/channels/{channel['id']}/mode"
    assert (await wire.manager("PATCH", path, json={"mode": "live"})).json() == {"success": True}
    assert (await wire.manager("PATCH", path, json={"mode": "free"})).status_code == 400
    answer = await wire.manager("DELETE", f"/channels/{channel['id']}")
    assert answer.json() == {"days": 6, "success": True}


@pytest.mark.parametrize("verb", ["start", "stop", "restart"])
async def test_a_channel_that_is_not_provisioned_can_not_be_moved(wire: Wire, verb: str) -> None:
    channel = await wire.create()
    answer = await wire.manager("POST", f"/channels/{channel['id']}/{verb}")
    assert answer.status_code == 503
    assert answer.json()["error"]["message"].startswith("The channel is not ready to be ")


async def test_the_account_begins_with_one_main_project(wire: Wire) -> None:
    page = (await wire.manager("GET", "/projects")).json()
    assert [project["isDefault"] for project in page["projects"]] == [True]
    assert {"id", "name", "ownerId", "creationTS", "users"} <= set(page["projects"][0])


async def test_projects_are_created_renamed_and_deleted(wire: Wire) -> None:
    project = (await wire.manager("PUT", "/projects", json={"name": "A"})).json()
    path = f"/projects/{project['id']}"
    assert (await wire.manager("PATCH", path, json={"name": "B"})).json() == {"success": True}
    assert (await wire.manager("GET", path)).json()["name"] == "B"
    assert (await wire.manager("DELETE", path)).json() == {"success": True}
    assert (await wire.manager("GET", path)).status_code == 404


async def test_partner_settings_are_kept(wire: Wire) -> None:
    path = "/partners/whapicloud/settings"
    assert (await wire.manager("PATCH", path, json={"days_limit": 30})).json() == {"success": True}
    assert (await wire.manager("GET", path)).json() == {"days_limit": 30}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/channels/news"),
        ("DELETE", "/channels/mantis-abcde"),
        ("POST", "/channels/x/start"),
        ("GET", "/channels/list/news"),
        ("GET", "/projects/news"),
    ],
)
async def test_an_id_of_another_form_is_a_wrong_parameter(wire: Wire, method: str, path: str) -> None:
    answer = await wire.manager(method, path)
    assert answer.status_code == 400
    assert answer.json() == {"error": {"code": 400, "message": "Wrong request parameters"}}


async def test_a_channel_cannot_be_created_in_or_moved_to_a_project_id_of_another_form(wire: Wire) -> None:
    request = {"name": "a", "projectId": "news"}
    assert (await wire.manager("PUT", "/channels", json=request)).status_code == 400
    channel = await wire.create()
    assert (await wire.manager("PATCH", f"/channels/{channel['id']}", json=request)).status_code == 400
