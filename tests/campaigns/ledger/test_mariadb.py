"""What the ledger needs of MariaDB and MySQL, which do otherwise by default, and what their errors mean."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import URL, make_url

from tests import servers
from tests.wire.certificate import self_signed
from whatsapp_provider.campaigns.ledger.database import Database
from whatsapp_provider.campaigns.ledger.engines import refuse_old_server
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.errors import LedgerError, LedgerUnavailableError

pytestmark = pytest.mark.mariadb


@pytest.fixture
def database(mariadb_url: str) -> Iterator[Database]:
    opened = Database(mariadb_url)
    yield opened
    opened.dispose()


def _as_root(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_its_clock_moves_on_within_a_transaction_and_knows_no_time_zone(
    mariadb_url: str, database: Database
) -> None:
    _as_root(mariadb_url, "SET GLOBAL time_zone = '+05:30'")
    try:
        with database.transaction() as connection:
            first, second = database.now(connection), database.now(connection)
    finally:
        _as_root(mariadb_url, "SET GLOBAL time_zone = 'SYSTEM'")
    assert first < second, "microseconds count"
    assert abs(first - time.time()) < 5


def test_its_clock_has_no_hour_that_comes_twice(database: Database) -> None:
    """Where summer time ends, a local time names two moments, and a clock made from it goes back an hour."""
    with database.transaction() as connection:
        zone = connection.exec_driver_sql("SELECT @@session.time_zone").scalar_one()
    assert zone == "+00:00"


def test_a_value_that_is_too_long_is_refused_and_never_cut(mariadb_url: str, database: Database) -> None:
    _as_root(mariadb_url, "CREATE TABLE short (value VARCHAR(3)) ENGINE=InnoDB", "SET GLOBAL sql_mode = ''")
    try:
        with pytest.raises(LedgerError) as caught, database.transaction() as connection:
            connection.execute(text("INSERT INTO short VALUES ('15550000001')"))
    finally:
        _as_root(mariadb_url, "SET GLOBAL sql_mode = DEFAULT")
    assert not isinstance(caught.value, LedgerUnavailableError)
    assert "15550000001" not in str(caught.value)


def test_an_error_that_quotes_a_value_is_told_without_it(database: Database) -> None:
    """The driver calls it operational, as it does a lost connection."""
    with pytest.raises(LedgerError, match=r"failed: \w+\.$") as caught, database.transaction() as connection:
        connection.execute(
            text("SELECT * FROM information_schema.tables WHERE EXTRACTVALUE(1, '15550000001[')")
        )
    assert not isinstance(caught.value, LedgerUnavailableError)


def test_names_and_texts_keep_every_character_and_their_case(mariadb_url: str) -> None:
    ledger = Ledger(mariadb_url)
    ledger.count_send("channel-A")
    with ledger._database.transaction() as connection:
        connection.execute(text("INSERT INTO wa_channel (channel) VALUES ('Ωmega 😀'), ('a'), ('A')"))
        found = connection.execute(
            text("SELECT channel FROM wa_channel WHERE channel = 'Ωmega 😀'")
        ).scalars()
        assert found.all() == ["Ωmega 😀"]
    ledger.dispose()


def test_a_user_without_the_right_to_make_tables_is_told(mariadb_url: str) -> None:
    url = make_url(mariadb_url)
    _as_root(
        mariadb_url,
        "CREATE OR REPLACE USER reader@'127.0.0.1' IDENTIFIED BY 'pässwörd'",
        f"GRANT SELECT ON {url.database}.* TO reader@'127.0.0.1'",
    )
    ledger = Ledger(url.set(username="reader", password="pässwörd"))
    with pytest.raises(
        LedgerUnavailableError, match=r"its user may not change tables \(OperationalError: \(1142,"
    ):
        ledger.prepare()
    ledger.dispose()
    elsewhere = Ledger(url.set(username="reader", password="pässwörd", database="mysql"))
    with pytest.raises(
        LedgerUnavailableError, match=r"its user lacks a right there \(OperationalError: \(1044,"
    ):
        elsewhere.prepare()
    elsewhere.dispose()


def test_a_wrong_password_is_told_without_it(mariadb_url: str) -> None:
    ledger = Ledger(make_url(mariadb_url).set(password="geheim€"))
    with pytest.raises(
        LedgerUnavailableError, match=r"1045.*check that .* its connection is right"
    ) as caught:
        ledger.prepare()
    assert "geheim" not in str(caught.value)
    ledger.dispose()


@pytest.mark.parametrize(
    ("is_mariadb", "version", "told"),
    [
        (True, (10, 5, 29), "MariaDB 10.5.29"),
        (False, (8, 0, 0), "MySQL 8.0.0"),
        (False, (5, 7, 44), "MySQL 5.7.44"),
    ],
)
def test_a_server_that_can_not_pass_over_locked_rows_is_refused(
    is_mariadb: bool, version: tuple[int, ...], told: str
) -> None:
    dialect = mysql.dialect(is_mariadb=is_mariadb)
    dialect.server_version_info = version
    with pytest.raises(LedgerUnavailableError, match=f"{told}; the ledger needs MariaDB 10.6 or MySQL 8.0.1"):
        refuse_old_server(dialect)


@pytest.mark.parametrize(
    ("is_mariadb", "version"), [(True, (10, 6, 0)), (True, (11, 8, 2)), (False, (8, 0, 1))]
)
def test_a_server_that_is_new_enough_is_taken(is_mariadb: bool, version: tuple[int, ...]) -> None:
    dialect = mysql.dialect(is_mariadb=is_mariadb)
    dialect.server_version_info = version
    refuse_old_server(dialect)


def test_a_real_server_is_asked_for_its_version(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.transaction():
        pass
    monkeypatch.setattr(database.engine.dialect, "server_version_info", (10, 5, 1))
    with pytest.raises(LedgerUnavailableError, match=r"MariaDB 10\.5\.1"), database.transaction():
        pass


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory, mariadb_server: str) -> Iterator[tuple[URL, Path]]:
    """A server with a certificate for its address, and the folder of the certificate and of a stranger's."""
    folder = tmp_path_factory.mktemp("tls")
    (folder / "other").mkdir()
    self_signed(folder)
    self_signed(folder / "other")
    files = (f"--ssl-cert={folder / 'certificate.pem'}", f"--ssl-key={folder / 'key.pem'}")
    with servers.mariadb_server(*files) as url:
        yield make_url(url), folder


