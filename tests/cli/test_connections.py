"""What the doctor says of connections: found, complete, reached, able, and never a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from tests.cli.conftest import Diagnosis
from tests.cli.servers import another_program, nothing_listens, silent
from tests.hooks.world import CONN_ID, World
from whatsapp_provider.cli import main
from whatsapp_provider.cli.doctor.connection import judge_channel
from whatsapp_provider.cli.doctor.findings import Topic, Verdict
from whatsapp_provider.gateways.base import Capabilities
from whatsapp_provider.model import ChannelState, ChannelStatus

Doctor = Callable[..., Diagnosis]
TOPIC = f"connection {CONN_ID}"
PHONE = "15550001000"
TOKEN = "correct-horse-battery-staple"
ALL_PARTS = ["form", "capabilities", "gateway"]


def row(world: World, conn_id: str) -> Any:
    from airflow.models import Connection

    return Connection(
        conn_id=conn_id,
        conn_type="whapi",
        host=f"{world.url}/whapi/gate",
        password=world.emulator.partner_token,
        extra=json.dumps({"manager_url": f"{world.url}/whapi/manager", "channel_id": world.channel_id}),
    )


def test_a_good_connection_of_the_metadata_database_is_found_and_reached(
    doctor: Doctor, world: World, stored: Callable[..., None]
) -> None:
    stored(row(world, "wa_stored"))
    told = doctor()
    assert told.code == 0
    assert "1 in Airflow's metadata database, 0 in env" in told.of("connections", "list")["found"]
    topic = "connection wa_stored"
    assert told.parts(topic) == [*ALL_PARTS, f"channel {world.channel_id}"]
    assert {told.of(topic, part)["verdict"] for part in told.parts(topic)} == {"ok"}
    assert "Answered in " in told.of(topic, "gateway")["found"]
    assert told.of(topic, f"channel {world.channel_id}")["found"].startswith("The channel is connected")


def test_what_the_gateway_can_and_can_not_do_is_said(doctor: Doctor, world: World) -> None:
    world.connect()
    told = doctor().of(TOPIC, "capabilities")["found"]
    assert told.startswith("Sends audio, buttons, contact, document, image")
    assert Capabilities.label("create_channels") in told
    world.connect(password="", extra={"channel_token": world.channel_token})
    told = doctor().of(TOPIC, "capabilities")["found"]
    assert "But: " in told
    assert "needs the partner token" in told


def test_a_connection_that_is_known_in_several_ways_is_looked_at_once(
    doctor: Doctor, world: World, stored: Callable[..., None]
) -> None:
    stored(row(world, CONN_ID))
    world.connect()
    told = doctor("--conn-id", CONN_ID, "--conn-id", CONN_ID.upper())
    assert told.code == 0
    assert told.parts(TOPIC) == [*ALL_PARTS, f"channel {world.channel_id}"]
    assert len([finding for finding in told.findings if finding["topic"].startswith("connection ")]) == 4


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_and_no_number_is_printed(
    doctor: Doctor, world: World, capfd: pytest.CaptureFixture[str], form: str
) -> None:
    world.connect("good", extra={"channel_token": world.channel_token})
    world.connect("wrong", password=TOKEN)
    world.connect("unfit", password=f"{TOKEN} {TOKEN}")
    world.monkeypatch.setenv("AIRFLOW_CONN_BROKEN", f"whapi://:{TOKEN}@[")
    capfd.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *(["--json"] if form == "json" else [])])
    assert ended.value.code == 1
    written = capfd.readouterr()
    everything = written.out + written.err
    for conn_id in ("good", "wrong", "unfit"):
        assert f"connection {conn_id}" in everything, "it was looked at"
    for secret in (world.emulator.partner_token, world.channel_token, TOKEN, PHONE):
        assert secret not in everything


def test_a_wrong_token_is_a_problem_with_its_reason(doctor: Doctor, world: World) -> None:
    world.connect(password=TOKEN)
    told = doctor()
    assert told.code == 1
    assert told.parts(TOPIC) == ALL_PARTS, "the channel is not asked for after that"
    assert told.of(TOPIC, "gateway")["verdict"] == "problem"
    assert "401" in told.of(TOPIC, "gateway")["found"]
    assert "token is wrong" in told.of(TOPIC, "gateway")["advice"]


def test_another_program_at_the_address_is_no_gateway(doctor: Doctor, world: World) -> None:
    with another_program() as url:
        world.connect(extra={"manager_url": url})
        told = doctor("--timeout", "5")
    assert told.code == 1
    found = told.of(TOPIC, "gateway")
    assert found["verdict"] == "problem"
    assert "It works!" not in told.printed


def test_an_address_where_nothing_listens_is_said_to_be_out_of_reach(doctor: Doctor, world: World) -> None:
    world.connect(extra={"manager_url": nothing_listens()})
    told = doctor("--timeout", "1")
    assert told.code == 1
    assert told.of(TOPIC, "gateway")["verdict"] == "problem"
    assert "Check the address" in told.of(TOPIC, "gateway")["advice"]


def test_a_silent_server_is_given_up_after_the_time_out_and_the_others_are_told_in_order(
    doctor: Doctor, world: World
) -> None:
    with silent() as url:
        world.connect("b_silent", extra={"manager_url": url})
        for conn_id in ("c_good", "a_good"):
            world.connect(conn_id)
        told = doctor("--timeout", "1")
    assert told.code == 1
    assert "within the time given by --timeout" in told.of("connection b_silent", "gateway")["found"]
    topics = [finding["topic"] for finding in told.findings if finding["looked_at"] == "gateway"]
    assert topics == ["connection a_good", "connection b_silent", "connection c_good"]
    assert told.of("connection c_good", "gateway")["verdict"] == "ok"


def test_connections_are_asked_side_by_side(doctor: Doctor, world: World) -> None:
    both_are_here = Barrier(2)
    alone: list[bool] = []

    def wait_for_the_other() -> None:
        try:
            both_are_here.wait(3)
        except BrokenBarrierError:
            alone.append(True)

    with another_program(wait_for_the_other) as url:
        for conn_id in ("one", "other"):
            world.connect(conn_id, extra={"manager_url": url})
        told = doctor("--conn-id", "one", "--conn-id", "other")
    assert told.code == 1
    assert not alone


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"password": ""}, "has no token"),
        # Airflow 3.1 calls such a connection missing.
        ({"extra": "[1]"}, "must be a JSON object|can't read it"),
        ({"extra": {"timeout": "soon"}}, "'timeout' must be a number"),
        ({"host": "ftp://gate"}, "gate URL"),
    ],
)
def test_an_incomplete_form_is_told_and_nobody_is_asked(
    doctor: Doctor, world: World, fields: dict[str, Any], reason: str
) -> None:
    world.connect(**fields)
    told = doctor("--conn-id", CONN_ID)
    assert told.code == 1
    assert told.parts(TOPIC) == ["form"]
    assert re.search(reason, told.of(TOPIC, "form")["found"])
    assert world.asked("channels") == 0


def test_an_id_that_airflow_does_not_know_or_that_is_no_gateway_is_a_problem(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WEB", json.dumps({"conn_type": "http", "host": "example.org"}))
    told = doctor("--conn-id", "nowhere", "--conn-id", "web")
    assert told.code == 1
    assert "no connection of this id" in told.of("connection nowhere", "form")["found"]
    assert "'http' is not a WhatsApp gateway" in told.of("connection web", "form")["found"]


def test_connections_of_other_types_are_no_concern_of_the_doctor(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WEB", json.dumps({"conn_type": "http", "host": "example.org"}))
    told = doctor()
    assert told.code == 0
    assert told.of("connections", "list")["verdict"] == "warning"
    assert "--conn-id" in told.of("connections", "list")["advice"]
    assert "web" not in told.printed


def test_a_variable_that_is_no_connection_is_named_without_its_value(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_TORN", f'{{"conn_type": "whapi", "password": "{TOKEN}"')
    told = doctor()
    assert told.of("connections", "AIRFLOW_CONN_TORN")["verdict"] == "warning"
    assert TOKEN not in told.printed


def test_a_channel_that_waits_for_its_phone_is_a_warning_that_leads_to_the_page(
    doctor: Doctor, world: World
) -> None:
    world.connect()
    world.emulator.network.unlink(world.channel_id)
    told = doctor()
    assert told.code == 0
    (found,) = [finding for finding in told.findings if finding["looked_at"].startswith("channel ")]
    assert found["verdict"] == "warning"
    assert "not connected" in found["advice"] or "/whatsapp/pair" in found["advice"]


@pytest.mark.parametrize(
    ("state", "verdict", "advice"),
    [
        (ChannelState.CONNECTED, Verdict.OK, ""),
        (ChannelState.WAITING_FOR_PAIRING, Verdict.WARNING, "/whatsapp/pair"),
        (ChannelState.INITIALIZING, Verdict.WARNING, "Look again"),
        (ChannelState.STOPPED, Verdict.PROBLEM, "at the gateway"),
        (ChannelState.ERROR, Verdict.PROBLEM, "at the gateway"),
    ],
)
def test_each_state_of_a_channel_has_its_verdict(state: ChannelState, verdict: Verdict, advice: str) -> None:
    status = ChannelStatus(state, detail=f"phone +{PHONE}", account_phone=PHONE)
    found = judge_channel(Topic("connection x"), "channel x", status)
    assert found.verdict is verdict
    assert advice in found.advice
    assert state.value.replace("_", " ") in found.found
    assert PHONE not in str(found)
