"""What could not be tested on this machine is said by name, and in CI it is a failure.

A test that needs something which a machine may lack says so::

    def test_pairing_page_shows_the_qr_code(require):
        require("chromium", available=find_chromium() is not None, how_to_get="install Chromium")

Where it is missing the test is skipped, and the end of the test run lists what was missing, how to
get it, and which tests did not run for it. With ``CI=true`` such a test fails instead, so that a
green CI has run everything.

Where several processes run the tests, each tells the first one at its end, which writes the list.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class Missing:
    """Something that this machine lacks, and the tests that could not run without it."""

    how_to_get: str
    tests: list[str] = field(default_factory=list)


MISSING: dict[str, Missing] = {}
_TOLD = "missing on this machine"


def needs(name: str, *, available: bool, how_to_get: str) -> None:
    """Let the test go on when the thing is available; otherwise skip it, or fail it in CI."""
    if available:
        return
    missing = MISSING.setdefault(name, Missing(how_to_get))
    missing.tests.append(_running_test())
    if in_ci():
        pytest.fail(f"{name} is missing, and CI must run every test: {how_to_get}", pytrace=False)
    pytest.skip(f"{name} is missing: {how_to_get}", allow_module_level=True)


def in_ci() -> bool:
    """Tell whether this is a CI run."""
    return os.environ.get("CI", "").lower() == "true"


def tell(output: dict[str, Any]) -> None:
    """Put what was missing into what a process of several tells the first one."""
    output[_TOLD] = {name: [missing.how_to_get, *missing.tests] for name, missing in MISSING.items()}


def take_over(output: Mapping[str, Any]) -> None:
    """Add what another process told; one that died told nothing."""
    for name, (how_to_get, *tests) in output.get(_TOLD, {}).items():
        MISSING.setdefault(name, Missing(how_to_get)).tests.extend(tests)


def write_missing(terminal: pytest.TerminalReporter) -> None:
    """List what was missing at the end of the test run; nothing when all was there."""
    if not MISSING:
        return
    terminal.section("not tested on this machine", sep="=", yellow=True)
    for name, missing in sorted(MISSING.items()):
        terminal.line(f"{name} is missing: {missing.how_to_get}")
        for test in missing.tests:
            terminal.line(f"  {test}")


def _running_test() -> str:
    return os.environ.get("PYTEST_CURRENT_TEST", "a whole module").partition(" (")[0]
