"""The hook finds the gateway of a connection and works from any kind of code."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlsplit

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException

from tests.hooks.world import ADA, CONN_ID, World, context
from whatsapp_provider.errors import (
    ConfigurationError,
    CredentialRejectedError,
    InputError,
    NoAnswerError,
    NotFoundError,
    RecipientError,
)
from whatsapp_provider.hooks.whapi import WhapiHook
from whatsapp_provider.hooks.whatsapp import WhatsAppHook
from whatsapp_provider.operators.message import WhatsAppSendMessageOperator

TOKEN = "a-partner-token-of-some-length"


def test_a_connection_as_json_reaches_its_gateway(world: World) -> None:
    assert WhatsAppHook(CONN_ID).gateway.name == "whapi"
    assert WhapiHook().get_conn().default_channel.channel_id == world.channel_id


@pytest.mark.parametrize("form", ["query", "extra"])
def test_a_connection_as_a_uri_reaches_the_same_gateway(world: World, form: str) -> None:
    port = urlsplit(world.url).port
    extra = {"manager_url": f"{world.url}/whapi/manager", "channel_token": world.channel_token}
    query = (
        "&".join(f"{name}={quote(value, safe='')}" for name, value in extra.items())
        if form == "query"
        else f"__extra__={quote(json.dumps(extra), safe='')}"
    )
    host = quote(f"http://127.0.0.1:{port}/whapi/gate", safe="")
    world.monkeypatch.setenv(
        f"AIRFLOW_CONN_{CONN_ID.upper()}", f"whapi://:{world.emulator.partner_token}@{host}/?{query}"
    )
    assert WhatsAppHook(CONN_ID).send_text(ADA, "by URI").message_id
    assert world.received() == [(ADA, "by URI")]


def test_a_connection_of_another_type_is_refused_with_the_types_there_are(world: World) -> None:
    world.connect(conn_type="slack")
    with pytest.raises(ConfigurationError, match=r"'slack' is not a WhatsApp gateway.*whapi"):
        _ = WhatsAppHook(CONN_ID).gateway


def test_a_connection_without_any_token_says_which_fields_to_fill(world: World) -> None:
    world.connect(password="")
    with pytest.raises(ConfigurationError, match=r"no token.*partner token.*channel token"):
        _ = WhatsAppHook(CONN_ID).gateway


async def test_a_connection_that_is_not_found_is_named_with_what_makes_it(world: World) -> None:
    world.monkeypatch.delenv(f"AIRFLOW_CONN_{CONN_ID.upper()}")
    told = rf"no connection '{CONN_ID}'.*whatsapp_conn_id.*connections add {CONN_ID} --conn-type .*evolution_api, "
    # Airflow says so of an outage, too: not an error that no retry mends.
    with pytest.raises(AirflowNotFoundException, match=told):
        _ = WhatsAppHook(CONN_ID).gateway
    with pytest.raises(AirflowNotFoundException, match=told):
        await WhatsAppHook(CONN_ID).open()
    with pytest.raises(AirflowNotFoundException, match=told):
        WhatsAppSendMessageOperator(task_id="t", to=ADA, text="Hello").execute(context())


@pytest.mark.parametrize("extra", ["[1, 2]", '"text"', "{not json"])
async def test_an_extra_field_that_is_no_object_is_refused_by_sync_and_async_code(
    world: World, extra: str
) -> None:
    world.connect(extra=extra)
    # Airflow's older versions refuse it themselves, and call the connection missing.
    refused = pytest.raises(
        (ConfigurationError, AirflowNotFoundException), match=r"JSON object|has no connection"
    )
    with refused:
        _ = WhatsAppHook(CONN_ID).gateway
    with refused:
        await WhatsAppHook(CONN_ID).open()


def test_the_connection_test_names_the_account(world: World) -> None:
    good, told = WhatsAppHook(CONN_ID).test_connection()
    assert good
    assert "1 channels" in told


def test_the_connection_test_names_the_channel_of_a_channel_token(world: World) -> None:
    world.connect(password="", extra={"channel_token": world.channel_token})
    good, told = WhatsAppHook(CONN_ID).test_connection()
    assert good
    assert world.channel_id in told
    assert "connected" in told


def test_the_connection_test_tells_a_wrong_token_without_showing_it(world: World) -> None:
    world.connect(password=TOKEN)
    good, told = WhatsAppHook(CONN_ID).test_connection()
    assert not good
    assert "401" in told
    assert TOKEN not in told


def test_the_connection_test_tells_an_unreachable_host_without_the_token(world: World) -> None:
    world.connect(password=TOKEN, extra={"manager_url": "http://127.0.0.1:9"})
    good, told = WhatsAppHook(CONN_ID).test_connection()
    assert not good
    assert "127.0.0.1:9" in told
    assert TOKEN not in told


def test_plain_code_sends_text_and_other_kinds_and_asks_for_a_status(world: World) -> None:
    hook = WhatsAppHook(CONN_ID)
    sent = hook.send_text(f"+{ADA}", "Hello {{ name }}")
    image = {"kind": "image", "media": {"url": f"{world.url}/x.png"}, "caption": "Look"}
    assert hook.send(ADA, image, channel="main").message_id != sent.message_id
    assert [text for _, text in world.received()] == ["Hello {{ name }}", "Look"]
    assert hook.message_status(sent.message_id).value in {"pending", "sent", "delivered"}
    assert hook.channel_status().state.value == "connected"


def test_a_bad_recipient_or_message_is_refused_before_any_request(world: World) -> None:
    hook = WhatsAppHook(CONN_ID)
    with pytest.raises(RecipientError):
        hook.send_text("hello", "x")
    with pytest.raises(InputError, match="body"):
        hook.send_text(ADA, "")
    assert world.asked("/messages/") == 0


def counted(world: World) -> list[tuple[object, ...]]:
    return world.ledger_text("SELECT channel, count FROM wa_permit")


def test_a_message_takes_a_place_in_the_channels_pace(world: World) -> None:
    WhatsAppHook(CONN_ID).send_text(ADA, "Hi", channel="main")
    assert counted(world) == [(f"whapi/{world.channel_id}", 1)]


def test_a_message_in_doubt_takes_a_place_and_a_refused_one_none(world: World) -> None:
    hook = WhatsAppHook(CONN_ID)
    world.fault("status", status=403, path="/messages/text")
    with pytest.raises(CredentialRejectedError):
        hook.send_text(ADA, "refused")
    assert world.ledger_rows()["wa_permit"] == 0
    world.fault("deliver_then_status", status=502, path="/messages/text")
    with pytest.raises(NoAnswerError):
        hook.send_text(ADA, "in doubt")
    assert counted(world) == [(f"whapi/{world.channel_id}", 1)]


@pytest.mark.parametrize(
    ("ledger", "told"),
    [("ledger.db", "absolute path"), ("/proc/nowhere/ledger.db", "ledger")],
    ids=["not configured", "not to be opened"],
)
def test_a_ledger_out_of_reach_fails_no_send_and_is_told(
    world: World, capsys: pytest.CaptureFixture[str], ledger: str, told: str
) -> None:
    world.monkeypatch.setenv("AIRFLOW__WHATSAPP__LEDGER_PATH", ledger)
    assert WhatsAppHook(CONN_ID).send_text(ADA, "Hi").message_id
    assert world.received() == [(ADA, "Hi")]
    [warning] = [line for line in capsys.readouterr().out.splitlines() if "isn't counted" in line]
    assert told in warning.partition("isn't counted")[2]


async def test_sync_methods_work_under_a_running_loop(world: World) -> None:
    hook = WhatsAppHook(CONN_ID)
    assert hook.send_text(ADA, "from async def").message_id
    assert world.received() == [(ADA, "from async def")]


async def test_a_sync_method_called_on_the_hooks_own_loop_is_refused_and_does_not_hang(world: World) -> None:
    hook = WhatsAppHook(CONN_ID)

    async def on_the_loop() -> None:
        hook.send_text(ADA, "never")

    with pytest.raises(RuntimeError, match="await the async one"):
        await asyncio.to_thread(hook.run, on_the_loop())
    assert world.received() == []


async def test_async_code_opens_the_gateway_and_a_channel(world: World) -> None:
    hook = WhatsAppHook(CONN_ID)
    assert (await hook.open()).name == "whapi"
    channel = await hook.open_channel("main")
    assert (await channel.status()).state.value == "connected"


async def test_many_coroutines_may_open_connections_at_once(world: World) -> None:
    gateways = await asyncio.gather(*(WhatsAppHook(CONN_ID).open() for _ in range(20)))
    assert {gateway.name for gateway in gateways} == {"whapi"}


def test_several_threads_send_at_once(world: World) -> None:
    hook = WhatsAppHook(CONN_ID)
    numbers = [f"1555000{index:04d}" for index in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: hook.send_text(number, "hi"), numbers))
    assert sorted(phone for phone, _ in world.received()) == numbers


FORKING = """
import os, sys
from whatsapp_provider.hooks.whatsapp import WhatsAppHook
hook = WhatsAppHook()
hook.send_text(sys.argv[1], "parent before")
child = os.fork()
hook.send_text(sys.argv[1], "parent after" if child else "child")
if not child:
    os._exit(0)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_a_forked_process_gets_a_loop_thread_of_its_own(world: World) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING, ADA],
        timeout=60,
        check=False,
        env=dict(os.environ),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(text for _, text in world.received()) == ["child", "parent after", "parent before"]


