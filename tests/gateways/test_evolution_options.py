"""The options of a new instance: one spelling, both documentations' own ones, two servers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateways import evolution_facts as facts
from tests.gateways.evolution_server import EvolutionServer
from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.evolution.dialects import DEFAULT_EVENTS
from whatsapp_provider.model import ChannelSpec

CREATE = "POST /instance/create"
SECRET = "hush-hush-secret-value"

#: The documented create of version 1, in full.
DOCUMENTED_1: dict[str, Any] = {
    "token": "abc123",
    "qrcode": True,
    "number": "15550001000",
    "integration": "WHATSAPP-BAILEYS",
    "webhook": "https://hook.example/x",
    "webhook_by_events": True,
    "events": ["APPLICATION_STARTUP"],
    "reject_call": True,
    "msg_call": "busy",
    "groups_ignore": True,
    "always_online": True,
    "read_messages": True,
    "read_status": True,
    "websocket_enabled": True,
    "websocket_events": ["APPLICATION_STARTUP"],
    "rabbitmq_enabled": True,
    "rabbitmq_events": ["APPLICATION_STARTUP"],
    "sqs_enabled": True,
    "sqs_events": ["APPLICATION_STARTUP"],
    "typebot_url": "https://bot.example",
    "typebot": "flow",
    "typebot_expire": 123,
    "typebot_keyword_finish": "bye",
    "typebot_delay_message": 123,
    "typebot_unknown_message": "what?",
    "typebot_listening_from_me": True,
    "proxy": {"host": "p", "port": "8080", "protocol": "http", "username": "u", "password": "w"},
    "chatwoot_account_id": 123,
    "chatwoot_token": "t",
    "chatwoot_url": "https://chat.example",
    "chatwoot_sign_msg": True,
    "chatwoot_reopen_conversation": True,
    "chatwoot_conversation_pending": True,
}
#: What version 2's documentation has.
DOCUMENTED_2: dict[str, Any] = {
    "token": "abc123",
    "qrcode": True,
    "number": "15550001000",
    "integration": "WHATSAPP-BAILEYS",
    "rejectCall": True,
    "msgCall": "busy",
    "groupsIgnore": True,
    "alwaysOnline": True,
    "readMessages": True,
    "readStatus": True,
    "syncFullHistory": True,
    "wavoipToken": "w",
    "webhook": {
        "url": "https://hook.example/x",
        "byEvents": False,
        "base64": True,
        "headers": {"authorization": "Bearer x"},
        "events": ["APPLICATION_STARTUP", "STATUS_INSTANCE"],
    },
    "websocket": {"enabled": True, "events": ["APPLICATION_STARTUP"]},
    "rabbitmq": {"enabled": True, "events": ["APPLICATION_STARTUP"]},
    "sqs": {"enabled": True, "events": ["APPLICATION_STARTUP"]},
    "nats": {"enabled": True, "events": ["APPLICATION_STARTUP"]},
    "kafka": {"enabled": True, "events": ["APPLICATION_STARTUP"]},
    "pusher": {
        "enabled": True,
        "appId": "1",
        "key": "k",
        "secret": "s",
        "cluster": "c",
        "useTLS": True,
        "events": [],
    },
    "proxyHost": "p",
    "proxyPort": "8080",
    "proxyProtocol": "http",
    "proxyUsername": "u",
    "proxyPassword": "w",
    "chatwootAccountId": "123",
    "chatwootToken": "t",
    "chatwootUrl": "https://chat.example",
    "chatwootSignMsg": True,
    "chatwootReopenConversation": True,
    "chatwootConversationPending": True,
}
#: The same options for either version, in our own spelling.
OURS: dict[str, Any] = {
    "qrcode": False,
    "reject_call": True,
    "msg_call": "busy",
    "webhook": {"url": "https://hook.example/x", "by_events": True, "events": ["SEND_MESSAGE"]},
    "proxy": {"host": "p", "port": 8080},
    "chatwoot": {"account_id": 5, "token": "t", "url": "https://chat.example"},
    "rabbitmq": {"events": ["CALL"]},
}


async def created(server: EvolutionServer, version: str, options: Any, **extra: Any) -> Any:
    """Return the body of the creation that these options make."""
    server.say(CREATE, facts.CREATED, status=201)
    server.say("GET /instance/fetchInstances", [facts.ROW])
    account = server.gateway(api_version=version, **extra).account()
    await account.create_channel(ChannelSpec(facts.NAME, options=options))
    body = dict(server.calls(CREATE)[-1].body)
    assert body.pop("instanceName") == facts.NAME
    return body


async def test_the_documented_create_of_version_1_comes_out_as_it_is(server: EvolutionServer) -> None:
    assert await created(server, "v1", DOCUMENTED_1) == DOCUMENTED_1 | {"chatwoot_account_id": "123"}


async def test_the_documented_create_of_version_2_comes_out_as_it_is(server: EvolutionServer) -> None:
    assert await created(server, "v2", DOCUMENTED_2) == DOCUMENTED_2


async def test_our_spelling_becomes_either_versions(server: EvolutionServer) -> None:
    assert await created(server, "v1", OURS) == {
        "integration": "WHATSAPP-BAILEYS",
        "qrcode": False,
        "reject_call": True,
        "msg_call": "busy",
        "webhook": "https://hook.example/x",
        "webhook_by_events": True,
        "events": ["SEND_MESSAGE"],
        "proxy": {"host": "p", "port": "8080", "protocol": "http"},
        "chatwoot_account_id": "5",
        "chatwoot_token": "t",
        "chatwoot_url": "https://chat.example",
        "chatwoot_sign_msg": False,
        "chatwoot_reopen_conversation": False,
        "chatwoot_conversation_pending": False,
        "rabbitmq_enabled": True,
        "rabbitmq_events": ["CALL"],
    }
    assert await created(server, "v2", OURS) == {
        "integration": "WHATSAPP-BAILEYS",
        "qrcode": False,
        "rejectCall": True,
        "msgCall": "busy",
        "webhook": {"url": "https://hook.example/x", "byEvents": True, "events": ["SEND_MESSAGE"]},
        "proxyHost": "p",
        "proxyPort": "8080",
        "proxyProtocol": "http",
        "chatwootAccountId": "5",
        "chatwootToken": "t",
        "chatwootUrl": "https://chat.example",
        "chatwootSignMsg": False,
        "chatwootReopenConversation": False,
        "chatwootConversationPending": False,
        "rabbitmq": {"enabled": True, "events": ["CALL"]},
    }


async def test_each_documentation_is_understood_for_the_other_server(server: EvolutionServer) -> None:
    without = {"typebot", "events"} | {name for name in DOCUMENTED_1 if name.startswith("typebot_")}
    flat = {name: value for name, value in DOCUMENTED_1.items() if name not in without}
    body = await created(server, "v2", flat)
    assert body["webhook"] == {
        "url": "https://hook.example/x",
        "byEvents": True,
        "events": list(DEFAULT_EVENTS),
    }
    assert (body["rejectCall"], body["proxyHost"], body["chatwootUrl"]) == (True, "p", "https://chat.example")
    nested = {"rejectCall": True, "webhook": {"url": "https://hook.example/x", "webhookByEvents": True}}
    body = await created(server, "v1", nested | {"proxyHost": "p", "proxyPort": 1})
    assert (body["reject_call"], body["webhook"], body["webhook_by_events"], body["proxy"]["port"]) == (
        True,
        "https://hook.example/x",
        True,
        "1",
    )


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_webhook_always_comes_with_events(server: EvolutionServer, version: str) -> None:
    body = await created(server, version, {"webhook": "https://hook.example/x"})
    told = body["events"] if version == "v1" else body["webhook"]["events"]
    assert told == sorted(DEFAULT_EVENTS)


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown": ("v2", {"rejectCalls": SECRET}, "reject_calls"),
    "unknown inside": ("v2", {"webhook": {"url": "https://x.example", "colour": SECRET}}, "webhook.colour"),
    "wrong type": ("v2", {"reject_call": SECRET}, "reject_call"),
    "a word for yes": ("v2", {"reject_call": "true"}, "reject_call"),
    "a number for text": ("v1", {"number": 15550001000}, "number"),
    "no phone": ("v2", {"number": SECRET}, "number"),
    "not an integration": ("v2", {"integration": SECRET}, "integration"),
    "no URL": ("v2", {"webhook": SECRET}, "webhook.url: must begin with http"),
    "half a proxy": ("v2", {"proxyHost": SECRET}, "proxy.port"),
    "half of Chatwoot": ("v1", {"chatwoot_token": SECRET}, "chatwoot.url"),
    "twice": (
        "v2",
        {"rejectCall": True, "reject_call": False},
        "'reject_call' of the new channel is given twice",
    ),
    "twice, nested": (
        "v2",
        {"webhook": {"url": "https://a.example", "byEvents": True}, "webhook_by_events": False},
        "'webhook.by_events' of the new channel is given twice",
    ),
    "the name": ("v2", {"instanceName": "other"}, "instance_name"),
    "version 2's event": (
        "v1",
        {"webhook": "https://x.example", "events": ["STATUS_INSTANCE"]},
        "v1 has no event",
    ),
    "version 1's event": (
        "v2",
        {"webhook": "https://x.example", "events": ["NEW_JWT_TOKEN"]},
        "v2 has no event",
    ),
    "version 2's bus": ("v1", {"nats": {"events": ["CALL"]}}, "v1 knows no option 'nats'"),
    "version 2's headers": (
        "v1",
        {"webhook": {"url": "https://x.example", "headers": {"x": SECRET}}},
        "v1 knows no option 'webhook.headers'",
    ),
    "version 1's bot": ("v2", {"typebot": "flow", "typebot_url": "u"}, "v2 knows no option 'typebot'"),
    "Meta's number": ("v2", {"integration": "WHATSAPP-BUSINESS", "token": SECRET}, "number, business_id"),
    "Meta's token": ("v1", {"integration": "WHATSAPP-BUSINESS", "number": "100"}, "needs the options token"),
}


@pytest.mark.parametrize(("version", "options", "told"), REFUSED.values(), ids=REFUSED)
async def test_an_option_that_can_not_be_used_is_named_before_anything_is_created(
    server: EvolutionServer, version: str, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told.replace(".", r"\.")) as caught:
        await created(server, version, options)
    assert SECRET not in str(caught.value)
    assert server.calls(CREATE) == []


async def test_business_is_created_with_metas_three(server: EvolutionServer) -> None:
    given = {
        "integration": "WHATSAPP-BUSINESS",
        "token": "EAA",
        "number": "100200300",
        "business_id": "waba-777",
    }
    assert await created(server, "v2", given) == {
        "integration": "WHATSAPP-BUSINESS",
        "token": "EAA",
        "number": "100200300",
        "businessId": "waba-777",
    }
