"""What became of a campaign, as files that other people read."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from tests.hooks.world import ADA, BOB, World, context
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
from whatsapp_provider.operators.report import WhatsAppExportReportOperator


@pytest.fixture
def campaign(world: World) -> dict[str, Any]:
    """A campaign to Ada, who got it, and Bob, whom the gateway refused."""
    refusal = {"error": {"message": f"Forbidden to send to this recipient: {BOB}"}}
    world.fault("status", status=403, body=refusal, after=1, method="POST", path="/messages/")
    operator = WhatsAppSendCampaignOperator(
        task_id="send", audience=[ADA, BOB], message="Hi", pace="unlimited", concurrency=1
    )
    return dict(operator.execute(context()))


def export(**fields: Any) -> dict[str, Any]:
    operator = WhatsAppExportReportOperator(task_id="export", **fields)
    found = context(task_id="export", day="2030-03-01")
    operator.render_template_fields(found)
    return operator.execute(found)


def test_a_report_has_a_row_for_each_recipient_without_numbers(
    campaign: dict[str, Any], tmp_path: Path
) -> None:
    told = export(campaign=campaign, path=f"{tmp_path}/{{{{ day }}}}/report.csv")
    content = (tmp_path / "2030-03-01" / "report.csv").read_text("utf-8")
    rows = list(csv.DictReader(content.splitlines()))
    assert [(row["recipient"], row["state"]) for row in rows] == [
        ("…0001", "accepted"),
        ("…0002", "rejected"),
    ]
    assert ADA not in content
    assert BOB not in content
    (period,) = told["over_time"]["sent"]
    assert period["count"] == 1
    assert (told["rows"], told["counts"]) == (2, {"accepted": 1, "rejected": 1})
    assert told["path"].endswith("/2030-03-01/report.csv")
    assert told["rates"]["sent"] == 0.5
    assert ADA not in json.dumps(told)


def test_numbers_are_written_where_they_are_asked_for(campaign: dict[str, Any], tmp_path: Path) -> None:
    export(campaign=campaign["campaign_id"], path=str(tmp_path / "r.parquet"), numbers=True)
    assert parquet.read_table(tmp_path / "r.parquet")["recipient"].to_pylist() == [ADA, BOB]


def test_a_task_that_is_run_again_writes_the_report_anew(campaign: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text("what an earlier run left\n" * 9)
    for _ in range(2):
        export(campaign=campaign, path=str(tmp_path / "r.jsonl"))
        assert len([json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]) == 2


def test_the_summary_is_a_file_of_its_own(campaign: dict[str, Any], tmp_path: Path) -> None:
    export(campaign=campaign, path=str(tmp_path / "r.csv"), summary_path=str(tmp_path / "s.json"))
    summary = json.loads((tmp_path / "s.json").read_text())
    assert {name: summary[name] for name in campaign} == campaign
    assert summary["failures"][0]["reason"]
    assert [period["count"] for period in summary["over_time"]["sent"]] == [1]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"campaign": "gone"}, "no campaign 'gone'"),
        ({"campaign": {"preview": True}}, "campaign is what a task that plans"),
        ({"campaign": "{{ none }}"}, "this is nothing"),
        ({"path": "r.xlsx"}, "the ending must be one of"),
        ({"summary_path": "s.csv"}, "must end in .json"),
    ],
)
def test_what_can_not_be_exported_is_told_and_nothing_is_written(
    campaign: dict[str, Any], tmp_path: Path, fields: dict[str, Any], told: str
) -> None:
    fields = {"campaign": campaign, **fields, "path": str(tmp_path / "out" / fields.get("path", "r.csv"))}
    with pytest.raises(WhatsAppTaskFailedError, match=told):
        export(**fields)
    assert not (tmp_path / "out").exists()
