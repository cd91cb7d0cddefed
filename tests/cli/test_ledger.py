"""What the doctor says of the ledger, and that it makes nothing while it looks."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from tests.cli.conftest import Diagnosis
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.schema import VERSION
from whatsapp_provider.cli.doctor.disks import judge_kind, kind_of
from whatsapp_provider.cli.doctor.findings import Topic

Doctor = Callable[..., Diagnosis]
CONN = "AIRFLOW_CONN_WHATSAPP_LEDGER"
PASSWORD = "correct-horse-battery"
MOUNTS = """\
/dev/sda1 / ext4 rw,relatime 0 0
tmpfs /run tmpfs rw 0 0
files:/export /mnt/my\\040share nfs4 rw 0 0
/dev/sdb1 /mnt/my\\040share/local xfs rw 0 0
overlay /over overlay rw 0 0
/dev/sdc1 /over ext4 rw 0 0
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "folder" / "ledger.db"
    monkeypatch.setenv("AIRFLOW__WHATSAPP__LEDGER_PATH", str(path))
    return path


def make(url: str) -> None:
    ledger = Ledger(url)
    ledger.prepare()
    ledger.dispose()


def execute(path: Path, *statements: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_ledger_that_is_not_there_yet_is_fine_and_is_not_made(doctor: Doctor, path: Path) -> None:
    told = doctor()
    assert told.code == 0
    assert str(path) in told.of("ledger", "place")["found"]
    assert "would be created" in told.of("ledger", "use")["found"]
    assert not path.parent.exists()


def test_a_ledger_in_use_is_opened_and_its_version_told(doctor: Doctor, path: Path) -> None:
    make(f"sqlite:///{path}")
    told = doctor()
    assert told.code == 0
    assert told.of("ledger", "use")["found"] == f"Opened and writable; schema version {VERSION}."


def test_a_ledger_of_the_version_before_is_a_warning_and_stays_as_it_is(doctor: Doctor, path: Path) -> None:
    Ledger(f"sqlite:///{path}").prepare()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE wa_version SET version = 1")
        connection.commit()
    finding = doctor().of("ledger", "use")
    assert finding["verdict"] == "warning"
    assert finding["advice"].startswith("Run 'airflow whatsapp ledger upgrade'")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version FROM wa_version").fetchall() == [(1,)]


def test_a_ledger_of_another_version_is_a_problem(doctor: Doctor, path: Path) -> None:
    make(f"sqlite:///{path}")
    execute(path, "UPDATE wa_version SET version = 99, oldest_reader = 99")
    told = doctor()
    assert told.code == 1
    assert "version 99" in told.of("ledger", "use")["found"]


def test_a_ledger_that_another_process_has_locked_is_told_in_time(doctor: Doctor, path: Path) -> None:
    make(f"sqlite:///{path}")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        told = doctor("--timeout", "1")
        other.execute("ROLLBACK")
    assert told.code == 1
    assert "did not end within 1 s" in told.of("ledger", "time")["found"]
    assert "locked" in told.of("ledger", "time")["advice"]
    assert told.parts("pairing page"), "the rest is still told"


def test_a_file_that_is_no_database_is_a_problem_and_stays_as_it_is(doctor: Doctor, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"Dear diary, " * 100)
    told = doctor()
    assert told.code == 1
    assert "can't be read as SQLite's" in told.of("ledger", "use")["found"]
    assert path.read_bytes() == b"Dear diary, " * 100


def test_a_database_of_something_else_is_a_warning_and_stays_as_it_is(doctor: Doctor, path: Path) -> None:
    execute(path, "CREATE TABLE diary (line TEXT)")
    before = path.read_bytes()
    told = doctor()
    assert told.code == 0
    assert "1 other tables" in told.of("ledger", "use")["found"]
    assert path.read_bytes() == before


def test_an_empty_file_is_fine(doctor: Doctor, path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    told = doctor()
    assert "made at the first use" in told.of("ledger", "use")["found"]
    assert path.stat().st_size == 0


def test_a_place_where_no_file_can_be_is_a_problem(doctor: Doctor, path: Path) -> None:
    path.parent.write_text("not a folder")
    told = doctor()
    assert told.code == 1
    assert f"{path.parent} is no folder" in told.of("ledger", "use")["found"]


def test_a_file_for_tasks_on_several_hosts_is_a_problem(
    doctor: Doctor, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    told = doctor()
    assert told.code == 1
    assert told.parts("ledger") == ["place"]
    assert "CeleryExecutor runs tasks on several hosts" in told.of("ledger", "place")["found"]


def test_a_database_that_is_out_of_reach_is_told_without_its_password(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"conn_type": "postgres", "host": "127.0.0.1", "port": 9, "login": "wa", "password": PASSWORD}
    monkeypatch.setenv(CONN, json.dumps({**fields, "schema": "sent"}))
    told = doctor()
    assert told.code == 1
    assert told.of("ledger", "place")["found"] == "Database 'sent' on 127.0.0.1."
    assert "can't be used" in told.of("ledger", "use")["found"]
    assert PASSWORD not in told.printed


@pytest.mark.postgres
def test_a_postgres_is_looked_at_and_gets_no_tables_from_it(
    doctor: Doctor, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_url(postgres_url)
    parts = {"host": url.query.get("host", url.host), "login": url.username, "password": url.password}
    extra = {"options": url.query["options"]}
    fields = {"conn_type": "postgres", **parts, "schema": url.database, "port": url.port, "extra": extra}
    monkeypatch.setenv(CONN, json.dumps(fields))
    engine = create_engine(postgres_url)
    tables = "SELECT count(*) FROM pg_class WHERE starts_with(relname, 'wa_') AND pg_table_is_visible(oid)"

    told = doctor()
    assert told.code == 0
    assert "made at the first use" in told.of("ledger", "use")["found"]
    with engine.connect() as connection:
        assert connection.exec_driver_sql(tables).scalar_one() == 0

    make(postgres_url)
    assert doctor().of("ledger", "use")["found"] == f"Opened and writable; schema version {VERSION}."

    with engine.begin() as connection:
        schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
        connection.exec_driver_sql("CREATE ROLE reader LOGIN")
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO reader")
        connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader")
    monkeypatch.setenv(CONN, json.dumps({**fields, "login": "reader", "password": ""}))
    told = doctor()
    assert told.code == 1
    assert "may not write" in told.of("ledger", "use")["found"]

    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO reader")
    engine.dispose()
    told = doctor()
    assert told.code == 1
    assert "the user may not make them" in told.of("ledger", "use")["found"]


@pytest.mark.mariadb
def test_a_mariadb_is_looked_at_and_gets_no_tables_from_it(
    doctor: Doctor, mariadb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_url(mariadb_url)
    fields = {"conn_type": "mysql", "host": url.host, "port": url.port, "schema": url.database}
    monkeypatch.setenv(CONN, json.dumps({**fields, "login": url.username, "password": url.password}))
    engine = create_engine(mariadb_url)

    told = doctor()
    assert told.code == 0
    assert "made at the first use" in told.of("ledger", "use")["found"]
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW TABLES").all() == []

    make(mariadb_url)
    assert doctor().of("ledger", "use")["found"].startswith("Opened and writable; schema version ")

    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE OR REPLACE USER looker@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
        connection.exec_driver_sql(f"GRANT SELECT, INSERT, DELETE ON {url.database}.* TO looker@'127.0.0.1'")
    monkeypatch.setenv(CONN, json.dumps({**fields, "login": "looker", "password": PASSWORD}))
    told = doctor()
    assert told.code == 1
    assert "its user lacks a right there" in told.of("ledger", "use")["found"]
    assert "UPDATE command denied" in told.of("ledger", "use")["found"]
    assert PASSWORD not in told.printed

    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {url.database}")
        connection.exec_driver_sql(f"CREATE DATABASE {url.database}")
    engine.dispose()
    found = doctor().of("ledger", "use")
    assert found["verdict"] == "warning"
    assert "no right of its own to make them" in found["found"]


@pytest.mark.parametrize(
    ("path", "kind", "verdict"),
    [
        ("/var/lib/ledger.db", "ext4", "ok"),
        ("/run/x/ledger.db", "tmpfs", "warning"),
        ("/runs/ledger.db", "ext4", "ok"),
        ("/mnt/my share/ledger.db", "nfs4", "problem"),
        ("/mnt/my share/local/ledger.db", "xfs", "ok"),
        ("/over/ledger.db", "ext4", "ok"),
    ],
)
def test_the_disk_under_the_file_is_known_and_judged(path: str, kind: str, verdict: str) -> None:
    assert kind_of(Path(path), MOUNTS) == kind
    assert judge_kind(Topic("ledger"), kind).verdict.value == verdict


@pytest.mark.parametrize("kind", ["cifs", "fuse.sshfs", "9p"])
def test_a_network_disk_is_a_problem(kind: str) -> None:
    assert judge_kind(Topic("ledger"), kind).verdict.value == "problem"
