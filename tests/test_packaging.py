"""What a person gets who installs what was built into an environment that has nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from whatsapp_provider import __version__

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parent.parent
PROBE = ROOT / "tests" / "bare_probe.py"
EXAMPLES = {path.name for path in (ROOT / "dags_examples").glob("*.py")}
#: Airflow's HTTP provider comes with an extra only.
NEEDS_AN_EXTRA = "crm_campaign.py"
#: The oldest and the newest that is supported, and what is installed there.
INSTALLED = {"3.1": "*.tar.gz", "3.3": "*.whl"}


@dataclass(frozen=True)
class Built:
    """Both distributions, and the wheel that comes of the source distribution."""

    folder: Path
    sdist: Path
    wheel: Path
    wheel_of_sdist: Path


@dataclass(frozen=True)
class Bare:
    """An environment with Airflow and the package, and no checkout on its path."""

    folder: Path
    short: str

    @property
    def airflow(self) -> str:
        """The version that is pinned."""
        return constraints(self.short).stem.removeprefix("airflow-")

    def install(self, archive: Path) -> None:
        """Make the environment; what is compiled is compiled when it is used."""
        subprocess.run([sys.executable, "-m", "venv", str(self.folder / "venv")], check=True)
        pinned = ["-c", str(constraints(self.short)), f"apache-airflow=={self.airflow}"]
        self.run("-m", "pip", "install", "-q", "--no-compile", str(archive), *pinned)

    def run(self, *arguments: str) -> str:
        """Run Python there and return what it prints."""
        # Neither the person's Airflow nor a checkout that is found by way of the environment.
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AIRFLOW", "PYTHONPATH", "PYTEST"))
        }
        environment = {
            **kept,
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "COLUMNS": "1000",
        }
        done = subprocess.run(
            [str(self.folder / "venv" / "bin" / "python"), *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def constraints(short: str) -> Path:
    """Return the file with the pinned versions of a minor version of Airflow."""
    (found,) = (ROOT / "constraints").glob(f"airflow-{short}.*.txt")
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("dist")
    for kinds, target in ((["--wheel"], folder), ([], folder / "both")):
        command = [sys.executable, "-m", "build", *kinds, "--outdir", str(target), str(ROOT)]
        subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    (sdist,) = (folder / "both").glob("*.tar.gz")
    (wheel_of_sdist,) = (folder / "both").glob("*.whl")
    return Built(folder, sdist, wheel, wheel_of_sdist)


@pytest.fixture(scope="module")
def environments(built: Built, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bare]:
    """The environments, made side by side."""
    bare = {short: Bare(tmp_path_factory.mktemp(f"bare-{short}"), short) for short in INSTALLED}
    archives = {".whl": built.wheel, ".gz": built.sdist}
    with ThreadPoolExecutor() as pool:
        made = [
            pool.submit(bare[short].install, archives[Path(pattern).suffix])
            for short, pattern in INSTALLED.items()
        ]
    for one in made:
        one.result()
    return bare


@pytest.fixture(scope="module", params=INSTALLED, ids=lambda short: f"airflow-{short}")
def seen(environments: dict[str, Bare], request: pytest.FixtureRequest) -> dict[str, Any]:
    """What Airflow tells of the package in an environment."""
    bare = environments[request.param]
    examples = bare.folder / "dags"
    bare.run("-m", "whatsapp_provider.demo", "--copy-examples", str(examples))
    told: dict[str, Any] = json.loads(bare.run(str(PROBE), str(examples)).splitlines()[-1])
    assert told["airflow"] == bare.airflow
    assert Path(told["file"]).is_relative_to(bare.folder)
    return told


def test_airflow_lists_the_provider_with_its_version(seen):
    package = seen["info"]["package-name"]
    assert {"Provider": package, "Version": __version__} in seen["get"]
    assert {one["package_name"]: one["version"] for one in seen["list"]}[package] == __version__


def test_airflow_lists_every_connection_type_with_its_hook_and_form(seen):
    hooks = {one["connection_type"]: one for one in seen["hooks"]}
    for declared in seen["info"]["connection-types"]:
        kind = declared["connection-type"]
        assert hooks[kind]["class"] == declared["hook-class-name"]
        assert hooks[kind]["hook_name"] == declared["hook-name"]
        form = seen["forms"][kind]
        labels = {name: field["schema"]["title"] for name, field in form["extra_fields"].items()}
        assert labels == {name: field["label"] for name, field in declared["conn-fields"].items()}
        widgets = {one["connection_parameter_name"] for one in seen["widgets"]}
        assert {f"extra__{kind}__{name}" for name in labels} <= widgets
        assert kind in {one["field_behaviours"] for one in seen["behaviours"]}


def test_airflow_lists_links_notifications_and_triggers(seen):
    links = {one["extra_link_class_name"] for one in seen["links"]}
    assert set(seen["info"]["extra-links"]) <= links
    notifications = {one["notification_class_name"] for one in seen["notifications"]}
    assert set(seen["info"].get("notifications", [])) <= notifications
    triggers = {one["class"] for one in seen["triggers"]}
    assert {name for entry in seen["info"]["triggers"] for name in entry["python-modules"]} <= triggers


def test_airflow_lists_the_plugin_with_its_page(seen):
    ours = next(plugin for plugin in seen["plugins"] if plugin["name"] == "whatsapp")
    assert "WhatsApp" in json.dumps(ours["fastapi_apps"])
    assert [view["url_route"] for view in ours["external_views"]]


def test_everything_that_airflow_is_told_of_can_be_imported_and_nothing_warns(seen):
    assert seen["absent"] == []
    assert seen["warned"] == []


def test_the_examples_are_copied_out_and_airflow_reads_them(seen):
    assert set(seen["dags"]) == EXAMPLES
    assert "airflow.providers.http" in seen["dags"].pop(NEEDS_AN_EXTRA)
    assert all(name.startswith("whatsapp_") for name in seen["dags"].values()), seen["dags"]


def test_the_wheel_holds_typed_code_and_examples_and_no_tests(built):
    names = set(contents(built.wheel))
    assert "whatsapp_provider/py.typed" in names
    examples = {Path(name).name for name in names if name.startswith("whatsapp_provider/example_dags/")}
    assert examples == EXAMPLES
    assert not [name for name in names if name.startswith(("tests/", "dags_examples/"))]


def test_the_source_distribution_builds_the_same_wheel(built):
    assert contents(built.wheel_of_sdist) == contents(built.wheel)


def test_the_source_distribution_holds_all_that_a_contributor_needs(built):
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    tracked = subprocess.run(
        ["git", "ls-files", "tests", "dags_examples", "constraints", "docs", "whatsapp_provider", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    wanted = {"Makefile", "LICENSE", ".astro-registry.yaml", ".ci/run", "pyproject.toml"}
    # A tree without its history is itself such a distribution.
    wanted |= set(tracked.stdout.split()) if tracked.returncode == 0 else {"tests/conftest.py", "README.md"}
    assert wanted - names == set()


def contents(wheel: Path) -> dict[str, int]:
    """Return the check sum of each file of a wheel, by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {item.filename: item.CRC for item in archive.infolist()}
