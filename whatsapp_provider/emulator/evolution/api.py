"""One server over HTTP: who may ask, and what answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.evolution import chats, configure, create, life, meta, rooms, sending
from whatsapp_provider.emulator.evolution.body import Data, read_body
from whatsapp_provider.emulator.evolution.instance import Instance
from whatsapp_provider.emulator.evolution.kinds import KINDS
from whatsapp_provider.emulator.evolution.refusals import RefusalError, unauthorized, unknown_instance
from whatsapp_provider.emulator.evolution.servers import VERSIONS, EvolutionServer

Handler = Callable[[Instance, Request, Data], Awaitable[Reply]]
WELCOME = "Welcome to the Evolution API, it is working!"

ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "/instance/connectionState"): life.state,
    ("GET", "/instance/connect"): life.connect,
    ("DELETE", "/instance/logout"): life.logout,
    ("DELETE", "/instance/delete"): life.delete,
    ("POST", "/instance/setPresence"): life.set_presence,
    ("POST", "/webhook/set"): configure.set_webhook,
    ("GET", "/webhook/find"): configure.find_webhook,
    ("POST", "/settings/set"): configure.set_settings,
    ("GET", "/settings/find"): configure.find_settings,
    ("POST", "/chat/findStatusMessage"): chats.find_statuses,
    ("POST", "/chat/findMessages"): chats.find_messages,
    ("POST", "/chat/findContacts"): chats.find_contacts,
    ("POST", "/chat/whatsappNumbers"): chats.check_numbers,
    ("POST", "/chat/fetchProfile"): chats.fetch_profile,
    ("POST", "/chat/fetchProfilePictureUrl"): chats.picture_url,
    ("POST", "/chat/sendPresence"): chats.send_presence,
    ("GET", "/group/fetchAllGroups"): rooms.fetch_all,
    ("GET", "/group/findGroupInfos"): rooms.find,
    ("GET", "/group/participants"): rooms.participants,
    ("GET", "/group/inviteCode"): rooms.invite_code,
    ("POST", "/group/create"): rooms.create,
    **{("POST", f"/message/{name}"): partial(sending.send, name=name) for name in KINDS},
}
# The same thing under another verb, and what only one version has.
OF_VERSION: dict[int, dict[tuple[str, str], Handler]] = {
    1: {
        ("PUT", "/instance/restart"): life.restart,
        ("GET", "/chat/findChats"): chats.find_chats,
        ("PUT", "/group/updateParticipant"): rooms.update,
    },
    2: {
        ("POST", "/instance/restart"): life.restart,
        ("POST", "/chat/findChats"): chats.find_chats,
        ("POST", "/group/updateParticipant"): rooms.update,
        ("POST", "/template/create"): meta.create_template,
        ("GET", "/template/find"): meta.find_templates,
    },
}


class Api:
    """One server as one path prefix."""

    def __init__(self, server: EvolutionServer) -> None:
        self._server = server
        self._routes = {**ROUTES, **OF_VERSION[server.version]}
        if server.version == 1:
            # It came with version 2.
            del self._routes["POST", "/message/sendPtv"]

    async def handle(self, request: Request, path: str) -> Reply:
        """Answer one request."""
        try:
            return await self._answer(request, path)
        except RefusalError as refusal:
            return refusal.reply()

    async def _answer(self, request: Request, path: str) -> Reply:
        data = await read_body(request)
        # The name comes last and may have slashes in it.
        parts = path.split("/", 3)
        handler = self._routes.get((request.method, "/".join(parts[:3])))
        if handler is None or len(parts) < 4 or not parts[3]:
            return await self._answer_for_all(request, path, data)
        instance = self._server.instances.get(parts[3])
        # Whether it exists is asked before anybody asks for the key.
        if instance is None:
            raise unknown_instance(parts[3])
        key = request.header(b"apikey")
        if not key or key not in (self._server.world.settings.evolution_key, instance.token):
            raise unauthorized()
        return await handler(instance, request, data)

    async def _answer_for_all(self, request: Request, path: str, data: Data) -> Reply:
        server, asked = self._server, (request.method, path or "/")
        if asked == ("GET", "/"):
            return json_reply(self._welcome())
        if asked == ("POST", "/verify-creds"):
            self._global_key(request)
            return json_reply({"status": 200, "message": "Credentials are valid"})
        if asked == ("POST", "/instance/create"):
            create.name_in_use(server, data)
            self._global_key(request)
            return await create.create(server, data)
        if asked == ("GET", "/instance/fetchInstances"):
            return life.fetch(server, request)
        raise RefusalError(404, [f"Cannot {request.method} {path or '/'}"])

    def _global_key(self, request: Request) -> None:
        if request.header(b"apikey") != self._server.world.settings.evolution_key:
            raise unauthorized()

    def _welcome(self) -> Data:
        server = self._server
        head = {"status": 200, "message": WELCOME, "version": VERSIONS[server.version]}
        manager, documentation = f"{server.url}/manager", "https://doc.evolution-api.com"
        if server.version == 1:
            return {
                **head,
                "swagger": f"{server.url}/docs",
                "manager": manager,
                "documentation": documentation,
            }
        return {
            **head,
            "clientName": "evolution",
            "manager": manager,
            "documentation": documentation,
            "whatsappWebVersion": "2.3000.1027934701",
        }
