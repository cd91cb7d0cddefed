"""``python -m whatsapp_provider.demo``: what it refuses, and the examples that it hands out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.airflow_server import processes_with_marker
from whatsapp_provider.demo import examples
from whatsapp_provider.demo.__main__ import main
from whatsapp_provider.demo.gateways import connection_fields, demo_gateway, known_gateways
from whatsapp_provider.demo.marker import MARKER
from whatsapp_provider.emulator import Emulator
from whatsapp_provider.emulator.server import serve_in_thread
from whatsapp_provider.gateways.registry import GATEWAYS

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def examples_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "installed"
    (folder / "data").mkdir(parents=True)
    (folder / "campaign.py").write_text("campaign")
    (folder / "data" / "audience.csv").write_text("phone")
    monkeypatch.setattr(examples, "_PLACES", (tmp_path / "no checkout", folder))
    return folder


def test_an_unknown_gateway_is_refused_with_the_known_ones(capsys):
    assert main(["--gateway", "carrier-pigeon"]) == 2
    answer = capsys.readouterr().out
    assert "no gateway 'carrier-pigeon'" in answer
    assert f"Known: {', '.join(GATEWAYS)}." in answer


def test_every_gateway_there_is_has_a_connection_to_the_emulator():
    assert known_gateways() == sorted(GATEWAYS)
    with serve_in_thread(Emulator()) as server:
        for name, line in GATEWAYS.items():
            assert connection_fields(name, server.facts())["conn_type"] == line.connection_type


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_every_gateways_demo_runs_an_example_with_parameters_that_it_has(gateway):
    tale = demo_gateway(gateway).tale
    [example] = [text for text in _examples() if f"def {tale.dag_id}(" in text]
    assert tale.creating_task is None or f'task_id="{tale.creating_task}"' in example
    for task in ("wait_connected", "send_campaign"):
        assert f'task_id="{task}"' in example
    for name in tale.run_conf("people.csv", "http://webhook"):
        assert f'"{name}":' in example


def _examples():
    return [file.read_text() for file in examples.examples_folder().glob("*.py")]


def test_the_examples_are_copied_with_their_data(examples_here, tmp_path, capsys):
    target = tmp_path / "dags"
    assert main(["--copy-examples", str(target)]) == 0
    assert (target / "campaign.py").read_text() == "campaign"
    assert (target / "data" / "audience.csv").read_text() == "phone"
    assert str(target / "campaign.py") in capsys.readouterr().out


def test_copying_the_examples_again_keeps_a_changed_one(examples_here, tmp_path, capsys):
    target = tmp_path / "dags"
    main(["--copy-examples", str(target)])
    (target / "campaign.py").write_text("mine")
    assert main(["--copy-examples", str(target)]) == 0
    assert (target / "campaign.py").read_text() == "mine"
    assert "nothing was changed" in capsys.readouterr().out


def test_missing_examples_are_an_error_that_names_where_they_should_be(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(examples, "_PLACES", (tmp_path / "beside", tmp_path / "inside"))
    assert main(["--copy-examples", str(tmp_path / "dags")]) == 1
    assert str(tmp_path / "inside") in capsys.readouterr().out


@pytest.mark.airflow
def test_the_demo_stops_all_that_it_started_when_it_is_interrupted(tmp_path):
    command = [sys.executable, "-u", "-m", "whatsapp_provider.demo", "--airflow-home", str(tmp_path / "home")]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert demo.stdout is not None
    told = ""
    while "starting Airflow" not in told:
        told += demo.stdout.readline()
    environments = [child.environ() for child in psutil.Process(demo.pid).children()]
    run_id = next(environment[MARKER] for environment in environments if MARKER in environment)
    demo.send_signal(signal.SIGINT)
    assert demo.wait(30) == 130
    assert "Interrupted by SIGINT" in demo.stdout.read()
    assert processes_with_marker(run_id) == []
