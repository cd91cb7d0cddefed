"""A query as the audience of a campaign: given as an object or as data, rendered by Airflow, stored without people."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, task
from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields

from tests.hooks.world import ADA, BOB, World, context
from whatsapp_provider.audiences import SqlAudience
from whatsapp_provider.operators.audience import open_rows
from whatsapp_provider.operators.base import WhatsAppTaskFailedError, reveal
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator

SQL = "SELECT phone, name FROM people WHERE name = ?"


@pytest.fixture(autouse=True)
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection ``crm`` to a database of two people."""
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE people (phone TEXT, name TEXT)")
        connection.executemany("INSERT INTO people VALUES (?, ?)", [(ADA, "Ada"), (BOB, "Bo")])
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(path)}))


def campaign(**fields: Any) -> WhatsAppSendCampaignOperator:
    return WhatsAppSendCampaignOperator(
        **{"task_id": "send", "message": "Hello {{ name }}", "pace": "unlimited", **fields}
    )


@pytest.mark.parametrize(
    "audience",
    [
        SqlAudience("{{ crm }}", SQL, ["{{ who }}"]),
        {"conn_id": "{{ crm }}", "sql": SQL, "parameters": ["{{ who }}"]},
        {"conn_id": "crm", "sql": "SELECT phone, name FROM people WHERE name = '{{ who }}';"},
    ],
)
def test_the_people_of_a_query_get_their_messages(world: World, audience: Any) -> None:
    operator, found = campaign(audience=audience), context(crm="crm", who="Ada")
    operator.render_template_fields(found)
    report = operator.execute(found)
    assert (report["total"], report["sent"]) == (1, 1)
    assert world.received() == [(ADA, "Hello Ada")]


def test_columns_of_any_source_can_be_named_as_the_message_knows_them(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(f"mobile,nick\n{ADA},Ada\n")
    columns = {"phone": "mobile", "name": "nick"}
    for audience in (
        str(tmp_path / "people.csv"),
        SqlAudience("crm", "SELECT phone AS mobile, name AS nick FROM people WHERE name = 'Ada'"),
        [{"mobile": ADA, "nick": "Ada"}],
    ):
        rows = open_rows(audience, recipient_field="phone", members=lambda _: [], columns=columns)
        assert [dict(row.values) for row in rows] == [{"phone": ADA, "name": "Ada"}]


@pytest.mark.parametrize("sql", [SQL, "SELECT phone FROM persons"])
def test_a_wrong_query_fails_the_task_at_once(world: World, sql: str) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="query on 'crm' failed"):
        campaign(audience=SqlAudience("crm", sql)).execute(context())


def test_airflow_stores_of_a_query_its_connection_alone() -> None:
    query = SqlAudience("crm", "SELECT '{{ who }}' AS name", {"who": "{{ who }}"})
    operator, found = campaign(audience=query, dag=DAG("d")), context(who="Grace")
    found["task"] = operator
    operator.render_template_fields(found)
    stored = json.dumps(_serialize_rendered_fields(found["task"]))
    assert "<query on 'crm', 22 characters>" in stored
    assert "Grace" not in stored
    # What is rendered is a copy: a task of the same DAG in the same process begins with the template.
    assert query["parameters"] == {"who": "{{ who }}"}
    assert reveal(operator.audience)["parameters"] == {"who": "Grace"}


def test_mapped_tasks_have_a_query_each() -> None:
    with DAG("d") as dag:
        mapped = WhatsAppSendCampaignOperator.partial(task_id="t", message="Hi").expand(
            audience=[SqlAudience("crm", SQL, ["{{ ti.map_index }}", name]) for name in ("Ada", "Bo")]
        )
    found = context(map_index=1, task=mapped, dag=dag, dag_run=SimpleNamespace(conf={}))
    mapped.render_template_fields(found)
    assert reveal(found["task"].audience) == SqlAudience("crm", SQL, ["1", "Bo"])


def test_a_task_whose_output_is_a_parameter_comes_first() -> None:
    with DAG("d"):

        @task
        def segment() -> str:
            return "regulars"

        operator = campaign(audience=SqlAudience("crm", SQL, [segment()]))
    assert operator.upstream_task_ids == {"segment"}
