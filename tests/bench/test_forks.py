"""A measurement's process hands back what it found, or says that it failed."""

from __future__ import annotations

import os

import pytest

from tests.bench.forks import in_a_fork_of


def test_what_is_found_in_another_process_comes_back() -> None:
    told = in_a_fork_of(lambda first, second: {"sum": first + second, "process": os.getpid()}, 1, 2)
    assert told["sum"] == 3
    assert told["process"] != os.getpid()


def test_what_fails_there_fails_here(capfd: pytest.CaptureFixture[str]) -> None:
    def divide() -> float:
        return 1 / 0

    with pytest.raises(RuntimeError, match="divide failed"):
        in_a_fork_of(divide)
    assert "ZeroDivisionError" in capfd.readouterr().err
