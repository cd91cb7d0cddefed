"""The WhatsCloud dialect answers as the product's pages show, field by field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.whatscloud_facts import Fact, facts
from tests.emulator.whatscloud_wire import WhatsCloud, differences

DOCUMENTED = [fact for name in ("errors", "resources", "messages") for fact in facts(name)]
#: The row of a template as two white labels show it.
TEMPLATE: dict[str, Any] = {
    "id": 11,
    "tenant_id": 13,
    "template_id": "123456789012345",
    "template_name": "order_confirmation",
    "language": "en_US",
    "status": "APPROVED",
    "category": "UTILITY",
    "header_data_format": "TEXT",
    "header_data_text": "Your order is confirmed",
    "header_params_count": 0,
    "body_data": "Hi {{1}}, your order {{2}} is confirmed.",
    "body_params_count": 2,
    "footer_data": "Thanks",
    "footer_params_count": 0,
    "buttons_data": (
        r'[{"type":"URL","text":"Buy","url":"https:\/\/example.com"},{"type":"QUICK_REPLY","text":"more"}]'
    ),
    "header_file_url": None,
    "header_variable_value": None,
    "body_variable_value": None,
    "template_type": None,
    "cards_json": None,
    "created_at": "",
    "updated_at": "",
}


@pytest.mark.parametrize("fact", DOCUMENTED, ids=lambda fact: fact["title"])
async def test_an_answer_is_as_documented(whatscloud: WhatsCloud, fact: Fact) -> None:
    whatscloud.emulator.configure(**fact.get("settings", {}))
    for method, path, body in fact.get("before", ()):
        await whatscloud.ask(method, path, body)
    who = {name: fact[name] for name in ("token", "tenant") if name in fact}
    answer = await whatscloud.ask(fact["method"], fact["path"], fact.get("body"), **who)
    assert answer.status_code == fact["status"], answer.text
    assert differences(fact["answer"], answer.json(), tuple(fact.get("guessed", ()))) == []


async def test_a_template_is_a_flat_row_with_its_buttons_as_a_text(whatscloud: WhatsCloud) -> None:
    row = whatscloud.tenant.add_template(
        "order_confirmation",
        body="Hi {{1}}, your order {{2}} is confirmed.",
        header="TEXT",
        header_text="Your order is confirmed",
        footer="Thanks",
        buttons=(
            {"type": "URL", "text": "Buy", "url": "https://example.com"},
            {"type": "QUICK_REPLY", "text": "more"},
        ),
    )
    answer = await whatscloud.ask("GET", f"/templates/{row['id']}")
    expected = {"status": "success", "data": {**TEMPLATE, "template_id": row["template_id"]}}
    assert differences(expected, answer.json()) == []
    assert json.loads(answer.json()["data"]["buttons_data"])[0]["url"] == "https://example.com"
