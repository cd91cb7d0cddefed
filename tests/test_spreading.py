"""The tests are spread over processes as tests/spreading.py says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.spreading import Spread

PROJECT = Path(__file__).parent.parent
SERVER = "import pytest\npytestmark = pytest.mark.airflow\n"
TWO_TESTS = "def test_one(): pass\ndef test_two(): pass\n"


def test_files_stay_whole_and_those_with_a_server_go_together_and_first(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    pytester.makeconftest((PROJECT / "tests" / "conftest.py").read_text().replace('["pytester"]', "[]"))
    pytester.makeini("[pytest]\nmarkers = airflow")
    plain, servers = ["a", "b", "e", "f"], ["c", "waits"]
    pytester.makepyfile(
        **{f"test_{name}": TWO_TESTS for name in plain},
        **{f"test_{name}": SERVER + TWO_TESTS for name in servers},
    )
    spread = ("-n", "2", "--dist", "loadscope", "--no-loadscope-reorder")
    result = pytester.runpytest_subprocess("-v", "-p", "no:cacheprovider", *spread)
    result.assert_outcomes(passed=12)
    ran = re.findall(r"\[(gw\d)\].* PASSED test_(\w+)\.py", result.stdout.str())
    assert len(ran) == 12
    processes = {name: {process for process, other in ran if other == name} for name in plain + servers}
    assert all(len(found) == 1 for found in processes.values()), processes
    (together,) = {process for name in servers for process in processes[name]}
    # Who judges seconds comes before the others.
    assert [name for process, name in ran if process == together][:4] == ["waits", "waits", "c", "c"]


class Process:
    """What xdist's scheduler sees of a process, and what the process was given to do."""

    shutting_down = False

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.given: list[int] = []

    def send_runtest_some(self, indexes: Sequence[int]) -> None:
        self.given += indexes

    def shutdown(self) -> None:
        self.shutting_down = True


class Spreading:
    """Two processes and the files that they share, each file with three tests."""

    def __init__(self, root: Path, files: Sequence[str]) -> None:
        self.tests = [f"{file}::test_{number}" for file in files for number in range(3)]
        config: Any = SimpleNamespace(
            rootpath=root,
            option=SimpleNamespace(loadscopereorder=False),
            getvalue=lambda _name: ["popen", "popen"],
        )
        self.schedule = Spread(config)
        self.first, self.second = Process("gw0"), Process("gw1")
        nodes: list[Any] = [self.first, self.second]
        for node in nodes:
            self.schedule.add_node(node)
            self.schedule.add_node_collection(node, self.tests)
        self.schedule.schedule()

    def files(self, process: Any) -> list[str]:
        """Return the files that a process has been given, in their order."""
        return list(dict.fromkeys(self.tests[index].partition("::")[0] for index in process.given))

    def finish(self, process: Any) -> None:
        """Let a process do whatever it is given, to the end."""
        done = 0
        while done < len(process.given):
            self.schedule.mark_test_complete(process, process.given[done])
            done += 1


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("server_1", "server_2", "server_3", "shared/server_4", "shared/server_5"):
        file = tmp_path / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(SERVER)
    (tmp_path / "shared" / "test_any.py").write_text(SERVER)
    (tmp_path / "shared" / "conftest.py").write_text('@pytest.fixture(scope="package")')
    for name in ("plain_1", "plain_2"):
        (tmp_path / f"{name}.py").write_text(TWO_TESTS)
    return tmp_path


def test_a_second_server_is_begun_only_when_nothing_else_is_left(root: Path) -> None:
    work = Spreading(root, ["server_1.py", "server_2.py", "server_3.py", "plain_1.py", "plain_2.py"])
    assert (work.files(work.first), work.files(work.second)) == (["server_1.py"], ["plain_1.py"])
    work.finish(work.second)
    assert work.files(work.first) == ["server_1.py"]
    assert work.files(work.second) == ["plain_1.py", "plain_2.py", "server_2.py", "server_3.py"]


def test_the_process_with_the_servers_takes_the_rest_when_these_are_done(root: Path) -> None:
    work = Spreading(root, ["server_1.py", "server_2.py", "plain_1.py", "plain_2.py"])
    work.finish(work.first)
    assert work.files(work.first) == ["server_1.py", "server_2.py", "plain_2.py"]
    assert work.files(work.second) == ["plain_1.py"]


def test_files_that_share_a_server_stay_together(root: Path) -> None:
    work = Spreading(root, ["shared/server_4.py", "shared/server_5.py", "plain_1.py"])
    assert work.files(work.first) == ["shared/server_4.py", "shared/server_5.py"]
    assert work.files(work.second) == ["plain_1.py"]
