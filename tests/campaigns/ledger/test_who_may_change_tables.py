"""Tables are made and changed by whoever may; everybody else is told what to do, and uses them all the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from sqlalchemy.engine import URL, make_url

from tests.campaigns.recorded import version_1
from tests.campaigns.recorded.version_1 import execute
from tests.campaigns.support import CHANNEL, entry
from tests.campaigns.virtual_time import Time
from tests.servers import new_schema
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.doubts import Delays
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import Result
from whatsapp_provider.campaigns.ledger.schema import VERSION
from whatsapp_provider.campaigns.ledger.settling import Verdict
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.pacing import Pace, Window
from whatsapp_provider.errors import LedgerError, LedgerUnavailableError

OpenLedger = Callable[..., Ledger]
COMMAND = "airflow whatsapp ledger upgrade"
PASSWORD = "not-a-secret"
_numbers = count(1)


def newer(url: str, oldest_reader: int | None) -> None:
    told = "NULL" if oldest_reader is None else oldest_reader
    execute(url, f"INSERT INTO wa_version (version, oldest_reader) VALUES ({VERSION + 1}, {told})")


@pytest.mark.parametrize("oldest_reader", [1, VERSION])
def test_a_newer_ledger_that_allows_this_version_is_used(
    url: str, open_ledger: OpenLedger, oldest_reader: int
) -> None:
    open_ledger().prepare()
    newer(url, oldest_reader)
    ledger = open_ledger()
    ledger.count_send("channel")
    assert ledger.upgrade() == VERSION


@pytest.mark.parametrize("oldest_reader", [VERSION + 1, None])
def test_a_newer_ledger_that_does_not_is_refused(
    url: str, open_ledger: OpenLedger, oldest_reader: int | None
) -> None:
    open_ledger().prepare()
    newer(url, oldest_reader)
    told = f"is of version {VERSION + 1}, and this package can use version {VERSION}. Install the package version"
    for use in (Ledger.prepare, Ledger.upgrade):
        with pytest.raises(LedgerError, match=told):
            use(open_ledger())


def test_where_tables_are_left_to_a_person_none_are_made(url: str, open_ledger: OpenLedger) -> None:
    ledger = open_ledger(may_change_tables=False)
    with pytest.raises(LedgerUnavailableError, match=f"has no tables yet.*run '{COMMAND}'"):
        ledger.find("spring")
    assert open_ledger().upgrade() is None
    assert ledger.find("spring") is None


def test_where_tables_are_left_to_a_person_none_are_upgraded(
    url: str, time: Time, open_ledger: OpenLedger
) -> None:
    version_1.write(url)
    ledger = open_ledger(may_change_tables=False)
    with pytest.raises(
        LedgerUnavailableError, match=f"is of version 1, and {VERSION} is needed.*'{COMMAND}'"
    ):
        ledger.find("spring")
    assert open_ledger().upgrade() == 1
    assert ledger.find("spring") is not None


def test_a_schema_that_holds_airflows_own_tables_is_refused(url: str, open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    with ledger._database.transaction() as connection:
        connection.exec_driver_sql("CREATE TABLE dag_run (id INTEGER)")
    with pytest.raises(LedgerUnavailableError, match="would share a schema with Airflow's own tables"):
        ledger.prepare()


@pytest.mark.postgres
def test_a_schema_of_its_own_is_used_though_airflows_tables_are_in_sight(
    postgres_server: str, time: Time
) -> None:
    own, airflows = (schema_of(new_schema(postgres_server)) for _ in range(2))
    execute(postgres_server, f"CREATE TABLE {airflows}.dag_run (id INTEGER)")
    both = make_url(postgres_server).update_query_dict({"options": f"-csearch_path={own},{airflows}"})
    ledger = Ledger(both, clock=time.database)
    ledger.prepare()
    ledger.dispose()


def schema_of(url: str) -> str:
    return str(make_url(url).query["options"]).partition("search_path=")[2].split()[0]


class Roles:
    """A place whose tables one user may change, and another may only read and write."""

    def __init__(self, owner: str, worker: str, grants: Callable[[], None]) -> None:
        self.owner, self.worker, self.grant = owner, worker, grants


def _postgres(server: str) -> Roles:
    name = f"roles{next(_numbers)}_{os.getpid()}"
    execute(
        server,
        f"CREATE ROLE {name}_owner LOGIN PASSWORD '{PASSWORD}'",
        f"CREATE ROLE {name}_worker LOGIN PASSWORD '{PASSWORD}'",
        f"CREATE SCHEMA {name} AUTHORIZATION {name}_owner",
        f"GRANT USAGE ON SCHEMA {name} TO {name}_worker",
    )

    def of(user: str) -> str:
        url = make_url(server).set(username=user, password=PASSWORD)
        return _text(url.update_query_dict({"options": f"-csearch_path={name}"}))

    def grant() -> None:
        execute(
            of(f"{name}_owner"),
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} TO {name}_worker",
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {name} TO {name}_worker",
        )

    return Roles(of(f"{name}_owner"), of(f"{name}_worker"), grant)


def _mariadb(server: str) -> Roles:
    name = f"roles{next(_numbers)}_{os.getpid()}"
    place = make_url(server).set(database=name)
    execute(
        server,
        f"CREATE DATABASE {name}",
        f"CREATE USER {name}_o@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
        f"CREATE USER {name}_w@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
        f"GRANT ALL ON {name}.* TO {name}_o@'127.0.0.1'",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.* TO {name}_w@'127.0.0.1'",
    )

    def of(user: str) -> str:
        return _text(place.set(username=user, password=PASSWORD))

    return Roles(of(f"{name}_o"), of(f"{name}_w"), lambda: None)


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.fixture(
    params=[
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def roles(request: pytest.FixtureRequest) -> Roles:
    server = request.getfixturevalue(f"{request.param}_server")
    return _postgres(server) if request.param == "postgres" else _mariadb(server)


@pytest.fixture
def worker(roles: Roles, time: Time) -> Iterator[Ledger]:
    ledger = Ledger(roles.worker, clock=time.database)
    yield ledger
    ledger.dispose()


def upgrade(url: str) -> None:
    ledger = Ledger(url)
    ledger.upgrade()
    ledger.dispose()


def use(ledger: Ledger, time: Time) -> None:
    """Do once whatever a ledger is used for."""
    pace = Pace("test", (Window(5, 60),))
    record = ledger.plan(Campaign("used", CHANNEL, pace), "t", [entry(0), entry(1)])
    lease = ledger.begin(record, label="", seconds=60)
    first, second = ledger.turn(lease, [], places=2, pace=pace).tasks
    ledger.turn(lease, [Result(first, DeliveryState.PLANNED)], places=0, pace=pace)
    ledger.end(lease, [Result(second, DeliveryState.IN_DOUBT)])
    assert len(ledger.doubtful(record, Delays(30, 30))) == 1
    assert ledger.settle("used", None, Verdict.SENT, by="test") == [second.id]
    ledger.claim_channel_name("account", "name", owner="test", seconds=60)
    ledger.release_channel_name("account", "name", owner="test")
    time.now += 10 * 86_400
    ledger.begin(record, label="forgets old permits", seconds=60)
    assert ledger.counts(record).to_dict() == {"accepted": 1, "planned": 1}


def test_a_user_without_the_right_to_make_tables_is_told_the_command(worker: Ledger) -> None:
    with pytest.raises(
        LedgerUnavailableError, match=f"has no tables yet, and its user may not.*Run '{COMMAND}' as a user"
    ) as caught:
        worker.prepare()
    assert PASSWORD not in str(caught.value)


def test_a_user_who_may_only_read_and_write_uses_what_an_owner_made(
    worker: Ledger, roles: Roles, time: Time
) -> None:
    upgrade(roles.owner)
    roles.grant()
    use(worker, time)


def test_a_user_without_the_right_to_upgrade_is_told_the_command(
    worker: Ledger, roles: Roles, time: Time
) -> None:
    version_1.write(roles.owner)
    roles.grant()
    time.now = version_1.NOW + 100
    with pytest.raises(
        LedgerUnavailableError, match=f"is of version 1, and {VERSION} is needed.*'{COMMAND}'"
    ):
        worker.prepare()
    upgrade(roles.owner)
    roles.grant()
    use(worker, time)


@pytest.mark.postgres
def test_a_user_without_a_schema_is_told_that_a_right_is_missing(postgres_server: str) -> None:
    roles = _postgres(postgres_server)
    user = make_url(roles.worker).username or ""
    execute(postgres_server, f"REVOKE USAGE ON SCHEMA {user.removesuffix('_worker')} FROM {user}")
    ledger = Ledger(roles.worker)
    with pytest.raises(LedgerUnavailableError, match=f"Run '{COMMAND}' as a user"):
        ledger.prepare()
    ledger.dispose()
