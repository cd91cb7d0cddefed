"""Waiting for a channel, in each of Airflow's ways to wait."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)
from airflow.sdk import DAG, Asset
from airflow.triggers.base import TaskSuccessEvent

from tests.hooks.world import World, context
from tests.triggers.firing import first_event
from whatsapp_provider.errors import ChannelFailedError, WaitTimeoutError
from whatsapp_provider.operators.channel import WhatsAppCreateChannelOperator
from whatsapp_provider.sensors.channel import (
    WhatsAppChannelConnectedSensor,
    WhatsAppChannelInitializedSensor,
)
from whatsapp_provider.triggers.due import HOLD_SECONDS


class Ti:
    """What a rescheduled sensor asks its task instance."""

    dag_id, task_id, run_id, map_index, id = "dag", "task", "manual__1", -1, "ti-1"

    def get_first_reschedule_date(self, _context: Any) -> None:
        return None


def connected(**fields: Any) -> WhatsAppChannelConnectedSensor:
    values: dict[str, Any] = {"task_id": "wait", "poke_interval": 0.05, "timeout": 5, "poll_inline": 0.0}
    return WhatsAppChannelConnectedSensor(**{**values, **fields})


def initialized(**fields: Any) -> WhatsAppChannelInitializedSensor:
    values: dict[str, Any] = {"task_id": "wait", "poke_interval": 0.05, "timeout": 10, "poll_inline": 0.0}
    return WhatsAppChannelInitializedSensor(**{**values, **fields})


def unpaired(world: World) -> None:
    world.control("POST", "/unlink", {"channel_id": world.channel_id})


def stop(world: World) -> None:
    world.control("POST", "/channel", {"channel_id": world.channel_id, "state": "STOP"})


def deferred(sensor: Any) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as caught:
        sensor.execute(context())
    return caught.value


def test_a_new_channel_is_waited_for_until_it_can_be_paired(world: World) -> None:
    ref = WhatsAppCreateChannelOperator(task_id="create", channel_name="spring").execute(context())
    assert initialized(channel=ref).execute(context()) is None
    assert world.asked("GET /whapi/gate/health") >= 1


def test_poke_mode_waits_on_the_worker(world: World) -> None:
    assert connected().execute(context()) is None


def test_poke_mode_times_out_like_any_sensor(world: World) -> None:
    unpaired(world)
    with pytest.raises(AirflowSensorTimeout):
        connected(timeout=0.2).execute(context())


def test_reschedule_mode_gives_the_slot_back_between_looks(world: World) -> None:
    unpaired(world)
    sensor = connected(mode="reschedule", poke_interval=60)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its module depends on Airflow's version
        sensor.execute({"ti": Ti()})
    assert type(caught.value).__name__ == "AirflowRescheduleException"
    assert caught.value.reschedule_date.timestamp() == pytest.approx(time.time() + 60, abs=20)


def test_a_short_wait_ends_on_the_worker_without_being_deferred(world: World) -> None:
    assert connected(deferrable=True).execute(context()) is None
    unpaired(world)
    world.fault("status", status=503, headers={"retry-after": "0"}, times=3, path="/health")
    assert initialized(deferrable=True, poll_inline=60.0).execute(context()) is None


async def test_a_long_wait_is_deferred_and_ends_in_the_trigger(world: World) -> None:
    unpaired(world)
    began = time.time()
    wait = deferred(connected(deferrable=True, timeout=600, poll_inline=0.2, channel="main"))
    path, kwargs = wait.trigger.serialize()
    assert path == "whatsapp_provider.triggers.channel.WhatsAppChannelTrigger"
    assert wait.method_name == "execute_complete"
    assert kwargs["channel"] == world.ref
    assert kwargs["deadline"] == pytest.approx(began + 600, abs=60)
    assert kwargs["resume_after"] == pytest.approx(began + HOLD_SECONDS, abs=15)
    assert kwargs["end_from_trigger"] is True
    stored = json.dumps(kwargs)
    assert world.channel_token not in stored
    assert "15550001000" not in stored
    await asyncio.to_thread(world.scan)
    assert isinstance(await first_event(wait.trigger), TaskSuccessEvent)


@pytest.mark.parametrize(
    "fields",
    [
        {"end_from_trigger": False},
        {"on_success_callback": lambda _context: None},
        {"on_success_callback": [lambda _context: None]},
        {"outlets": [Asset("paired")]},
    ],
    ids=["asked for", "callback", "callbacks", "outlets"],
)
def test_a_task_whose_success_has_consequences_on_the_worker_resumes_there(
    world: World, fields: dict[str, Any]
) -> None:
    unpaired(world)
    wait = deferred(connected(deferrable=True, **fields))
    assert wait.trigger.serialize()[1]["end_from_trigger"] is False
    assert connected().execute_complete(context(), {"status": "done", "reason": "there"}) is None


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_stopped_channel_fails_at_once_and_is_not_retried(world: World, deferrable: bool) -> None:
    stop(world)
    with pytest.raises(
        ChannelFailedError, match=r"channel is stopped.*waiting does not change that\.$"
    ) as caught:
        connected(deferrable=deferrable).execute(context())
    assert isinstance(caught.value, AirflowFailException)


@pytest.mark.parametrize("deferrable", [True, False])
def test_an_unknown_channel_fails_at_once_with_one_full_stop(world: World, deferrable: bool) -> None:
    with pytest.raises(ChannelFailedError, match=r"no channel with the id or name 'nobody'\.$"):
        connected(channel="nobody", deferrable=deferrable).execute(context())


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_fault_while_the_name_is_looked_up_is_waited_out(world: World, deferrable: bool) -> None:
    world.fault("status", status=503, headers={"retry-after": "0"}, times=4, path="/manager/channels")
    assert connected(channel="main", deferrable=deferrable, poll_inline=60.0).execute(context()) is None


def test_a_name_that_can_not_be_looked_up_yet_travels_as_it_is(world: World) -> None:
    world.fault("status", status=503, headers={"retry-after": "0"}, times=None, path="/manager/channels")
    wait = deferred(connected(channel="main", deferrable=True))
    assert wait.trigger.serialize()[1]["channel"] == "main"


async def test_a_failure_and_a_time_out_resume_the_task_and_raise_typed_errors(world: World) -> None:
    unpaired(world)
    late = deferred(connected(deferrable=True, timeout=600))
    late.trigger.deadline = late.trigger.resume_after = 0.0
    event = await first_event(late.trigger)
    with pytest.raises(WaitTimeoutError, match=r"ran out of time: not connected.*Raise timeout=") as caught:
        connected().execute_complete(context(), event.payload)
    assert isinstance(caught.value, AirflowSensorTimeout)  # which Airflow does not retry
    with pytest.raises(ChannelFailedError, match=r"can't succeed: deleted\."):
        connected().execute_complete(context(), {"status": "failed", "reason": "deleted"})


@pytest.mark.parametrize("event", [None, {}, {"status": "Done"}, {"status": "success"}, {"reason": "done"}])
def test_whatever_is_not_plainly_a_success_fails(world: World, event: Any) -> None:
    with pytest.raises(ChannelFailedError):
        connected().execute_complete(context(), event)


@pytest.mark.parametrize("option", ["soft_fail", "never_fail"])
def test_a_task_that_may_be_skipped_is_skipped_instead_of_failed(world: World, option: str) -> None:
    fields: dict[str, Any] = {option: True}
    for event in ({"status": "failed"}, {"status": "timed_out"}, None):
        with pytest.raises(AirflowSkipException):
            connected(**fields).resume_execution("execute_complete", {"event": event}, context())
    stop(world)
    for deferrable in (True, False):
        with pytest.raises(AirflowSkipException):
            connected(deferrable=deferrable, **fields).execute(context())


def test_times_may_be_given_as_timedelta(world: World) -> None:
    unpaired(world)
    began = time.time()
    sensor = connected(deferrable=True, timeout=timedelta(hours=2), poke_interval=timedelta(seconds=7))
    kwargs = deferred(sensor).trigger.serialize()[1]
    assert kwargs["deadline"] == pytest.approx(began + 7200, abs=60)
    assert kwargs["poke_interval"] == 7.0


def test_the_inline_poll_does_not_outlast_the_timeout(world: World) -> None:
    unpaired(world)
    began = time.time()
    # A poll more would come after the deadline, so there is none: far apart, for a slow machine's sake.
    wait = deferred(connected(deferrable=True, timeout=60, poke_interval=600, poll_inline=6000))
    assert time.time() - began < 30
    assert wait.trigger.serialize()[1]["deadline"] < began + 90


@pytest.mark.parametrize(
    "fields", [{"timeout": -1}, {"poke_interval": -1}, {"mode": "sometimes"}, {"timeout": "soon"}]
)
def test_airflows_own_checks_of_a_sensor_hold(fields: dict[str, Any]) -> None:
    with pytest.raises((ValueError, AirflowException), match=r"timeout|poke_interval|mode"):
        connected(**fields)


def test_sensors_can_be_mapped(world: World) -> None:
    from types import SimpleNamespace

    with DAG("d") as dag:
        mapped = WhatsAppChannelConnectedSensor.partial(
            task_id="wait", deferrable=True, poke_interval=timedelta(seconds=1), timeout=timedelta(seconds=9)
        ).expand(channel=["main", world.ref])
    for index in range(2):
        found = context(map_index=index, dag=dag, dag_run=SimpleNamespace(conf={}), task=mapped)
        mapped.render_template_fields(found)
        assert found["task"].execute(found) is None


def test_a_waiting_task_links_to_the_pairing_page_of_its_channel(world: World) -> None:
    world.monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/base/")
    sensor = connected(channel="main")
    [link] = sensor.operator_extra_links
    sensor.execute(context())
    url = link.get_link(sensor, ti_key=None)
    assert url.startswith("https://airflow.example/base/whatsapp/pair?")
    assert f"channel={world.channel_id}" in url
    world.monkeypatch.setenv("AIRFLOW__API__BASE_URL", "")
    assert link.get_link(sensor, ti_key=None) == ""


def test_a_channel_that_came_out_as_nothing_is_not_the_connections_own(world):
    with DAG("dag"):
        sensor = connected(channel="{{ none_at_all }}")
    sensor.render_template_fields({"none_at_all": None})
    with pytest.raises(AirflowFailException, match="came out as None"):
        sensor.execute(context())


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        ({}, AirflowNotFoundException),
        ({"soft_fail": True}, AirflowNotFoundException),
        ({"never_fail": True}, AirflowSkipException),
        ({"silent_fail": True}, TaskDeferred),
    ],
    ids=["plain", "soft_fail", "never_fail", "silent_fail"],
)
def test_what_nobody_foresaw_ends_a_wait_to_be_deferred_as_it_ends_any_sensor(
    world: World, options: dict[str, Any], outcome: type[BaseException]
) -> None:
    world.monkeypatch.delenv("AIRFLOW_CONN_WHATSAPP_DEFAULT")
    with pytest.raises(outcome):
        connected(deferrable=True, **options).execute(context())
    if outcome is not TaskDeferred:
        with pytest.raises(outcome):
            connected(**options).execute(context())


def test_poke_mode_waits_as_long_as_the_gateway_asks_for_and_not_beyond_its_timeout(world: World) -> None:
    world.fault("status", status=429, headers={"retry-after": "60"}, times=None, path="/health")
    with pytest.raises(AirflowSensorTimeout):
        connected(timeout=0.6).execute(context())
    assert world.asked("/health") <= 2


def test_reschedule_mode_waits_as_long_as_the_gateway_asks_for(world: World) -> None:
    world.fault("status", status=429, headers={"retry-after": "300"}, times=None, path="/health")
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its module depends on Airflow's version
        connected(mode="reschedule", poke_interval=1, timeout=6000).execute({"ti": Ti()})
    assert caught.value.reschedule_date.timestamp() == pytest.approx(time.time() + 300, abs=60)


@pytest.mark.parametrize(
    ("fields", "longest"),
    [({}, None), ({"exponential_backoff": True}, 600), ({"exponential_backoff": True, "max_wait": 60}, 60)],
    ids=["off", "on", "bounded"],
)
def test_backoff_goes_on_in_the_triggerer(
    world: World, fields: dict[str, Any], longest: float | None
) -> None:
    unpaired(world)
    kwargs = deferred(connected(deferrable=True, timeout=600, **fields)).trigger.serialize()[1]
    assert kwargs.get("longest_interval") == longest
