"""The README says what is true: its example runs, its matrix is that of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.docs_matrix import matrix, sections
from whatsapp_provider.errors import UnsupportedError
from whatsapp_provider.gateways.base import Capabilities
from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.messages import KINDS

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def _example() -> str:
    return re.search(r"<!-- example -->\n```python\n(.*?)```", README, re.DOTALL).group(1)


def test_the_matrix_is_what_the_gateways_declare():
    assert f"<!-- matrix -->\n{matrix()}\n<!-- /matrix -->" in README, "run: python -m tests.docs_pages"


def test_every_ability_and_every_message_kind_has_one_row_of_the_matrix():
    rows = [subject for _, tasks in sections() for subject in tasks]
    assert sorted(rows) == sorted([*Capabilities.flags(), *KINDS])


def test_every_note_of_a_gateway_is_a_footnote_of_a_row():
    for line in GATEWAYS.values():
        assert set(line.capabilities.notes) <= {*Capabilities.flags(), *KINDS}, line.name
        for note in line.capabilities.notes.values():
            assert note in matrix()
            assert note[0].isupper()
            assert note.endswith(".")


def test_a_refusal_ends_with_the_note_that_says_what_to_do_instead():
    able = Capabilities(frozenset({"text"}), notes={"create_channels": "Order one.", "list": "Send a text."})
    with pytest.raises(UnsupportedError, match=r"'toy' can't create and delete channels\. Order one\.$"):
        able.require("toy", "create_channels")
    with pytest.raises(UnsupportedError, match=r"'list'; it sends text\. Send a text\.$"):
        able.require_kind("toy", "list")


def test_the_example_is_a_dag_of_at_most_fifteen_lines_of_code():
    lines = [line for line in _example().splitlines() if line.strip()]
    assert len(lines) <= 15
    namespace: dict[str, object] = {}
    exec(compile(_example(), "README.md", "exec"), namespace)
    dag = namespace["news"]()
    assert [task.task_id for task in dag.tasks] == ["send"]


def test_every_class_that_the_readme_names_exists():
    named = set(re.findall(r"`(WhatsApp\w+)`", README))
    package = Path(__file__).parent.parent / "whatsapp_provider"
    defined = {
        node.name
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    assert named
    assert named <= defined


def test_every_link_leads_to_a_file():
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert targets
    assert not [target for target in targets if not (Path(__file__).parent.parent / target).exists()]


def test_each_clause_of_the_guarantee_names_a_test_that_is_there() -> None:
    table = README.split("<!-- guarantee -->")[1].split("<!-- /guarantee -->")[0]
    clauses = list(table.strip().splitlines()[2:])
    assert len(clauses) == 9
    for clause in clauses:
        named = re.findall(r"\[`(test_\w+|make [\w-]+)`\]\(([^)]+)\)", clause)
        assert named, clause
        for name, path in named:
            assert (PROJECT / path).exists(), path
            if name.startswith("make "):
                assert f"\n{name.removeprefix('make ')}:" in (PROJECT / "Makefile").read_text("utf-8"), name
            else:
                assert f"def {name}(" in (PROJECT / path).read_text("utf-8"), f"{path} has no {name}"
