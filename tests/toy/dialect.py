"""The toy's server in the emulator."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.network import Inbound, Outgoing
from whatsapp_provider.emulator.world import World


@dataclass
class Line:
    """One line, as the phone network sees it."""

    id: str
    name: str
    key: str
    phone: str | None = None

    def linkable(self) -> bool:
        return self.phone is None

    def linked(self, phone: str) -> None:
        self.phone = phone

    def unlinked(self) -> None:
        self.phone = None

    def receipt(self, message_id: str, status: str) -> None:
        """Tell nobody."""

    def inbound(self, message: Inbound) -> str:
        return "unread"

    def force(self, state: str) -> None:
        raise NotImplementedError(state)

    def describe(self) -> dict[str, Any]:
        return {"gateway": "toy", "name": self.name, "phone": self.phone}


class Server:
    """The account and its lines."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = random.Random(f"toy {world.settings.seed}")
        self.key = self._new_key()
        self.lines: dict[str, Line] = {}
        self._sent = 0

    def _new_key(self) -> str:
        return f"toy-{self._random.getrandbits(96):024x}"

    def paired(self, name: str, phone: str | None = None) -> Line:
        """Return a new line that can send."""
        line = Line(f"line-{len(self.lines) + 1}", name, self._new_key())
        self.lines[line.id] = line
        self._world.network.attach(line.id, line)
        self._world.network.link(line.id, phone)
        return line

    async def handle(self, request: Request, path: str) -> Reply:
        _, _, rest = path.partition("/lines")
        line_id, _, action = rest.strip("/").partition("/")
        line = self.lines.get(line_id)
        if request.header(b"x-toy-key") not in {self.key, line.key if line else self.key}:
            return json_reply({"error": "who are you?"}, 401)
        if not line_id:
            return json_reply({"lines": [_shown(each) for each in self.lines.values()]})
        if line is None:
            return json_reply({"error": "no such line"}, 404)
        return self._say(line, request) if action == "say" else json_reply(_shown(line))

    def _say(self, line: Line, request: Request) -> Reply:
        body = request.json()
        if not self._world.network.on_whatsapp(body["whom"]):
            return json_reply({"error": "whom?"}, 422)
        if line.phone is None:
            return json_reply({"error": "no phone"}, 409)
        if request.unsent:
            return json_reply({"done": False, "why": "not today"})
        self._sent += 1
        kind = "image" if "picture" in body else "text"
        message = Outgoing(f"toy-{self._sent}", f"{body['whom']}@s.whatsapp.net", kind, body.get("words"))
        self._world.network.send(line.id, message)
        return json_reply({"done": True, "id": message.message_id})


def _shown(line: Line) -> dict[str, Any]:
    return {"id": line.id, "name": line.name, "phone": line.phone}


def mounts(world: World) -> dict[str, Callable[[Request, str], Awaitable[Reply]]]:
    world.accounts["toy"] = server = Server(world)
    return {"/toy": server.handle}


def facts(world: World, url: str) -> dict[str, Any]:
    server = world.accounts["toy"]
    assert isinstance(server, Server)
    return {"toy_url": f"{url}/toy", "toy_key": server.key}
