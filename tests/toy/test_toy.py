"""A gateway that the package has never heard of works everywhere as soon as it has a line of the registry."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests import docs_matrix
from tests.hooks.world import ADA, BOB, CONN_ID, World, context, world
from tests.test_architecture import GATEWAY_PARTS, within
from tests.toy.line import TOY, register
from whatsapp_provider.cli.doctor.connection import look_at_connection
from whatsapp_provider.cli.doctor.findings import Topic, Verdict
from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.get_provider_info import get_provider_info
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
from whatsapp_provider.operators.channel import WhatsAppCreateChannelOperator
from whatsapp_provider.operators.message import WhatsAppSendMessageOperator

__all__ = ["world"]

ROWS = [{"phone": ADA, "name": "Ada"}, {"phone": BOB, "name": "Bob"}]
PICTURE = {"kind": "image", "media": {"url": "https://example.com/x.png"}, "caption": "Look, {{ name }}"}


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch)


@pytest.fixture
def connected(world: World) -> World:
    """A connection of the toy's type to a line that can send."""
    server: Any = world.emulator.world.accounts["toy"]
    line = server.paired("front desk")
    world.connect(
        conn_type="toy",
        host=world.facts["toy_url"],
        password=world.facts["toy_key"],
        extra={"line_id": line.id, "manager_url": None},
    )
    return world


def run(operator: Any) -> Any:
    found = context()
    operator.render_template_fields(found)
    return operator.execute(found)


def test_a_campaign_of_pictures_comes_to_everybody_once(connected: World) -> None:
    for _ in range(2):
        run(
            WhatsAppSendCampaignOperator(
                task_id="send", audience=ROWS, message=PICTURE, media="ignore", pace="unlimited"
            )
        )
    assert sorted(connected.received()) == [(ADA, "Look, Ada"), (BOB, "Look, Bob")]


def test_what_it_cannot_send_is_refused_by_name_before_anything_is_asked(connected: World) -> None:
    card = {"kind": "location", "latitude": 1.5, "longitude": 2.5}
    uploaded = {"kind": "image", "media": {"media_id": "7"}}
    for message, said in (
        (card, "'toy' can't send messages of kind 'location'"),
        (uploaded, "'toy' keeps no uploaded"),
    ):
        for operator in (
            WhatsAppSendMessageOperator(task_id="send", to=ADA, message=message),
            WhatsAppSendCampaignOperator(task_id="send", audience=ROWS, message=message, pace="unlimited"),
        ):
            with pytest.raises(WhatsAppTaskFailedError, match=said):
                run(operator)
    assert connected.asked("/toy") == 0


def test_a_channel_that_it_cannot_create_is_refused_with_what_to_do_instead(connected: World) -> None:
    with pytest.raises(
        WhatsAppTaskFailedError,
        match=r"'toy' can't create and delete channels\. Lines are ordered by letter\.",
    ):
        run(WhatsAppCreateChannelOperator(task_id="create", channel_name="desk"))
    assert connected.asked("/toy") == 0


def test_the_doctor_reaches_it(connected: World) -> None:
    found = list(look_at_connection(Topic("it"), CONN_ID, monotonic() + 20))
    assert {finding.verdict for finding in found} == {Verdict.OK}
    assert "Toy account with 1 lines" in found[2].found


def test_its_form_is_one_that_airflow_is_told_of() -> None:
    told = {entry["connection-type"] for entry in get_provider_info()["connection-types"]}
    assert told == {line.connection_type for line in GATEWAYS.values()}
    assert "toy" in told


def test_it_has_a_column_of_the_matrix_with_its_footnotes() -> None:
    told = docs_matrix.render([TOY])
    assert "| create and delete channels | no <sup>1</sup> |" in told
    assert "| send a picture | yes <sup>2</sup> |" in told
    assert "\n1. Toy: Lines are ordered by letter.\n" in told


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("whatsapp_provider."):
            yield from (f"{node.module}.{alias.name}".partition(".")[2] for alias in node.names)


def test_it_is_made_of_what_a_gateway_of_the_package_may_use() -> None:
    own = {
        "hook": ("hooks.whatsapp",),
        "dialect": ("emulator.asgi", "emulator.network", "emulator.world"),
    }
    shared = ("errors", "messages", "model", "http", "transport", *GATEWAY_PARTS)
    for path in Path(__file__).parent.glob("*.py"):
        if path.stem != "line" and not path.stem.startswith("test_"):
            allowed = own.get(path.stem, shared)
            assert not [name for name in imports(path) if not within(name, allowed)], path.name
