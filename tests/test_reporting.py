"""What a machine lacks is told by name, and fails CI."""

from __future__ import annotations

from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent

NEEDS_A_UNICORN = """
    def test_rides_a_unicorn(require):
        require("unicorn", available=False, how_to_get="ask the forest")

    def test_rides_a_horse(require):
        require("horse", available=True, how_to_get="ask the stable")
"""


@pytest.fixture
def run_where_unicorns_are_missing(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    pytester.makeconftest((PROJECT / "tests" / "conftest.py").read_text().replace('["pytester"]', "[]"))
    pytester.makepyfile(NEEDS_A_UNICORN)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))

    def run(ci: str, *more: str) -> pytest.RunResult:
        monkeypatch.setenv("CI", ci)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", *more)

    return run


@pytest.mark.parametrize("more", [(), ("-n", "2", "--dist", "loadscope")], ids=["alone", "two processes"])
def test_a_missing_thing_skips_the_test_and_is_listed_at_the_end(run_where_unicorns_are_missing, more):
    result = run_where_unicorns_are_missing("", *more)
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(
        ["*not tested on this machine*", "unicorn is missing: ask the forest", "  *::test_rides_a_unicorn"]
    )


def test_a_missing_thing_fails_the_test_in_ci_and_is_listed_too(run_where_unicorns_are_missing):
    result = run_where_unicorns_are_missing(ci="true")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*CI must run every test*", "unicorn is missing: ask the forest"])


def test_nothing_is_said_where_nothing_is_missing(run_where_unicorns_are_missing, pytester):
    pytester.makepyfile(NEEDS_A_UNICORN.replace("available=False", "available=True"))
    result = run_where_unicorns_are_missing(ci="true")
    result.assert_outcomes(passed=2)
    result.stdout.no_fnmatch_line("*not tested on this machine*")
