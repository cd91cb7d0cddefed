"""The README says what is true: its example runs, its matrix is that of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from whatsapp_provider import messages
from whatsapp_provider.gateways.base import Capabilities
from whatsapp_provider.gateways.registry import GATEWAYS

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def matrix() -> str:
    """Return the table that belongs between the README's marks."""
    able = {name: line.capabilities for name, line in GATEWAYS.items()}
    titles = [line.form.label.removeprefix("WhatsApp: ") for line in GATEWAYS.values()]
    flags = Capabilities.flags()
    rows = [["", *titles], ["---"] * (len(titles) + 1)]
    rows += [
        [Capabilities.label(flag), *_marks(getattr(able[name], flag) for name in able)] for flag in flags
    ]
    rows += [
        [f"send: {kind}", *_marks(kind in able[name].message_kinds for name in able)]
        for kind in sorted(messages.KINDS)
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _marks(values):
    return ["yes" if value else "no" for value in values]


def _example() -> str:
    return re.search(r"<!-- example -->\n```python\n(.*?)```", README, re.DOTALL).group(1)


def test_the_matrix_is_what_the_gateways_declare():
    assert f"<!-- matrix -->\n{matrix()}\n<!-- /matrix -->" in README


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
