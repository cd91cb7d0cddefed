"""Pairing an Evolution instance, and its one webhook."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.gateways import evolution_facts as facts
from tests.gateways.evolution_server import EvolutionServer
from whatsapp_provider.errors import (
    AlreadyConnectedError,
    ConfigurationError,
    InputError,
    NoAnswerError,
    TemporarilyUnavailableError,
)
from whatsapp_provider.gateways.evolution.dialects import DEFAULT_EVENTS
from whatsapp_provider.model import Webhook

STATE = f"GET /instance/connectionState/{facts.NAME}"
CONNECT = f"GET /instance/connect/{facts.NAME}"
LOGOUT = f"DELETE /instance/logout/{facts.NAME}"
FIND = f"GET /webhook/find/{facts.NAME}"
SET = f"POST /webhook/set/{facts.NAME}"
NOT_CONNECTED = f'The "{facts.NAME}" instance is not connected'


async def test_the_four_answers_to_a_connect(server: EvolutionServer) -> None:
    channel = server.channel()
    server.say(CONNECT, facts.QR)
    pairing = await channel.pairing_qr()
    assert pairing is not None
    assert (pairing.image or b"").startswith(b"\x89PNG")
    assert pairing.raw == facts.QR["code"]
    assert facts.QR["code"] not in repr(pairing)
    for nothing in (facts.NO_QR, {}):
        server.say(CONNECT, nothing)
        assert await channel.pairing_qr() is None
    server.say(CONNECT, facts.state("open"))
    with pytest.raises(AlreadyConnectedError, match=f"'{facts.NAME}' is connected already"):
        await channel.pairing_qr()
    server.say(CONNECT, facts.FAILED)
    with pytest.raises(TemporarilyUnavailableError, match="delete and create it"):
        await channel.pairing_qr()
    server.say(CONNECT, {**facts.QR, "base64": "data:image/png;base64,???"})
    with pytest.raises(NoAnswerError, match="not an image"):
        await channel.pairing_qr()


async def test_a_pairing_code_is_asked_of_a_closed_instance(server: EvolutionServer) -> None:
    server.is_in("close")
    server.say(CONNECT, facts.NO_QR, facts.CODE)
    pairing = await server.channel().pairing_code(f"+{facts.OWNER}")
    assert pairing.code == facts.CODE["pairingCode"]
    assert [call.query for call in server.calls(CONNECT)] == [{"number": facts.OWNER}] * 2
    assert server.calls(LOGOUT) == []


async def test_an_instance_that_shows_qr_codes_is_closed_first(server: EvolutionServer) -> None:
    """While it connects, it gives back the code that was made for whoever asked before."""
    server.is_in("connecting")
    server.say(STATE, *[facts.state("connecting")] * 3, facts.state("close"))
    server.say(LOGOUT, facts.LOGGED_OUT)
    server.say(CONNECT, facts.CODE)
    assert (await server.channel().pairing_code(facts.OWNER)).code
    order = [asked.what for asked in server.asked]
    assert order.index(LOGOUT) < order.index(CONNECT)
    assert server.pauses, "the end of the session is waited for"


async def test_a_phone_that_comes_back_is_not_logged_out_for_a_code(server: EvolutionServer) -> None:
    server.is_in("connecting", **facts.OWNED, connectionStatus="open")
    with pytest.raises(TemporarilyUnavailableError, match="may have a phone"):
        await server.channel().pairing_code(facts.OWNER)
    server.is_in("open", **facts.OWNED)
    with pytest.raises(AlreadyConnectedError):
        await server.channel().pairing_code(facts.OWNER)
    assert server.calls(LOGOUT) == server.calls(CONNECT) == []


async def test_a_server_that_gives_no_code_is_not_asked_for_ever(server: EvolutionServer) -> None:
    server.is_in("close")
    server.say(CONNECT, facts.NO_QR)
    with pytest.raises(TemporarilyUnavailableError, match="gave no pairing code"):
        await server.channel().pairing_code(facts.OWNER)
    assert 1 < len(server.calls(CONNECT)) < 10


@pytest.mark.parametrize("phone", ["", "call me", "+55 11 9", "1" * 20])
async def test_what_is_no_number_gets_no_code(server: EvolutionServer, phone: str) -> None:
    with pytest.raises(InputError):
        await server.channel().pairing_code(phone)
    assert server.asked == []


async def test_a_logout_is_waited_for_and_none_is_needed_where_nobody_is(server: EvolutionServer) -> None:
    server.say(LOGOUT, facts.LOGGED_OUT)
    server.say(STATE, facts.state("open"), facts.state("close"))
    assert await server.channel().logout() is True
    server.refuse(LOGOUT, 400, [NOT_CONNECTED])
    assert await server.channel().logout() is False


async def test_a_logout_that_did_nothing_is_told(server: EvolutionServer) -> None:
    server.say(LOGOUT, facts.LOGGED_OUT)
    server.say(STATE, facts.state("open"))
    with pytest.raises(TemporarilyUnavailableError, match="it is not closed after"):
        await server.channel().logout()


# -- the webhook ----------------------------------------------------------------------------------

OURS = Webhook("https://ours.example/hook", ("SEND_MESSAGE", "MESSAGES_UPDATE"))
SAME = Webhook(facts.HOOK["url"], tuple(facts.HOOK["events"]))


@pytest.mark.parametrize("row", [None, {**facts.HOOK, "enabled": False}, {"enabled": False}], ids=str)
async def test_a_webhook_that_is_not_called_is_none(server: EvolutionServer, row: Any) -> None:
    server.say(FIND, row)
    assert list(await server.channel().webhooks()) == []
    assert await server.channel().remove_webhook(facts.HOOK["url"]) is False
    server.say(SET, {}, status=201)
    assert await server.channel().set_webhook(OURS) is True
    # Nothing of what stood there before goes to another URL.
    assert server.calls(SET)[0].body == {
        "webhook": {
            "enabled": True,
            "url": OURS.url,
            "events": ["MESSAGES_UPDATE", "SEND_MESSAGE"],
            "headers": {},
            "byEvents": False,
            "base64": False,
        }
    }


async def test_version_1_takes_a_flat_webhook_and_no_headers(server: EvolutionServer) -> None:
    server.say(FIND, facts.HOOK_1)
    server.say(SET, {}, status=201)
    channel = server.channel(api_version="v1")
    assert [hook.url for hook in await channel.webhooks()] == [facts.HOOK_1["url"]]
    with pytest.raises(ConfigurationError, match="v1 sends no headers"):
        await channel.set_webhook(Webhook(SAME.url, SAME.events, {"x": "y"}))
    assert await channel.set_webhook(Webhook(SAME.url)) is True
    assert server.calls(SET)[0].body == {
        "enabled": True,
        "url": SAME.url,
        "events": sorted(DEFAULT_EVENTS),
        "webhook_by_events": False,
        "webhook_base64": False,
    }


async def test_a_webhook_that_is_there_is_left_alone_with_its_headers(server: EvolutionServer) -> None:
    server.say(FIND, facts.HOOK)
    server.say(SET, {}, status=201)
    channel = server.channel()
    assert await channel.set_webhook(SAME) is False
    assert await channel.set_webhook(Webhook(SAME.url, SAME.events, facts.HOOK["headers"])) is False
    assert await channel.set_webhook(Webhook(SAME.url, (*SAME.events, "CALL"))) is True
    written = server.calls(SET)[-1].body["webhook"]
    assert (written["headers"], written["base64"]) == (facts.HOOK["headers"], True)
    assert await channel.set_webhook(Webhook(SAME.url, SAME.events, {})) is True
    assert server.calls(SET)[-1].body["webhook"]["headers"] == {}


async def test_anothers_webhook_is_replaced_on_demand_and_its_secrets_stay_behind(
    server: EvolutionServer,
) -> None:
    server.say(FIND, facts.HOOK)
    server.say(SET, {}, status=201)
    with pytest.raises(ConfigurationError, match=r"webhook at hook\.example already") as caught:
        await server.channel().set_webhook(OURS)
    assert "secret" not in str(caught.value)
    assert await server.channel().remove_webhook(OURS.url) is False
    assert server.calls(SET) == []
    assert await server.channel().set_webhook(OURS, replace=True) is True
    assert server.calls(SET)[0].body["webhook"]["headers"] == {}


@pytest.mark.parametrize(
    ("version", "event"), [("v1", "STATUS_INSTANCE"), ("v2", "CHAMA_AI_ACTION"), ("v2", "x")]
)
async def test_an_event_that_the_version_does_not_know_changes_nothing(
    server: EvolutionServer, version: str, event: str
) -> None:
    server.say(FIND, None)
    with pytest.raises(ConfigurationError, match=f"{version} has no event '{event}'"):
        await server.channel(api_version=version).set_webhook(Webhook("https://x.example", (event,)))
    assert server.calls(SET) == []


async def test_a_removed_webhook_is_disabled_and_its_headers_forgotten(server: EvolutionServer) -> None:
    server.say(FIND, facts.HOOK)
    server.say(SET, {}, status=201)
    assert await server.channel().remove_webhook(SAME.url) is True
    body = server.calls(SET)[0].body["webhook"]
    assert (body["enabled"], body["headers"]) == (False, {})


async def test_an_answer_that_is_no_webhook_is_not_taken_for_none(server: EvolutionServer) -> None:
    server.say(FIND, httpx.Response(200, json=["x"]))
    with pytest.raises(NoAnswerError, match="WebhookRow"):
        await server.channel().webhooks()
