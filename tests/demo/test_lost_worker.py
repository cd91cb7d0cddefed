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


def test_a_task_whose_processes_are_all_killed_is_tried_again(tmp_path):
    with airflow_with_dags(tmp_path, {"dags.py": SLEEPS_ONCE}, config=NOTICE_SOON) as server:
        ref = server.trigger("sleeps_once")
        server.wait_task(ref, "sleep", ["running"])
        server.find_task_processes(ref, "sleep").kill_all()
        server.wait_run(ref, timeout=150)
        assert server.rest.xcom(ref, "sleep") == 2


def test_a_task_whose_own_process_is_killed_is_tried_again(tmp_path):
    with airflow_with_dags(tmp_path, {"dags.py": SLEEPS_ONCE}, config=NOTICE_SOON) as server:
        ref = server.trigger("sleeps_once")
        server.wait_task(ref, "sleep", ["running"])
        server.find_task_processes(ref, "sleep").task.kill()
        server.wait_run(ref, timeout=150)
        assert server.rest.xcom(ref, "sleep") == 2
