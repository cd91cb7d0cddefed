"""A report of all channels as a task: it only reports, or fails where a person has to do something."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from tests.hooks.world import World, context
from tests.operators.places import at_evolution
from whatsapp_provider.errors import UnhealthyError
from whatsapp_provider.hooks.health import ChannelHealth, TemplateHealth
from whatsapp_provider.operators import health
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.health import WhatsAppHealthReportOperator


def report(**fields: Any) -> tuple[Any, dict[str, Any]]:
    """Return what the task returns, or its error, and what it pushed."""
    pushed: dict[str, Any] = {}
    ti = context()["ti"]
    told = SimpleNamespace(**vars(ti), xcom_push=lambda key, value: pushed.update({key: value}))
    task = WhatsAppHealthReportOperator(task_id="look", **fields)
    try:
        return task.execute({"ti": told}), pushed
    except (UnhealthyError, WhatsAppTaskFailedError) as error:
        return error, pushed


def unlink(world: World) -> None:
    world.control("POST", "/unlink", {"channel_id": world.channel_id})


def test_it_reports_and_fails_for_nothing_it_was_not_told_of(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    unlink(world)
    told, pushed = report()
    assert (told["total"], told["states"], told["problems"]) == (1, {"waiting_for_pairing": 1}, [])
    assert pushed == {}
    assert "main: waiting_for_pairing (QR), trial, " in capsys.readouterr().out


@pytest.mark.parametrize(
    "fail_on", [{"waiting_for_pairing", "error"}, "error, waiting_for_pairing", "['waiting_for_pairing']"]
)
def test_a_channel_in_a_state_that_must_not_be_fails_it_and_the_report_is_kept(
    world: World, fail_on: Any
) -> None:
    unlink(world)
    error, pushed = report(fail_on=fail_on)
    assert isinstance(error, UnhealthyError)
    assert str(error) == "1 of 1 channels are not as they should be: main: waiting_for_pairing."
    assert pushed["report"]["problems"] == ["main: waiting_for_pairing"]
    assert json.loads(json.dumps(pushed)) == pushed


def test_a_connected_channel_is_as_it_should_be_and_its_number_masked(world: World) -> None:
    told, _ = report(fail_on=["disconnected", "unknown"], min_days_left="5")
    [channel] = told["channels"]
    assert (channel["state"], channel["phone"], channel["mode"]) == ("connected", "…1000", "trial")
    assert "15550001000" not in json.dumps(told)


def test_too_few_days_left_fail_it(world: World) -> None:
    error, _ = report(min_days_left=7)
    assert isinstance(error, UnhealthyError)
    assert "main: 6 days left." in str(error)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"fail_on": ["discconected"]}, "no 'discconected'; it takes connected, disconnected"),
        ({"min_days_left": "soon"}, "number of days"),
        ({"min_days_left": "nan"}, "number of days"),
        ({"fail_on": 3}, "list of words"),
    ],
)
def test_a_typing_error_does_not_make_it_blind(world: World, fields: dict[str, Any], told: str) -> None:
    error, _ = report(**fields)
    assert isinstance(error, WhatsAppTaskFailedError)
    assert told in str(error)
    assert world.asked("whapi") == 0


def test_a_paused_template_fails_it_where_it_must(world: World) -> None:
    official = at_evolution(world, integration="WHATSAPP-BUSINESS")
    row = {"id": "1", "name": "sale", "language": "en_US", "status": "PAUSED", "category": "UTILITY"}
    official.templates.append({**row, "components": []})
    told, _ = report()
    assert told["channels"][0]["templates"] == {"statuses": {"PAUSED": 1}, "paused": ["sale (en_US)"]}
    error, _ = report(fail_on="template_paused")
    assert "main: templates paused: sale (en_US)." in str(error)
    assert "templates" not in report(templates=False, fail_on="template_paused")[0]["channels"][0]


def test_of_a_crowd_those_with_problems_come_first_and_the_rest_is_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "MOST_TOLD", 2)
    for name in ("b", "c"):
        world.emulator.evolution.v2.paired(name)
    at_evolution(world, "lost").session.log_out()
    told, pushed = report(fail_on=["waiting_for_pairing", "disconnected", "initializing", "stopped"])
    assert isinstance(told, UnhealthyError)
    assert [channel["name"] for channel in pushed["report"]["channels"]] == ["lost", "b"]
    assert pushed["report"]["left_out"] == 1


def test_each_line_says_what_is_known() -> None:
    templates = TemplateHealth({"APPROVED": 2, "PAUSED": 1}, ("sale (en_US)",))
    one = ChannelHealth("X", "front", "connected", "AUTH", "…1000", "live", 2.5, templates)
    assert health._line(one, ["2.5 days left"]) == (
        "front: connected (AUTH), …1000, live, 2.5 days left, templates: 2 APPROVED, 1 PAUSED, paused: sale (en_US). "
        "Not as it should be: 2.5 days left."
    )
