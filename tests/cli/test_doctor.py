"""Versions, page, settings, and how the doctor is called and what it prints."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow import __version__ as airflow_version

from tests.cli.conftest import Diagnosis
from tests.cli.servers import another_program
from tests.hooks.world import CONN_ID, World
from whatsapp_provider.cli import get_whatsapp_cli_commands, main
from whatsapp_provider.cli.commands import COMMANDS
from whatsapp_provider.cli.doctor.findings import Finding, Topic, Verdict
from whatsapp_provider.cli.doctor.looking import Check, look
from whatsapp_provider.cli.doctor.report import as_text
from whatsapp_provider.cli.doctor.versions import TESTED, judge

Doctor = Callable[..., Diagnosis]
ROOT = Path(__file__).parent.parent.parent
HAS_HOOK = tuple(map(int, airflow_version.split(".")[:2])) >= (3, 2)
GOOD, BAD = Topic("good"), Topic("bad")


def test_the_tested_versions_are_those_with_constraints() -> None:
    pinned = {path.stem.removeprefix("airflow-") for path in (ROOT / "constraints").glob("airflow-*.txt")}
    assert set(TESTED) == pinned


@pytest.mark.parametrize(
    ("version", "verdict"),
    [("3.1.8", "ok"), ("3.3.2", "ok"), ("3.3.1", "warning"), ("4.0.0rc1", "warning"), ("2.11.0", "problem")],
)
def test_an_airflow_version_is_judged_by_what_is_tested(version: str, verdict: str) -> None:
    found = judge(version)
    assert found.verdict.value == verdict
    assert f"Airflow {version}" in found.found


def test_the_plugin_is_loaded_and_its_address_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without an address first: Airflow's application keeps the one that it finds when it is imported, for all tests.
    assert "base_url" in doctor().of("pairing page", "address")["advice"]
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/here/")
    told = doctor()
    assert told.of("pairing page", "plugin")["verdict"] == "ok"
    assert told.of("pairing page", "address")["found"].startswith(
        "https://airflow.example/here/whatsapp/pair"
    )


def test_a_page_that_can_not_be_loaded_is_a_problem(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("whatsapp_provider.plugin.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "airflow.api_fastapi.core_api.security", None)
    told = doctor()
    assert told.code == 1
    assert "page can't be loaded" in told.of("pairing page", "plugin")["found"]


def job(seconds_ago: float) -> Any:
    from airflow.jobs.job import Job

    found = Job(job_type="TriggererJob", state="running")
    found.latest_heartbeat = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    return found


@pytest.mark.parametrize(("default", "verdict"), [("False", "warning"), ("True", "problem")])
def test_without_a_triggerer_what_defers_stands_still(
    doctor: Doctor, stored: Callable[..., None], monkeypatch: pytest.MonkeyPatch, default: str, verdict: str
) -> None:
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", default)
    for _ in range(2):
        told = doctor()
        assert told.of("settings", "triggerer")["verdict"] == verdict
        assert "airflow triggerer" in told.of("settings", "triggerer")["advice"]
        stored(job(seconds_ago=3600))
    assert "the last one has stopped" in told.of("settings", "triggerer")["found"]


def test_a_triggerer_with_a_fresh_heartbeat_is_alive(doctor: Doctor, stored: Callable[..., None]) -> None:
    stored(job(seconds_ago=1))
    assert doctor().of("settings", "triggerer")["verdict"] == "ok"


def test_it_is_said_how_to_get_the_test_button(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "'Enabled'" in doctor().of("settings", "[core] test_connection")["advice"]
    monkeypatch.setenv("AIRFLOW__CORE__TEST_CONNECTION", "enabled")
    told = doctor().of("settings", "[core] test_connection")
    assert (told["found"], told["advice"]) == ("Enabled.", "")


# -- how checks are run, and how findings look -------------------------------------------------------


def good(_seconds: float) -> Iterator[Finding]:
    yield GOOD.ok("one", "Fine")


def failing(_seconds: float) -> Iterator[Finding]:
    yield BAD.ok("first", "Fine.")
    raise ValueError("password=correct-horse")


def test_a_check_that_breaks_hides_neither_its_own_findings_nor_those_of_others() -> None:
    found = look([Check(BAD, failing), Check(GOOD, good)], 5)
    assert [(each.topic, each.looked_at, each.verdict.value) for each in found] == [
        ("bad", "first", "ok"),
        ("bad", "check", "problem"),
        ("good", "one", "ok"),
    ]
    assert "ValueError at test_doctor.py" in found[1].found
    assert "correct-horse" not in str(found)


def test_the_text_has_a_block_for_each_finding_and_names_the_problems_last() -> None:
    found = [
        GOOD.ok("one", "Fine"),
        Finding("bad", "two", Verdict.PROBLEM, "Broken. " * 20, "Mend it."),
        GOOD.warning("three", "Hm?"),
    ]
    text = as_text(found)
    assert text.startswith("ok        good: one\n          Fine.\nproblem   bad: two\n          Broken.")
    assert "\n          → Mend it.\n" in text
    assert text.endswith("\n3 looked at: 1 ok, 1 warning, 1 problem:\n  bad: two")
    assert max(map(len, text.splitlines())) <= 110


# -- how it is called --------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "soon"])
def test_a_time_out_must_be_a_number_of_seconds(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", f"--timeout={value}"])
    assert ended.value.code == 2
    assert "seconds above 0" in capsys.readouterr().err


def shape(entry: Any) -> Any:
    """What a command or a group of them takes, of ours or of Airflow's."""
    if below := getattr(entry, "subcommands", None) or getattr(entry, "commands", None):
        return {each.name: shape(each) for each in below}
    if hasattr(entry, "args"):
        return [arg.flags for arg in entry.args]
    return [(option.flag,) for option in entry.options]


