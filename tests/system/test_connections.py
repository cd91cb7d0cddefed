"""Connections under a real Airflow: from a secrets backend, in tasks and waits at once, and tested on a worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.airflow_server import airflow_with_dags
from tests.hooks.tenants import Tenant, check_nothing_was_mixed, four_tenants
from tests.versions import AIRFLOW
from whatsapp_provider.demo.airflow import AirflowServer
from whatsapp_provider.demo.rest import Json, JsonClient

pytestmark = pytest.mark.airflow

LOST = "a-secret-of-nobody-4711"
DAG = """
    from __future__ import annotations

    from airflow.sdk import BaseHook, dag, task

    from whatsapp_provider.hooks.whatsapp import WhatsAppHook
    from whatsapp_provider.sensors.channel import WhatsAppChannelConnectedSensor

    TENANTS = {conn_ids}


    @dag(schedule=None)
    def tenants():
        @task
        def look():
            told = []
            for conn_id in TENANTS:
                told.append(WhatsAppHook(conn_id).channel_status().state.value)
                connection = BaseHook.get_connection(conn_id)
                print("of", conn_id, connection.password, connection.extra_dejson.get("channel_token"))
            return told

        wait = WhatsAppChannelConnectedSensor.partial(
            task_id="wait", deferrable=True, poke_interval=1, poll_inline=0, timeout=120
        ).expand(whatsapp_conn_id=TENANTS)
        look() >> wait


    tenants()
"""


def as_uri(connection: dict[str, Any]) -> str:
    """Write a connection as Airflow's URI, as a person would."""
    host = urlsplit(connection["host"])
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in connection["extra"].items())
    secret = f":{connection['password']}@" if "password" in connection else ""
    return f"whapi://{host.scheme}://{secret}{host.netloc}{host.path}?{query}"


@pytest.fixture(scope="module")
def tenants() -> Iterator[list[Tenant]]:
    with four_tenants() as tenants:
        yield tenants


@pytest.fixture(scope="module")
def server(tenants: list[Tenant], tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowServer]:
    """An Airflow whose own database holds no connection: half of them are URIs in a file, half are JSON."""
    folder = tmp_path_factory.mktemp("airflow")
    secrets = folder / "connections.json"
    forms = {
        tenant.conn_id: as_uri(tenant.connection) if number % 2 else tenant.connection
        for number, tenant in enumerate(tenants)
    }
    secrets.write_text(json.dumps(forms))
    config = {
        "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"connections_file_path": str(secrets)}),
    }
    dag = DAG.format(conn_ids=[tenant.conn_id for tenant in tenants])
    with airflow_with_dags(folder, {"tenants.py": dag}, config=config) as server:
        yield server


def test_a_secrets_backend_serves_tasks_and_waits_of_four_tenants_at_once(
    server: AirflowServer, tenants: list[Tenant]
) -> None:
    ref = server.trigger("tenants")
    at_once: list[int] = []

    def look(tasks: list[Json]) -> None:
        deferred = [task for task in tasks if task["state"] == "deferred"]
        if len(deferred) == len(tenants) and not at_once:
            at_once.append(len(deferred))
            for tenant in tenants:
                tenant.scan()

    server.wait_run(ref, on_poll=look)
    assert at_once == [len(tenants)]
    assert server.rest.xcom(ref, "look") == ["waiting_for_pairing"] * len(tenants)
    # A look of the task, one before each wait and one in the triggerer: each tenant's own credential made them.
    looks = [[one for one in tenant.seen() if one.path.endswith("/health")] for tenant in tenants]
    assert all(len(own) >= 3 for own in looks), [len(own) for own in looks]
    check_nothing_was_mixed(tenants)
    log = server.rest.logs(ref, "look")
    assert log.count("of north_") == 3
    assert "***" in log
    secrets = frozenset[str]().union(*(tenant.tokens for tenant in tenants))
    # Not the components' logs: Airflow copies what a task prints into the scheduler's output as it is.
    folder = server.settings.home / "logs" / "dag_id=tenants"
    logs = {path.relative_to(folder): path.read_text(errors="replace") for path in folder.rglob("*.log*")}
    assert any("task_id=wait" in str(path) for path in logs)
    leaks = [str(path) for path, text in logs.items() if any(secret in text for secret in secrets)]
    assert not leaks, f"these logs hold a token: {leaks}"


@pytest.mark.skipif(AIRFLOW < (3, 3), reason="Airflow tests connections on a worker from 3.3 on")
@pytest.mark.parametrize(
    ("right", "state", "told"),
    [
        (True, "success", "Whapi account with main project 'Main', 3 channels"),
        (False, "failed", "Whapi manager answered 401"),
    ],
    ids=["right-token", "wrong-token"],
)
def test_a_worker_tests_a_connection(
    server: AirflowServer,
    tenants: list[Tenant],
    right: bool,
    state: str,
    told: str,
) -> None:
    connection = tenants[0].connection
    password = connection["password"] if right else LOST
    body = {"connection_id": f"tested_{state}", **connection, "password": password}
    body["extra"] = json.dumps(connection["extra"])
    token = server.rest.call("POST", "/connections/enqueue-test", body)["token"]
    client = JsonClient(server.url)
    headers = {
        "Authorization": f"Bearer {server.rest.token()}",
        "Airflow-Connection-Test-Token": token,
    }

    def ended() -> Json | None:
        answer: Json = client.request("GET", "/api/v2/connections/enqueue-test", headers=headers)
        return answer if answer["state"] in {"success", "failed"} else None

    answer = server.wait_until("the worker's answer", ended, 60.0)
    assert answer["state"] == state, answer
    assert told in answer["result_message"]
    assert password not in answer["result_message"]
