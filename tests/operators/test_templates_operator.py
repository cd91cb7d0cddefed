"""Templates of the official API as a task: read, handed in once, and demanded before a campaign needs them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hooks.world import World, context
from tests.operators.places import at_evolution
from whatsapp_provider.errors import GatewayError, TemporarilyUnavailableError
from whatsapp_provider.operators import templates
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.templates import WhatsAppSyncTemplatesOperator

CREATE = "POST /evolution/v2/template/create"
READY = {
    "name": "order_ready",
    "category": "UTILITY",
    "language": "en_US",
    "components": [{"type": "BODY", "text": "Hi {{1}}, order {{2}} is ready."}],
}


@pytest.fixture
def there(world: World) -> list[dict[str, Any]]:
    """The templates that Meta has."""
    instance = at_evolution(world, integration="WHATSAPP-BUSINESS")
    for name, language, status in (
        ("news", "en_US", "APPROVED"),
        ("news", "pt_BR", "REJECTED"),
        ("sale", "en_US", "PAUSED"),
        ("soon", "en_US", "PENDING"),
    ):
        instance.templates.append({**READY, "id": name, "name": name, "language": language, "status": status})
    found: list[dict[str, Any]] = instance.templates
    return found


def sync(**fields: Any) -> dict[str, Any]:
    result: dict[str, Any] = WhatsAppSyncTemplatesOperator(task_id="sync", **fields).execute(context())
    return result


def names(result: dict[str, Any]) -> list[str]:
    return [f"{one['name']}/{one['language']}" for one in result["templates"]]


def test_all_are_told_with_what_they_take(there: Any) -> None:
    result = sync()
    assert (result["total"], result["created"]) == (4, [])
    assert result["statuses"] == {"APPROVED": 1, "PAUSED": 1, "PENDING": 1, "REJECTED": 1}
    assert result["templates"][0] == {
        "name": "news",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "header": None,
        "values": {"header": 0, "body": 2, "buttons": 0},
    }


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"names": ["news"]}, ["news/en_US", "news/pt_BR"]),
        ({"statuses": "approved, paused"}, ["news/en_US", "sale/en_US"]),
        ({"names": "news", "statuses": ["REJECTED"]}, ["news/pt_BR"]),
    ],
)
def test_names_and_statuses_choose_what_is_returned(
    there: Any, fields: dict[str, Any], told: list[str]
) -> None:
    result = sync(**fields)
    assert names(result) == told
    assert result["total"] == 4


def test_a_long_list_is_cut_and_said_to_be(there: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MOST_RETURNED", 3)
    result = sync()
    assert (len(result["templates"]), result["left_out"]) == (3, 1)


@pytest.mark.parametrize("require", [["news"], ["news/en_US"], "news, news/en_US"])
def test_what_is_approved_is_enough(there: Any, require: Any) -> None:
    assert sync(require=require)["total"] == 4


@pytest.mark.parametrize(
    ("require", "told"),
    [
        (["gone"], r"gone \(not there\)"),
        (["news/pt_BR"], r"news/pt_BR \(REJECTED\)"),
        (["news/de"], r"news/de \(not there\)"),
        (["sale", "soon"], r"sale \(PAUSED\); soon \(PENDING\)"),
    ],
)
def test_what_no_wait_brings_fails_for_good(there: Any, require: list[str], told: str) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match=f"TemplateError: .*{told}.*WhatsApp Manager"):
        sync(require=require)


def test_what_waits_for_its_approval_is_worth_a_retry(world: World, there: Any) -> None:
    with pytest.raises(TemporarilyUnavailableError, match=r"soon \(PENDING\).*retries"):
        sync(require=["soon"])
    there[3]["status"] = "APPROVED"
    assert sync(require=["soon"])["total"] == 4


def test_what_is_missing_is_handed_in_once(world: World, there: Any) -> None:
    definitions = [READY, {**READY, "name": "news"}]
    assert sync(definitions=definitions)["created"] == ["order_ready/en_US"]
    again = sync(definitions=definitions)
    assert (again["created"], again["total"]) == ([], 5)
    assert world.asked(CREATE) == 1


def test_a_creation_whose_answer_was_lost_is_found_and_not_repeated(world: World, there: Any) -> None:
    world.fault("deliver_then_status", status=502, method="POST", path="/template/create")
    assert sync(definitions=[READY])["created"] == ["order_ready/en_US"]
    assert sum(one["name"] == "order_ready" for one in there) == 1


def test_a_definition_that_meta_refuses_fails_with_its_reason(world: World, there: Any) -> None:
    with pytest.raises((GatewayError, WhatsAppTaskFailedError)):
        sync(definitions=[{**READY, "category": "FUN"}])
    assert len(there) == 4


@pytest.mark.parametrize(
    ("definitions", "told"),
    [
        ([READY, {"name": "x", "language": "en"}], "Definition 2 lacks category, components"),
        ("[{'name': 'x'}]", "list of mappings, not a str"),
        (["x"], "Definition 1 lacks name"),
    ],
)
def test_a_definition_in_another_form_is_refused_before_anything_is_asked(
    world: World, there: Any, definitions: Any, told: str
) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match=told):
        sync(definitions=definitions)
    assert world.asked("template") == 0
