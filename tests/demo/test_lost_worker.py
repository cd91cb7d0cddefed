"""What the tests that kill tasks rely on: Airflow notices a lost task and tries it again."""

from __future__ import annotations

import pytest

from tests.airflow_server import airflow_with_dags

pytestmark = [pytest.mark.airflow, pytest.mark.kill]

SLEEPS_ONCE = """
    from __future__ import annotations

    import datetime
    import time

    from airflow.sdk import dag, task


    @dag(schedule=None)
    def sleeps_once():
        @task(retries=1, retry_delay=datetime.timedelta(seconds=1))
        def sleep(ti=None):
            if ti.try_number == 1:
                time.sleep(600)
            return ti.try_number

        sleep()


    sleeps_once()
"""

NOTICE_SOON = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
}


@pytest.fixture(scope="module")
def lost(tmp_path_factory):
    """Two runs that have lost their tasks, each in a way of its own: they are waited for at once."""
    folder = tmp_path_factory.mktemp("lost")
    with airflow_with_dags(folder, {"dags.py": SLEEPS_ONCE}, config=NOTICE_SOON) as server:
        runs = {name: server.trigger("sleeps_once") for name in ("with its supervisor", "alone")}
        for ref in runs.values():
            server.wait_task(ref, "sleep", ["running"])
        server.find_task_processes(runs["with its supervisor"], "sleep").kill_all()
        server.find_task_processes(runs["alone"], "sleep").task.kill()
        yield server, runs


@pytest.mark.parametrize("killed", ["with its supervisor", "alone"])
def test_a_task_whose_process_is_killed_is_tried_again(lost, killed):
    server, runs = lost
    server.wait_run(runs[killed], timeout=150)
    assert server.rest.xcom(runs[killed], "sleep") == 2
