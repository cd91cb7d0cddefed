"""``POST /instance/create`` in the words of both versions."""

from __future__ import annotations

import re
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, json_reply
from whatsapp_provider.emulator.evolution.body import Data
from whatsapp_provider.emulator.evolution.hooks import EVENTS
from whatsapp_provider.emulator.evolution.instance import (
    BAILEYS,
    BUSINESS,
    DEFAULT_SETTINGS,
    INTEGRATIONS,
    Instance,
    Wish,
)
from whatsapp_provider.emulator.evolution.refusals import RefusalError, bad_request, undefined
from whatsapp_provider.emulator.evolution.schema import SWITCH, TEXT, Rule, Schema, demand
from whatsapp_provider.emulator.evolution.servers import EvolutionServer

NUMBER = Rule("string", pattern=r"^\d+[\.@\w-]+")
QUEUES = ("websocket", "rabbitmq", "nats", "sqs")
# The name of v1 for each setting; it stands for the same thing.
SNAKE = {name: re.sub(r"([A-Z])", r"_\1", name).lower() for name in DEFAULT_SETTINGS}
SNAKE["wavoipToken"] = "wavoipToken"
V1_DEFAULTS = {**DEFAULT_SETTINGS, "groupsIgnore": True}
RACE = "\nInvalid `a.integrationSession.update()` invocation in\n/evolution/dist/main.js\n\nUnique constraint failed"
PRISMA = (
    "PrismaClientValidationError: \nInvalid `this.prismaRepository.integrationSession.findFirst()` invocation"
)


def _schema(version: int) -> Schema:
    settings = DEFAULT_SETTINGS if version == 2 else SNAKE.values()
    kinds = dict(zip(settings, DEFAULT_SETTINGS.values(), strict=True))
    rules = {"token": TEXT, "number": NUMBER, "qrcode": SWITCH, "businessId": TEXT}
    rules |= {name: SWITCH if isinstance(value, bool) else TEXT for name, value in kinds.items()}
    events = Rule("array", item=Rule("string", values=EVENTS[version]))
    hook = Schema({"url": TEXT, "byEvents": SWITCH, "base64": SWITCH, "events": events})
    if version == 2:
        rules["webhook"] = Rule(inner=hook)
    else:
        rules |= {"webhook": TEXT, "webhook_by_events": SWITCH, "webhook_base64": SWITCH, "events": events}
    return Schema(rules)


SCHEMAS = {version: _schema(version) for version in (1, 2)}


def name_in_use(server: EvolutionServer, data: Data) -> None:
    """Refuse a name that is taken, before anybody asks for the key."""
    name = data.get("instanceName")
    settings, clock = server.world.settings, server.world.clock
    if name is None:
        # The server looks for a row without asking for a name, and finds any.
        if server.instances:
            raise _taken("undefined")
        return
    found = server.instances.get(name) if isinstance(name, str) else None
    if found is None:
        return
    if clock.now() < found.created_at + settings.evolution_race_seconds:
        # The loser of a race cleans up by name, and so removes the winner's instance.
        server.remove(found)
        raise bad_request(RACE)
    raise _taken(name)


def _taken(name: str) -> RefusalError:
    return RefusalError(403, [f'This name "{name}" is already in use.'])


async def create(server: EvolutionServer, data: Data) -> Reply:
    """Make an instance; with ``qrcode`` the answer waits for the first code."""
    name = data.get("instanceName")
    if not isinstance(name, str):
        if name is None:
            raise bad_request('instance requires property "instanceName"')
        raise RefusalError(500, [PRISMA])
    demand(data, SCHEMAS[server.version])
    wish = _wish(server, name, data)
    instance = server.add(wish)
    try:
        hook = _set_hook(instance, data)
    except RefusalError:
        server.remove(instance)
        raise
    instance.webhook.emit("INSTANCE_CREATE", {"instanceName": name, "instanceId": instance.id})
    asked = data.get("qrcode") is True and instance.baileys and not _chatwoot(server, data)
    if asked:
        instance.session.connect(wish.number)
        await server.world.wait(server.world.settings.evolution_create_wait)
        instance.session.code_seen()
    answer = _answer_v2(instance, hook) if server.version == 2 else _answer_v1(instance, hook, data)
    if server.version == 2:
        answer["instance"]["status"] = "connecting" if asked else instance.session.state
    if asked:
        answer["qrcode"] = instance.session.qrcode()
    return json_reply(answer, 201)


