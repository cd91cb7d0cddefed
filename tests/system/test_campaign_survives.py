"""A campaign of 500 under a real Airflow, killed in every way that Airflow and its hosts know.

The truth log of the emulated phones is the judge: everybody gets the message, nobody twice. No more were in doubt
than sends were under way, and the gateway's history settled them.
"""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.airflow_server import airflow_with_dags
from tests.system.world import CONN_ID, World, a_world, write_audience
from whatsapp_provider.demo.airflow import AirflowServer
from whatsapp_provider.demo.rest import Json, RunRef
from whatsapp_provider.demo.taskprocesses import TaskProcesses

pytestmark = [pytest.mark.airflow, pytest.mark.kill]

PEOPLE = 500
CONCURRENCY = 5
DAG = f"""
    from __future__ import annotations

    from datetime import timedelta

    from airflow.sdk import dag

    from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator


    @dag(schedule=None)
    def campaign():
        WhatsAppSendCampaignOperator(
            task_id="send",
            audience="{{{{ dag_run.conf['audience'] }}}}",
            message="Hello {{{{ name }}}}",
            pace="unlimited",
            concurrency={CONCURRENCY},
            retries=2,
            retry_delay=timedelta(seconds=1),
        )


    campaign()
"""
NOTICE_SOON = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__WHATSAPP__SETTLE_SECONDS": "1",
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with a_world() as world:
        yield world


@pytest.fixture(scope="module")
def server(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowServer]:
    folder = tmp_path_factory.mktemp("airflow")
    connections = {CONN_ID: world.connection}
    with airflow_with_dags(
        folder, {"campaign.py": DAG}, connections=connections, config=NOTICE_SOON
    ) as server:
        yield server


class Story:
    """One campaign to people of its own, from its start to what the phones got."""

    def __init__(self, server: AirflowServer, world: World, folder: Path, prefix: str) -> None:
        self.server, self.world, self.prefix = server, world, prefix
        audience = write_audience(folder / "people.csv", prefix, PEOPLE)
        self.ref: RunRef = server.trigger("campaign", {"audience": str(audience)})

    def until_some_are_sent(self) -> Json:
        """Wait until the campaign is well under way."""
        self.world.wait_for_messages(60, lambda phone: phone.startswith(self.prefix))
        assert sum(self.received().values()) < PEOPLE
        return self.server.wait_task(self.ref, "send", ["running"])

    def received(self) -> dict[str, int]:
        return {phone: n for phone, n in self.world.counts().items() if phone.startswith(self.prefix)}

    def report(self, timeout: float = 240.0) -> Json:
        self.server.wait_run(self.ref, timeout=timeout)
        return self.server.rest.xcom(self.ref, "send")

    def tries(self) -> int:
        return next(task["try_number"] for task in self.server.rest.tasks(self.ref))

    def ledger(self, query: str, campaign_id: str) -> list[tuple[str, ...]]:
        """Ask the ledger's file of this campaign."""
        file = self.server.settings.home / "whatsapp" / "ledger.db"
        of_campaign = " JOIN wa_campaign ON wa_campaign.id = wa_delivery.campaign WHERE campaign_id = ?"
        with closing(sqlite3.connect(file)) as connection:
            return connection.execute(query + of_campaign, (campaign_id,)).fetchall()


def judge(story: Story, report: Json, *, most_in_doubt: int) -> None:
    received = story.received()
    assert max(received.values()) == 1, "somebody got the message twice"
    assert len(received) == PEOPLE, "somebody got nothing"
    campaign_id = report["campaign_id"]
    deliveries = story.ledger("SELECT recipient, wa_delivery.state FROM wa_delivery", campaign_id)
    assert deliveries == [(recipient, "accepted") for recipient, _ in deliveries]
    assert {recipient for recipient, _ in deliveries} == received.keys()
    settled = story.ledger(
        "SELECT DISTINCT delivery FROM wa_settlement JOIN wa_delivery ON wa_delivery.id = delivery",
        campaign_id,
    )
    assert len(settled) <= most_in_doubt


#: What befalls the task of each campaign, by the beginning of its people's numbers.
KILLED, LOST, TERMINATED, CLEARED = "1555100", "1555200", "1555300", "1555400"
HARM: dict[str, Callable[[TaskProcesses], None]] = {
    KILLED: lambda found: found.task.kill(),
    LOST: lambda found: found.kill_all(),
    TERMINATED: lambda found: found.task.send_signal(signal.SIGTERM),
}


@pytest.fixture(scope="module")
def stories(
    server: AirflowServer, world: World, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Story]:
    """All campaigns, each harmed before the next one begins: until Airflow notices is waited for only once."""
    told = {}
    for prefix in (KILLED, LOST, TERMINATED, CLEARED):
        story = told[prefix] = Story(server, world, tmp_path_factory.mktemp("people"), prefix)
        if prefix in HARM:
            story.until_some_are_sent()
            HARM[prefix](server.find_task_processes(story.ref, "send"))
    return told


def test_a_killed_task_process_sends_nobody_twice_and_loses_nobody(stories: dict[str, Story]) -> None:
    judge(stories[KILLED], stories[KILLED].report(), most_in_doubt=CONCURRENCY)
    assert stories[KILLED].tries() == 2


def test_a_lost_host_sends_nobody_twice_and_loses_nobody(stories: dict[str, Story]) -> None:
    judge(stories[LOST], stories[LOST].report(), most_in_doubt=CONCURRENCY)
    assert stories[LOST].tries() == 2


def test_a_terminated_task_writes_what_it_knows_and_leaves_nobody_in_doubt(stories: dict[str, Story]) -> None:
    judge(stories[TERMINATED], stories[TERMINATED].report(), most_in_doubt=0)
    assert stories[TERMINATED].tries() == 2


def test_clearing_a_finished_campaign_sends_nothing_again(stories: dict[str, Story]) -> None:
    story = stories[CLEARED]
    first = story.report()
    story.server.rest.clear(story.ref, ["send"])
    second = story.report()
    assert second == first
    judge(story, second, most_in_doubt=0)
    assert story.tries() == 2
