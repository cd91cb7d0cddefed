"""An instance's life over HTTP: list, state, connect, restart, logout, delete, presence."""

from __future__ import annotations

from collections.abc import Callable

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.evolution.body import Data
from whatsapp_provider.emulator.evolution.instance import Instance
from whatsapp_provider.emulator.evolution.refusals import RefusalError, bad_request, unauthorized
from whatsapp_provider.emulator.evolution.schema import Rule, Schema, demand
from whatsapp_provider.emulator.evolution.servers import EvolutionServer

# What ``connect`` and ``restart`` answer instead of an error, with status 200.
SWALLOWED = {"error": True, "message": "[object Object]"}
PRESENCES = ("unavailable", "available", "composing", "recording", "paused")
PRESENCE = Schema({"presence": Rule("string", values=PRESENCES)}, ("presence",))
ELSEWHERE = {
    "WHATSAPP-BUSINESS": "Method not available on WhatsApp Business API",
    "EVOLUTION": "Method not available on Evolution Channel",
}


def fetch(server: EvolutionServer, request: Request) -> Reply:
    """Answer ``fetchInstances``: all for the global key, the own ones for a token; no match is 404."""
    key, query = request.header(b"apikey"), request.query
    found = list(server.instances.values())
    if key != server.world.settings.evolution_key:
        found = [instance for instance in found if key and instance.token == key]
        wanted = query.get("instanceName")
        named = server.instances.get(wanted) if wanted else None
        if not found or (named is not None and named.token != key):
            raise unauthorized()
    for name, of in (("instanceName", "name"), ("instanceId", "id"), ("number", "number")):
        text = query.get(name)
        if text:
            found = [instance for instance in found if getattr(instance, of) == text]
            if not found:
                raise RefusalError(404, [f'Instance "{text}" not found'])
    return json_reply([instance.row() for instance in found])


async def state(instance: Instance, _request: Request, _data: Data) -> Reply:
    """Answer GET connectionState."""
    return json_reply(instance.state())


async def connect(instance: Instance, request: Request, _data: Data) -> Reply:
    """Answer GET connect, in one of its four forms, and always with 200."""
    session, world = instance.session, instance.world
    if session.state == "open":
        return json_reply(instance.state())
    if not instance.baileys:
        return json_reply({})
    if session.state == "close":
        number = request.query.get("number") or None
        session.connect(number)
        await world.wait(world.settings.evolution_connect_wait)
    session.code_seen()
    return json_reply(session.qrcode())


async def restart(instance: Instance, _request: Request, _data: Data) -> Reply:
    """Answer restart with the state from before it."""
    if instance.session.state == "close":
        return json_reply(SWALLOWED)
    reply = json_reply(instance.state())
    instance.session.restart()
    return reply


async def logout(instance: Instance, _request: Request, _data: Data) -> Reply:
    """Answer DELETE logout; the row stays."""
    if instance.session.state == "close":
        raise bad_request(f'The "{instance.name}" instance is not connected')
    instance.session.log_out()
    return json_reply(_done("Instance logged out"))


async def delete(instance: Instance, _request: Request, _data: Data) -> Reply:
    """Answer DELETE delete at once; the instance goes when its clean-up and its last webhook are over."""
    if not instance.deleting:
        instance.deleting = True
        _leave(instance)
    return json_reply(_done("Instance deleted"))


def _leave(instance: Instance) -> None:
    world, webhook = instance.world, instance.webhook
    told = webhook.wants("REMOVE_INSTANCE")
    gone = _countdown(2 if told else 1, lambda: instance.server.remove(instance))
    webhook.emit("INSTANCE_DELETE", {"instanceName": instance.name, "instanceId": instance.id})
    webhook.emit("REMOVE_INSTANCE", None, gone if told else None)
    if instance.session.state != "close":
        instance.session.log_out()
    instance.session.shut_down()
    world.timeline.call_later(world.settings.evolution_delete_seconds, gone)


def _countdown(steps: int, run: Callable[[], None]) -> Callable[[], None]:
    """Return what has to be called so many times until something is done."""
    left = steps

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            run()

    return step


async def set_presence(instance: Instance, _request: Request, data: Data) -> Reply:
    """Answer POST setPresence."""
    demand(data, PRESENCE)
    if instance.integration in ELSEWHERE:
        raise bad_request(ELSEWHERE[instance.integration])
    return json_reply({"presence": data["presence"]}, 201)


def _done(text: str) -> Data:
    return {"status": "SUCCESS", "error": False, "response": {"message": text}}