def _wish(server: EvolutionServer, name: str, data: Data) -> Wish:
    integration = data.get("integration") or (BAILEYS if server.version == 1 else None)
    if integration not in INTEGRATIONS:
        raise bad_request("Invalid integration")
    token, number = data.get("token") or "", data.get("number") or None
    if integration == BUSINESS:
        if not number:
            raise bad_request("number is required")
        if not token:
            raise bad_request("token is required")
    if server.version == 1 and token and any(token == other.token for other in server.instances.values()):
        raise bad_request("Token already exists")
    if server.version == 2:
        settings = {key: data[key] for key in DEFAULT_SETTINGS if key in data}
    else:
        settings = {key: data.get(SNAKE[key], default) for key, default in V1_DEFAULTS.items()}
    return Wish(name, integration, token, number, data.get("businessId"), settings)


def _chatwoot(server: EvolutionServer, data: Data) -> bool:
    """Say whether v1 answers with its block of Chatwoot, and then makes no code."""
    names = ("chatwoot_account_id", "chatwoot_token", "chatwoot_url")
    return server.version == 1 and all(data.get(name) for name in names)


# -- webhooks -------------------------------------------------------------------------------------


def _set_hook(instance: Instance, data: Data) -> Data:
    """Store the webhook, and return it as the answer repeats it."""
    wanted = data.get("webhook")
    if not wanted:
        return {}
    if instance.server.version == 1:
        return _set_flat_hook(instance, wanted, data)
    # A flat text has no ``events`` either: JavaScript looks for them in vain.
    events = wanted.get("events") if isinstance(wanted, dict) else None
    if not isinstance(events, list):
        raise bad_request(undefined("length"))
    instance.webhook.change(
        url=wanted.get("url", ""),
        headers=wanted.get("headers"),
        events=tuple(events or EVENTS[2]),
        by_events=wanted.get("byEvents", False),
        base64=wanted.get("base64", False),
    )
    names = {
        "url": "webhookUrl",
        "headers": "webhookHeaders",
        "byEvents": "webhookByEvents",
        "base64": "webhookBase64",
    }
    return {answer: wanted[name] for name, answer in names.items() if name in wanted}


def _set_flat_hook(instance: Instance, url: str, data: Data) -> Data:
    if re.match(r"https?://[^\s/]+", url) is None:
        raise bad_request('Invalid "url" property in webhook')
    answer = {"webhook": url}
    names = ("webhook_by_events", "webhook_base64")
    answer |= {name: data[name] for name in names if name in data}
    if "events" not in data:
        return answer
    events = tuple(data["events"] or EVENTS[1])
    instance.webhook.change(
        url=url,
        events=events,
        by_events=data.get("webhook_by_events", False),
        base64=data.get("webhook_base64", False),
    )
    return {**answer, "events": list(events)}


# -- answers --------------------------------------------------------------------------------------


def _answer_v2(instance: Instance, hook: Data) -> Data:
    return {
        "instance": {
            "instanceName": instance.name,
            "instanceId": instance.id,
            "integration": instance.integration,
            **instance.server.meta_addresses(instance),
            "status": instance.session.state,
        },
        "hash": instance.token,
        "webhook": hook,
        **{name: {} for name in QUEUES},
        "settings": dict(instance.settings),
    }


def _answer_v1(instance: Instance, hook: Data, data: Data) -> Data:
    settings: dict[str, Any] = {SNAKE[name]: value for name, value in instance.settings.items()}
    answer: Data = {
        "instance": {
            "instanceName": instance.name,
            "instanceId": instance.id,
            "integration": instance.integration,
            **instance.server.meta_addresses(instance),
            "status": "created",
        },
        "hash": {"apikey": instance.token},
        "webhook": hook,
        **{name: _given(data, name) for name in ("websocket", "rabbitmq", "sqs", "typebot")},
        "settings": settings,
    }
    if _chatwoot(instance.server, data):
        answer["chatwoot"] = {"enabled": True, **_given(data, "chatwoot")}
    return answer


def _given(data: Data, prefix: str) -> Data:
    """Return the flat keys of one integration without its name, as v1 repeats them."""
    block = {"typebot": data["typebot"]} if prefix == "typebot" and "typebot" in data else {}
    start = prefix + "_"
    return {**block, **{name.removeprefix(start): data[name] for name in data if name.startswith(start)}}
