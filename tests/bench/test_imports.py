"""What the figures of imports rest on."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.bench.forks import in_a_fork_of
from tests.bench.imports import compile_into, measure


def _load_compiled(source: str, compiled: str) -> list[str]:
    sys.path.insert(0, source)
    compile_into(compiled)
    _, loaded = measure("made_for_a_test")
    return loaded


def test_a_working_copy_is_compiled_once_like_what_is_installed(tmp_path: Path) -> None:
    source, compiled = tmp_path / "source", tmp_path / "compiled"
    source.mkdir()
    (source / "made_for_a_test.py").write_text("import tabnanny")
    assert "made_for_a_test" in in_a_fork_of(_load_compiled, str(source), str(compiled))
    assert [kept.name.partition(".")[0] for kept in compiled.rglob("made_*.pyc")] == ["made_for_a_test"]


def test_what_an_import_loads_is_told_with_all_that_it_imports(tmp_path: Path) -> None:
    (tmp_path / "made_for_a_test.py").write_text("import tabnanny")
    told = in_a_fork_of(_load_compiled, str(tmp_path), str(tmp_path / "compiled"))
    assert set(told) == {"made_for_a_test", "tabnanny"}
