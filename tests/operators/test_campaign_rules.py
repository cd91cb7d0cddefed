"""What a campaign's task is told besides text and audience holds: consent, columns, caps, hours, several channels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from tests.hooks.world import ADA, BOB, World, context
from whatsapp_provider.demo.gateways import connection_fields
from whatsapp_provider.errors import CampaignCancelledError, CampaignPausedError
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
from whatsapp_provider.operators.jobs import planned_job
from whatsapp_provider.operators.plan import WhatsAppPlanCampaignOperator

ROWS = [{"phone": ADA, "name": "Ada"}, {"phone": BOB, "name": "Bob"}]
TWO = [{"whatsapp_conn_id": "whatsapp_default"}, {"whatsapp_conn_id": "whatsapp_second"}]
WHAPI = {"method": "POST", "path": "/whapi/gate/messages/"}


def task(**fields: Any) -> WhatsAppSendCampaignOperator:
    values = {
        "task_id": "send",
        "audience": ROWS,
        "message": "Hello {{ name }}",
        "pace": "unlimited",
        **fields,
    }
    return WhatsAppSendCampaignOperator(**values)


def run(operator: Any, **fields: Any) -> Any:
    found = context(**fields)
    operator.render_template_fields(found)
    return operator.execute(found)


def people(count: int) -> list[dict[str, str]]:
    return [{"phone": f"1555000{number:04d}", "name": f"N{number}"} for number in range(count)]


@pytest.fixture
def two(world: World) -> World:
    """A second connection, whose channel is on another gateway."""
    fields = connection_fields("whatscloud", world.facts)
    world.connect("whatsapp_second", **fields)
    return world


def test_who_did_not_agree_is_left_out_and_listed(world: World) -> None:
    rows = [{**ROWS[0], "ok": "yes"}, {**ROWS[1], "ok": ""}]
    report = run(task(audience=rows, consent="ok"))
    assert world.received() == [(ADA, "Hello Ada")]
    assert (report["counts"], report["left_out"]) == ({"accepted": 1, "suppressed": 1}, {"no_consent": 1})


def test_an_unclear_consent_sends_nothing(world: World) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="neither yes nor no"):
        run(task(audience=[{**ROWS[0], "ok": "perhaps"}], consent="ok"))
    assert world.received() == []


def test_columns_are_called_as_the_message_calls_them(world: World) -> None:
    rows = [{"mobile": ADA, "first_name": "Ada"}]
    run(task(audience=rows, columns={"phone": "mobile", "name": "first_name"}))
    assert world.received() == [(ADA, "Hello Ada")]


def test_whoever_had_enough_of_all_campaigns_is_left_out(world: World) -> None:
    run(task(audience=ROWS[:1]), run_id="one")
    report = run(task(frequency_cap={"messages": 1, "days": 7}), run_id="two")
    assert world.received() == [(ADA, "Hello Ada"), (BOB, "Hello Bob")]
    assert report["left_out"] == {"frequency_cap": 1}


def test_a_stop_by_another_form_of_a_person_counts(world: World) -> None:
    ledger = open_ledger()
    ledger.record_inbound(f"whapi/{world.channel_id}", sender="123456789012345@lid", text="STOP")
    ledger.dispose()
    rows = [{**ROWS[0], "lid": "123456789012345@lid"}, {**ROWS[1], "lid": ""}]
    run(task(audience=rows, aliases={"lid": "lid"}))
    assert world.received() == [(BOB, "Hello Bob")]


def test_outside_of_its_hours_a_campaign_gives_its_slot_back(world: World) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    calendar = {"time_zone": "UTC", "days": f"{tomorrow:%a}".lower(), "hours": "00:00-24:00"}
    with pytest.raises(TaskDeferred):
        run(task(calendar=calendar, deferrable=True))
    assert world.received() == []


def test_people_whose_night_it_is_wait_and_the_others_do_not(world: World) -> None:
    now = datetime.now(UTC)
    # Brazil's hour, and half an hour about it.
    there = now - timedelta(hours=3)
    quiet = f"{there - timedelta(minutes=30):%H:%M}-{there + timedelta(minutes=30):%H:%M}"
    rows = [{"phone": "5511900000001", "name": "Rui"}, {"phone": "4915550000001", "name": "Eva"}]
    with pytest.raises(TaskDeferred):
        run(task(audience=rows, quiet_hours=quiet, deferrable=True))
    assert world.received() == [("4915550000001", "Hello Eva")]


def test_one_campaign_goes_over_two_gateways_and_people_keep_the_number_they_know(two: World) -> None:
    audience = people(12)
    report = run(task(audience=audience, channels=TWO), run_id="one")
    assert report["counts"] == {"accepted": 12}
    assert sorted(share["sent"] > 0 for share in report["channels"].values()) == [True, True]
    first = senders(two)
    run(task(audience=audience, channels=TWO, message="Again {{ name }}"), run_id="two")
    assert senders(two) == first
    assert len(two.received()) == 24


def senders(world: World) -> dict[str, str]:
    """Return through which channel each phone got its last message."""
    query = "SELECT d.recipient, l.channel FROM wa_delivery d JOIN wa_lane l ON l.id = d.lane ORDER BY d.id"
    return dict(world.ledger_text(query))


def test_what_a_broken_channel_has_not_sent_goes_through_the_other(two: World) -> None:
    two.fault("status", status=401, times=None, **WHAPI)
    report = run(task(audience=people(12), channels=TWO))
    assert report["counts"] == {"accepted": 12}
    assert len(two.received()) == 12


def test_without_failover_people_wait_for_the_number_they_know(two: World) -> None:
    two.fault("status", status=401, times=None, **WHAPI)
    with pytest.raises((CampaignPausedError, WhatsAppTaskFailedError), match="recipients left"):
        # So many that no channel gets none of them by chance: who goes where is told by a hash.
        run(task(audience=people(30), channels=TWO, failover=False))
    assert 0 < len(two.received()) < 30


@pytest.mark.parametrize(
    ("channels", "why"),
    [
        ([], "must be a list of channels"),
        ("main", "must be a list of channels"),
        ([{"whatsapp_conn_id": "whatsapp_default"}] * 2, "names one channel twice"),
        ([{"whatsapp_conn_id": "whatsapp_default", "chanel": "x"}], "chanel is unknown"),
        ([{"whatsapp_conn_id": "whatsapp_default", "weight": 0}], "weight must be a number above 0"),
        ([{"chanel": "x"}], "chanel is unknown"),
        ([{"channel": "x", "weight": 0}], "weight must be a number above 0"),
        ([{"weight": 2}], "names no channel"),
        (["{{ none }}"], "names no channel"),
    ],
)
def test_channels_that_can_not_be_are_refused_before_anything_is_sent(
    two: World, channels: Any, why: str
) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match=why):
        run(task(channels=channels))
    assert two.received() == []


def test_a_channel_of_the_tasks_own_connection_takes_a_weight(two: World) -> None:
    channels = [{"channel": two.channel_id, "weight": 3}, TWO[1]]
    assert run(task(audience=people(4), channels=channels))["counts"] == {"accepted": 4}


def test_what_was_planned_keeps_the_weights_of_its_channels(two: World) -> None:
    channels = [{"channel": two.channel_id, "weight": 3}, TWO[1]]
    report = run(WhatsAppPlanCampaignOperator(task_id="plan", audience=ROWS, message="Hi", channels=channels))
    ledger = open_ledger()
    job = planned_job(ledger, report, 1, "hold")
    ledger.dispose()
    assert [reach.weight for reach in job.everywhere] == [3.0, 1.0]


def test_people_are_told_when_a_campaign_pauses_itself(world: World) -> None:
    world.fault("status", status=502, times=None, **WHAPI)
    told: list[str] = []
    with pytest.raises(CampaignPausedError):
        run(task(audience=people(9), concurrency=1, on_paused=lambda found: told.append(found["reason"])))
    (reason,) = told
    assert "5 sends in a row got no answer" in reason
    assert "1555" not in reason


def test_a_cancelled_campaign_fails_its_task_for_good(world: World) -> None:
    from whatsapp_provider.campaigns.ledger.control import By

    with pytest.raises(TaskDeferred):
        run(task(audience=people(30), pace={"per_day": 2}, deferrable=True, campaign_id="spring"))
    ledger = open_ledger()
    ledger.cancel("spring", By("maria"))
    ledger.dispose()
    operator = task(audience=people(30), pace={"per_day": 2}, deferrable=True, campaign_id="spring")
    operator.render_template_fields(context())
    with pytest.raises(WhatsAppTaskFailedError, match="was cancelled") as caught:
        operator.resume(context(), event={"status": "due"})
    assert isinstance(caught.value.__cause__, CampaignCancelledError)
    assert len(world.received()) == 2
