"""``suppression add``, ``remove``, ``list`` and ``import``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hooks.world import World
from whatsapp_provider.cli import main

ADA, BOB = "15550000001", "15550000002"
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(world: World, capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["suppression", *words])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def test_people_are_put_on_a_list_shown_and_taken_off(call: Call) -> None:
    assert call("list")[1] == "Nobody is on a list.\n"
    added = call("add", f"+{ADA}", f"{BOB}@c.us", "--reason", "asked on the phone", "--by", "Eve")
    assert added == (0, "2 on list opt_out, of whom 2 were not.\n", "")
    assert call("add", ADA)[1] == "1 on list opt_out, of whom 0 were not.\n"
    shown = call("list")[1]
    assert "opt_out  …0001" in shown
    assert "person by Eve: asked on the phone" in shown
    assert "2 entries." in shown
    assert ADA not in shown
    assert ADA in call("list", "--numbers")[1]
    assert call("remove", ADA, "15550000009", "--by", "Eve", "--note", "came back")[1] == (
        "1 of 2 taken off list opt_out; the others were not on it.\n"
    )
    assert [each["recipient"] for each in json.loads(call("list", "--json")[1])] == ["…0002"]
    (ended,) = [each for each in json.loads(call("list", "--json", "--ended")[1]) if each["until"]]
    assert ended["reason"] == "lifted by Eve: came back"


def test_a_number_that_is_none_changes_nothing_and_is_masked(call: Call) -> None:
    code, out, told = call("add", ADA, f"+{BOB}00000000")
    assert (code, out) == (1, "")
    assert "1 rows name nobody: row 2" in told
    assert BOB not in told
    assert call("list")[1] == "Nobody is on a list.\n"


def test_a_file_is_imported_and_tells_of_bad_rows(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "left.csv"
    path.write_text(f"phone,name\n+{ADA},Ada\nnobody,N\n(11) 97000-0001,Bia\n")
    code, _, told = call("import", str(path), "--list", "press", "--region", "BR")
    assert (code, "left.csv, line 3: 'nobody'" in told) == (1, True)
    code, out, _ = call("import", str(path), "--list", "press", "--region", "BR", "--skip-invalid")
    assert (code, out) == (0, "2 on list press, of whom 0 were not. 1 rows name nobody.\n")
    rows = json.loads(call("list", "--json", "--numbers", "--list", "press")[1])
    assert {row["recipient"] for row in rows} == {ADA, "5511970000001"}
    assert (
        call("import", str(tmp_path / "none.csv"))[2]
        == "none.csv can't be read: No such file or directory.\n"
    )
    assert "the ending must be one of" in call("import", str(tmp_path / "left.xlsx"))[2]


def test_an_entry_may_end_by_itself(call: Call) -> None:
    assert call("add", ADA, "--until", "2040-01-01T00:00")[0] == 0
    assert ", until 2040-01-01T00:00:00+00:00" in call("list")[1]
    assert call("add", BOB, "--until", "2020-01-01T00:00")[2].startswith("until is in the past")