@pytest.mark.parametrize("way", ["sync", "async"])
def test_tokens_are_masked_in_logs_once_the_connection_is_read(world: World, way: str) -> None:
    from airflow.sdk._shared.secrets_masker import redact

    password, channel = f"partner-{way}-9f8e7d", f"channel-{way}-1a2b3c"
    world.connect(password=password, extra={"channel_token": channel})
    hook = WhatsAppHook(CONN_ID)
    _ = hook.gateway if way == "sync" else asyncio.run(hook.open())
    shown = redact(f"sent with {password} and {channel}")
    assert password not in shown
    assert channel not in shown


def refs(world: World) -> list[object]:
    return [world.ref, json.dumps(world.ref), str(world.ref), world.channel_id, "main", " main ", None, ""]


def test_a_channel_may_be_named_in_every_form_that_a_template_gives(world: World) -> None:
    hook = WhatsAppHook(CONN_ID)
    assert {hook.channel_ref(value).channel_id for value in refs(world)} == {world.channel_id}


@pytest.mark.parametrize(
    ("value", "error", "told"),
    [
        ("nobody", NotFoundError, "no channel with the id or name 'nobody'"),
        ({"gateway": "whapi"}, ConfigurationError, "needs the key 'channel_id'"),
        ("{broken", ConfigurationError, "can't be read"),
        ("{'a', 'b'}", ConfigurationError, "can't be read"),
        (["main"], ConfigurationError, "channel is a list"),
        (17, ConfigurationError, "channel is a int"),
    ],
)
def test_a_channel_that_is_not_found_or_not_readable_says_why(
    world: World, value: object, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        WhatsAppHook(CONN_ID).channel_ref(value)  # type: ignore[arg-type]


def test_no_channel_named_anywhere_says_where_to_name_one(world: World) -> None:
    world.connect(extra={"channel_id": ""})
    with pytest.raises(ConfigurationError, match="No channel is named"):
        WhatsAppHook(CONN_ID).channel_ref()


def test_another_gateways_channel_is_refused(world: World) -> None:
    with pytest.raises(ConfigurationError, match="belongs to gateway 'evolution'"):
        WhatsAppHook(CONN_ID).channel_status({"gateway": "evolution", "channel_id": "X"})
