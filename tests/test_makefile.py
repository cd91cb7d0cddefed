"""The Makefile finds a Python that works, and the pinned versions are only that."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
PINNED = sorted((PROJECT / "constraints").glob("airflow-*.txt"))


def make(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": path or os.environ["PATH"], "MAKEFLAGS": ""}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_make_alone_lists_every_target_that_a_person_uses():
    told = make().stdout
    targets = re.search(r"^\.PHONY: (.*)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert targets is not None
    for target in targets[1].split():
        assert f"make {target} " in told


def test_a_python_that_is_there_but_does_not_run_is_passed_over(tmp_path):
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\necho 'python3.13: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    told = make("help", path=f"{tmp_path}:{os.environ['PATH']}").stdout
    assert re.search(r"PYTHON=python3\S* ", told)
    assert "PYTHON=python3.13 " not in told


@pytest.mark.parametrize("python", ["", "/bin/false"], ids=["none", "unusable"])
def test_without_a_usable_python_the_reason_and_the_way_out_are_told(tmp_path, python):
    result = make("venv", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}")
    assert result.returncode != 0
    assert "Python 3.11 to 3.14 with its venv module" in result.stderr


@pytest.mark.parametrize("file", PINNED, ids=lambda file: file.stem)
def test_the_pinned_versions_name_no_host_no_path_no_hash_and_not_this_package(file):
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in lines)
    assert lines == sorted(lines, key=str.upper)
    assert "airflow-provider-whatsapp" not in file.read_text().partition("\n")[2]
    assert f"apache-airflow=={file.stem.removeprefix('airflow-')}" in lines


@pytest.mark.parametrize("file", PINNED, ids=lambda file: file.stem)
def test_every_direct_dependency_is_pinned(file):
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    groups = [
        project["project"]["dependencies"],
        project["dependency-groups"]["dev"],
        *project["project"]["optional-dependencies"].values(),
    ]
    wanted = [requirement for group in groups for requirement in group]
    names = {normal(re.split(r"[\[<>=;~! ]", requirement)[0]) for requirement in wanted}
    pinned = {normal(line.partition("==")[0]) for line in file.read_text().splitlines()}
    assert names - pinned == {"airflow-provider-whatsapp"}


@pytest.mark.parametrize("library", ["alembic", "h11", "httpx", "pydantic", "sqlalchemy", "tenacity"])
def test_what_is_tested_with_the_newest_airflow_only_rests_on_the_same_libraries_everywhere(library):
    versions = {
        line.partition("==")[2]
        for file in PINNED
        for line in file.read_text().splitlines()
        if normal(line.partition("==")[0]) == library
    }
    assert len(versions) == 1


def test_what_is_tested_with_the_newest_airflow_only_imports_nothing_of_airflow():
    named = re.search(r"^WITHOUT_AIRFLOW = (.*)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert named is not None
    files = [file for folder in named[1].split() for file in (PROJECT / folder).rglob("*.py")]
    assert files
    assert not [file for file in files if re.search(r"(from|import) airflow\b", file.read_text())]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