def _cipher(url: URL, **query: object) -> str:
    database = Database(url.update_query_dict({name: str(value) for name, value in query.items()}))
    try:
        with database.transaction() as connection:
            return str(connection.exec_driver_sql("SHOW STATUS LIKE 'Ssl_cipher'").one()[1])
    finally:
        database.dispose()


def test_each_ssl_mode_asks_for_what_it_says(encrypted: tuple[URL, Path]) -> None:
    url, folder = encrypted
    right, wrong = folder / "certificate.pem", folder / "other" / "certificate.pem"
    assert _cipher(url, ssl_mode="DISABLED") == ""
    assert _cipher(url, ssl_mode="REQUIRED") != ""
    for mode in ("REQUIRED", "VERIFY_CA", "verify_identity"):
        assert _cipher(url, ssl_mode=mode, ssl_ca=right) != ""
        with pytest.raises(LedgerUnavailableError, match="certificate"):
            _cipher(url, ssl_mode=mode, ssl_ca=wrong)
    # The certificate is for the address, not for this name of it.
    named = url.set(host="localhost")
    with pytest.raises(LedgerUnavailableError, match="localhost"):
        _cipher(named, ssl_mode="VERIFY_IDENTITY", ssl_ca=right)
    assert _cipher(named, ssl_mode="VERIFY_CA", ssl_ca=right) != ""


def test_a_server_without_tls_is_refused_where_tls_is_required(mariadb_url: str) -> None:
    with pytest.raises(LedgerUnavailableError, match="SSL"):
        _cipher(make_url(mariadb_url), ssl_mode="REQUIRED")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"ssl_mode": "VERIFY_IDENTITY"}, "needs the file of a CA"),
        ({"ssl_mode": "ON"}, "unknown; use DISABLED, PREFERRED"),
        ({"ssl_ca": "/nowhere/ca.pem"}, "can't be used"),
    ],
)
def test_tls_options_that_promise_nothing_are_refused(query: dict[str, str], told: str) -> None:
    with pytest.raises(LedgerUnavailableError, match=told):
        _cipher(make_url("mysql://tests@127.0.0.1:1/x"), **query)
