"""Airflow's settings that people ask about, and the triggerer that deferred waits need."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from whatsapp_provider.cli.doctor.findings import Finding, Topic

SETTINGS = Topic("settings")


def look_at_settings(_seconds: float) -> Iterator[Finding]:
    """Look at the Test button and the default of ``deferrable``."""
    from airflow.providers.common.compat.sdk import conf

    testing = conf.get("core", "test_connection", fallback="Disabled").strip().capitalize()
    yield SETTINGS.ok(
        "[core] test_connection",
        f"{testing}.",
        ""
        if testing == "Enabled"
        else "The Test button of the connection form needs 'Enabled' (Airflow's own default is off); this command "
        "tests in any case.",
    )
    yield SETTINGS.ok(
        "[operators] default_deferrable",
        "On: waits and campaigns defer to the triggerer."
        if _default_deferrable()
        else "Off: waits and campaigns keep a worker slot, except with deferrable=True.",
    )


def look_at_triggerer(_seconds: float) -> Iterator[Finding]:
    """Look for the heartbeat of a triggerer."""
    from airflow.jobs.job import most_recent_job
    from sqlalchemy.exc import SQLAlchemyError

    try:
        job = most_recent_job("TriggererJob")
    except SQLAlchemyError as error:
        yield SETTINGS.warning(
            "triggerer", f"Not known: Airflow's metadata database can't be read ({type(error).__name__})."
        )
        return
    beat = job.latest_heartbeat if job is not None else None
    if job is not None and beat is not None and job.is_alive():
        age = (datetime.now(UTC) - beat).total_seconds()
        yield SETTINGS.ok("triggerer", f"Alive; its last heartbeat was {age:.0f} s ago.")
        return
    found = "None has ever run here." if job is None else "None is alive; the last one has stopped."
    advice = "Start one with 'airflow triggerer': tasks that deferred stand still without it."
    # By default everything defers, so that nothing would go on.
    make = SETTINGS.problem if _default_deferrable() else SETTINGS.warning
    yield make("triggerer", found, advice)


def _default_deferrable() -> bool:
    from airflow.providers.common.compat.sdk import conf

    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))
