"""Every example DAG runs, under Airflow, against the emulator."""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.examples.conftest import Anywhere
from tests.examples.controlled import CANCELLED, TOLD
from tests.examples.run_dag import MARK
from tests.hooks.world import ADA, BOB, World
from tests.triggers.firing import deadline_missed
from tests.versions import AIRFLOW

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "dags_examples"
#: Where somebody answers the question of an example, under a server.
WITH_PEOPLE = ROOT / "tests/system/test_planned_campaign.py"
MAPPED = """
from airflow.sdk import dag
from whatsapp_provider.operators.message import WhatsAppSendMessageOperator

@dag(schedule=None)
def mapped():
    WhatsAppSendMessageOperator.partial(task_id="send", text="A secret").expand(to=["+15550000001", "+15550000002"])

mapped()
"""


@dataclass
class Airflow:
    """A migrated database, and a process that runs DAG files against it; starting Airflow takes seconds."""

    home: Path
    runner: subprocess.Popen[str]

    def run(
        self, file: Path, conf: Any = None, answers: Any = None, state: str = "success"
    ) -> dict[str, Any]:
        """Run a DAG file to its end and return the states, and what was logged."""
        shutil.copy(file, self.home / "dags")  # Airflow knows the DAGs of its own folder alone
        job = {
            "file": str(self.home / "dags" / file.name),
            "conf": conf or {},
            "answers": answers or {},
            "environment": environment(self.home),
        }
        assert self.runner.stdin is not None
        self.runner.stdin.write(json.dumps(job) + "\n")
        self.runner.stdin.flush()
        told, result = self._result()
        assert result["state"].endswith(state), told[-6000:]
        return {**result, "log": told}

    def _result(self) -> tuple[str, dict[str, Any]]:
        """Read the process's log up to its answer."""
        assert self.runner.stdout is not None
        told = ""
        late = threading.Timer(60, self.runner.kill)
        late.start()
        try:
            for line in self.runner.stdout:
                if line.startswith(MARK):
                    return told, json.loads(line.removeprefix(MARK))
                told += line
        finally:
            late.cancel()
        pytest.fail(f"The process ended, or had to be ended after a minute:\n{told[-6000:]}")

    def stored(self, table: str, columns: str, dag_id: str, of: str = "dag_id") -> list[tuple[Any, ...]]:
        """Return what Airflow keeps of a DAG."""
        with closing(sqlite3.connect(self.home / "airflow.db")) as connection:
            return connection.execute(f"SELECT {columns} FROM {table} WHERE {of} = ?", (dag_id,)).fetchall()

    def xcom(self, dag_id: str) -> dict[str, Any]:
        """Return the returned values by task."""
        rows = self.stored("xcom", "task_id, key, value", dag_id)
        return {task: value for task, key, value in rows if key == "return_value"}

    def created(self, dag_id: str) -> tuple[str, str]:
        """Return gateway and name of the channel that the DAG's last run created."""
        ref = json.loads(self.xcom(dag_id)["create_channel"])
        assert set(ref) == {"gateway", "channel_id", "name"}
        return ref["gateway"], ref["name"]


