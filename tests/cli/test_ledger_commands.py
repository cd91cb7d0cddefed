"""``ledger upgrade``, ``doubts`` and ``settle``."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.hooks.world import World, context
from whatsapp_provider.cli import main
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.message import WhatsAppSendMessageOperator

ADA = "15550000001"
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def connected(world: World) -> World:
    world.connect()
    return world


@pytest.fixture
def call(connected: World, capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["ledger", *words])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


@pytest.fixture
def doubt(connected: World) -> str:
    """The number of a message in doubt."""
    connected.fault("reset_after_read", forward=False, path="/messages/text", method="POST")
    operator = WhatsAppSendMessageOperator(
        task_id="send", to=ADA, text="Hello", message_key="hello", on_in_doubt="hold"
    )
    with pytest.raises(WhatsAppTaskFailedError):
        operator.execute(context())
    return str(connected.ledger_text("SELECT id FROM wa_delivery")[0][0])


def test_upgrade_makes_the_tables_where_it_is_left_to_a_person(world: World, call: Call) -> None:
    world.monkeypatch.setenv("AIRFLOW__WHATSAPP__LEDGER_AUTO_UPGRADE", "False")
    operator = WhatsAppSendMessageOperator(task_id="send", to=ADA, text="Hello")
    with pytest.raises(Exception, match="run 'airflow whatsapp ledger upgrade'"):
        operator.execute(context())
    assert world.received() == []
    assert "the tables were made" in call("upgrade")[1]
    assert "nothing was changed" in call("upgrade")[1]
    assert operator.execute(context())["status"] == "accepted"


def test_upgrade_takes_the_connection_of_somebody_who_may(world: World, call: Call) -> None:
    code, _, error = call("upgrade", "--conn-id", "the_owner")
    assert code == 1
    assert "no connection 'the_owner'" in error
    assert "airflow connections add the_owner --conn-type postgres" in error
    world.monkeypatch.setenv(
        "AIRFLOW_CONN_THE_OWNER", json.dumps({"conn_type": "sqlite", "schema": str(world.ledger_path)})
    )
    assert call("upgrade", "--conn-id", "the_owner")[0] == 0
    assert world.ledger_rows()["wa_campaign"] == 0


def test_doubts_are_listed_with_numbers_only_for_who_asks(call: Call, doubt: str) -> None:
    code, told, _ = call("doubts")
    assert code == 0
    assert doubt in told
    assert "message/hello" in told
    assert "…0001" in told
    assert ADA not in told
    assert ADA in call("doubts", "--numbers", "--campaign", "message/hello")[1]
    [row] = json.loads(call("doubts", "--json")[1])
    assert row["delivery"] == int(doubt)
    assert row["since"].endswith("+00:00")


def test_no_doubts_are_said_to_be_none(call: Call) -> None:
    assert call("doubts")[1] == "Nothing is in doubt.\n"


def test_a_campaign_that_is_not_there_is_named(call: Call) -> None:
    for words in (["doubts"], ["settle", "--outcome", "sent"]):
        code, _, error = call(*words, "--campaign", "spring")
        assert code == 1
        assert "no campaign 'spring'" in error


def test_settle_keeps_who_said_so(world: World, call: Call, doubt: str) -> None:
    code, told, _ = call(
        "settle", "--campaign", "message/hello", "--delivery", doubt, "--outcome", "not_sent", "--by", "ada"
    )
    assert (code, told) == (0, "1 settled as not_sent by ada. The next run of the task sends them.\n")
    assert world.ledger_text("SELECT settled_by FROM wa_settlement") == [("ada",)]
    assert world.ledger_text("SELECT state FROM wa_delivery") == [("planned",)]


def test_settle_takes_the_user_of_the_process_and_all_of_the_campaign(
    world: World, call: Call, doubt: str
) -> None:
    world.monkeypatch.setenv("LOGNAME", "grace")
    assert (
        call("settle", "--campaign", "message/hello", "--outcome", "sent")[1]
        == "1 settled as sent by grace.\n"
    )
    assert world.ledger_text("SELECT state FROM wa_delivery") == [("accepted",)]
