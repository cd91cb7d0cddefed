"""The events of a campaign's outlet assets say how it went, and nobody's name."""

from __future__ import annotations

import json
from typing import Any

from airflow.sdk import Asset, AssetAlias
from airflow.sdk.execution_time.context import OutletEventAccessors

from whatsapp_provider.operators.events import KEY, tell_outlets

REPORT: dict[str, Any] = {
    "campaign_id": "spring",
    "channel": "whapi:5511900000001",
    "total": 2,
    "sent": 1,
    "open": 0,
    "counts": {"accepted": 1, "rejected": 1},
    "left_out": {},
    "failures": [],
    "rejected": [{"delivery": 2, "recipient": "…0002", "code": "403", "reason": "Forbidden."}],
    "in_doubt": [],
}


def test_each_outlet_assets_event_has_the_counts_and_no_person() -> None:
    sent, told = Asset("campaigns_sent"), Asset("told", uri="s3://told/spring")
    events = OutletEventAccessors()
    events[sent].extra["of"] = "the author"
    tell_outlets({"outlet_events": events}, [sent, told, AssetAlias("some")], REPORT)
    counts = {name: REPORT[name] for name in ("campaign_id", "total", "sent", "open", "counts")}
    assert events[sent].extra == {"of": "the author", KEY: counts}
    assert events[told].extra == {KEY: counts}
    assert json.dumps(events[told].extra)
    assert "0002" not in str(events[told].extra)
    assert "5511900000001" not in str(events[told].extra)


def test_a_task_without_outlets_or_outside_airflow_tells_nobody() -> None:
    events = OutletEventAccessors()
    tell_outlets({"outlet_events": events}, [], REPORT)
    tell_outlets({}, [Asset("campaigns_sent")], REPORT)
    assert len(events) == 0
