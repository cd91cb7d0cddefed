"""Waits in the triggerer: they see changes, tolerate faults, end in time, and store nothing private."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from airflow.triggers.base import TaskSuccessEvent

from tests.hooks.world import World
from tests.triggers.firing import first_event, rebuilt
from whatsapp_provider.triggers.channel import WhatsAppChannelTrigger
from whatsapp_provider.triggers.moment import WhatsAppMomentTrigger

HEALTH = {"path": "/health"}


def trigger(world: World, **fields: Any) -> WhatsAppChannelTrigger:
    values: dict[str, Any] = {
        "whatsapp_conn_id": "whatsapp_default",
        "channel": world.ref,
        "goal": "connected",
        "deadline": time.time() + 30,
        "poke_interval": 0.05,
        **fields,
    }
    return WhatsAppChannelTrigger(**values)


def unpaired(world: World) -> None:
    world.control("POST", "/unlink", {"channel_id": world.channel_id})


async def test_a_channel_that_is_there_ends_the_task_in_the_trigger(world: World) -> None:
    event = await first_event(trigger(world))
    assert isinstance(event, TaskSuccessEvent)
    assert event.xcoms is None


async def test_where_the_task_must_resume_a_success_is_held_until_airflow_is_ready(world: World) -> None:
    began = time.time()
    event = await first_event(trigger(world, end_from_trigger=False, resume_after=began + 0.5))
    assert event.payload == {"status": "done", "reason": "channel is connected (AUTH)"}
    assert time.time() - began >= 0.5


async def test_a_phone_that_pairs_meanwhile_is_seen(world: World) -> None:
    unpaired(world)
    waiting = asyncio.create_task(first_event(trigger(world)))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await asyncio.to_thread(world.scan)
    assert isinstance(await waiting, TaskSuccessEvent)


@pytest.mark.parametrize("deadline", [-100.0, 0.3])
async def test_the_deadline_of_the_sensor_ends_the_wait(world: World, deadline: float) -> None:
    unpaired(world)
    began = time.time()
    event = await first_event(trigger(world, deadline=began + deadline, poke_interval=60))
    assert event.payload["status"] == "timed_out"
    assert "not connected when the time was over" in event.payload["reason"]
    assert time.time() - began < 20


async def test_a_goal_reached_while_the_triggerer_was_down_counts(world: World) -> None:
    assert isinstance(await first_event(trigger(world, deadline=time.time() - 3600)), TaskSuccessEvent)


async def test_faults_that_pass_are_waited_out_and_told_once_a_change(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.fault("status", status=503, headers={"retry-after": "0"}, times=9, **HEALTH)
    event = await first_event(trigger(world))
    assert isinstance(event, TaskSuccessEvent)
    told = capsys.readouterr().out
    assert told.count("could not look: Whapi gate answered 503") == 1
    assert told.count("Wait is over: channel is connected") == 1


async def test_a_gateway_that_asks_for_a_pause_is_left_in_peace(world: World) -> None:
    world.fault("status", status=429, headers={"retry-after": "60"}, times=None, **HEALTH)
    with pytest.raises(TimeoutError):
        await first_event(trigger(world, deadline=time.time() + 600), within=1.0)
    assert await asyncio.to_thread(world.asked, "/health") <= 1
    event = await first_event(trigger(world, deadline=time.time() + 30))
    assert event.payload["status"] == "timed_out"
    assert "beyond the deadline" in event.payload["reason"]


@pytest.mark.parametrize("end", ["stopped", "deleted"])
async def test_a_stopped_or_deleted_channel_fails_at_once_with_the_reason(world: World, end: str) -> None:
    from whatsapp_provider.hooks.whatsapp import WhatsAppHook

    account = (await WhatsAppHook().open()).account()
    await (account.stop_channel if end == "stopped" else account.delete_channel)(world.channel_id)
    began = time.time()
    event = await first_event(trigger(world))
    assert event.payload["status"] == "failed"
    assert end in event.payload["reason"]
    assert time.time() - began < 20


async def test_a_wrong_token_fails_at_once_and_is_not_shown(world: World) -> None:
    world.connect(password="a-wrong-token-nobody-may-see")
    event = await first_event(trigger(world))
    assert event.payload["status"] == "failed"
    assert "401" in event.payload["reason"]
    assert "nobody-may-see" not in event.payload["reason"]


async def test_a_token_changed_in_the_connection_is_seen_at_the_next_look(world: World) -> None:
    unpaired(world)
    waiting = asyncio.create_task(first_event(trigger(world)))
    await asyncio.sleep(0.2)
    world.connect(password="a-wrong-token-nobody-may-see")
    assert (await waiting).payload["status"] == "failed"


async def test_a_connection_that_is_away_for_a_moment_is_waited_for(world: World) -> None:
    world.monkeypatch.delenv("AIRFLOW_CONN_WHATSAPP_DEFAULT")
    waiting = asyncio.create_task(first_event(trigger(world)))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    world.connect()
    assert isinstance(await waiting, TaskSuccessEvent)


async def test_no_interval_at_all_does_not_flood_the_gateway(world: World) -> None:
    unpaired(world)
    await first_event(trigger(world, poke_interval=0, deadline=time.time() + 0.5))
    assert await asyncio.to_thread(world.asked, "/health") <= 12


async def test_the_interval_doubles_from_look_to_look_up_to_its_bound(world: World) -> None:
    unpaired(world)
    for fields, most, least in (({}, 60, 9), ({"longest_interval": 60.0}, 8, 2)):
        before = await asyncio.to_thread(world.asked, "/health")
        await first_event(trigger(world, deadline=time.time() + 2.0, **fields))
        assert least <= await asyncio.to_thread(world.asked, "/health") - before <= most


def test_what_airflow_stores_is_ids_and_times_only(world: World) -> None:
    stored = json.dumps(trigger(world).serialize())
    for private in (world.channel_token, world.emulator.partner_token, "15550001000"):
        assert private not in stored
    assert json.loads(stored)[1]["channel"] == world.ref


async def test_a_moment_comes_once_and_not_before(world: World) -> None:
    moment = time.time() + 0.3
    event = await first_event(WhatsAppMomentTrigger(moment))
    assert event.payload == {"status": "due"}
    assert moment <= time.time() < moment + 10
    events = [event async for event in rebuilt(WhatsAppMomentTrigger(0.0)).run()]
    assert len(events) == 1
