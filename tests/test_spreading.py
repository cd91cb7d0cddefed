"""The tests are spread over processes as tests/spreading.py says."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parent.parent
SERVER = "import pytest\npytestmark = pytest.mark.airflow\n"
TWO_TESTS = "def test_one(): pass\ndef test_two(): pass\n"


def test_files_stay_whole_and_those_with_a_server_go_together_and_first(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    pytester.makeconftest((PROJECT / "tests" / "conftest.py").read_text().replace('["pytester"]', "[]"))
    pytester.makeini("[pytest]\nmarkers = airflow")
    plain, servers = ["a", "b", "e", "f"], ["c", "d"]
    pytester.makepyfile(
        **{f"test_{name}": TWO_TESTS for name in plain},
        **{f"test_{name}": SERVER + TWO_TESTS for name in servers},
    )
    spread = ("-n", "2", "--dist", "loadscope", "--no-loadscope-reorder")
    result = pytester.runpytest_subprocess("-v", "-p", "no:cacheprovider", *spread)
    result.assert_outcomes(passed=12)
    ran = re.findall(r"\[(gw\d)\].* PASSED test_(\w)\.py", result.stdout.str())
    assert len(ran) == 12
    processes = {name: {process for process, other in ran if other == name} for name in plain + servers}
    assert all(len(found) == 1 for found in processes.values()), processes
    (together,) = {process for name in servers for process in processes[name]}
    assert [name for process, name in ran if process == together][:4] == ["c", "c", "d", "d"]