def environment(home: Path) -> dict[str, str]:
    """Return what is set now, for an Airflow at this place."""
    return {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    home = tmp_path_factory.mktemp("airflow")
    (home / "dags").mkdir()
    env = environment(home)
    subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"], env=env, check=True, capture_output=True
    )
    command = [sys.executable, str(ROOT / "tests/examples/run_dag.py")]
    with subprocess.Popen(
        command,
        env=env,
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as runner:
        yield Airflow(home, runner)
        assert runner.stdin is not None
        runner.stdin.close()


def people(folder: Path) -> str:
    path = folder / "people.csv"
    path.write_text(f"phone,name\n+{ADA},Ada\n+{BOB},Bob\n")
    return str(path)


def is_refused_at_once(
    airflow: Airflow, anywhere: Anywhere, file: str, conf: Any, first: str, flag: str
) -> None:
    """Run an example whose first task asks for an ability that the gateway has not."""
    run = airflow.run(EXAMPLES / file, conf, state="failed")
    assert run["tasks"].pop(f"{first}[-1]") == "failed"
    assert set(run["tasks"].values()) == {"upstream_failed"}
    assert anywhere.refusal(flag) in run["log"]
    assert anywhere.world.control("GET", "/requests")["counts"] == {}
    assert anywhere.world.received() == []


def test_onboarding_and_a_campaign_on_any_gateway(
    airflow: Airflow, anywhere: Anywhere, tmp_path: Path
) -> None:
    world = anywhere.world
    conf = {"channel_name": "spring", "audience": people(tmp_path), "pace": "unlimited"}
    conf["webhook_url"] = f"{world.url}/hook"
    if not anywhere.can("create_channels"):
        is_refused_at_once(
            airflow, anywhere, "onboard_and_campaign.py", conf, "create_channel", "create_channels"
        )
        return
    with anywhere.somebody_scans():
        run = airflow.run(EXAMPLES / "onboard_and_campaign.py", conf)
    assert set(run["tasks"]) == {
        "create_channel[-1]",
        "wait_initialized[-1]",
        "wait_connected[-1]",
        "configure_webhook[-1]",
        "send_campaign[-1]",
    }
    assert airflow.created("whatsapp_onboard_and_campaign") == (anywhere.gateway, "spring")
    assert sorted(phone for phone, _ in world.received()) == [ADA, BOB]


def test_onboarding_a_channel_on_any_gateway(airflow: Airflow, anywhere: Anywhere) -> None:
    conf = {"channel_name": "desk", "webhook_url": f"{anywhere.world.url}/hook"}
    if not anywhere.can("create_channels"):
        is_refused_at_once(airflow, anywhere, "onboard_channel.py", conf, "create_channel", "create_channels")
        return
    with anywhere.somebody_scans():
        airflow.run(EXAMPLES / "onboard_channel.py", conf)
    assert airflow.created("whatsapp_onboard_channel") == (anywhere.gateway, "desk")


def test_sending_a_message_twice_sends_it_once_on_any_gateway(airflow: Airflow, anywhere: Anywhere) -> None:
    can_tell = anywhere.can("message_status")
    for _ in range(2):
        conf = {"order": f"17 of {anywhere.gateway}"}
        run = airflow.run(EXAMPLES / "send_message.py", conf, state="success" if can_tell else "failed")
        assert run["tasks"]["send_message[-1]"] == "success"
        assert can_tell or anywhere.refusal("message_status") in run["log"]
    assert anywhere.world.received() == [(ADA, f"Hello Ada, your order 17 of {anywhere.gateway} is ready.")]


def test_a_campaign_to_the_people_of_a_crm_on_any_gateway(airflow: Airflow, anywhere: Anywhere) -> None:
    world = anywhere.world
    world.monkeypatch.setenv("AIRFLOW_CONN_CRM", "http://crm.example")
    contacts = [
        {"mobile": f"+{ADA}", "first_name": "Ada", "whatsapp_consent": True},
        {"mobile": "+1 555 000 0001", "first_name": "Ada", "whatsapp_consent": True},
        {"mobile": f"+{BOB}", "first_name": "Bob", "whatsapp_consent": False},
    ]
    answers = {"http://crm.example/contacts?segment=vip": {"contacts": contacts}}
    airflow.run(EXAMPLES / "crm_campaign.py", {"segment": "vip", "pace": "unlimited"}, answers)
    assert world.received() == [(ADA, "Hello Ada, we open on Saturday at nine.")]
    report = airflow.xcom("whatsapp_crm_campaign")["send_campaign"]
    assert ADA not in report


def test_a_template_to_an_audience_on_any_gateway_that_has_templates(
    airflow: Airflow, anywhere: Anywhere, tmp_path: Path
) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text(f"phone,name,order\n+{BOB},Bob,2026-0018\n")
    conf = {"audience": str(orders), "own_phone": f"+{ADA}", "pace": "unlimited"}
    if not anywhere.can("templates"):
        is_refused_at_once(
            airflow, anywhere, "whatsapp_template_campaign.py", conf, "check_templates", "templates"
        )
        return
    anywhere.use_the_official_api()
    run = airflow.run(EXAMPLES / "whatsapp_template_campaign.py", conf)
    assert set(run["tasks"].values()) == {"success"}
    phones = [phone for phone, _ in anywhere.world.received()]
    assert phones == [ADA, BOB]


def test_a_failed_task_is_told_once(airflow: Airflow, world: World) -> None:
    world.connect(extra={"notify_to": f"+{ADA}"})
    run = airflow.run(EXAMPLES / "notify.py")
    assert run["tasks"] == {"check_orders[-1]": "failed", "close_books[-1]": "success"}
    [(phone, text)] = world.received()
    assert phone == ADA
    assert text.startswith("whatsapp_notify.check_orders failed: 0 orders today. http")


def test_all_channels_are_reported_and_one_with_few_days_left_is_told(airflow: Airflow, world: World) -> None:
    world.connect("whatsapp_alerts", extra={"notify_to": f"+{ADA}"})
    file = EXAMPLES / "whatsapp_channel_health.py"
    airflow.run(file)
    report = json.loads(airflow.xcom("whatsapp_channel_health")["look"])
    assert (report["states"], report["problems"]) == ({"connected": 1}, [])
    assert world.received() == []
    airflow.run(file, {"min_days_left": 30}, state="failed")
    told = "1 of 1 channels are not as they should be: main: 6 days left."
    if AIRFLOW >= (3, 3):  # before, dag.test() hands callbacks no exception, as a worker does
        assert world.received() == [(ADA, told)]
    pushed = airflow.stored("xcom", "key, value", "whatsapp_channel_health")
    assert [json.loads(value)["problems"] for key, value in pushed if key == "report"] == [
        ["main: 6 days left"]
    ]


async def test_a_late_run_is_told_by_the_examples_own_deadline(world: World) -> None:
    await asyncio.to_thread(world.connect, extra={"notify_to": ADA})
    dag = runpy.run_path(str(EXAMPLES / "notify.py"))["whatsapp_notify"]()
    [deadline] = dag.deadline if isinstance(dag.deadline, list) else [dag.deadline]
    context = {"dag_run": {"dag_id": dag.dag_id, "dag_run_id": "manual__1"}, "deadline": {"id": "1"}}
    kwargs = {**deadline.callback.kwargs, "context": context}
    assert await deadline_missed(deadline.callback.path, kwargs) == "success"
    assert await asyncio.to_thread(world.received) == [(ADA, "whatsapp_notify takes too long.")]


def test_airflow_stores_nobodys_number_and_no_text_of_mapped_tasks(
    airflow: Airflow, world: World, tmp_path: Path
) -> None:
    (tmp_path / "mapped.py").write_text(MAPPED)
    run = airflow.run(tmp_path / "mapped.py")
    assert len(run["tasks"]) == 2
    assert sorted(world.received()) == [(ADA, "A secret"), (BOB, "A secret")]
    stored = airflow.stored("rendered_task_instance_fields", "rendered_fields", "mapped")
    assert len(stored) == 2
    told = str(stored) + str(airflow.stored("xcom", "value", "mapped"))
    assert ADA not in told
    assert BOB not in told
    assert "A secret" not in told
    assert told.count("0001") == told.count("0002") == 1  # the masked ends


def test_a_cancelled_campaign_fails_at_once_and_what_comes_after_it_does_not_run(
    airflow: Airflow, world: World, tmp_path: Path
) -> None:
    (tmp_path / "cancelled.py").write_text(CANCELLED)
    run = airflow.run(tmp_path / "cancelled.py", state="failed")
    states = {
        "plan[-1]": "success",
        "stop[-1]": "success",
        "send[-1]": "failed",
        "celebrate[-1]": "upstream_failed",
    }
    assert run["tasks"] == states
    tries = dict(airflow.stored("task_instance", "task_id, try_number", "cancelled"))
    assert tries["send"] == 1  # of three
    assert world.received() == []


def test_a_campaigns_asset_tells_other_dags_how_it_went(
    airflow: Airflow, world: World, tmp_path: Path
) -> None:
    (tmp_path / "told.py").write_text(TOLD)
    airflow.run(tmp_path / "told.py")
    [(extra,)] = airflow.stored("asset_event", "extra", "told", of="source_dag_id")
    told = json.loads(extra)["whatsapp_campaign"]
    assert told == {"campaign_id": "told", "total": 1, "sent": 1, "open": 0, "counts": {"accepted": 1}}


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.py")), ids=lambda file: file.stem)
def test_an_example_is_short_and_has_a_test(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 60
    assert any(f'"{file.name}"' in test.read_text() for test in (Path(__file__), WITH_PEOPLE))
