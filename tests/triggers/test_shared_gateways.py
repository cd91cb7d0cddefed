"""Waits share what was read of a connection, never across connections, and never for long."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import pairwise
from typing import Any

import pytest
from airflow.triggers.base import TaskSuccessEvent

from tests.hooks.world import World
from tests.triggers.firing import first_event
from tests.triggers.test_triggers import trigger, unpaired
from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks import sharing
from whatsapp_provider.hooks.sharing import shared_gateway

WRONG = "a-token-of-nobody"


class Readings:
    """A secrets backend that notes when a connection is read."""

    def __init__(self, world: World) -> None:
        from airflow.secrets.environment_variables import EnvironmentVariablesBackend

        self.ids: list[str] = []
        original = EnvironmentVariablesBackend.get_connection

        def get_connection(backend: Any, conn_id: str, *args: Any, **kwargs: Any) -> Any:
            self.ids.append(conn_id)
            return original(backend, conn_id, *args, **kwargs)

        world.monkeypatch.setattr(EnvironmentVariablesBackend, "get_connection", get_connection)


@pytest.fixture
def readings(world: World) -> Readings:
    return Readings(world)


async def test_waits_that_look_together_read_the_connection_once(world: World, readings: Readings) -> None:
    events = await asyncio.gather(*(first_event(trigger(world, poke_interval=5.0)) for _ in range(50)))
    assert all(isinstance(event, TaskSuccessEvent) for event in events)
    assert readings.ids == ["whatsapp_default"]
    assert await asyncio.to_thread(world.asked, "/health") == 50


async def test_looks_at_an_unchanged_connection_ask_for_the_channels_token_once(
    world: World, readings: Readings
) -> None:
    unpaired(world)
    await first_event(trigger(world, deadline=time.time() + 3))
    assert len(readings.ids) > 2
    assert await asyncio.to_thread(world.asked, "/health") > 2
    assert await asyncio.to_thread(world.asked, "GET /whapi/manager/channels") == 1


async def test_two_connections_never_share_a_gateway(world: World, readings: Readings) -> None:
    world.connect("one")
    world.connect("other", password=WRONG)
    one, other = await asyncio.gather(
        first_event(trigger(world, whatsapp_conn_id="one")),
        first_event(trigger(world, whatsapp_conn_id="other")),
    )
    assert isinstance(one, TaskSuccessEvent)
    assert other.payload["status"] == "failed"
    assert set(readings.ids) == {"one", "other"}


async def test_a_reading_is_used_for_as_long_as_is_allowed_and_no_longer(
    world: World, readings: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    now, started = loop.time, loop.time()
    ahead = 0.0
    monkeypatch.setattr(loop, "time", lambda: now() + ahead)

    async def read_at(seconds: float, max_age: float) -> int:
        nonlocal ahead
        ahead = seconds - (now() - started)
        await shared_gateway("whatsapp_default", max_age=max_age)
        return len(readings.ids)

    assert await read_at(0.0, 2.0) == 1
    assert await read_at(1.0, 2.0) == 1
    assert await read_at(1.0, 0.5) == 2
    assert await read_at(2.9, 2.0) == 2
    assert await read_at(3.1, 2.0) == 3
    assert await read_at(3.2, 0.0) == 4
    assert await read_at(3.2 + sharing.OLDEST - 0.1, 3600.0) == 4
    assert await read_at(3.2 + sharing.OLDEST + 0.1, 3600.0) == 5


async def test_a_gateway_lives_as_long_as_its_connection_is_the_same_but_not_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await shared_gateway("whatsapp_default", max_age=0)
    assert await shared_gateway("whatsapp_default", max_age=0) is first
    world.connect(extra={"timeout": 3.0})
    second = await shared_gateway("whatsapp_default", max_age=0)
    assert second is not first
    monkeypatch.setattr(sharing, "GATEWAY_LIFE", 0.0)
    assert await shared_gateway("whatsapp_default", max_age=0) is not second


async def test_a_wait_is_not_failed_for_a_connection_that_has_been_mended(
    world: World, readings: Readings
) -> None:
    world.connect(password=WRONG)
    await shared_gateway("whatsapp_default", max_age=0)
    world.connect()
    assert isinstance(await first_event(trigger(world, poke_interval=5.0)), TaskSuccessEvent)
    assert len(readings.ids) == 2


async def test_a_killed_wait_ends_no_other_waits_reading(world: World) -> None:
    killed = asyncio.create_task(shared_gateway("whatsapp_default", max_age=5.0))
    other = asyncio.create_task(shared_gateway("whatsapp_default", max_age=5.0))
    await asyncio.sleep(0)
    killed.cancel()
    assert (await other).name == "whapi"
    assert killed.cancelled()


async def test_a_connection_that_cannot_be_used_is_told_to_everyone_and_read_again_when_mended(
    world: World,
) -> None:
    world.monkeypatch.setenv("AIRFLOW_CONN_WHATSAPP_DEFAULT", json.dumps({"conn_type": "http"}))
    asked = (shared_gateway("whatsapp_default", max_age=5.0) for _ in range(3))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConfigurationError] * 3
    world.connect()
    assert (await shared_gateway("whatsapp_default", max_age=0)).name == "whapi"


async def test_waits_that_begin_together_do_not_look_in_step(world: World) -> None:
    unpaired(world)
    waits = [
        asyncio.create_task(
            first_event(trigger(world, poke_interval=2.0, deadline=time.time() + 60), within=60)
        )
        for _ in range(20)
    ]
    async with asyncio.timeout(30):
        while await asyncio.to_thread(world.asked, "/health") < 50:  # noqa: ASYNC110 - the emulator has the count
            await asyncio.sleep(0.1)
    for wait in waits:
        wait.cancel()
    looks = [
        entry["at"]
        for entry in (await asyncio.to_thread(world.control, "GET", "/requests"))["log"]
        if "/health" in entry["path"]
    ]
    later = sorted(look - min(looks) for look in looks)[20:]
    # In step they would be two seconds apart, and twenty at a time.
    gaps = [after - before for before, after in pairwise(later)]
    assert max(gaps) < 1.2
    assert later[-1] - later[0] > 1.0
