"""What an Evolution connection must hold, and what it reaches with which key."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

import httpx
import pytest

from tests.gateways import evolution_facts as facts
from tests.gateways.evolution_server import REF, EvolutionServer
from whatsapp_provider.errors import (
    ConfigurationError,
    CredentialRejectedError,
    Disposition,
    GatewayError,
    NotReachedError,
    RequestRejectedError,
    WhatsAppError,
)
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.evolution import dialects
from whatsapp_provider.gateways.evolution.connection import EvolutionConfig
from whatsapp_provider.gateways.evolution.gateway import EvolutionGateway
from whatsapp_provider.messages import Text
from whatsapp_provider.model import ChannelRef, ChannelSpec, ChannelState
from whatsapp_provider.transport import Wire

STATE = f"GET /instance/connectionState/{facts.NAME}"
SEND = f"POST /message/sendText/{facts.NAME}"
HELLO = Text(body="the private words")


def read(**fields: Any) -> EvolutionConfig:
    fields = {"host": "https://evo.example", "password": facts.GLOBAL_KEY} | fields
    return EvolutionConfig.read(ConnectionValues("my_conn", **fields))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"host": ""}, "no server URL"),
        ({"host": "evo.example:8080"}, "begin with http:// or https://"),
        ({"host": "https://evo.example/manager"}, "leave out '/manager'"),
        ({"password": ""}, "no key"),
        ({"password": "", "extra": {"instance": "wa1"}}, "no key"),
        ({"password": "", "extra": {"instance_token": "abc"}}, "Fill in the instance too"),
        ({"extra": {"instance": "undefined"}}, "can't be the name"),
        ({"extra": {"api_version": "v3"}}, "one of auto, v1, v2; got 'v3'"),
        ({"extra": {"integration": "WHATSAPP"}}, "WHATSAPP-BAILEYS, WHATSAPP-BUSINESS, EVOLUTION"),
        ({"extra": {"timeout": "soon"}}, "must be a number"),
    ],
)
def test_a_form_that_is_incomplete_or_wrong_says_what_to_fill_in(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        read(**fields)
    assert facts.GLOBAL_KEY not in str(caught.value)


def test_a_form_is_read_however_its_words_are_written() -> None:
    config = read(host="evo.example", schema="http", port=8080, extra={"api_version": "V2"})
    assert (config.url, config.api_version, config.integration) == (
        "http://evo.example:8080",
        "v2",
        "WHATSAPP-BAILEYS",
    )
    assert read(extra={"integration": "evolution"}).integration == "EVOLUTION"


async def test_the_test_of_a_connection_tells_version_and_number_of_instances(
    server: EvolutionServer,
) -> None:
    server.say("POST /verify-creds", facts.VALID, status=200)
    server.say("GET /instance/fetchInstances", [facts.ROW])
    assert await server.gateway().test() == "Evolution API 2.3.6 at evo.example, 1 instances"
    assert server.calls("GET /")[0].key is None, "the first page needs no key, so none is told to it"


async def test_with_an_instance_token_alone_the_test_looks_at_the_instance(server: EvolutionServer) -> None:
    server.is_in("open", **facts.OWNED)
    gateway = server.gateway(key="", instance=facts.NAME, instance_token=facts.INSTANCE_TOKEN)
    assert await gateway.test() == "Evolution API 2.3.6 at evo.example, instance 'wa1': connected (open)"
    assert gateway.default_channel == REF
    with pytest.raises(ConfigurationError, match="global API key"):
        gateway.account()
    with pytest.raises(ConfigurationError, match="does not reach 'other'"):
        gateway.channel(ChannelRef("evolution", "other"))


async def test_a_wrong_global_key_leaves_the_instance_with_its_own_key_usable(
    server: EvolutionServer,
) -> None:
    server.is_in("open", **facts.OWNED)
    server.refuse("POST /verify-creds", 401, "Unauthorized")
    gateway = server.gateway(key="wrong", instance=facts.NAME, instance_token=facts.INSTANCE_TOKEN)
    assert (await gateway.channel(REF).status()).state is ChannelState.CONNECTED
    assert server.calls(STATE)[0].key == facts.INSTANCE_TOKEN
    with pytest.raises(CredentialRejectedError, match=r"global API key \(Password\).*'whatsapp_test'"):
        await gateway.test()


async def test_a_wrong_instance_token_is_named_as_the_key_that_is_refused(server: EvolutionServer) -> None:
    server.refuse(STATE, 401, "Unauthorized")
    channel = server.channel(instance=facts.NAME, instance_token="wrong")
    with pytest.raises(CredentialRejectedError, match="instance token of connection 'whatsapp_test'"):
        await channel.status()


async def test_an_instances_key_that_may_not_list_still_tells_the_state(server: EvolutionServer) -> None:
    server.is_in("open")
    server.refuse("GET /instance/fetchInstances", 401, "Unauthorized")
    status = await server.channel(instance=facts.NAME, instance_token=facts.INSTANCE_TOKEN).status()
    assert (status.state, status.account_phone) == (ChannelState.CONNECTED, None)


# -- another program ------------------------------------------------------------------------------

PAGE = httpx.Response(200, headers={"content-type": "text/html"}, content=b"<html>Welcome to nginx!</html>")
OTHERS = {
    "a page": PAGE,
    "other JSON": httpx.Response(200, json={"hello": "world"}),
    "a version of something else": httpx.Response(200, json={"version": "1.2.3", "message": "Elasticsearch"}),
    "200 on everything": httpx.Response(200, json={"status": "ok"}),
    "a list": httpx.Response(200, json=[]),
    "not found": httpx.Response(404, json={"detail": "Not Found"}),
    "a door": httpx.Response(302, headers={"location": "/login"}),
}


@pytest.mark.parametrize("page", OTHERS.values(), ids=OTHERS)
async def test_another_program_at_the_url_is_told_before_anything_is_sent(
    server: EvolutionServer, page: httpx.Response
) -> None:
    server.say("GET /", page)
    for attempt in (
        server.gateway().test(),
        server.channel().send(facts.PHONE, HELLO),
        server.gateway().account().create_channel(ChannelSpec("Bot")),
    ):
        with pytest.raises(
            ConfigurationError, match=r"No Evolution API answers at evo\.example, but another"
        ):
            await attempt
    assert {asked.what for asked in server.asked} == {"GET /"}


async def test_another_program_is_told_also_where_the_version_is_given(server: EvolutionServer) -> None:
    everything = httpx.Response(200, json={"status": "ok"})
    server.say("POST /verify-creds", everything)
    with pytest.raises(ConfigurationError, match="another program"):
        await server.gateway(api_version="v2").test()
    for answer in (everything, PAGE):
        server.say(STATE, answer)
        with pytest.raises(GatewayError, match=r"Evolution|URL"):
            await server.channel(api_version="v2").status()
    server.say(STATE, httpx.Response(404, content=b"<title>404 Not Found</title>"))
    with pytest.raises(RequestRejectedError, match="another program"):
        await server.channel(api_version="v2").status()


# -- the version ----------------------------------------------------------------------------------


async def test_the_version_is_asked_once_and_not_where_both_answer_alike(server: EvolutionServer) -> None:
    server.is_in("open", **facts.OWNED)
    server.say(SEND, facts.SENT, status=201)
    gateway = server.gateway()
    await gateway.channel(REF).status()
    assert server.calls("GET /") == []
    for _ in range(3):
        await gateway.channel(REF).send(facts.PHONE, HELLO)
    assert len(server.calls("GET /")) == 1


async def test_a_version_that_is_given_is_never_asked_for(server: EvolutionServer) -> None:
    server.say(SEND, facts.SENT, status=201)
    await server.channel(api_version="v1").send(facts.PHONE, HELLO)
    assert [asked.what for asked in server.asked] == [SEND]
    assert server.asked[0].body == {"number": facts.PHONE, "textMessage": {"text": HELLO.body}}


@pytest.mark.parametrize(
    "answer", [httpx.ReadTimeout("slow"), httpx.Response(502), httpx.ConnectError("refused")], ids=repr
)
async def test_that_the_version_could_not_be_had_puts_no_message_in_doubt(
    server: EvolutionServer, answer: Any
) -> None:
    server.say("GET /", answer)
    with pytest.raises(GatewayError) as caught:
        await server.channel().send(facts.PHONE, HELLO)
    assert caught.value.disposition is Disposition.RETRY
    assert server.calls(SEND) == []


async def test_a_hung_first_page_is_a_failure_that_says_so(server: EvolutionServer) -> None:
    server.say("GET /", httpx.ReadTimeout("slow"))
    with pytest.raises(NotReachedError, match="server's version: nothing was sent"):
        await server.gateway().account().create_channel(ChannelSpec("Bot"))


async def test_all_senders_together_wait_no_longer_for_the_version_than_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dialects, "VERSION_WITHIN", 0.5)

    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    config = read(host="http://evo.example")
    gateway = EvolutionGateway(config, Wire(transport=httpx.MockTransport(never)))
    begun = monotonic()
    outcomes = await asyncio.gather(
        *(gateway.channel(REF).send(facts.PHONE, HELLO) for _ in range(20)), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {NotReachedError}
    assert monotonic() - begun < 5, "one after another would be ten seconds"


async def test_a_send_to_a_server_of_the_other_version_says_where_to_look(server: EvolutionServer) -> None:
    server.refuse(SEND, 400, facts.NO_TEXT)
    with pytest.raises(WhatsAppError, match='requires property "text"') as caught:
        await server.channel(api_version="v1").send(facts.PHONE, HELLO)
    assert caught.value.disposition is Disposition.HALT
    server.refuse(f"PUT /instance/restart/{facts.NAME}", 404, [f"Cannot PUT /instance/restart/{facts.NAME}"])
    with pytest.raises(RequestRejectedError, match="is the connection's API version that of the server"):
        await server.gateway(api_version="v1").account().restart_channel(facts.NAME)
