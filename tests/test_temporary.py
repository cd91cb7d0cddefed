"""Tests keep what they write in memory where there is room, and elsewhere where there is none."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests import temporary

MOUNTED = Path("/")  # as any file system is: not every machine has one in memory


@pytest.fixture(autouse=True)
def nobody_has_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(temporary, "ENOUGH", 1)


def test_a_folder_in_memory_is_taken_for_this_process_and_its_children() -> None:
    assert temporary.use_memory(MOUNTED)
    assert os.environ["TMPDIR"] == str(MOUNTED)


def test_too_little_room_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary, "ENOUGH", 2**60)
    assert not temporary.use_memory(MOUNTED)
    assert "TMPDIR" not in os.environ


def test_what_somebody_has_chosen_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert not temporary.use_memory(MOUNTED)
    assert os.environ["TMPDIR"] == str(tmp_path)


def test_a_folder_on_the_disk_is_none_in_memory(tmp_path: Path) -> None:
    assert not temporary.use_memory(tmp_path)
    assert "TMPDIR" not in os.environ
