"""Templates at the emulated server: what Meta takes, what it refuses and how, and what phones show."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.evolution_wire import TO, Evolution

COMPONENTS = [
    {"type": "HEADER", "format": "IMAGE"},
    {"type": "BODY", "text": "Hello {{1}}, your order {{2}} is on its way."},
    {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Follow", "url": "https://a.example/{{1}}"}]},
]
HEADER = {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://a.example/i.png"}}]}
BODY = {"type": "body", "parameters": [{"type": "text", "text": "Ada"}, {"type": "text", "text": "47"}]}
BUTTON = {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "47"}]}
NAMED = [{"type": "BODY", "text": "Hello {{who}}"}]


async def send(evolution: Evolution, *components: dict[str, Any], name: str = "update", **body: Any) -> Any:
    """Send a template, and return Meta's code, or the message's id."""
    wanted = {"number": TO, "name": name, "language": "en_US", "components": list(components), **body}
    answer = await evolution.ask("POST", "/message/sendTemplate/biz", json=wanted)
    assert answer.status_code == 201
    told = answer.json()
    return told["code"] if "code" in told else told["key"]["id"]


@pytest.fixture
def instance(evolution: Evolution) -> Any:
    made = evolution.server.paired("biz", integration="WHATSAPP-BUSINESS")
    for name, components in (("update", COMPONENTS), ("named", NAMED)):
        made.add_template(
            {"name": name, "language": "en_US", "category": "UTILITY", "components": components}
        )
    return made


async def test_the_phone_shows_the_body_with_the_values(evolution: Evolution, instance: Any) -> None:
    sent = await send(evolution, HEADER, BODY, BUTTON)
    [entry] = evolution.emulator.network.received(TO)
    assert (entry.kind, entry.text) == ("template", "Hello Ada, your order 47 is on its way.")
    assert entry.message_id == sent
    value = {"type": "text", "parameter_name": "who", "text": "Bea"}
    await send(evolution, {"type": "body", "parameters": [value]}, name="named")
    assert evolution.emulator.network.received(TO)[-1].text == "Hello Bea"


@pytest.mark.parametrize(
    ("name", "components", "code"),
    [
        ("update", [HEADER, {**BODY, "parameters": BODY["parameters"][:1]}, BUTTON], 132000),
        ("update", [HEADER, BUTTON], 132000),
        ("update", [BODY, BUTTON], 132012),
        ("update", [{**HEADER, "parameters": [{"type": "video", "video": {}}]}, BODY, BUTTON], 132012),
        ("update", [HEADER, BODY], 131008),
        ("update", [HEADER, BODY, {**BUTTON, "sub_type": "copy_code"}], 131008),
        ("named", [{"type": "body", "parameters": [{"type": "text", "text": "x"}]}], 100),
        ("other", [], 132001),
    ],
)
async def test_what_does_not_fit_is_refused_with_metas_code_in_a_201(
    evolution: Evolution, instance: Any, name: str, components: list[Any], code: int
) -> None:
    assert await send(evolution, *components, name=name) == code
    assert evolution.emulator.network.total() == 0


@pytest.mark.parametrize(
    ("status", "code"), [("PENDING", 132001), ("REJECTED", 132001), ("PAUSED", 132015), ("DISABLED", 132016)]
)
async def test_a_template_can_be_judged_and_approved_again(
    evolution: Evolution, instance: Any, status: str, code: int
) -> None:
    instance.judge_template("update", status)
    assert await send(evolution, HEADER, BODY, BUTTON) == code
    listed = (await evolution.ask("GET", "/template/find/biz")).json()
    assert [one["status"] for one in listed] == [status, "APPROVED"]
    instance.judge_template("update", "APPROVED")
    assert str(await send(evolution, HEADER, BODY, BUTTON)).startswith("wamid.")


async def test_a_template_that_was_judged_meanwhile_is_not_approved_by_the_clock(
    evolution: Evolution,
) -> None:
    instance = evolution.server.paired("biz", integration="WHATSAPP-BUSINESS")
    wanted = {"name": "a", "category": "UTILITY", "language": "en_US", "components": NAMED}
    assert (await evolution.ask("POST", "/template/create/biz", json=wanted)).status_code == 201
    instance.judge_template("a", "REJECTED")
    await evolution.emulator.advance(60)
    [listed] = (await evolution.ask("GET", "/template/find/biz")).json()
    assert listed["status"] == "REJECTED"
