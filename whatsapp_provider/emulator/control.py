"""The control API under ``/_emulator/``: what a phone's owner and a saboteur can do, over HTTP.

It has no token: the server binds to the loopback address unless told otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from whatsapp_provider.emulator.asgi import Reply, Request, Router, json_reply
from whatsapp_provider.emulator.faults import Fault
from whatsapp_provider.emulator.network import Inbound, NetworkError

if TYPE_CHECKING:
    from whatsapp_provider.emulator.app import Emulator

PREFIX = "/_emulator"

Command = Callable[[Request], Awaitable[Any]]


class ControlApi:
    """Commands to the emulated world and questions about it."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._network = emulator.network
        self._router: Router[Command] = Router()
        self._inbox: Counter[str] = Counter()
        for method, path, command in (
            ("GET", "/state", self._state),
            ("POST", "/scan", self._scan),
            ("POST", "/unlink", self._unlink),
            ("POST", "/channel", self._channel),
            ("POST", "/reply", self._reply),
            ("POST", "/read", self._read),
            ("GET", "/received", self._received),
            ("GET", "/received/counts", self._counts),
            ("GET", "/faults", self._faults),
            ("POST", "/faults", self._add_faults),
            ("DELETE", "/faults", self._clear_faults),
            ("GET", "/requests", self._requests),
            ("GET", "/settings", self._settings),
            ("POST", "/settings", self._change_settings),
            ("GET", "/webhooks", self._webhooks),
            ("POST", "/advance", self._advance),
            ("GET", "/groups", self._groups),
            ("POST", "/groups", self._add_group),
            ("POST", "/inbox", self._put_into_inbox),
            ("POST", "/inbox/{event}", self._put_into_inbox),
            ("GET", "/inbox", self._inbox_events),
        ):
            self._router.add(method, path, command)

    async def handle(self, request: Request, path: str) -> Reply:
        """Run one command; 400 for a senseless request, 409 for one that comes at the wrong moment."""
        command = self._router.resolve(request, path)
        if command is None:
            return json_reply({"error": f"no such command: {request.method} {path}"}, 404)
        try:
            return json_reply(await command(request))
        except NetworkError as error:
            return json_reply({"error": str(error)}, 409)
        except KeyError as error:
            return json_reply({"error": f"{error.args[0]} is required"}, 400)
        except (ValueError, TypeError) as error:
            return json_reply({"error": str(error)}, 400)

    async def _put_into_inbox(self, request: Request) -> Any:
        """Take a webhook, for those who have no receiver: only what kind of event it was is kept."""
        body = request.json() or {}
        event = body.get("event") or (body["type"] if "instanceKey" in body else {})
        # One gateway names its events, another one describes them.
        name = event if isinstance(event, str) else f"{event.get('type')}.{event.get('event')}"
        self._inbox[name] += 1
        return {"success": True}

    async def _inbox_events(self, _request: Request) -> Any:
        return dict(self._inbox)

    async def _state(self, _request: Request) -> Any:
        return {
            "now": self._emulator.clock.now(),
            "channels": [
                {"channel_id": channel_id, **port.describe()} for channel_id, port in self._network.ports()
            ],
            "received": self._network.total(),
            "timers": len(self._emulator.timeline),
            "webhooks_dropped": self._emulator.world.outbox.dropped,
        }

    async def _scan(self, request: Request) -> Any:
        data = request.json()
        phone = self._network.link(data["channel_id"], data.get("phone"))
        return {"channel_id": data["channel_id"], "phone": phone}

    async def _unlink(self, request: Request) -> Any:
        channel_id = request.json()["channel_id"]
        self._network.unlink(channel_id)
        return {"channel_id": channel_id}

    async def _channel(self, request: Request) -> Any:
        data = request.json()
        port = self._network.port(data["channel_id"])
        port.force(data["state"])
        return port.describe()

    async def _reply(self, request: Request) -> Any:
        data = request.json()
        message = Inbound(
            data["phone"],
            data.get("name", data["phone"]),
            data["text"],
            data.get("quoted_id"),
            data.get("button_id"),
        )
        channel_id, message_id = self._network.reply(message, data.get("channel_id"))
        return {"channel_id": channel_id, "message_id": message_id}

    async def _read(self, request: Request) -> Any:
        data = request.json()
        return {"read": self._network.read(data["phone"], data.get("message_id"))}

    async def _groups(self, _request: Request) -> Any:
        return {
            "groups": [
                {"group_id": group.id, "subject": group.subject, "participants": group.participants}
                for group in self._network.groups.all()
            ]
        }

    async def _add_group(self, request: Request) -> Any:
        data = request.json()
        group_id = self._network.add_group(data["subject"], data["participants"], data.get("description"))
        return {"group_id": group_id}

    async def _received(self, request: Request) -> Any:
        query = request.query
        entries = self._network.received(query.get("phone"), query.get("channel") or query.get("channel_id"))
        return {"received": [entry._asdict() for entry in entries], "total": len(entries)}

    async def _counts(self, request: Request) -> Any:
        return self._network.counts(request.query.get("channel") or request.query.get("channel_id"))

    async def _faults(self, _request: Request) -> Any:
        return {"faults": self._emulator.faults.as_list()}

    async def _add_faults(self, request: Request) -> Any:
        data = request.json()
        # All are read before the first is armed, so a bad list arms nothing.
        faults = [Fault.from_dict(item) for item in (data if isinstance(data, list) else [data])]
        for fault in faults:
            self._emulator.faults.add(fault)
        return {"faults": self._emulator.faults.as_list()}

    async def _clear_faults(self, _request: Request) -> Any:
        self._emulator.faults.clear()
        return {"faults": []}

    async def _requests(self, request: Request) -> Any:
        log = self._emulator.requests
        limit = int(request.query.get("limit", "1000"))
        entries = list(log.entries)[-limit:]
        socket = self._emulator.socket
        return {
            "counts": dict(log.counts),
            "log": [
                {"at": at, "method": method, "path": path, "status": status}
                for at, method, path, status in entries
            ],
            "socket": socket.describe() if socket else None,
        }

    async def _settings(self, _request: Request) -> Any:
        return self._emulator.settings.as_dict()

    async def _change_settings(self, request: Request) -> Any:
        self._emulator.configure(**request.json())
        return self._emulator.settings.as_dict()

    async def _webhooks(self, _request: Request) -> Any:
        return {"webhooks": self._emulator.webhooks}

    async def _advance(self, request: Request) -> Any:
        await self._emulator.advance(float(request.json()["seconds"]))
        return {"now": self._emulator.clock.now()}
