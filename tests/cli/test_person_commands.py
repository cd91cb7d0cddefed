"""``person export``, ``person erase`` and ``ledger purge``."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hooks.keeping import ADA, BOB, NAME, Keeping
from whatsapp_provider.cli import main

Call = Callable[..., tuple[int, str, str]]


class Terminal(io.StringIO):
    """Somebody who sits there and types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def call(keeping: Keeping, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setenv("LOGNAME", "grace")

    def run(*words: str, typed: io.StringIO | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", typed or io.StringIO())
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words)
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def test_somebody_is_asked_before_a_person_is_erased(keeping: Keeping, call: Call) -> None:
    code, told, asked = call("person", "erase", "--person", ADA, typed=Terminal("n\n"))
    assert (code, told) == (1, "")
    assert "Messages to this person in the ledger: 1. Erase the person? [y/N]" in asked
    assert keeping.recipients() == [ADA, BOB]
    code, told, _ = call("person", "erase", "--person", ADA, typed=Terminal("y\n"))
    assert code == 0
    assert told.startswith("Erased: messages 1 (not sent because of it 0, in doubt 0), ")
    assert told.endswith("Their hash is on the list opt_out.\n")
    assert keeping.ask("SELECT added_by FROM wa_suppression") == [("grace",)]


def test_without_a_terminal_nothing_is_erased_unless_it_is_said(keeping: Keeping, call: Call) -> None:
    code, _, error = call("person", "erase", "--person", ADA)
    assert code == 1
    assert "--yes" in error
    assert keeping.recipients() == [ADA, BOB]
    code, told, _ = call(
        "person", "erase", "--yes", "--no-suppress", "--json", "--by", "eve", typed=io.StringIO(f"+{ADA}\n")
    )
    assert code == 0
    assert json.loads(told)["deliveries"] == 1
    assert keeping.ask("SELECT * FROM wa_suppression") == []


def test_an_export_is_printed_or_goes_into_a_file_of_its_owner(
    keeping: Keeping, call: Call, tmp_path: Path
) -> None:
    assert json.loads(call("person", "export", "--person", ADA)[1])["messages"][0]["values"] == {"name": NAME}
    path = tmp_path / "ada.json"
    code, told, _ = call("person", "export", "--output", str(path), typed=Terminal(f"{ADA}\n"))
    assert (code, told) == (0, f"Written to {path}: messages 1.\n")
    assert json.loads(path.read_text("utf-8"))["person"] == ADA
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    code, _, error = call("person", "export", "--person", ADA, "--output", str(path))
    assert code == 1
    assert "File exists" in error


def test_who_is_nobody_is_told_so_without_the_whole_number(call: Call) -> None:
    code, _, error = call("person", "export", "--person", "123456789012345678")
    assert code == 1
    assert "…5678" in error
    assert "1234567890" not in error


def test_a_purge_says_first_what_it_would_do(keeping: Keeping, call: Call) -> None:
    keeping.age(31)
    code, told, _ = call("ledger", "purge", "--older-than", "30", "--dry-run")
    assert code == 0
    assert told.startswith("Would be purged of people's data: campaigns 1, messages 2.\n")
    code, _, asked = call("ledger", "purge", "--older-than", "30", typed=Terminal("\n"))
    assert code == 1
    assert "Would be purged" in asked
    assert keeping.recipients() == [ADA, BOB]
    assert call("ledger", "purge", "--older-than", "30", "--yes")[1].startswith("Were purged")
    code, told, _ = call(
        "ledger", "purge", "--older-than", "30", "--delete-older-than", "30", "--yes", "--json"
    )
    assert json.loads(told)["deleted_deliveries"] == 2


def test_without_an_age_nothing_is_purged(call: Call) -> None:
    code, _, error = call("ledger", "purge", "--yes")
    assert code == 1
    assert "retention_days" in error
