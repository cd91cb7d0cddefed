"""A campaign is planned, looked at, approved, and sent as it was planned."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DownstreamTasksSkipped, TaskDeferred
from airflow.sdk import DAG

from tests.hooks.world import ADA, BOB, World, context
from whatsapp_provider.campaigns.ledger.states import CampaignState
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators.approval import WhatsAppApproveCampaignOperator
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
from whatsapp_provider.operators.plan import WhatsAppPlanCampaignOperator

ROWS = [{"phone": ADA, "name": "Ada"}, {"phone": BOB, "name": "Bob"}]
GREETED = [(ADA, "Hello Ada"), (BOB, "Hello Bob")]
APPROVED: dict[str, Any] = {
    "chosen_options": ["Approve"],
    "params_input": {},
    "responded_by_user": {"id": "7", "name": "maria"},
    "responded_at": datetime(2026, 1, 5, tzinfo=UTC),
    "timedout": False,
}


def plan(**fields: Any) -> WhatsAppPlanCampaignOperator:
    values = {
        "task_id": "plan",
        "audience": ROWS,
        "message": "Hello {{ name }}",
        "pace": "unlimited",
        **fields,
    }
    return WhatsAppPlanCampaignOperator(**values)


def send(campaign: Any, **fields: Any) -> WhatsAppSendCampaignOperator:
    return WhatsAppSendCampaignOperator(task_id="send", campaign=campaign, **fields)


def approval(campaign: Any, **fields: Any) -> WhatsAppApproveCampaignOperator:
    with DAG("dag", schedule=None):
        return WhatsAppApproveCampaignOperator(task_id="approve", campaign=campaign, **fields)


def run(operator: Any, **fields: Any) -> Any:
    found = context(**fields)
    operator.render_template_fields(found)
    return operator.execute(found)


def state_of(campaign_id: str) -> CampaignState | None:
    ledger = open_ledger()
    found = ledger.find(campaign_id)
    ledger.dispose()
    return found.state if found else None


def test_a_plan_sends_nothing_and_its_output_is_what_is_sent(world: World) -> None:
    report = run(plan(variables={"day": "Monday"}, message="{{ name }}, on {{ day }}"))
    assert world.received() == []
    assert (report["total"], report["left_out"], state_of(report["campaign_id"])) == (2, {}, "ready")
    sent = run(send(report))
    assert sent["counts"] == {"accepted": 2}
    assert sorted(world.received()) == [(ADA, "Ada, on Monday"), (BOB, "Bob, on Monday")]
    assert run(send(report["campaign_id"])) == sent
    assert len(world.received()) == 2


def test_the_preflight_report_names_nobody_and_the_log_shows_samples(world: World, capsys: Any) -> None:
    report = run(plan(prices={"1555": 0.5, "currency": "USD"}))
    told = json.dumps(report)
    assert not any(word in told for word in (ADA, BOB, "Ada", "Bob", "Hello"))
    assert report["cost"] == {"amount": 1.0, "currency": "USD", "unpriced": 0}
    assert report["channels"] == [f"whapi/{world.channel_id}"]
    log = capsys.readouterr().out
    assert "Hello Ada" in log
    assert ADA not in log


def test_the_forecast_names_the_limit_that_binds(world: World) -> None:
    rows = [{"phone": f"1555000{index:04d}", "name": "N"} for index in range(30)]
    report = run(plan(audience=rows, pace="cautious"))
    assert report["limit"] == "10 in 15 minutes"
    assert 1800 <= report["seconds"] <= 2100
    finish = datetime.fromisoformat(report["finish"])
    assert abs((finish - datetime.now(UTC)).total_seconds() - report["seconds"]) < 60


@pytest.mark.parametrize(
    ("thresholds", "why"),
    [
        ({"min_recipients": 3}, "2 recipients are fewer than min_recipients 3"),
        ({"max_recipients": 1}, "2 recipients are more than max_recipients 1"),
        ({"max_left_out": 0.2}, r"1 of 3 are left out \(33.3%\), more than max_left_out 20.0%"),
        ({"max_cost": 0.5}, "it would cost 1, more than max_cost 0.5"),
    ],
)
def test_a_plan_past_its_thresholds_is_refused_and_leaves_no_trace(
    world: World, thresholds: dict[str, float], why: str
) -> None:
    rows = [*ROWS, {"phone": "nobody", "name": "X"}]
    with pytest.raises(WhatsAppTaskFailedError, match=why):
        run(plan(audience=rows, on_invalid="skip", thresholds=thresholds, prices={"default": 0.5}))
    rows_left = world.ledger_rows()
    assert (rows_left["wa_campaign"], rows_left["wa_delivery"]) == (0, 0)


def test_a_plan_warns_of_a_deadline_that_comes_first_and_of_a_list_with_nobody_on_it(world: World) -> None:
    report = run(plan(expires_at="2020-01-01T00:00+00:00", suppression_lists=["pres"]))
    deadline, empty = report["warnings"]
    assert deadline.startswith("Its deadline, 2020-01-01 00:00 UTC, comes before it is done")
    assert empty == "Nobody is on the suppression list 'pres'; is it spelt right?"


def test_a_plan_that_was_not_begun_gives_way_to_another_text(world: World) -> None:
    run(plan(message="Hi {{ name }}"))
    report = run(plan())
    run(send(report))
    assert sorted(world.received()) == GREETED
    with pytest.raises(WhatsAppTaskFailedError, match="CampaignMismatchError"):
        run(plan(message="Bye {{ name }}"))


def test_a_plan_with_another_pace_or_an_approval_is_another_plan(world: World) -> None:
    run(plan())
    assert run(plan(needs_approval=True, pace="official"))["channels"]
    with pytest.raises(TaskDeferred):
        run(send("dag/task/manual__1", deferrable=True))
    assert world.received() == []
    assert world.ledger_rows()["wa_campaign"] == 1


def test_a_cleared_plan_of_a_campaign_under_way_tells_what_it_found_before(world: World) -> None:
    report = run(plan())
    run(send(report))
    assert run(plan()) == report


def test_a_campaign_that_needs_approval_waits_for_it(world: World) -> None:
    report = run(plan(needs_approval=True))
    with pytest.raises(TaskDeferred):
        run(send(report, deferrable=True))
    assert world.received() == []
    gate = approval(report)
    gate.execute_complete(context(), APPROVED)
    assert sorted(run(send(report, deferrable=True))["counts"]) == ["accepted"]
    assert sorted(world.received()) == GREETED
    assert run(approval(report)) == {"chosen_options": ["Approve"], "approved_by": "maria"}


def test_a_plan_that_was_turned_down_is_removed(world: World) -> None:
    report = run(plan(needs_approval=True))
    approval(report).execute_complete(context(), {**APPROVED, "chosen_options": ["Reject"]})
    assert state_of(report["campaign_id"]) is None
    with pytest.raises(WhatsAppTaskFailedError, match="has no plan of campaign"):
        run(send(report))


def test_a_no_that_skips_what_follows_removes_the_plan(world: World) -> None:
    report = run(plan(needs_approval=True))
    with DAG("dag", schedule=None):
        gate = WhatsAppApproveCampaignOperator(task_id="approve", campaign=report)
        gate >> send(report)
    found = context()
    found["ti"].xcom_push = lambda **_: None
    with pytest.raises(DownstreamTasksSkipped):
        gate.execute_complete({**found, "task": gate}, {**APPROVED, "chosen_options": ["Reject"]})
    assert state_of(report["campaign_id"]) is None


def test_an_answer_counts_for_the_plan_that_was_shown_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(_operator: Any, _context: Any) -> None:
        raise TaskDeferred(trigger=None, method_name="execute_complete")

    report = run(plan(needs_approval=True))
    monkeypatch.setattr("airflow.providers.standard.operators.hitl.HITLOperator.execute", wait)
    with pytest.raises(TaskDeferred) as asked:
        run(approval(report))
    assert asked.value.kwargs is not None
    again = run(plan(needs_approval=True, message="Bye {{ name }}"))
    with pytest.raises(WhatsAppTaskFailedError, match="was planned anew since it was shown"):
        approval(report).execute_complete(context(), APPROVED, **asked.value.kwargs)
    with pytest.raises(TaskDeferred):
        run(send(again, deferrable=True))
    assert world.received() == []
    with pytest.raises(TaskDeferred) as asked:
        run(approval(again))
    assert asked.value.kwargs is not None
    approval(again).execute_complete(context(), APPROVED, **asked.value.kwargs)
    run(send(again))
    assert len(world.received()) == 2


def test_what_people_approve_is_shown_without_names(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    report = run(plan(needs_approval=True, variables={"day": "Monday"}))
    gate = approval(report, body="Ask sales first.")
    asked: list[str] = []
    # What Airflow does next needs its server.
    monkeypatch.setattr(
        "airflow.providers.standard.operators.hitl.HITLOperator.execute",
        lambda operator, _context: asked.append(f"{operator.subject}\n{operator.body}"),
    )
    run(gate)
    (shown,) = asked
    assert report["campaign_id"] in shown
    assert f"**2 recipients** through `whapi/{world.channel_id}`" in shown
    assert "> Hello {{ name }}" in shown
    assert "`day` = Monday" in shown
    assert "Ask sales first." in shown
    assert not any(word in shown for word in (ADA, BOB, "Ada", "Bob"))


def test_a_task_that_sends_says_what_it_sends(world: World) -> None:
    with pytest.raises(ValueError, match="Give audience and message, or campaign"):
        WhatsAppSendCampaignOperator(task_id="send")
    with pytest.raises(ValueError, match="leave them out here"):
        WhatsAppSendCampaignOperator(task_id="send", campaign="x", message="y", audience=ROWS)
    with pytest.raises(WhatsAppTaskFailedError, match="has no plan of campaign 'spring'"):
        run(send("spring"))
    with pytest.raises(WhatsAppTaskFailedError, match="this is nothing"):
        run(send("None"))


@pytest.mark.parametrize("value", ["tomorrow", "2030-03-31T18:00:00", "{{ 7 }}"])
def test_a_deadline_needs_its_offset(world: World, value: str) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="ISO text with its offset"):
        run(plan(expires_at=value))


def test_after_its_deadline_a_campaign_ends_with_a_warning(world: World, capsys: Any) -> None:
    report = run(plan(expires_at="2020-01-01T00:00:00+00:00"))
    sent = run(send(report))
    assert sent["counts"] == {"expired": 2}
    assert world.received() == []
    assert "deadline has passed" in capsys.readouterr().out


def test_a_connection_that_leads_elsewhere_by_now_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = run(plan())
    monkeypatch.setattr("whatsapp_provider.model.ChannelRef.key", lambda *_: "whapi/OTHER")
    with pytest.raises(
        WhatsAppTaskFailedError, match=f"led to 'whapi/{world.channel_id}' when the campaign was planned"
    ):
        run(send(report))


def test_a_file_that_is_not_there_refuses_the_plan(world: World, tmp_path: Path) -> None:
    image = {"kind": "image", "media": {"url": "http://10.0.0.7/{{ name }}.png"}}
    with pytest.raises(WhatsAppTaskFailedError, match="is refused; it is removed"):
        run(plan(message=image))
    assert world.ledger_rows()["wa_campaign"] == 0
    report = run(plan(message=image, media="warn"))
    assert len(report["warnings"]) == 2
