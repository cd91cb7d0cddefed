"""Each line of the page has its test, and each of those tests its line."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.docs_pages import PROJECT

PAGE = PROJECT / "docs" / "what-happens-if.md"
TESTS = sorted((PROJECT / "tests").rglob("test_foot_guns.py"))


def lines() -> list[str]:
    rows = re.findall(r"^\| (.+?) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    return [row for row in rows if row != "if …"]


def told(file: Path) -> list[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tests = [
        node
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, functions) and node.name.startswith("test_")
    ]
    return [ast.get_docstring(test) or test.name for test in tests]


def test_every_line_has_a_test_and_every_test_a_line() -> None:
    assert sorted(lines()) == sorted(said for file in TESTS for said in told(file))
