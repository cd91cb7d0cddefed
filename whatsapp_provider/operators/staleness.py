"""Don't begin a campaign for a run that is long past: a catch-up would write to everybody once for each missed run.

Only what Airflow itself makes of a schedule counts, catch-up and backfill. Whoever starts a run by hand, by an event or
by another DAG means it. A campaign that is in the ledger goes on however old its run is.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from airflow.providers.common.compat.sdk import AirflowSkipException

if TYPE_CHECKING:
    from airflow.sdk import Context

#: As long as it takes until the schedule's next run but one is due.
AUTO: Literal["auto"] = "auto"
Staleness = timedelta | Literal["auto"] | None
#: A run that waited for a slot for so long is none of the past yet, however short its schedule is.
SHORTEST = timedelta(hours=1)
#: Where the schedule says nothing of its next run.
UNKNOWN = timedelta(days=1)
RUNS_LATER = 2
_BY_SCHEDULE = ("scheduled", "backfill")


def check_staleness(value: object) -> None:
    """Refuse what is no bound, when the DAG is read.

    :raises ValueError: saying what is one.
    """
    bound = value is None or value == AUTO
    if not bound and not (isinstance(value, timedelta) and value > timedelta(0)):
        raise ValueError(f'max_staleness takes "auto", None or a timedelta above 0, not {value!r}')


def skip_stale_run(context: Context, max_staleness: Staleness, *, now: datetime | None = None) -> None:
    """Skip the task if its run is of the past: to be asked before a campaign is planned that is not in the ledger.

    :param max_staleness: how long ago the run may have been due; ``auto`` for as long as only one later run of its
        schedule is due; ``None`` for any time.
    :raises AirflowSkipException: saying how old the run is, and what to do to send all the same.
    """
    run: Any = context.get("dag_run")
    if max_staleness is None or run is None or _word(run.run_type) not in _BY_SCHEDULE:
        return
    due: datetime = run.data_interval_end or run.logical_date or run.run_after
    latest = _latest(context, run, due) if isinstance(max_staleness, str) else due + max_staleness
    now = now or datetime.now(UTC)
    if now > latest:
        raise AirflowSkipException(
            f"Nothing is sent: this run was due at {due:%Y-%m-%d %H:%M %Z}, {_told(now - due)} ago, and its campaign "
            f"would write to everybody as if it were of then. max_staleness allows {_told(latest - due)}. To send all "
            "the same, trigger a run by hand, or set max_staleness=None and clear this task."
        )


def _word(run_type: Any) -> str:
    return str(getattr(run_type, "value", run_type))


def _latest(context: Context, run: Any, due: datetime) -> datetime:
    """Return the moment at which two later runs are due."""
    timetable: Any = getattr(context.get("dag"), "timetable", None)
    begin, end = run.data_interval_start, run.data_interval_end
    interval = end - begin if begin and end and end > begin else _named(timetable, "delta")
    if isinstance(interval, timedelta) and interval > timedelta(0):
        latest = due + RUNS_LATER * interval
    elif expression := _named(timetable, "expression"):
        latest = _by_cron(expression, _named(timetable, "timezone") or UTC, due)
    else:
        latest = due + UNKNOWN
    return max(latest, due + SHORTEST)


def _named(timetable: Any, name: str) -> Any:
    # Airflow's own timetables before 3.2 have the same under a private name.
    return getattr(timetable, name, None) or getattr(timetable, f"_{name}", None)


def _by_cron(expression: str, timezone: Any, due: datetime) -> datetime:
    from croniter import croniter  # type: ignore[import-untyped]  # it has no annotations

    zone = ZoneInfo(timezone) if isinstance(timezone, str) else timezone
    runs = croniter(expression, due.astimezone(zone))
    for _ in range(RUNS_LATER - 1):
        runs.get_next(datetime)
    found: datetime = runs.get_next(datetime)
    return found


def _told(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 72 else f"{hours:.0f} hours"
