"""What a whole run leaves in Airflow's logs and database holds no token, number, text or pairing code."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.airflow_server import airflow_with_dags
from tests.system.world import CONN_ID, World, a_world, write_audience
from whatsapp_provider.demo.airflow import AirflowServer
from whatsapp_provider.demo.rest import Json, JsonClient

pytestmark = [pytest.mark.airflow, pytest.mark.kill]

TEXT, CAMPAIGN_TEXT, HEADER = "Zebra-4711 for you", "Quokka-4711 for everybody", "okapi-header-4711"
TO = "+15557770001"
PREFIX = "1555888"
DAG = f"""
    from __future__ import annotations

    from datetime import timedelta

    from airflow.sdk import dag

    from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
    from whatsapp_provider.operators.channel import WhatsAppCreateChannelOperator
    from whatsapp_provider.operators.message import WhatsAppSendMessageOperator
    from whatsapp_provider.operators.webhook import WhatsAppConfigureWebhookOperator
    from whatsapp_provider.sensors.channel import WhatsAppChannelConnectedSensor


    @dag(schedule=None)
    def private():
        create = WhatsAppCreateChannelOperator(task_id="create", channel_name="private")
        wait = WhatsAppChannelConnectedSensor(
            task_id="wait", channel=create.output, deferrable=True, poke_interval=1, poll_inline=0
        )
        webhook = WhatsAppConfigureWebhookOperator(
            task_id="webhook", channel=create.output, url="http://127.0.0.1:9/", headers={{"x-key": "{HEADER}"}}
        )
        one = WhatsAppSendMessageOperator(
            task_id="one", channel=create.output, to="{TO}", text="{{{{ '{TEXT}' }}}}"
        )
        mapped = WhatsAppSendMessageOperator.partial(task_id="mapped", channel=create.output, text="{TEXT}")
        many = mapped.expand(to=["{TO}", "+15557770002"])
        campaign = WhatsAppSendCampaignOperator(
            task_id="campaign",
            channel=create.output,
            audience="{{{{ dag_run.conf['audience'] }}}}",
            message="{CAMPAIGN_TEXT}",
            pace="unlimited",
            retries=2,
            retry_delay=timedelta(seconds=1),
        )
        wait >> webhook >> one >> many >> campaign


    private()
"""


@pytest.fixture
def world() -> Iterator[World]:
    with a_world(send_latency=0.0) as world:
        yield world


def _dump(database: Path) -> str:
    """Return all that Airflow's database holds but the connections, whose secrets it encrypts."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        lines = connection.iterdump()
        # The DAG's source is stored as its author wrote it; what he writes into it is his to keep out.
        kept = (
            line
            for line in lines
            if not re.match(r'INSERT INTO "(connection|dag_code|serialized_dag)"', line)
        )
        return "\n".join(kept)
    finally:
        connection.close()


def _logs(server: AirflowServer) -> str:
    folder = server.settings.home / "logs"
    return "\n".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def _forbidden(world: World, seen: list[str]) -> dict[str, str]:
    numbers = {f"number {n}": f"{PREFIX}{n:04d}" for n in range(20)}
    return {
        "partner token": world.connection["password"],
        "channel token": world.connection["extra"]["channel_token"],
        "message text": TEXT,
        "campaign text": CAMPAIGN_TEXT,
        "webhook header": HEADER,
        "recipient": TO.removeprefix("+"),
        "mapped recipient": "15557770002",
        "QR code": "iVBORw0KGgo",
        **numbers,
        **{f"token of channel {index}": token for index, token in enumerate(seen)},
    }


def test_logs_and_database_hold_nothing_private(world, tmp_path):
    audience = write_audience(tmp_path / "people.csv", PREFIX, 20)
    # A rude gateway: it answers one send with what must not be repeated, so that a traceback is written.
    token = world.connection["password"]
    rude = {"error": {"code": 400, "message": f"bad {PREFIX}0007 {CAMPAIGN_TEXT} Bearer {token} {TO}"}}
    world.ask("POST", "/_emulator/settings", {"provisioning_seconds": 0.5, "launch_seconds": 1.0})
    dumps: list[str] = []
    with airflow_with_dags(tmp_path, {"private.py": DAG}, connections={CONN_ID: world.connection}) as server:
        database = server.settings.home / "airflow.db"
        ref = server.trigger("private", {"audience": str(audience)})
        world.ask(
            "POST",
            "/_emulator/faults",
            {"kind": "status", "status": 400, "path": "/messages/text", "after": 8, "body": rude},
        )

        def look(_tasks: list[Json]) -> None:
            dumps.append(_dump(database))
            if "WhatsAppChannelTrigger" in dumps[-1]:
                world.scan()

        server.wait_run(ref, timeout=240, on_poll=look)
        tasks = server.rest.tasks(ref)
    assert next(task for task in tasks if task["task_id"] == "campaign")["try_number"] == 2
    assert any("WhatsAppChannelTrigger" in dump for dump in dumps), (
        "no look was taken while a task was deferred"
    )
    channels = world.ask("GET", f"/whapi/manager/channels/list?token={token}")["channels"]
    tokens = [channel["token"] for channel in channels]
    assert len(tokens) == 2
    everything = "\n".join([*dumps, _dump(database), _logs(server)])
    leaks = [name for name, secret in _forbidden(world, tokens).items() if secret in everything]
    assert not leaks, f"found in logs or database: {leaks}"


def test_a_whole_run_of_the_demo_leaves_nothing_private(world, tmp_path):
    source = (Path(__file__).parents[2] / "dags_examples" / "onboard_and_campaign.py").read_text()
    audience = write_audience(tmp_path / "people.csv", PREFIX, 20)
    world.ask("POST", "/_emulator/settings", {"provisioning_seconds": 12.0, "launch_seconds": 1.0})
    conf = {"channel_name": "demo", "audience": str(audience), "webhook_url": "http://127.0.0.1:9/"}
    dumps: list[str] = []
    shown: list[str] = []
    with airflow_with_dags(
        tmp_path, {"onboard.py": source}, connections={CONN_ID: world.connection}
    ) as server:
        database = server.settings.home / "airflow.db"
        site, signed_in = JsonClient(server.url), {"Authorization": f"Bearer {server.rest.token()}"}
        ref = server.trigger("whatsapp_onboard_and_campaign", {**conf, "pace": "unlimited"})

        def look(tasks: list[Json]) -> None:
            dumps.append(_dump(database))
            states = {task["task_id"]: task["state"] for task in tasks}
            if states.get("wait_initialized") != "success":
                return
            # Somebody looks at the pairing page while the task waits, and then scans.
            page = site.request(
                "GET", f"/whatsapp/api/pairing?conn_id={CONN_ID}&channel=demo", headers=signed_in
            )
            shown.append(str(page.get("qr")))
            if "iVBORw0KGgo" in shown[-1]:
                world.scan()

        server.wait_run(ref, timeout=240, on_poll=look)
    assert any("WhatsAppChannelTrigger" in dump for dump in dumps)
    assert any("iVBORw0KGgo" in qr for qr in shown), "the page never showed a code"
    token = world.connection["password"]
    channels = world.ask("GET", f"/whapi/manager/channels/list?token={token}")["channels"]
    forbidden = _forbidden(world, [channel["token"] for channel in channels])
    forbidden |= {"text": "our spring sale begins on Monday", "name": "Guest 3"}
    everything = "\n".join([*dumps, _dump(database), _logs(server)])
    leaks = [name for name, secret in forbidden.items() if secret in everything]
    assert not leaks, f"found in logs or database: {leaks}"
