"""A sensor that waits for a phone has somebody told of each QR code, on the worker and in the triggerer."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout, TaskDeferred
from airflow.sdk import DAG
from airflow.sdk.definitions.deadline import AsyncCallback, SyncCallback  # type: ignore[attr-defined]  # on 3.1 here only

from tests.hooks.world import ADA, CONN_ID, World, context
from tests.triggers import pairing_notifiers
from tests.triggers.pairing_notifiers import TOLD
from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.whatsapp import WhatsAppHook
from whatsapp_provider.model import ChannelState
from whatsapp_provider.notifications.whatsapp import WhatsAppNotifier
from whatsapp_provider.sensors.channel import WhatsAppChannelConnectedSensor

LOGIN = "GET /whapi/gate/users/login"


@pytest.fixture(autouse=True)
def nobody_told_yet() -> Iterator[None]:
    TOLD.clear()
    yield
    TOLD.clear()


def connected(**fields: Any) -> WhatsAppChannelConnectedSensor:
    values: dict[str, Any] = {"task_id": "wait", "poke_interval": 0.05, "timeout": 60, "poll_inline": 0.0}
    values["on_pairing"] = AsyncCallback(pairing_notifiers.remember, kwargs={"team": "desk"})
    return WhatsAppChannelConnectedSensor(**{**values, **fields})


def unpaired(world: World) -> None:
    world.control("POST", "/unlink", {"channel_id": world.channel_id})
    deadline = time.monotonic() + 30
    while WhatsAppHook(CONN_ID).channel_status().state is not ChannelState.WAITING_FOR_PAIRING:
        assert time.monotonic() < deadline


def test_on_the_worker_the_notifier_is_told_once_of_a_code_and_the_phone_is_seen(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    unpaired(world)
    phone = threading.Timer(0.5, world.scan)
    phone.start()
    connected().execute(context())
    phone.join()
    [told] = TOLD
    assert (told["kind"], told["team"], told["channel"]["channel_id"]) == ("qr", "desk", world.channel_id)
    assert told["image"].startswith(b"\x89PNG")
    assert world.asked(LOGIN) == 1
    assert "PNG" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["fail", "hang"])
def test_on_the_worker_a_notifier_that_fails_or_hangs_does_not_end_the_wait(world: World, name: str) -> None:
    unpaired(world)
    world.monkeypatch.setattr("whatsapp_provider.triggers.pairing.MOST_SECONDS", 0.5)
    callback = AsyncCallback(getattr(pairing_notifiers, name))
    with pytest.raises(AirflowSensorTimeout):
        connected(on_pairing=callback, timeout=2).execute(context())
    assert len(TOLD) == 1


def test_the_triggerer_is_told_when_to_ask_next_and_of_the_code_a_hash(world: World) -> None:
    unpaired(world)
    with pytest.raises(TaskDeferred) as caught:
        connected(deferrable=True, pairing_interval=300).execute(context())
    stored = caught.value.trigger.serialize()[1]
    [told] = TOLD
    assert stored["on_pairing"].pop("ask_at") == pytest.approx(time.time() + 300, abs=60)
    assert stored["on_pairing"] == {
        "path": "tests.triggers.pairing_notifiers.remember",
        "kwargs": {"team": "desk"},
        "interval": 300,
        "told": hashlib.sha256(told["image"]).hexdigest()[:16],
    }
    assert told["image"].hex() not in json.dumps(stored)


def test_a_paired_channel_is_asked_for_no_code(world: World) -> None:
    connected().execute(context())
    assert TOLD == []
    assert world.asked(LOGIN) == 0


def test_the_link_to_the_page_comes_by_whatsapp_from_another_channel(world: World) -> None:
    asyncio.run(world.emulator.paired_channel("desk", "15550001001"))
    world.connect(extra={"notify_to": ADA})
    world.monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example")
    unpaired(world)
    callback = AsyncCallback(WhatsAppNotifier, kwargs={"channel": "desk"})
    with pytest.raises(AirflowSensorTimeout):
        connected(channel="main", on_pairing=callback, timeout=2).execute(context())
    [(phone, text)] = world.received()
    assert phone == ADA
    assert text.startswith(
        "WhatsApp channel main waits for its phone.\nhttps://airflow.example/whatsapp/pair?"
    )


@pytest.mark.parametrize("wrong", [WhatsAppNotifier, SyncCallback(print), "a.path", {"path": "a.path"}, {}])
def test_what_can_not_be_awaited_is_refused_when_the_dag_is_read(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"on_pairing is a .*AsyncCallback\(WhatsAppNotifier"):
        connected(on_pairing=wrong)


def test_a_dag_with_it_is_stored_and_mapped(world: World) -> None:
    from airflow.serialization import serialized_objects

    # Named SerializedDAG before Airflow 3.2.
    stores = getattr(serialized_objects, "DagSerialization", None) or serialized_objects.SerializedDAG
    with DAG("d") as dag:
        connected(on_pairing=AsyncCallback(WhatsAppNotifier, kwargs={"text": "Pair it"}))
        WhatsAppChannelConnectedSensor.partial(
            task_id="mapped", on_pairing=AsyncCallback(pairing_notifiers.remember).serialize()
        ).expand(channel=["main"])
    stored = stores.to_dict(dag)
    assert json.dumps(stored)
    assert stores.from_dict(stored).task_ids == ["wait", "mapped"]
    assert " at 0x" not in json.dumps(stored)  # or each reading of the file would be a new version of the DAG


def test_a_mapped_task_tells_of_its_own_channel(world: World) -> None:
    unpaired(world)
    callback = AsyncCallback(pairing_notifiers.remember, kwargs={"team": "desk"}).serialize()
    with pytest.raises(AirflowSensorTimeout):
        connected(on_pairing=callback, timeout=2).execute(context(map_index=1))
    assert [told["team"] for told in TOLD] == ["desk"]
