"""Rows of the WhatsCloud dialect: pages, contacts and their rules, defaults."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.whatscloud_wire import WhatsCloud

PERSON: dict[str, Any] = {
    "firstname": "Ada",
    "phone": "+15550000001",
    "type": "lead",
    "source_id": 1,
    "status_id": 1,
}


async def people(whatscloud: WhatsCloud, count: int) -> None:
    for number in range(count):
        answer = await whatscloud.ask("POST", "/contacts", {**PERSON, "phone": f"+1555000{1000 + number}"})
        assert answer.status_code == 201, answer.text


async def ids(whatscloud: WhatsCloud, query: str) -> list[int]:
    data = (await whatscloud.ask("GET", f"/contacts{query}")).json()["data"]
    return [row["id"] for row in (data if isinstance(data, list) else data["data"])]


@pytest.mark.parametrize("shape", ["nested", "flat"])
async def test_a_page_has_15_rows_or_as_many_as_asked_up_to_100(whatscloud: WhatsCloud, shape: str) -> None:
    whatscloud.emulator.configure(whatscloud_page_shape=shape)
    await people(whatscloud, 101)
    assert await ids(whatscloud, "") == list(range(1, 16))
    assert await ids(whatscloud, "?page=2&per_page=10") == list(range(11, 21))
    assert len(await ids(whatscloud, "?per_page=500")) == 100
    assert await ids(whatscloud, "?page=9") == []


async def test_the_url_of_the_next_page_forgets_how_many_rows_were_asked_for(whatscloud: WhatsCloud) -> None:
    await people(whatscloud, 3)
    data = (await whatscloud.ask("GET", "/contacts?per_page=2")).json()["data"]
    assert data["next_page_url"] == "http://emulator/whatscloud/api/v1/acme/contacts?page=2"
    last = (await whatscloud.ask("GET", "/contacts?per_page=2&page=2")).json()["data"]
    assert (last["next_page_url"], last["from"], last["to"]) == (None, 3, 3)


async def test_contacts_can_be_narrowed(whatscloud: WhatsCloud) -> None:
    await people(whatscloud, 2)
    other = {"phone": "+15550000009", "type": "customer", "source_id": 2, "status_id": 3}
    await whatscloud.ask("POST", "/contacts", {**PERSON, **other})
    assert await ids(whatscloud, "?type=lead") == [1, 2]
    assert await ids(whatscloud, "?source_id=2") == [3]
    assert await ids(whatscloud, "?status_id=3&type=lead") == []


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"type": "guest"}, "type", "The selected type is invalid."),
        ({"source_id": None}, "source_id", "The source id field is required."),
        ({"status_id": "one"}, "status_id", "The status id field must be an integer."),
        ({"status_id": 9}, "status_id", "The selected status id is invalid."),
        ({"email": "ada"}, "email", "The email field must be a valid email address."),
        ({"phone": "+" + "1" * 20}, "phone", "The phone field must not be greater than 20 characters."),
        ({"firstname": ["Ada"]}, "firstname", "The firstname field must be a string."),
    ],
)
async def test_a_contact_that_breaks_a_rule_is_refused(
    whatscloud: WhatsCloud, change: dict[str, Any], field: str, sentence: str
) -> None:
    assert await whatscloud.complaints("/contacts", {**PERSON, **change}) == {field: sentence}


async def test_a_change_of_a_contact_wants_the_whole_person_and_not_another_ones_number(
    whatscloud: WhatsCloud,
) -> None:
    await people(whatscloud, 2)
    answer = await whatscloud.ask("PUT", "/contacts/1", {"firstname": "Ada"})
    assert sorted(answer.json()["errors"]) == ["lastname", "phone", "type"]
    whole = {"firstname": "Ada", "lastname": "L", "type": "lead", "phone": "+15550001001"}
    answer = await whatscloud.ask("PUT", "/contacts/1", whole)
    assert answer.json()["errors"] == {"phone": ["The phone has already been taken."]}
    answer = await whatscloud.ask("PUT", "/contacts/1", {**whole, "phone": "+15550001000"})
    assert answer.json()["data"]["source_id"] == 1


async def test_groups_are_named_with_commas_and_made_where_they_are_new(whatscloud: WhatsCloud) -> None:
    await whatscloud.ask("POST", "/groups", {"name": "vip"})
    answer = await whatscloud.ask("POST", "/contacts", {**PERSON, "groups": "new, vip ,"})
    assert answer.json()["data"]["group_id"] == [2, 1]
    assert [row["name"] for row in whatscloud.tenant.groups.rows.values()] == ["vip", "new"]


async def test_a_contact_that_got_another_number_or_was_deleted_is_no_longer_found_by_it(
    whatscloud: WhatsCloud,
) -> None:
    await people(whatscloud, 1)
    moved = {"firstname": "Ada", "lastname": "L", "type": "lead", "phone": "+15550009999"}
    await whatscloud.ask("PUT", "/contacts/1", moved)
    assert (await whatscloud.text(to="+15550001000")).json()["data"]["contact_created"]
    assert (await whatscloud.text(to="+15550009999")).json()["data"]["contact_id"] == 1
    await whatscloud.ask("DELETE", "/contacts/1")
    assert (await whatscloud.text(to="+15550009999")).json()["data"]["contact_created"]


async def test_a_plans_quota_holds_for_contacts_made_by_sends(whatscloud: WhatsCloud) -> None:
    whatscloud.emulator.configure(whatscloud_contact_limit=1)
    assert (await whatscloud.text()).status_code == 200
    assert (await whatscloud.text(to="+15550000002")).status_code == 403
    assert (await whatscloud.text()).status_code == 200
    assert whatscloud.emulator.network.counts() == {"15550000001": 2}


async def test_there_is_one_default_status(whatscloud: WhatsCloud) -> None:
    await whatscloud.ask("PUT", "/statuses/2", {"isdefault": True})
    rows = (await whatscloud.ask("GET", "/statuses")).json()["data"]["data"]
    assert [row["isdefault"] for row in rows] == [0, 1, 0]
    assert (await whatscloud.ask("DELETE", "/statuses/1")).status_code == 200
    assert (await whatscloud.ask("DELETE", "/statuses/2")).status_code == 400


@pytest.mark.parametrize("path", ["/contacts/abc", "/statuses/0", "/groups/99999999999"])
async def test_an_id_nobody_has_is_404(whatscloud: WhatsCloud, path: str) -> None:
    assert (await whatscloud.ask("GET", path)).status_code == 404


@pytest.mark.parametrize(
    ("phone", "valid"), [("+15550000001", True), ("5511900000000", True), ("123", False), ("hello", False)]
)
async def test_a_number_is_judged_by_its_form_alone_and_always_with_success(
    whatscloud: WhatsCloud, phone: str, valid: bool
) -> None:
    whatscloud.emulator.configure(numbers_without_whatsapp=frozenset({"15550000001"}))
    answer = await whatscloud.ask("POST", "/phone/validate", {"phone_number": phone})
    assert (answer.status_code, answer.json()["status"]) == (200, "success")
    assert answer.json()["data"]["format_valid"] is valid
