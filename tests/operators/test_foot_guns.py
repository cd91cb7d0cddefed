"""What happens if … : each test's docstring is a line of docs/what-happens-if.md. Those about tasks of Airflow."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException, AirflowTaskTimeout, TaskDeferred
from airflow.sdk import DAG

from tests.hooks.world import ADA, BOB, World, context
from tests.triggers.firing import first_event, rebuilt
from whatsapp_provider.errors import CampaignCancelledError, CampaignStoppedError
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators import running
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
from whatsapp_provider.operators.mapping import MANY
from whatsapp_provider.operators.message import WhatsAppSendMessageOperator
from whatsapp_provider.triggers.moment import WhatsAppMomentTrigger

SEND = {"method": "POST", "path": "/messages/"}
RECORDED = Path(__file__).parent.parent / "triggers" / "recorded"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def task(**fields: Any) -> WhatsAppSendCampaignOperator:
    values = {"task_id": "send", "audience": [ADA, BOB], "message": "Hi", "pace": "unlimited", **fields}
    return WhatsAppSendCampaignOperator(**values)


def run(operator: Any, **fields: Any) -> Any:
    found = context(**fields)
    operator.render_template_fields(found)
    return operator.execute(found)


def scheduled(due: timedelta, schedule: Any, run_type: str = "scheduled") -> dict[str, Any]:
    """What Airflow tells of a run that was due so long ago."""
    moment = datetime.now(UTC) - due
    values = dict.fromkeys(("data_interval_start", "data_interval_end", "logical_date", "run_after"), moment)
    dag = DAG("d", schedule=schedule, start_date=datetime(2020, 1, 1, tzinfo=UTC))
    return {"dag": dag, "dag_run": SimpleNamespace(run_type=run_type, **values)}


def control(act: str) -> None:
    from whatsapp_provider.campaigns.ledger.control import By

    ledger = open_ledger()
    getattr(ledger, act)("dag/task/manual__1", By("ada"))
    ledger.dispose()


def deferred(world: World) -> WhatsAppSendCampaignOperator:
    """A task that gave its slot back after its first message: the gateway asked it to wait."""
    told = {"status": 429, "headers": {"retry-after": "600"}}
    world.fault("status", **told, times=1, after=1, **SEND)
    operator = task(deferrable=True, concurrency=1)
    with pytest.raises(TaskDeferred):
        run(operator)
    assert len(world.received()) == 1
    # What the channel was told does not bear on what is tested here.
    world.ledger_write("UPDATE wa_channel SET quiet_until = NULL, next_at = NULL")
    world.ledger_write("UPDATE wa_delivery SET not_before = 0 WHERE not_before IS NOT NULL")
    return operator


@pytest.mark.parametrize("run_type", ["scheduled", "backfill"])
def test_catchup_and_backfill_of_old_intervals(world: World, run_type: str) -> None:
    """a DAG catches up or is backfilled for old intervals"""
    with pytest.raises(AirflowSkipException, match="Nothing is sent: this run was due"):
        run(task(), run_id="old", **scheduled(30 * DAY, "0 9 * * *", run_type))
    assert world.received() == []
    assert world.ledger_rows()["wa_campaign"] == 0
    assert run(task(), run_id="yesterday's", **scheduled(DAY, "0 9 * * *", run_type))["sent"] == 2
    everybody = task(max_staleness=None)
    assert run(everybody, run_id="meant", **scheduled(30 * DAY, "0 9 * * *", run_type))["sent"] == 2


def test_a_manual_rerun_of_an_old_run(world: World) -> None:
    """an old DAG run is run again"""
    then = scheduled(HOUR, "0 9 * * *")
    first = run(task(), run_id="of_then", **then)
    old = scheduled(90 * DAY, "0 9 * * *")
    assert run(task(), run_id="of_then", **old) == first
    with pytest.raises(AirflowSkipException):
        run(task(), run_id="never_ran", **old)
    assert len(world.received()) == 2


@pytest.mark.parametrize("how", ["campaigns", "messages"])
def test_a_mapped_task_for_each_recipient(world: World, capsys: pytest.CaptureFixture[str], how: str) -> None:
    """there is a mapped task for each recipient"""
    for index in (0, 1, MANY):
        to = f"1555000{index:04d}"
        operator: Any = WhatsAppSendMessageOperator(task_id="send", to=to, text="Hi")
        if how == "campaigns":
            operator = task(audience=[to], campaign_id="spring-{{ ti.map_index }}")
        run(operator, map_index=index)
        warned = "mapped tasks have one recipient each" in capsys.readouterr().out
        assert warned is (index == MANY)
    assert len(world.received()) == 3


def test_mapped_tasks_with_an_audience_each_and_one_campaign(world: World) -> None:
    """mapped tasks have an audience each and share the default campaign_id"""
    run(task(audience=[ADA]), map_index=0)
    with pytest.raises(WhatsAppTaskFailedError, match="another audience or template"):
        run(task(audience=[BOB]), map_index=1)
    assert world.received() == [(ADA, "Hi")]


def test_dagrun_timeout(world: World) -> None:
    """dagrun_timeout ends the run while the task waits or sends"""
    deferred(world)  # and is never resumed, because its run is over
    assert world.ledger_text("SELECT count(*) FROM wa_runner WHERE ended = 0") == [(0,)]
    assert run(task())["sent"] == 2
    assert len(world.received()) == 2


def test_execution_timeout_in_a_send(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """execution_timeout strikes in the midst of a send"""
    world.fault("delay", delay=1.0, times=1, **SEND)
    real, calls = running.wait, []

    def wait(*args: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise AirflowTaskTimeout("execution_timeout")
        return real(*args, **options)

    monkeypatch.setattr(running, "LOOK_SECONDS", 0.3)
    monkeypatch.setattr(running, "wait", wait)
    with pytest.raises(AirflowTaskTimeout):
        run(task(concurrency=1))
    assert world.ledger_text("SELECT state FROM wa_delivery ORDER BY seq") == [("accepted",), ("planned",)]
    assert run(task())["sent"] == 2
    assert len(world.received()) == 2


def test_max_active_runs(world: World) -> None:
    """max_active_runs keeps a run waiting"""
    assert run(task(), run_id="weekly", **scheduled(3 * DAY, "0 9 * * 1"))["sent"] == 2
    with pytest.raises(AirflowSkipException):
        run(task(), run_id="hourly", **scheduled(5 * HOUR, "0 * * * *"))
    assert len(world.received()) == 2


def test_deleting_the_dag_run(world: World) -> None:
    """the DAG run is deleted, and Airflow makes it again"""
    run_id = "scheduled__2026-01-01T00:00:00+00:00"
    first = run(task(), run_id=run_id)
    # Nothing of it is in Airflow's database; its id comes from its date.
    assert run(task(), run_id=run_id, **scheduled(90 * DAY, "0 9 * * *")) == first
    assert len(world.received()) == 2


def test_a_pause_during_a_deferral(world: World) -> None:
    """a person pauses the campaign while its task is deferred"""
    operator = deferred(world)
    control("pause")
    with pytest.raises(TaskDeferred) as caught:
        operator.resume(context(), event={"status": "due"})
    assert type(caught.value.trigger).__name__ == "WhatsAppCampaignResumeTrigger"
    control("unpause")
    assert operator.resume(context(), event={"status": "due"})["sent"] == 2


def test_a_cancel_during_a_deferral(world: World) -> None:
    """a person cancels the campaign while its task is deferred"""
    operator = deferred(world)
    control("cancel")
    with pytest.raises(WhatsAppTaskFailedError) as caught:
        operator.resume(context(), event={"status": "due"})
    assert isinstance(caught.value.__cause__, CampaignCancelledError)
    assert len(world.received()) == 1


async def test_the_triggerer_is_down() -> None:
    """the triggerer is down"""
    an_hour_late = WhatsAppMomentTrigger(time.time() - 3600)
    assert (await first_event(an_hour_late, within=1)).payload == {"status": "due"}


def test_an_upgrade_of_airflow_or_of_this_package() -> None:
    """Airflow or this package is upgraded while a task is deferred"""
    for file in sorted(RECORDED.glob("*.json")):
        stored = json.loads(file.read_text())
        module, _, name = stored["classpath"].rpartition(".")
        trigger = getattr(__import__(module, fromlist=[name]), name)(**stored["kwargs"])
        assert rebuilt(trigger).serialize() == trigger.serialize()


def test_the_task_is_killed(world: World) -> None:
    """the task is killed, marked failed or its worker is lost"""
    operator = task(audience=iter([ADA, BOB]))
    operator.on_kill()
    with pytest.raises(CampaignStoppedError):
        run(operator)
    assert run(task())["sent"] == 2
    assert len(world.received()) == 2
