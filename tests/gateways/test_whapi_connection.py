"""What a Whapi connection says, and what is refused before anything is asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateways import whapi_facts as facts
from tests.gateways.conftest import Hosts
from whatsapp_provider.errors import ConfigurationError, NotFoundError
from whatsapp_provider.gateways.base import Gateway
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.whapi.connection import WhapiConfig
from whatsapp_provider.gateways.whapi.gateway import TOKEN_WITHIN, open_gateway
from whatsapp_provider.model import ChannelRef


def config(password: str = facts.PARTNER_TOKEN, **extra: Any) -> WhapiConfig:
    return WhapiConfig.read(ConnectionValues("my_conn", password=password, extra=extra))


def test_the_partner_token_alone_is_enough() -> None:
    read = config()
    assert (read.gate_url, read.manager_url) == ("https://gate.whapi.cloud", "https://manager.whapi.cloud")
    assert (read.timeout, read.creation_limit, read.creation_window) == (30, 20, 1800)
    assert read.partner_token == facts.PARTNER_TOKEN


def test_every_field_is_read() -> None:
    read = config(
        password="",
        manager_url="http://127.0.0.1/m",
        project_id="default",
        channel_token=f" {facts.CHANNEL_TOKEN} ",
        channel_id="A",
        timeout="5",
        creation_limit="3",
        creation_window=60,
    )
    assert read == WhapiConfig(
        conn_id="my_conn",
        gate_url="https://gate.whapi.cloud",
        manager_url="http://127.0.0.1/m",
        partner_token="",
        channel_token=facts.CHANNEL_TOKEN,
        channel_id="A",
        project_id="default",
        timeout=5,
        creation_limit=3,
        creation_window=60,
    )


def test_the_creation_limit_is_the_vendors_unless_the_connection_says_otherwise(hosts: Hosts) -> None:
    assert hosts.gateway().creation_limit == (20, 1800)  # [SEED1]
    assert hosts.gateway(creation_limit=100, creation_window=600).creation_limit == (100, 600)


def test_without_a_token_the_fields_to_fill_in_are_named() -> None:
    with pytest.raises(ConfigurationError, match=r"partner token .* or the channel token"):
        config(password="  ")


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"host": "gate:port"}, "gate URL"),
        ({"host": "ftp://gate.example"}, "gate URL"),
        ({"host": f"https://{facts.PARTNER_TOKEN}@gate.example"}, "gate URL"),
        ({"extra": {"manager_url": "manager.example"}}, "manager URL"),
        ({"password": f"Bearer {facts.PARTNER_TOKEN}"}, "partner token"),
        ({"extra": {"channel_token": f"{facts.CHANNEL_TOKEN}…"}}, "channel token"),
        ({"extra": {"timeout": "soon"}}, "timeout"),
        ({"extra": {"timeout": 0}}, "timeout"),
        ({"extra": {"creation_limit": "inf"}}, "creation_limit"),
        ({"extra": {"creation_window": -1}}, "creation_window"),
        ({"extra": {"channel_id": 7}}, "channel_id"),
    ],
)
def test_a_wrong_value_is_refused_when_the_connection_is_opened(fields: dict[str, Any], names: str) -> None:
    values = ConnectionValues("my_conn", **{"password": facts.PARTNER_TOKEN, **fields})
    with pytest.raises(ConfigurationError, match=names) as caught:
        open_gateway(values)
    assert "'my_conn'" in str(caught.value)
    assert facts.PARTNER_TOKEN not in str(caught.value)
    assert facts.CHANNEL_TOKEN not in str(caught.value)


def test_no_token_is_in_a_repr(hosts: Hosts) -> None:
    gateway = hosts.gateway(channel_token=facts.CHANNEL_TOKEN)
    shown = repr(
        [config(channel_token=facts.CHANNEL_TOKEN), gateway, gateway.account(), gateway.default_channel]
    )
    shown += repr(vars(gateway.account()))
    assert facts.PARTNER_TOKEN not in shown
    assert facts.CHANNEL_TOKEN not in shown


def test_the_account_has_a_name_that_is_stable_and_no_secret(hosts: Hosts) -> None:
    key = hosts.gateway().account_key
    assert key == hosts.gateway(project_id="default").account_key
    assert key != hosts.gateway(partner="another").account_key
    assert key.startswith("whapi/")
    assert facts.PARTNER_TOKEN[:8] not in key


def test_a_send_is_over_before_the_told_time_with_the_question_for_the_token_included(hosts: Hosts) -> None:
    gateway = hosts.gateway(timeout=5)
    # a place 10, connecting 10, writing 5, the answer 5
    assert gateway.send_timeout == TOKEN_WITHIN + 30


def test_the_gateway_is_what_its_callers_are_typed_against(hosts: Hosts) -> None:
    gateway: Gateway = hosts.gateway()
    assert gateway.name == "whapi"


# -- which channel --------------------------------------------------------------------------------


def test_a_connection_may_name_its_channel_or_none(hosts: Hosts) -> None:
    assert hosts.gateway().default_channel is None
    assert hosts.gateway(channel_id="A").default_channel == ChannelRef("whapi", "A")
    both = hosts.gateway(channel_id="A", channel_token=facts.CHANNEL_TOKEN)
    assert both.default_channel == ChannelRef("whapi", "A")


def test_a_channel_token_without_an_id_names_the_channel_by_a_stable_hash(hosts: Hosts) -> None:
    ref = hosts.gateway(partner="", channel_token=facts.CHANNEL_TOKEN).default_channel
    again = hosts.gateway(channel_token=facts.CHANNEL_TOKEN).default_channel
    assert ref is not None
    assert ref == again
    assert facts.CHANNEL_TOKEN[:6] not in ref.channel_id


def test_a_channel_of_another_gateway_is_refused_by_both_names(hosts: Hosts) -> None:
    with pytest.raises(ConfigurationError, match=r"'elsewhere'.*'whatsapp_test' is one of 'whapi'"):
        hosts.gateway().channel(ChannelRef("elsewhere", "A"))


async def test_a_channel_token_reaches_no_other_channel_and_no_account(hosts: Hosts) -> None:
    gateway = hosts.gateway(partner="", channel_token=facts.CHANNEL_TOKEN, channel_id="A")
    with pytest.raises(ConfigurationError, match="not known to be 'B'"):
        await gateway.channel(ChannelRef("whapi", "B")).status()
    with pytest.raises(ConfigurationError, match="needs the partner token"):
        gateway.account()
    assert hosts.asked == []


async def test_with_both_tokens_another_channel_is_reached_by_the_partner_token(hosts: Hosts) -> None:
    other = {**facts.CREATED, "id": "MANTIS-M72HC", "token": "t" * 32}
    hosts.say("GET manager /channels/MANTIS-M72HC", other)
    hosts.say("GET gate /settings", facts.SETTINGS)
    gateway = hosts.gateway(channel_token=facts.CHANNEL_TOKEN, channel_id=facts.CHANNEL_ID)
    await gateway.channel(ChannelRef("whapi", "MANTIS-M72HC")).settings()
    assert [(asked.host, asked.token) for asked in hosts.asked] == [
        ("manager", facts.PARTNER_TOKEN),
        ("gate", "t" * 32),
    ]


# -- the connection test --------------------------------------------------------------------------


async def test_a_partner_token_is_tested_by_naming_the_account(hosts: Hosts) -> None:
    hosts.say("GET manager /projects", facts.PROJECTS)
    hosts.say("GET manager /channels/list", {"channels": [facts.CREATED], "total": 41})
    assert await hosts.gateway().test() == "Whapi account with main project 'Main', 41 channels"


async def test_a_channel_token_is_tested_by_looking_at_the_channel(hosts: Hosts) -> None:
    hosts.say("GET gate /health", facts.health("AUTH", paired=True))
    gateway = hosts.gateway(partner="", channel_token=facts.CHANNEL_TOKEN, channel_id=facts.CHANNEL_ID)
    assert await gateway.test() == f"Whapi channel {facts.CHANNEL_ID}, connected (AUTH)"


async def test_a_channel_token_that_the_gate_does_not_know_fails_the_test(hosts: Hosts) -> None:
    hosts.say("GET gate /health", facts.error("Channel not found", 404), status=404)
    gateway = hosts.gateway(partner="", channel_token=facts.CHANNEL_TOKEN)
    with pytest.raises(NotFoundError, match="wrong, deleted, or only just created"):
        await gateway.test()
