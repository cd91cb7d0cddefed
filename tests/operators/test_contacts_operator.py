"""Contacts and their lists as tasks: there once, as the DAG says, however often the task runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.hooks.world import ADA, BOB, World, context
from tests.operators.places import at_whatscloud
from whatsapp_provider.errors import NotFoundError, WhatsAppError
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.contacts import (
    WhatsAppManageContactGroupOperator,
    WhatsAppManageContactOperator,
)

NEW = {"firstname": "Ada", "source": "Website"}
CREATE = {"method": "POST", "path": "/contacts$"}


@pytest.fixture
def tenant(world: World) -> Any:
    return at_whatscloud(world)


def contact(fields: Any = None, phone: str = f"+{ADA}", **options: Any) -> dict[str, Any]:
    task = WhatsAppManageContactOperator(task_id="contact", phone=phone, fields=fields, **options)
    result: dict[str, Any] = task.execute(context())
    return result


def group(name: str = "vip", **options: Any) -> dict[str, Any]:
    task = WhatsAppManageContactGroupOperator(task_id="group", name=name, **options)
    result: dict[str, Any] = task.execute(context())
    return result


def people(tenant: Any) -> list[tuple[str, str]]:
    return [(row["phone"].lstrip("+"), row["firstname"]) for row in tenant.contacts.rows.values()]


def lists(tenant: Any, kind: str = "groups") -> list[str]:
    return [row["name"] for row in getattr(tenant, kind).rows.values()]


def test_a_contact_is_created_once_and_nothing_of_the_person_is_told(
    tenant: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    first = contact({**NEW, "groups": ["vip"]})
    assert first == {"contact_id": first["contact_id"], "created": True, "changed": []}
    again = contact({**NEW, "groups": "vip"}, phone="+1 555 000 0001")
    assert again == {"contact_id": first["contact_id"], "created": False, "changed": []}
    assert people(tenant) == [(ADA, "Ada")]
    told = capsys.readouterr().out
    assert "Contact …0001: created." in told
    assert "Contact …0001: nothing to change." in told
    assert ADA not in told + json.dumps(first)
    assert "Ada" not in told


def test_what_differs_is_written_and_the_rest_stays(world: World, tenant: Any) -> None:
    contact({**NEW, "lastname": "Byron", "groups": ["vip"]})
    assert contact({"lastname": "Lovelace", "status": "Closed", "firstname": "Ada"})["changed"] == [
        "lastname",
        "status",
    ]
    [row] = tenant.contacts.rows.values()
    assert (row["lastname"], row["status_id"], row["source_id"], row["group_id"]) == ("Lovelace", 3, 2, [1])
    assert contact({"lastname": "Lovelace", "status": "3", "source": "Website"})["changed"] == []
    assert contact({"groups": ["vip", "press"]})["changed"] == ["groups"]
    assert contact({"groups": ["press", "vip"]})["changed"] == []
    assert world.asked("PUT /whatscloud") == 2


def test_one_that_is_there_can_be_kept_as_it_is(tenant: Any) -> None:
    contact({**NEW, "lastname": "Byron"})
    assert contact({"firstname": "Augusta"}, if_exists="keep")["changed"] == []
    assert people(tenant) == [(ADA, "Ada")]


def test_one_that_another_task_creates_meanwhile_is_adopted(world: World, tenant: Any) -> None:
    contact({**NEW, "lastname": "Byron"})
    # What the first look does not show: the other task is between it and the creation.
    nobody = {"status": "success", "data": {"data": [], "current_page": 1, "last_page": 1}}
    world.fault("status", status=200, body=nobody, method="GET", path="/contacts$")
    result = contact({"firstname": "Augusta", "source": "Website"})
    assert (result["created"], result["changed"]) == (False, ["firstname"])
    assert people(tenant) == [(ADA, "Augusta")]


def test_a_creation_whose_answer_was_lost_is_not_repeated(world: World, tenant: Any) -> None:
    world.fault("deliver_then_status", status=502, **CREATE)
    assert contact(NEW)["contact_id"] == "1"
    assert people(tenant) == [(ADA, "Ada")]
    assert world.asked("POST /whatscloud/api/v1/acme/contacts") == 1


def test_an_address_of_somebody_else_is_no_reason_to_change_them(tenant: Any) -> None:
    contact({**NEW, "email": "ada@example.com"})
    with pytest.raises(WhatsAppError, match="taken"):
        contact({**NEW, "email": "ada@example.com"}, phone=BOB)
    assert people(tenant) == [(ADA, "Ada")]


def test_a_contact_is_deleted_once(tenant: Any) -> None:
    contact(NEW)
    assert contact(state="absent") == {"contact_id": "1", "deleted": True}
    assert contact(state="absent") == {"contact_id": None, "deleted": False}
    assert people(tenant) == []


@pytest.mark.parametrize(
    ("fields", "options", "told"),
    [
        ({"name": "Ada"}, {}, "no 'name'; it has company"),
        ({"firstname": None}, {}, "'firstname' of a contact must be text"),
        ("{'firstname': 'Ada'}", {}, "fields is a str"),
        (NEW, {"phone": "nobody"}, "neither a phone number"),
        (NEW, {"phone": "120363000000000001@g.us"}, "id of a chat"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    world: World, tenant: Any, fields: Any, options: dict[str, str], told: str
) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match=told):
        contact(fields, **options)
    assert world.asked("whatscloud") == 0


def test_a_new_contact_needs_a_name(tenant: Any) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="a new one needs"):
        contact({"lastname": "Byron"})
    assert people(tenant) == []


def test_airflow_stores_the_end_of_the_number_and_the_names_of_the_fields() -> None:
    task = WhatsAppManageContactOperator(task_id="contact", phone=f"+{ADA}", fields={"firstname": "Ada"})
    task.render_template_fields({})
    assert (repr(task.phone), repr(task.fields)) == ("…0001", "<fields firstname>")


def test_a_group_is_created_once_and_deleted_once(world: World, tenant: Any) -> None:
    first = group()
    assert first == {"id": first["id"], "name": "vip", "created": True, "changed": False}
    assert group() == {**first, "created": False}
    assert lists(tenant) == ["vip"]
    assert group(state="absent") == {"id": first["id"], "name": "vip", "deleted": True}
    assert group(state="absent") == {"id": None, "name": "vip", "deleted": False}


def test_a_group_is_renamed_once(tenant: Any) -> None:
    group()
    assert group(new_name="press")["changed"] is True
    assert group(new_name="press") == {"id": "1", "name": "press", "created": False, "changed": False}
    assert lists(tenant) == ["press"]
    with pytest.raises(NotFoundError, match="none of groups called 'gone'"):
        group("gone", new_name="there")


def test_a_groups_creation_whose_answer_was_lost_is_not_repeated(world: World, tenant: Any) -> None:
    world.fault("deliver_then_status", status=502, method="POST", path="/groups$")
    assert group()["id"] == "1"
    assert lists(tenant) == ["vip"]


def test_statuses_have_a_colour_and_sources_none(tenant: Any) -> None:
    assert group("Paid", kind="statuses", color="#00FF00")["created"] is True
    assert group("Paid", kind="statuses", color="#00ff00")["changed"] is False
    assert group("Paid", kind="statuses", color="#0000FF")["changed"] is True
    assert lists(tenant, "statuses")[-1] == "Paid"
    assert group("Shop", kind="sources")["created"] is True
    with pytest.raises(WhatsAppTaskFailedError, match="Only statuses have a colour"):
        group("Fair", kind="sources", color="#00FF00")


@pytest.mark.parametrize("name", ["", " ", "None"])
def test_nothing_is_no_name(world: World, tenant: Any, name: str) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="name is empty"):
        group(name)
    assert world.asked("whatscloud") == 0
