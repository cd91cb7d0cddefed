"""Where the ledger is: asked for anew at each task, refused where it could be another one next time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from tests.hooks.world import ADA, World, context
from whatsapp_provider.errors import ConfigurationError, LedgerUnavailableError
from whatsapp_provider.hooks.ledger import locate_ledger, open_ledger
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
from whatsapp_provider.operators.message import WhatsAppSendMessageOperator

LEDGER_CONN = "AIRFLOW_CONN_WHATSAPP_LEDGER"
PASSWORD = "correct-horse-battery"


def connection(monkeypatch: pytest.MonkeyPatch, name: str = LEDGER_CONN, **fields: object) -> None:
    monkeypatch.setenv(name, json.dumps(fields))


def url(monkeypatch: pytest.MonkeyPatch, **fields: object) -> URL:
    connection(monkeypatch, **fields)
    ledger = open_ledger()
    try:
        return ledger._database.engine.url  # the address itself is what is tested
    finally:
        ledger.dispose()


def test_without_any_setting_the_ledger_is_a_file_below_airflows_home() -> None:
    from airflow.configuration import AIRFLOW_HOME

    assert open_ledger().name == f"SQLite file {AIRFLOW_HOME}/whatsapp/ledger.db"


def test_the_path_of_the_configuration_is_read_at_each_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        monkeypatch.setenv("AIRFLOW__WHATSAPP__LEDGER_PATH", str(tmp_path / name / "ledger.db"))
        assert open_ledger().name == f"SQLite file {tmp_path / name / 'ledger.db'}"


@pytest.mark.parametrize("path", ["ledger.db", "./here/ledger.db", ":memory:"])
def test_a_path_that_each_process_would_read_otherwise_is_refused(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("AIRFLOW__WHATSAPP__LEDGER_PATH", path)
    with pytest.raises(ConfigurationError, match=r"ledger_path.*absolute path"):
        open_ledger()


@pytest.mark.parametrize(
    "fields", [{}, {"schema": "ledger.db"}, {"host": ":memory:"}], ids=["empty", "relative", "memory"]
)
def test_an_sqlite_connection_without_an_absolute_path_is_refused(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, str]
) -> None:
    connection(monkeypatch, conn_type="sqlite", **fields)
    with pytest.raises(ConfigurationError, match=r"whatsapp_ledger.*absolute path"):
        open_ledger()


def test_an_sqlite_connection_names_the_file_in_json_and_uri(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "by.db")
    assert url(monkeypatch, conn_type="sqlite", host=path).database == path
    monkeypatch.setenv(LEDGER_CONN, f"sqlite:///{path}")
    assert open_ledger().name == f"SQLite file {path}"


def test_a_postgres_connection_becomes_an_address_with_allowed_extras_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = url(
        monkeypatch,
        conn_type="postgres",
        host="db.example",
        login="wa",
        password=PASSWORD,
        schema="ledger",
        port=5433,
        extra={"sslmode": "require", "cursor": "dictcursor", "service": "evil", "iam": True},
    )
    assert found.drivername == "postgresql+psycopg"
    assert (found.host, found.port, found.username, found.database) == ("db.example", 5433, "wa", "ledger")
    assert found.password == PASSWORD
    assert dict(found.query) == {"sslmode": "require"}


@pytest.mark.parametrize("kind", ["mysql", "mariadb"])
def test_a_mysql_connection_becomes_an_address_with_allowed_extras_only(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    ssl = {"ca": "/ca.pem", "cert": "/cert.pem", "key": "/key.pem", "verify_mode": "none"}
    found = url(
        monkeypatch,
        conn_type=kind,
        host="db.example",
        login="wa",
        password=PASSWORD,
        schema="ledger",
        port=3307,
        extra={
            "ssl": ssl,
            "ssl_mode": "VERIFY_CA",
            "local_infile": True,
            "init_command": "evil",
            "charset": "latin1",
        },
    )
    assert found.drivername == "mysql+pymysql"
    assert (found.host, found.port, found.username, found.database) == ("db.example", 3307, "wa", "ledger")
    assert found.password == PASSWORD
    assert dict(found.query) == {}, "the driver is told by objects, which an address can't hold"
    monkeypatch.setenv(
        LEDGER_CONN, json.dumps({"conn_type": kind, "host": "db", "extra": {"ssl": json.dumps(ssl)}})
    )
    told = {"ssl_ca": "/ca.pem", "ssl_cert": "/cert.pem", "ssl_key": "/key.pem"}
    assert dict(locate_ledger().query) == told


def test_a_mysql_connection_whose_ssl_can_not_be_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    connection(monkeypatch, conn_type="mysql", host="db", extra={"ssl": "yes"})
    with pytest.raises(
        ConfigurationError, match=r"whatsapp_ledger.*ssl in the extra field must be a JSON object"
    ):
        open_ledger()


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_a_server_that_can_not_be_reached_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    connection(
        monkeypatch,
        conn_type=kind,
        host="127.0.0.1",
        port=9,
        login="wa",
        password=PASSWORD,
        schema="x",
    )
    ledger = open_ledger()
    assert PASSWORD not in ledger.name
    with pytest.raises(LedgerUnavailableError, match=r"can't be used.*Nothing is sent without it") as caught:
        ledger.prepare()
    assert PASSWORD not in str(caught.value)


def test_a_connection_of_another_type_is_refused_with_the_types_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection(monkeypatch, conn_type="mssql", host="db")
    with pytest.raises(ConfigurationError, match=r"type 'mssql'.*mariadb, mysql, postgres"):
        open_ledger()


@pytest.mark.parametrize(
    "value",
    [
        '{"conn_type": "postgres", "host": "db", "extra": "[1]"}',
        '{"conn_type": "postgres", "host": "db", "extra": "sslmode=require"}',
        "a://b://c://d",
    ],
)
def test_a_connection_that_can_not_be_read_is_never_replaced_by_a_file(
    world: World, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(LEDGER_CONN, value)
    # Airflow's older versions call a connection with a senseless extra field missing.
    with pytest.raises((ConfigurationError, LedgerUnavailableError), match=r"JSON object|can't be read"):
        open_ledger()
    assert not world.ledger_path.parent.exists()


@pytest.mark.parametrize(
    ("executor", "told"),
    [
        ("CeleryExecutor", "CeleryExecutor"),
        ("KubernetesExecutor", "KubernetesExecutor"),
        ("LocalExecutor,CeleryExecutor", "CeleryExecutor"),
        ("big:airflow.providers.celery.executors.celery_executor.CeleryExecutor", "CeleryExecutor"),
        ("LocalExecutor;team1=EdgeExecutor", "EdgeExecutor"),
        ("CeleryExecutor;team1=LocalExecutor", "CeleryExecutor"),
    ],
)
def test_a_file_is_refused_where_tasks_run_on_many_hosts(
    world: World, monkeypatch: pytest.MonkeyPatch, executor: str, told: str
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", executor)
    with pytest.raises(
        ConfigurationError, match=f"SQLite file, and {told}.*PostgreSQL or MariaDB.*'whatsapp_ledger'"
    ):
        open_ledger()
    assert not world.ledger_path.parent.exists()


@pytest.mark.parametrize(
    "executor", ["LocalExecutor", "here:LocalExecutor", "LocalExecutor;team1=LocalExecutor"]
)
def test_a_file_is_fine_where_all_tasks_run_on_one_host(
    world: World, monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", executor)
    assert open_ledger().name.startswith("SQLite file")


def test_a_kubernetes_pod_is_known_although_it_is_told_to_use_the_local_executor(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "LocalExecutor")
    monkeypatch.setenv("AIRFLOW_IS_K8S_EXECUTOR_POD", "True")
    with pytest.raises(ConfigurationError, match="KubernetesExecutor"):
        open_ledger()


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_many_hosts_may_share_a_server(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    assert url(monkeypatch, conn_type=kind, host="db").host == "db"


@pytest.mark.parametrize("conn_id", ["our_ledger", "whatsapp_ledger"])
def test_a_ledger_that_the_configuration_names_is_never_replaced_by_a_file(
    world: World, monkeypatch: pytest.MonkeyPatch, conn_id: str
) -> None:
    monkeypatch.setenv("AIRFLOW__WHATSAPP__LEDGER_CONN_ID", conn_id)
    task = WhatsAppSendMessageOperator(task_id="t", to=ADA, text="Hello")
    with pytest.raises(LedgerUnavailableError, match=f"can't give .*'{conn_id}'.*connections add {conn_id} "):
        task.execute(context())
    assert world.received() == []
    connection(
        monkeypatch, f"AIRFLOW_CONN_{conn_id.upper()}", conn_type="sqlite", host=str(world.ledger_path)
    )
    assert task.execute(context())["status"] == "accepted"


@pytest.mark.parametrize("kind", ["message", "campaign"])
def test_nothing_is_sent_while_the_ledger_can_not_be_reached(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    connection(monkeypatch, conn_type="postgres", host="127.0.0.1", port=9, schema="x")
    task = (
        WhatsAppSendMessageOperator(task_id="t", to=ADA, text="Hello")
        if kind == "message"
        else WhatsAppSendCampaignOperator(task_id="t", audience=[ADA], message="Hello", pace="unlimited")
    )
    with pytest.raises(LedgerUnavailableError, match=r"ledger.*can't be used"):
        task.execute(context())
    assert world.received() == []


def test_a_wrong_kind_of_ledger_is_not_retried_in_vain(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    connection(monkeypatch, conn_type="mssql", host="db")
    with pytest.raises(WhatsAppTaskFailedError, match="'mssql'"):
        WhatsAppSendMessageOperator(task_id="t", to=ADA, text="Hello").execute(context())
    assert world.received() == []
