"""What is read from a ``waabot`` connection."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.gateways import waabot_facts as facts
from tests.gateways.waabot_server import REF, WaabotServer
from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.waabot.connection import BASE_URL, WaabotConfig
from whatsapp_provider.gateways.waabot.gateway import WaabotGateway, open_gateway

PAIR = {"session_secret": facts.SESSION_ID, "access_token": facts.ACCESS_TOKEN}


def config(password: str = facts.TOKEN, host: str = "", **extra: Any) -> WaabotConfig:
    return WaabotConfig.read(ConnectionValues("my_conn", password=password, host=host, extra=extra))


def gateway(password: str = facts.TOKEN, host: str = "", **extra: Any) -> WaabotGateway:
    return open_gateway(ConnectionValues("my_conn", password=password, host=host, extra=extra))


def test_the_vendors_address_stands_for_an_empty_host() -> None:
    assert config().url == BASE_URL == "https://api.waabot.com/api/v1"
    assert config(host="http://127.0.0.1:8080/waabot/api/v1").url == "http://127.0.0.1:8080/waabot/api/v1"


@pytest.mark.parametrize("host", ["ftp://a.example", "https://a.example/?a=b", "https://user:pass@a.example"])
def test_an_address_that_can_be_none_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"base URL \(Host\)"):
        gateway(host=host)


@pytest.mark.parametrize("half", list(PAIR))
def test_half_a_pair_is_refused(half: str) -> None:
    with pytest.raises(ConfigurationError, match="half of a bot's pair") as caught:
        config(**{half: PAIR[half]})
    assert PAIR[half] not in str(caught.value)


def test_a_session_id_under_its_own_name_is_refused_because_airflow_would_show_it() -> None:
    with pytest.raises(ConfigurationError, match="write the session id as 'session_secret'") as caught:
        config(session_id=facts.SESSION_ID, access_token=facts.ACCESS_TOKEN)
    assert facts.SESSION_ID not in str(caught.value)


def test_no_token_at_all_is_refused_with_what_to_fill_in() -> None:
    with pytest.raises(ConfigurationError, match=r"account token.*session id and access token"):
        config(password="")
    with pytest.raises(ConfigurationError, match="has no token"):
        config(password="", refresh_token=facts.REFRESH)


@pytest.mark.parametrize("seconds", [1, 29, 0, "soon"])
def test_sends_are_given_half_a_minute_at_the_least(seconds: Any) -> None:
    assert config().timeout == 30
    assert config(timeout=45).timeout == 45
    with pytest.raises(ConfigurationError, match="'timeout'"):
        config(timeout=seconds)


def test_the_text_call_is_one_of_two() -> None:
    assert not config().uses_deprecated_text
    assert config(text_call="Deprecated").uses_deprecated_text
    with pytest.raises(ConfigurationError, match="'text_call' must be one of message, deprecated"):
        config(text_call="sms")


def test_no_secret_is_in_a_repr() -> None:
    shown = repr(config(refresh_token=facts.REFRESH, **PAIR))
    assert not any(secret in shown for secret in (facts.TOKEN, facts.REFRESH, *PAIR.values()))


def test_the_channel_id_names_the_bot_and_without_it_a_hash_of_the_session_does() -> None:
    assert gateway().default_channel is None
    named = gateway(channel_id=facts.BOT_ID).default_channel
    assert named is not None
    assert named.channel_id == facts.BOT_ID
    unnamed = gateway("", **PAIR).default_channel
    assert unnamed is not None
    assert unnamed.channel_id.startswith("session-")
    assert facts.SESSION_ID not in unnamed.channel_id


def signed_in(user: str, session: str) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"_id": user, "session": session}).encode()).decode()
    return f"eyJhbGciOiJIUzI1NiJ9.{claims.rstrip('=')}.{session}"


def test_an_account_keeps_its_name_when_its_token_is_made_anew() -> None:
    first, second = signed_in("61bb", "one"), signed_in("61bb", "two")
    assert gateway(first).account_key == gateway(second).account_key
    assert gateway(first).account_key != gateway(signed_in("61bc", "one")).account_key
    assert gateway(first).account_key != gateway(first, host="https://other.example").account_key


@pytest.mark.parametrize("token", ["eyJ.b.c", "eyJ.W10.c", "eyJ.eyJfaWQiOjF9.c", "not-a-jwt", "eyJ.\x7f.c"])
def test_a_token_that_names_no_user_names_the_account_itself(token: str) -> None:
    if token.isprintable():
        assert gateway(token).account_key != gateway(f"{token}d").account_key


async def test_a_connection_with_both_reaches_the_account_and_its_bot_by_the_given_pair(
    waabot: WaabotServer,
) -> None:
    waabot.say_instance(facts.instance(**facts.CONNECTED))
    both = waabot.gateway(channel_id=facts.BOT_ID, session_secret="own-session", access_token="own-access")
    assert "1 bots" in await both.test()
    assert waabot.asked[0].body == {"session_id": "", "access_token": ""}
    await both.channel(REF).status()
    assert waabot.calls("GET /whatsapp/instance")[0].query["session_id"] == "own-session"


async def test_the_test_of_one_bot_tells_its_state_and_starts_nothing(waabot: WaabotServer) -> None:
    waabot.say_instance(facts.instance())
    waabot.say("GET /whatsapp", facts.NOT_LOGGED_IN, status=403)
    line = await waabot.gateway(token="", channel_id=facts.BOT_ID, **PAIR).test()
    assert line == f"Waabot bot {facts.BOT_ID}: not started"
    assert waabot.calls("POST /whatsapp/init") == []
