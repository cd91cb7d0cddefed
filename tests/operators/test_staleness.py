"""Runs of the past begin no campaign: not in a catch-up, not in a backfill; what people start is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow.sdk import DAG

try:
    from airflow.sdk import CronTriggerTimetable
except ImportError:  # before Airflow 3.2
    from airflow.timetables.trigger import CronTriggerTimetable

from whatsapp_provider.operators.staleness import AUTO, check_staleness, skip_stale_run

DUE = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def context(
    run_type: Any = "scheduled", interval: timedelta = timedelta(0), schedule: Any = None, **run: Any
) -> Any:
    """What Airflow tells of a run that was due on Monday at nine."""
    values = {
        "run_type": run_type,
        "data_interval_start": DUE - interval,
        "data_interval_end": DUE,
        "logical_date": DUE - interval,
        "run_after": DUE,
        **run,
    }
    dag = DAG("d", schedule=schedule, start_date=datetime(2026, 1, 1, tzinfo=UTC))
    return {"dag_run": SimpleNamespace(**values), "dag": dag}


def is_skipped(found: Any, age: timedelta, max_staleness: Any = AUTO) -> bool:
    try:
        skip_stale_run(found, max_staleness, now=DUE + age)
    except AirflowSkipException:
        return True
    return False


SCHEDULES = {
    "cron": ("0 9 * * *", timedelta(0), 2 * DAY),
    "a data interval": (None, DAY, 2 * DAY),
    "every two hours": (2 * HOUR, timedelta(0), 4 * HOUR),
    "weekly": ("0 9 * * 1", timedelta(0), 14 * DAY),
    "every minute": ("* * * * *", timedelta(0), HOUR),
    "a timetable of its own": (None, timedelta(0), DAY),
}


@pytest.mark.parametrize("run_type", ["scheduled", "backfill"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_catchup_and_backfill_of_old_intervals_write_to_nobody(name: str, run_type: str) -> None:
    """A run begins no campaign once its schedule's next run but one is due."""
    schedule, interval, latest = SCHEDULES[name]
    found = context(run_type, interval, schedule)
    assert not is_skipped(found, latest)
    assert is_skipped(found, latest + timedelta(seconds=1))
    assert is_skipped(found, 100 * DAY)


def test_a_cron_schedule_goes_by_its_days_and_its_own_time_zone() -> None:
    friday = {"data_interval_start": DUE + 4 * DAY, "data_interval_end": DUE + 4 * DAY}
    workdays = CronTriggerTimetable("0 6 * * 1-5", timezone="America/Sao_Paulo")
    found = context(schedule=workdays, **friday)
    tuesday = 8 * DAY  # the next run but one
    assert not is_skipped(found, tuesday)
    assert is_skipped(found, tuesday + timedelta(seconds=1))


@pytest.mark.parametrize(
    "run_type", ["manual", "operator_triggered", "asset_triggered", "asset_materialization"]
)
def test_a_run_that_somebody_or_an_event_started_is_sent_whatever_its_date(run_type: str) -> None:
    assert not is_skipped(context(run_type, DAY), 100 * DAY)
    assert not is_skipped(context(run_type, DAY), 100 * DAY, max_staleness=HOUR)


def test_airflows_own_words_for_run_types_are_understood() -> None:
    from airflow.sdk.api.datamodels._generated import DagRunType

    assert is_skipped(context(DagRunType.BACKFILL, DAY), 10 * DAY)
    assert not is_skipped(context(DagRunType.MANUAL, DAY), 10 * DAY)


def test_the_bound_may_be_given_or_taken_away() -> None:
    found = context(interval=DAY)
    assert is_skipped(found, 3 * HOUR, max_staleness=2 * HOUR)
    assert not is_skipped(found, 10 * DAY, max_staleness=11 * DAY)
    assert not is_skipped(found, 1000 * DAY, max_staleness=None)


def test_a_run_without_a_data_interval_goes_by_when_it_was_due() -> None:
    none = {"data_interval_start": None, "data_interval_end": None, "logical_date": None}
    assert is_skipped(context(**none), 2 * DAY)
    assert not is_skipped(context(**none), HOUR)


def test_a_context_without_a_run_skips_nothing() -> None:
    skip_stale_run({}, AUTO)


def test_who_is_skipped_is_told_how_old_the_run_is_and_how_to_send_all_the_same() -> None:
    with pytest.raises(
        AirflowSkipException, match=r"due at 2026-03-02 09:00 UTC, 5 days ago.*allows 48 hours"
    ):
        skip_stale_run(context(interval=DAY), AUTO, now=DUE + 5 * DAY)


@pytest.mark.parametrize("value", ["always", 3600, timedelta(0), -DAY, ""])
def test_a_bound_that_is_none_is_refused_when_the_dag_is_read(value: Any) -> None:
    with pytest.raises(ValueError, match="max_staleness takes"):
        check_staleness(value)


@pytest.mark.parametrize("value", [AUTO, None, DAY])
def test_a_bound_is_taken(value: Any) -> None:
    check_staleness(value)
