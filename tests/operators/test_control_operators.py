"""Campaigns are paused, resumed, cancelled and extended by tasks, and the tasks that send them follow."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred
from airflow.sdk import DAG

from tests.hooks.world import ADA, BOB, World, context
from whatsapp_provider.errors import CampaignCancelledError
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
from whatsapp_provider.operators.control import (
    WhatsAppControlCampaignOperator,
    WhatsAppExtendCampaignOperator,
)

EVE = "15550000003"


def sender(**fields: Any) -> WhatsAppSendCampaignOperator:
    values = {
        "task_id": "send",
        "audience": [{"phone": ADA, "name": "Ada"}, {"phone": BOB, "name": "Bob"}],
        "message": "Hello {{ name }}",
        "pace": "unlimited",
        "campaign_id": "spring",
        **fields,
    }
    return WhatsAppSendCampaignOperator(**values)


def run(operator: Any, **fields: Any) -> Any:
    found = context(**fields)
    operator.render_template_fields(found)
    return operator.execute(found)


def act(action: str, campaign: Any = "spring", **fields: Any) -> Any:
    of_context = {name: fields.pop(name) for name in ("dag_run", "chosen") if name in fields}
    operator = WhatsAppControlCampaignOperator(task_id=action, campaign=campaign, action=action, **fields)
    return run(operator, **of_context)


def refuse_one(world: World) -> None:
    refusal = {"error": {"message": "Forbidden to send to this recipient"}}
    world.fault("status", status=403, body=refusal, method="POST", path="/messages/", times=1)


@pytest.fixture
def half(world: World) -> Any:
    """What a task returned of a campaign of which one message was refused."""
    refuse_one(world)
    return run(sender(concurrency=1))


def done() -> list[tuple[str, str, str | None]]:
    ledger = open_ledger()
    seen = ledger.overview("spring")
    ledger.dispose()
    return [(one.action, one.by, one.note) for one in seen.done]


def test_a_pause_during_a_deferral_keeps_the_task_waiting_without_a_slot(
    world: World, half: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    act("resend", half)
    assert act("pause", half)["held_by"] == "dag/task/manual__1"
    for go in (
        run,
        lambda task: task.resume(context(), event={"status": "due"}),
    ):
        task = sender(deferrable=True)
        task.render_template_fields(context())
        with pytest.raises(TaskDeferred) as caught:
            go(task)
        path, arguments = caught.value.trigger.serialize()
        assert path == "whatsapp_provider.triggers.campaign.WhatsAppCampaignResumeTrigger"
        assert arguments == {"campaign_id": "spring", "poke_interval": 30.0}
        assert caught.value.method_name == "resume"
    assert "until somebody lets it go on, the slot is free" in capsys.readouterr().out
    assert len(world.received()) == 1
    act("resume", half)
    task = sender(deferrable=True)
    task.render_template_fields(context())
    assert task.resume(context(), event={"status": "due"})["sent"] == 2


def test_a_cancel_during_a_deferral_fails_the_task_at_once_and_for_good(world: World, half: Any) -> None:
    act("resend", half)
    assert act("cancel", half, note="wrong price") == {
        "campaign_id": "spring",
        "action": "cancel",
        "changed": True,
        "state": "cancelled",
        "held_by": None,
        "deliveries": 1,
    }
    task = sender(deferrable=True)
    task.render_template_fields(context())
    with pytest.raises(
        WhatsAppTaskFailedError, match=r"cancelled by dag/task/manual__1 \(wrong price\)"
    ) as ended:
        task.resume(context(), event={"status": "due"})
    assert isinstance(ended.value.__cause__, CampaignCancelledError)
    with pytest.raises(WhatsAppTaskFailedError):
        run(sender())
    assert len(world.received()) == 1


def test_after_its_deadline_the_task_succeeds_and_says_who_was_not_reached(
    world: World, half: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    act("resend", half)
    act("expire", half)
    report = run(sender())
    assert report["counts"] == {"accepted": 1, "expired": 1}
    assert "deadline has passed" in capsys.readouterr().out


def test_a_deadline_may_be_a_moment_to_come(world: World, half: Any) -> None:
    act("resend", half)
    later = datetime.now(UTC) + timedelta(hours=1)
    assert act("expire", half, at=later)["changed"]
    assert not act("expire", half, at=later.isoformat())["changed"]
    assert run(sender())["sent"] == 2


@pytest.mark.parametrize("at", ["", "None", "tomorrow", "2030-03-31T18:00"])
def test_an_unclear_deadline_ends_nothing(world: World, half: Any, at: str) -> None:
    act("resend", half)
    with pytest.raises(WhatsAppTaskFailedError, match="ISO text with its offset"):
        act("expire", half, at=at)
    assert run(sender())["sent"] == 2


def test_it_is_kept_who_did_it_and_why(world: World, half: Any) -> None:
    class Run:
        triggering_user_name = "ada"

    act("resend", half, dag_run=Run())
    act("pause", half, by="bob", note="{{ 'lunch' }}")
    assert done() == [("resend", "ada in dag/task/manual__1", None), ("pause", "bob", "lunch")]


def test_what_is_to_be_done_may_come_from_a_person(world: World, half: Any) -> None:
    operator = WhatsAppControlCampaignOperator(task_id="act", campaign="spring", action="{{ chosen }}")
    assert run(operator, chosen="resend")["deliveries"] == 1
    with pytest.raises(WhatsAppTaskFailedError, match="action must be one of"):
        run(
            WhatsAppControlCampaignOperator(task_id="a", campaign="spring", action="{{ chosen }}"), chosen="x"
        )


@pytest.mark.parametrize("campaign", [None, "", "None", {}, {"campaign_id": None}])
def test_no_campaign_is_no_other_campaign(world: World, half: Any, campaign: Any) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="campaign is what a task"):
        act("cancel", campaign)


def test_a_deadline_goes_with_nothing_else(world: World, half: Any) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="at goes with"):
        act("cancel", half, at="2030-01-01T00:00+00:00")


def test_the_action_may_be_the_output_of_a_task() -> None:
    with DAG("dag", schedule=None):
        asked = sender()
        operator = WhatsAppControlCampaignOperator(task_id="act", campaign="spring", action=asked.output)
    assert operator.upstream_task_ids == {"send"}


def test_a_wrong_action_is_refused_when_the_dag_is_read() -> None:
    with pytest.raises(ValueError, match="action must be one of"):
        WhatsAppControlCampaignOperator(task_id="a", campaign="spring", action="stop")


# -- extend ---------------------------------------------------------------------------------------


def extend(**fields: Any) -> Any:
    values = {
        "task_id": "extend",
        "campaign": "spring",
        "audience": [{"phone": EVE, "name": "Eve"}, {"phone": ADA, "name": "Ada"}],
        **fields,
    }
    return run(WhatsAppExtendCampaignOperator(**values))


def test_further_people_get_what_was_planned_and_those_before_nothing_again(world: World) -> None:
    report = run(sender(message="Hello {{ name }} of {{ year }}", variables={"year": "2030"}))
    added = extend(campaign=report)
    assert (added["deliveries"], added["state"]) == (1, "ready")
    assert extend()["deliveries"] == 0
    assert run(sender(message="Hello {{ name }} of {{ year }}", variables={"year": "2030"}))["total"] == 3
    assert sorted(world.received())[-1] == (EVE, "Hello Eve of 2030")
    assert len(world.received()) == 3


def test_who_is_added_is_not_kept_in_airflows_database(world: World) -> None:
    operator = WhatsAppExtendCampaignOperator(task_id="extend", campaign="spring", audience=[EVE])
    operator.render_template_fields(context())
    assert operator.audience.serialize() == "<1 rows>"
    run(sender())
    told = json.dumps(extend())
    assert EVE not in told


def test_a_row_that_lacks_a_value_adds_nobody(world: World) -> None:
    run(sender())
    with pytest.raises(WhatsAppTaskFailedError, match="row 2"):
        extend(audience=[{"phone": EVE, "name": "Eve"}, {"phone": "15550000004"}])
    assert world.ledger_rows()["wa_delivery"] == 2


def test_a_campaign_that_is_not_there_takes_nobody_in(world: World) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="no plan of campaign 'autumn'"):
        extend(campaign="autumn")