def test_airflow_gets_the_same_commands_and_options() -> None:
    (group,) = get_whatsapp_cli_commands()
    assert group.name == "whatsapp"
    assert shape(group) == {entry.name: shape(entry) for entry in COMMANDS}
    assert shape(group)["ledger"]["upgrade"] == [("--conn-id",)]


def test_a_log_that_goes_to_standard_output_stays_out_of_the_report(doctor: Doctor, world: World) -> None:
    root, handler = logging.getLogger(), logging.StreamHandler(sys.stdout)
    root.addHandler(handler)
    try:
        with another_program(lambda: root.warning("somebody asks")) as url:
            world.connect(extra={"manager_url": url})
            told = doctor()
        assert handler.stream is sys.stdout, "it is as before"
    finally:
        root.removeHandler(handler)
    assert told.code == 1
    assert "somebody asks" in told.log


def call(*command: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "PYTHONPATH": str(ROOT),
        **more,
    }
    return subprocess.run(
        [sys.executable, "-m", *command], env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_metadata_database_without_tables_is_a_problem_and_no_ledger_is_guessed(tmp_path: Path) -> None:
    done = call("whatsapp_provider", "doctor", "--json", home=tmp_path)
    assert done.returncode == 1, done.stderr
    findings = {(each["topic"], each["looked_at"]): each for each in json.loads(done.stdout)["findings"]}
    assert "airflow db migrate" in findings["connections", "metadata database"]["advice"]
    assert findings["ledger", "place"]["verdict"] == "warning"
    assert "metadata database" in findings["settings", "triggerer"]["found"]
    assert not (tmp_path / "whatsapp").exists()


@pytest.mark.skipif(not HAS_HOOK, reason="this Airflow takes no commands of providers")
def test_airflows_own_command_line_has_the_doctor(world: World, migrated: None) -> None:
    world.connect()
    home = Path(os.environ["AIRFLOW_HOME"])
    done = call("airflow", "whatsapp", "doctor", "--json", home=home)
    assert done.returncode == 0, done.stderr + done.stdout
    told = json.loads(done.stdout)
    assert told["healthy"] is True
    assert {each["looked_at"]: each["verdict"] for each in told["findings"]}["gateway"] == "ok"

    # Airflow itself writes its log of that level to standard output, before any command.
    done = call("airflow", "whatsapp", "doctor", home=home, AIRFLOW__LOGGING__LOGGING_LEVEL="DEBUG")
    everything = done.stdout + done.stderr
    assert f"connection {CONN_ID}: gateway" in everything
    assert "[debug" in everything
    for secret in (world.emulator.partner_token, world.channel_token, "15550001000"):
        assert secret not in everything
