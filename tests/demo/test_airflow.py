"""A real Airflow starts, runs DAGs, tells why it can't go on, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.airflow_server import airflow_with_dags, processes_with_marker
from whatsapp_provider.demo.airflow import AirflowServer
from whatsapp_provider.demo.errors import ComponentDiedError, DemoError, RestError, RunFailedError
from whatsapp_provider.demo.rest import RunRef

pytestmark = [pytest.mark.airflow, pytest.mark.kill]

PROJECT = Path(__file__).parents[2]

DAGS = """
    from __future__ import annotations

    import datetime
    import time

    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
    from airflow.sdk import dag, task


    @dag(schedule=None)
    def greeting():
        @task
        def greet(dag_run=None):
            print("greeting", dag_run.conf["name"])
            return {"greeted": dag_run.conf["name"]}

        greet() >> TimeDeltaSensor(task_id="wait", delta=datetime.timedelta(seconds=1), deferrable=True)


    @dag(schedule=None)
    def failing():
        @task
        def fail():
            raise ValueError("out of luck")

        fail()


    @dag(schedule=None)
    def sleeping():
        BashOperator(task_id="sleep", bash_command="sleep 600")


    greeting()
    failing()
    sleeping()
"""

BROKEN = """
    # This file would define the DAG named absent.
    import airflow.no_such_module
"""

OWNER = """
import sys, time
from pathlib import Path
from whatsapp_provider.demo.airflow import AirflowServer

home = Path(sys.argv[1])
server = AirflowServer(home, home / "dags")
(home / "run_id").write_text(server.supervisor.run_id)
with server:
    (home / "healthy").touch()
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowServer]:
    connection = {"conn_type": "generic", "host": "example.test", "extra": {"colour": "green"}}
    folder = tmp_path_factory.mktemp("server")
    dags = {"dags.py": DAGS, "broken.py": BROKEN}
    with airflow_with_dags(folder, dags, connections={"a_connection": connection}) as server:
        yield server


@pytest.fixture(scope="module")
def greeting(server: AirflowServer) -> RunRef:
    """A finished run of the DAG ``greeting``."""
    ref = server.trigger("greeting", {"name": "Ada"})
    server.wait_run(ref)
    return ref


def test_a_dag_with_a_deferrable_task_runs_to_success(server, greeting):
    assert {task["task_id"]: task["state"] for task in server.rest.tasks(greeting)} == {
        "greet": "success",
        "wait": "success",
    }


def test_the_result_and_the_log_of_a_task_can_be_read(server, greeting):
    assert server.rest.xcom(greeting, "greet") == {"greeted": "Ada"}
    assert "greeting Ada" in server.rest.logs(greeting, "greet")


def test_the_connections_are_in_airflow_and_can_be_changed(server):
    server.rest.put_connection("a_connection", {"conn_type": "generic", "host": "other.test"})
    assert server.rest.call("GET", "/connections/a_connection")["host"] == "other.test"


def test_cleared_tasks_run_again_as_a_new_try(server, greeting):
    server.rest.clear(greeting, ["greet"])
    server.wait_run(greeting)
    assert server.rest.task(greeting, "greet")["try_number"] == 2


def test_a_failed_run_is_told_with_the_exception_of_the_task_that_failed(server):
    ref = server.trigger("failing")
    with pytest.raises(RunFailedError, match="fail: failed: ValueError: out of luck"):
        server.wait_run(ref)
    assert "out of luck" in server.rest.logs(ref, "fail")


def test_a_dag_file_that_cannot_be_imported_ends_the_wait_with_its_error(server):
    with pytest.raises(DemoError, match=r"can't import broken.py(.|\n)*no_such_module"):
        server.trigger("absent")


def test_a_refused_request_tells_what_airflow_said(server):
    with pytest.raises(RestError, match="was answered 404") as caught:
        server.rest.run(RunRef("greeting", "no such run"))
    assert caught.value.status == 404


def test_a_running_task_is_found_with_its_supervisor_and_what_it_started(server):
    ref = server.trigger("sleeping")
    server.wait_task(ref, "sleep", ["running"])
    found = server.wait_until("bash's sleep", lambda: sleeping_processes(server, ref), timeout=30)
    assert [child.cmdline() for child in found.children] == [["sleep", "600"]]
    scheduler = server.supervisor.components["scheduler"].process.pid
    assert found.supervisor.ppid() == scheduler
    server.rest.patch_task(ref, "sleep", {"new_state": "failed"})
    server.wait_run(ref, expect="failed")


def sleeping_processes(server: AirflowServer, ref: RunRef):
    found = server.find_task_processes(ref, "sleep")
    return found if found.children else None


def test_a_component_that_dies_ends_the_wait_at_once_and_is_named(tmp_path):
    server = airflow_with_dags(tmp_path, {"dags.py": DAGS}, components=("api-server", "dag-processor"))
    with server:
        ref = server.trigger("greeting", {"name": "nobody"})
        server.supervisor.components["dag-processor"].process.kill()
        with pytest.raises(
            ComponentDiedError, match=r"dag-processor was killed by SIGKILL\. Its last lines:"
        ):
            server.wait_run(ref, timeout=30)
    assert processes_with_marker(server.supervisor.run_id) == []


def test_a_setting_that_airflow_refuses_is_told_as_the_reason(tmp_path):
    server = airflow_with_dags(tmp_path, {}, config={"AIRFLOW__CORE__EXECUTOR": "no.such.Executor"})
    with pytest.raises(ComponentDiedError, match=r"no\.such"), server:
        pass
    assert processes_with_marker(server.supervisor.run_id) == []


def test_nothing_is_left_when_the_block_ends_with_tasks_running(tmp_path):
    with airflow_with_dags(tmp_path, {"dags.py": DAGS}) as server:
        server.wait_task(server.trigger("sleeping"), "sleep", ["running"])
        assert any("sleep 600" in command for command in until_sleeping(server))
    assert processes_with_marker(server.supervisor.run_id) == []


def until_sleeping(server: AirflowServer) -> list[str]:
    def look() -> list[str] | None:
        commands = processes_with_marker(server.supervisor.run_id)
        return commands if "sleep 600" in commands else None

    return server.wait_until("the sleep", look, timeout=30)


def test_nothing_is_left_when_the_owner_of_a_running_airflow_is_killed(tmp_path):
    (tmp_path / "dags").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], env=environment)
    wait_for((tmp_path / "healthy").exists, 120)
    run_id = (tmp_path / "run_id").read_text()
    assert len(processes_with_marker(run_id)) > 4
    owner.kill()
    owner.wait()
    wait_for(lambda: not processes_with_marker(run_id), 20)


def wait_for(condition, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.2)
