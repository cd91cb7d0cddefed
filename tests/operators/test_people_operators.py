"""Tasks that end people's data: what they do, and what Airflow keeps of them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields

from tests.hooks.keeping import ADA, BOB, NAME, Keeping
from tests.hooks.world import context
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.people import (
    WhatsAppErasePersonOperator,
    WhatsAppExportPersonOperator,
    WhatsAppPurgeLedgerOperator,
)


def run(operator: Any) -> Any:
    return operator.execute(context(dag_run=SimpleNamespace(triggering_user_name="eve")))


def erase(**fields: Any) -> Any:
    return run(WhatsAppErasePersonOperator(task_id="erase", **fields))


def purge(**fields: Any) -> Any:
    return run(WhatsAppPurgeLedgerOperator(task_id="purge", **fields))


def test_a_person_is_erased_and_counts_come_back(
    keeping: Keeping, capsys: pytest.CaptureFixture[str]
) -> None:
    done = erase(person="+1 555 000 0001")
    nothing = dict.fromkeys(("not_sent", "doubts", "links", "checks", "notes", "named_by"), 0)
    assert done == {"deliveries": 1, "entries": 1, **nothing}
    assert ADA not in keeping.recipients()
    assert BOB in keeping.recipients()
    assert keeping.ask("SELECT source, added_by, recipient FROM wa_suppression") == [
        ("erased", "eve in dag/task/manual__1", None)
    ]
    told = capsys.readouterr().out
    assert "Erased: 1 deliveries" in told
    assert ADA not in told


@pytest.mark.parametrize("suppress", [False, "False"])
def test_they_may_be_written_to_again_if_that_is_said(keeping: Keeping, suppress: Any) -> None:
    erase(person=ADA, suppress=suppress)
    assert keeping.ask("SELECT * FROM wa_suppression") == []


def test_airflow_stores_no_number_of_who_is_erased(keeping: Keeping) -> None:
    operator = WhatsAppErasePersonOperator(task_id="t", dag=DAG("d"), person="{{ number }}")
    found = {**context(number=ADA), "task": operator}
    operator.render_template_fields(found)
    assert "0001" not in json.dumps(_serialize_rendered_fields(operator), ensure_ascii=False)
    operator.execute(found)
    assert ADA not in keeping.recipients()


@pytest.mark.parametrize("nothing", [None, "", "None"])
def test_a_person_that_came_out_as_nothing_is_refused(keeping: Keeping, nothing: Any) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="The person came out as nothing"):
        erase(person=nothing)
    assert keeping.ask("SELECT * FROM wa_suppression") == []


def test_a_number_in_a_campaigns_id_is_told(keeping: Keeping, capsys: pytest.CaptureFixture[str]) -> None:
    keeping.write(f"UPDATE wa_campaign SET campaign_id = 'message/{ADA}'")
    assert erase(person=ADA)["named_by"] == 1
    assert "in their campaign_id or message_key: 1" in capsys.readouterr().out


def test_what_is_there_goes_into_the_file_alone(keeping: Keeping, tmp_path: Path) -> None:
    path = tmp_path / "out" / "ada.json"
    counts = run(WhatsAppExportPersonOperator(task_id="export", person=ADA, path=str(path)))
    assert counts == {"forms": 1, "messages": 1, "suppression": 0, "number_checks": 0}
    [message] = json.loads(path.read_text("utf-8"))["messages"]
    assert (message["campaign"], message["values"], message["state"]) == (
        "spring",
        {"name": NAME},
        "accepted",
    )


def test_a_file_of_another_kind_is_refused_before_anything_is_read(keeping: Keeping, tmp_path: Path) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match=r"\.json"):
        run(WhatsAppExportPersonOperator(task_id="export", person=ADA, path=str(tmp_path / "ada.csv")))


@pytest.mark.parametrize("age", [30, "30", timedelta(days=30)])
def test_old_campaigns_are_purged_by_age(keeping: Keeping, age: Any) -> None:
    keeping.age(29)
    assert purge(older_than=age)["deliveries"] == 0
    keeping.age(2)
    assert purge(older_than=age, preview=True)["deliveries"] == 2
    assert keeping.recipients() == [ADA, BOB]
    nothing = dict.fromkeys(("deleted_campaigns", "deleted_deliveries", "kept_in_doubt", "kept_open"), 0)
    assert purge(older_than=age) == {"campaigns": 1, "deliveries": 2, **nothing}
    assert purge(older_than=age, delete_older_than=age)["deleted_campaigns"] == 1
    assert keeping.recipients() == []


def test_the_age_is_the_configurations_where_the_task_says_none(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping.age(40)
    with pytest.raises(WhatsAppTaskFailedError, match="how long people's data is kept"):
        purge()
    monkeypatch.setenv("AIRFLOW__WHATSAPP__RETENTION_DAYS", "30")
    assert purge()["deliveries"] == 2


@pytest.mark.parametrize("age", ["soon", True, float("inf"), 0.5])
def test_an_age_that_is_none_is_refused(keeping: Keeping, age: Any) -> None:
    with pytest.raises(WhatsAppTaskFailedError):
        purge(older_than=age)
