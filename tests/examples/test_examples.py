"""Every example DAG runs, under Airflow, against the emulator."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.hooks.world import ADA, BOB, World

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "dags_examples"
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
    """A migrated database, and DAGs run in processes of their own."""

    home: Path

    def run(self, file: Path, conf: Any = None, answers: Any = None) -> dict[str, Any]:
        """Run a DAG file to its end and return the states."""
        env = {
            **os.environ,
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(file.parent),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home / 'airflow.db'}",
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, str(ROOT / "tests/examples/run_dag.py"), str(file)]
        told = subprocess.run(
            [*command, json.dumps(conf or {}), json.dumps(answers or {})],
            env=env,
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert told.returncode == 0, told.stdout[-4000:] + told.stderr[-4000:]
        result: dict[str, Any] = json.loads(told.stdout.strip().splitlines()[-1])
        assert result["state"].endswith("success"), told.stdout[-6000:]
        return result

    def stored(self, table: str, columns: str, dag_id: str) -> list[tuple[Any, ...]]:
        """Return what Airflow keeps of a DAG."""
        with closing(sqlite3.connect(self.home / "airflow.db")) as connection:
            return connection.execute(f"SELECT {columns} FROM {table} WHERE dag_id = ?", (dag_id,)).fetchall()

    def xcom(self, dag_id: str) -> dict[str, Any]:
        """Return the returned values by task."""
        rows = self.stored("xcom", "task_id, key, value", dag_id)
        return {task: value for task, key, value in rows if key == "return_value"}


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    home = tmp_path_factory.mktemp("airflow")
    env = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
    }
    subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"], env=env, check=True, capture_output=True
    )
    return Airflow(home)


@contextmanager
def somebody_scans(world: World) -> Iterator[None]:
    """Let a phone scan whatever QR code any channel shows."""
    over = threading.Event()

    def scan() -> None:
        while not over.wait(0.1):
            for channel in world.control("GET", "/state")["channels"]:
                if channel["state"] == "QR":
                    httpx.post(f"{world.url}/_emulator/scan", json={"channel_id": channel["channel_id"]})

    thread = threading.Thread(target=scan)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def people(folder: Path) -> str:
    path = folder / "people.csv"
    path.write_text(f"phone,name\n+{ADA},Ada\n+{BOB},Bob\n")
    return str(path)


def test_onboarding_and_a_campaign(airflow: Airflow, world: World, tmp_path: Path) -> None:
    conf = {"channel_name": "spring", "audience": people(tmp_path), "pace": "unlimited"}
    with somebody_scans(world):
        run = airflow.run(EXAMPLES / "onboard_and_campaign.py", {**conf, "webhook_url": f"{world.url}/hook"})
    assert set(run["tasks"]) == {
        "create_channel[-1]",
        "wait_initialized[-1]",
        "wait_connected[-1]",
        "configure_webhook[-1]",
        "send_campaign[-1]",
    }
    assert world.channels() == ["main", "spring"]
    assert sorted(phone for phone, _ in world.received()) == [ADA, BOB]


def test_onboarding_a_channel(airflow: Airflow, world: World) -> None:
    conf = {"channel_name": "desk", "webhook_url": f"{world.url}/hook"}
    with somebody_scans(world):
        airflow.run(EXAMPLES / "onboard_channel.py", conf)
    ref = json.loads(airflow.xcom("whatsapp_onboard_channel")["create_channel"])
    assert ref["name"] == "desk"
    assert set(ref) == {"gateway", "channel_id", "name"}
    assert world.channels() == ["main", "desk"]


def test_sending_a_message_twice_sends_it_once(airflow: Airflow, world: World) -> None:
    for _ in range(2):
        airflow.run(EXAMPLES / "send_message.py", {"order": "17"})
    assert world.received() == [(ADA, "Hello Ada, your order 17 is ready.")]


def test_a_campaign_to_the_people_of_a_crm(airflow: Airflow, world: World) -> None:
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


def test_airflow_stores_nobodys_number_and_no_text_of_mapped_tasks(
    airflow: Airflow, world: World, tmp_path: Path
) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "mapped.py").write_text(MAPPED)
    run = airflow.run(tmp_path / "dags" / "mapped.py")
    assert len(run["tasks"]) == 2
    assert sorted(world.received()) == [(ADA, "A secret"), (BOB, "A secret")]
    stored = airflow.stored("rendered_task_instance_fields", "rendered_fields", "mapped")
    assert len(stored) == 2
    told = str(stored) + str(airflow.stored("xcom", "value", "mapped"))
    assert ADA not in told
    assert BOB not in told
    assert "A secret" not in told
    assert told.count("0001") == told.count("0002") == 1  # the masked ends


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.py")), ids=lambda file: file.stem)
def test_an_example_is_short_and_has_a_test(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 60
    assert f'"{file.name}"' in Path(__file__).read_text()
