"""What needs a real Airflow to be believed: mapping, async tasks, links of deferred tasks, resuming."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.airflow_server import airflow_with_dags
from tests.system.world import CONN_ID, World, a_world, write_audience
from whatsapp_provider.demo.airflow import AirflowServer
from whatsapp_provider.demo.rest import Json

pytestmark = pytest.mark.airflow

ON_CALL = "15556660009"
MAPPED = """
    from __future__ import annotations

    import asyncio

    from airflow import __version__
    from airflow.sdk import dag, task

    from whatsapp_provider.hooks.whatsapp import WhatsAppHook
    from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator


    def async_task(work):
        if not __version__.startswith("3.1."):
            return task(work)
        # There, a task is no coroutine, but may run one.
        return task(task_id=work.__name__)(lambda: asyncio.run(work()))


    @dag(schedule=None)
    def shared():
        @task
        def plain():
            return WhatsAppHook().send_text("+15556660001", "from a plain task").message_id

        @async_task
        async def from_async_code():
            hook = WhatsAppHook()
            channel = await hook.open_channel()
            return (await channel.status()).state.value

        @async_task
        async def sync_call_under_a_running_loop():
            return WhatsAppHook().send_text("+15556660002", "from an async task").message_id

        send = WhatsAppSendCampaignOperator.partial(
            task_id="send", message="Hello {{ name }}", pace="unlimited", concurrency=3
        ).expand(audience=["{{ dag_run.conf['audience'] }}"] * 3)
        plain() >> from_async_code() >> sync_call_under_a_running_loop() >> send


    shared()
"""
WAITING = """
    from __future__ import annotations

    from airflow.sdk import dag
    from airflow.sdk.definitions.deadline import AsyncCallback

    from whatsapp_provider.notifications.whatsapp import WhatsAppNotifier
    from whatsapp_provider.operators.channel import WhatsAppCreateChannelOperator, WhatsAppDeleteChannelOperator
    from whatsapp_provider.sensors.channel import WhatsAppChannelConnectedSensor


    def succeeded(context):
        print("the success callback was run")


    def told(by):
        return AsyncCallback(WhatsAppNotifier, kwargs={"text": by + ": {{ pairing.page_url }}"})


    @dag(schedule=None)
    def waiting():
        create = WhatsAppCreateChannelOperator(task_id="create", channel_name="waiting").as_setup()
        wait = WhatsAppChannelConnectedSensor.partial(
            task_id="wait",
            deferrable=True,
            poke_interval=1,
            poll_inline=0,
            on_success_callback=succeeded,
            on_pairing=told("the triggerer").serialize(),
        ).expand(channel=[create.output])
        stay = WhatsAppChannelConnectedSensor(
            task_id="stay", channel=create.output, poke_interval=1, on_pairing=told("a worker")
        )
        delete = WhatsAppDeleteChannelOperator(task_id="delete", channel=create.output)
        create >> [wait, stay] >> delete.as_teardown(setups=create)


    waiting()
"""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with a_world(send_latency=0.02) as world:
        # Long enough for the first look of a wait to see no QR code.
        world.ask("POST", "/_emulator/settings", {"provisioning_seconds": 8.0, "launch_seconds": 1.0})
        yield world


@pytest.fixture(scope="module")
def server(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowServer]:
    folder = tmp_path_factory.mktemp("airflow")
    dags = {"shared.py": MAPPED, "waiting.py": WAITING}
    connection = {**world.connection, "extra": {**world.connection["extra"], "notify_to": f"+{ON_CALL}"}}
    with airflow_with_dags(folder, dags, connections={CONN_ID: connection}) as server:
        yield server


def test_mapped_tasks_share_one_campaign_and_tasks_of_every_kind_use_the_hook(server, world, tmp_path):
    audience = write_audience(tmp_path / "people.csv", "1555600", 90)
    ref = server.trigger("shared", {"audience": str(audience)})
    server.wait_run(ref)
    received = {phone: n for phone, n in world.counts().items() if phone.startswith("1555600")}
    assert received == {f"1555600{number:04d}": 1 for number in range(90)}
    for index in range(3):
        assert server.rest.xcom(ref, "send", map_index=index)["counts"] == {"accepted": 90}
    assert server.rest.xcom(ref, "from_async_code") == "connected"
    assert world.counts()["15556660001"] == world.counts()["15556660002"] == 1


def test_a_deferred_wait_links_to_its_page_tells_of_it_and_resumes_for_its_callback(server, world):
    ref = server.trigger("waiting")
    links: list[str] = []

    def look(tasks: list[Json]) -> None:
        waiting = next((task for task in tasks if task["task_id"] == "wait"), None)
        if waiting is None or waiting["state"] != "deferred":
            return
        path = f"{ref.task_path('wait')}/links?map_index={waiting['map_index']}"
        links.extend(filter(None, server.rest.call("GET", path)["extra_links"].values()))
        if len(messages()) == 2:
            world.scan()

    def messages() -> set[str]:
        found = world.ask("GET", f"/_emulator/received?phone={ON_CALL}")["received"]
        return {entry["text"] for entry in found}

    server.wait_run(ref, on_poll=look)
    channel_id = server.rest.xcom(ref, "create")["channel_id"]
    expected = f"{server.url}/whatsapp/pair?conn_id=whatsapp_default&channel={channel_id}"
    assert set(links) == {expected}
    assert messages() == {f"the triggerer: {expected}", f"a worker: {expected}"}
    assert "the success callback was run" in server.rest.logs(ref, "wait", map_index=0)
    assert server.rest.xcom(ref, "delete") is True
