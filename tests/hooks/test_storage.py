"""A file comes to stand under its name whole, on the worker's disk, in an object store, on a server of files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.io import attach
from fsspec.implementations.memory import MemoryFileSystem

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.storage import written_whole


class Store(MemoryFileSystem):
    """A storage of a test's own that notes what is done to it."""

    store: dict[str, Any] = {}  # noqa: RUF012 - as its base has it
    pseudo_dirs = [""]  # noqa: RUF012
    cachable = False
    done: list[tuple[str, ...]] = []  # noqa: RUF012

    def put_file(self, lpath: str, rpath: str, *args: Any, **kwargs: Any) -> None:
        self.done.append(("put", rpath))
        super().put_file(lpath, rpath, *args, **kwargs)

    def mv(self, path1: str, path2: str, *args: Any, **kwargs: Any) -> None:
        assert not self.exists(path2), "some servers rename to free names only"
        self.done.append(("mv", path2))
        super().mv(path1, path2, *args, **kwargs)


@pytest.fixture(params=["s3", "sftp"])
def protocol(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A kind of storage, at whose place a test's own stands."""
    from airflow.sdk.io import store

    monkeypatch.setattr(store, "_STORE_CACHE", {})
    Store.store.clear()
    Store.done.clear()
    attach(request.param, fs=Store())
    yield request.param
    Store.store.clear()


def contents() -> dict[str, bytes]:
    return {name.rpartition("/")[2]: file.getvalue() for name, file in Store.store.items()}


def break_off(url: str) -> None:
    with written_whole(url) as file:
        file.write(b"half")
        raise KeyboardInterrupt


def test_a_file_on_disk_is_there_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "report.csv"
    for content in (b"first", b"second"):
        before = target.read_bytes() if target.exists() else None
        with written_whole(str(target)) as file:
            file.write(content)
            file.flush()
            assert (target.read_bytes() if target.exists() else None) == before
        assert target.read_bytes() == content
    assert os.listdir(target.parent) == ["report.csv"]
    umask = os.umask(0)
    os.umask(umask)
    assert target.stat().st_mode & 0o777 == 0o666 & ~umask, "readable as other files are"


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "report.csv"
    target.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        break_off(f"file://{target}")
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["report.csv"]


def test_a_killed_task_leaves_no_half_report_under_the_name(tmp_path: Path) -> None:
    target = tmp_path / "report.csv"
    script = (
        "import sys, time\n"
        "from whatsapp_provider.hooks.storage import written_whole\n"
        "with written_whole(sys.argv[1]) as file:\n"
        "    file.write(b'half'); file.flush()\n"
        "    print('half', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(target)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.send_signal(signal.SIGKILL)
    assert not target.exists()


def test_a_file_in_a_storage_replaces_the_one_before(protocol: str) -> None:
    for content in (b"first", b"second"):
        with written_whole(f"{protocol}://bucket/reports/report.csv") as file:
            file.write(content)
            assert content not in contents().values()
        assert contents() == {"report.csv": content}


def test_an_object_store_gets_it_at_once_and_a_server_of_files_under_another_name(protocol: str) -> None:
    with written_whole(f"{protocol}://bucket/report.csv") as file:
        file.write(b"whole")
    steps = [step for step, _ in Store.done]
    assert steps == (["put"] if protocol == "s3" else ["put", "mv"])
    name = Store.done[0][1].rpartition("/")[2]
    assert (name == "report.csv") == (protocol == "s3")


def test_an_error_puts_nothing_into_a_storage(protocol: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        break_off(f"{protocol}://bucket/report.csv")
    assert contents() == {}
    assert Store.done == []


def test_an_upload_that_breaks_off_leaves_no_part(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with written_whole(f"{protocol}://bucket/report.csv") as file:
        file.write(b"old")

    def breaks(self: Store, *_: Any, **__: Any) -> None:
        raise ConnectionResetError("The line went dead.")

    monkeypatch.setattr(Store, "put_file" if protocol == "s3" else "mv", breaks)
    with pytest.raises(ConnectionResetError), written_whole(f"{protocol}://bucket/report.csv") as file:
        file.write(b"new")
    assert not [name for name in contents() if name.endswith(".part")]


@pytest.mark.parametrize("kind", ["a folder", "below a file", "unknown"])
def test_a_place_that_can_not_be_written_to_is_told(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("x")
    url = {"a folder": str(tmp_path), "below a file": f"{tmp_path}/file/r.csv", "unknown": "nosuch://b/r.csv"}
    with pytest.raises(ConfigurationError, match="can't be written"), written_whole(url[kind]) as file:
        file.write(b"x")
    assert os.listdir(tmp_path) == ["file"]
