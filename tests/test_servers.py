"""Servers that tests bring themselves leave nothing behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests import servers
from tests.reporting import needs

HOLDS_ONE = """
import time
from tests.servers import redis_server
with redis_server() as url:
    print(url, flush=True)
    time.sleep(600)
"""


def _need(program: servers.Program) -> None:
    needs(program.name, available=program.available, how_to_get=program.how_to_get)


def test_a_server_and_its_folder_are_gone_after_its_block() -> None:
    _need(servers.REDIS)
    # Other tests of this process may hold servers of theirs.
    before = psutil.Process().children()
    with servers.redis_server():
        (process,) = (child for child in psutil.Process().children() if child not in before)
        folder = Path(process.cwd())
        assert folder.is_dir()
    assert not process.is_running()
    assert not folder.exists()


def test_a_server_ends_with_the_program_that_was_killed_before_its_end(tmp_path: Path) -> None:
    _need(servers.REDIS)
    needs("setpriv", available=shutil.which("setpriv") is not None, how_to_get="Linux's util-linux")
    program = subprocess.Popen(
        [sys.executable, "-c", HOLDS_ONE],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
    )
    assert program.stdout is not None
    assert program.stdout.readline().startswith(b"redis://")
    (server,) = psutil.Process(program.pid).children()
    program.kill()
    program.communicate()
    assert psutil.wait_procs([server], timeout=20)[1] == []


@pytest.mark.mariadb
def test_a_server_that_does_not_start_says_why() -> None:
    _need(servers.MARIADB)
    with (
        pytest.raises(RuntimeError, match=r"mariadbd did not start:(.|\n)*no-such-option"),
        servers.mariadb_server("--no-such-option"),
    ):
        pass
