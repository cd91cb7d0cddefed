"""The emulator as one ASGI app: dialects, control API, faults, and the ticker that moves real time."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, cast

from whatsapp_provider.emulator.asgi import (
    Message,
    Receive,
    Reply,
    Request,
    Scope,
    Send,
    json_reply,
    read_body,
    send_reply,
)
from whatsapp_provider.emulator.clock import Clock, ManualClock, Timeline
from whatsapp_provider.emulator.control import PREFIX as CONTROL
from whatsapp_provider.emulator.control import ControlApi
from whatsapp_provider.emulator.dialects import Endpoint, mount_all
from whatsapp_provider.emulator.faults import HTML_PAGE, Fault, Faults
from whatsapp_provider.emulator.network import PhoneNetwork
from whatsapp_provider.emulator.settings import EmulatorSettings
from whatsapp_provider.emulator.world import World

if TYPE_CHECKING:
    import httpx

    from whatsapp_provider.emulator.evolution.servers import Evolution
    from whatsapp_provider.emulator.socket_faults import SocketLayer
    from whatsapp_provider.emulator.waabot.account import WaabotAccount
    from whatsapp_provider.emulator.whapi.account import WhapiAccount
    from whatsapp_provider.emulator.whapi.channel import WhapiChannel
    from whatsapp_provider.emulator.whatscloud.tenant import Tenant

TICK_SECONDS = 0.05
PATHS_COUNTED = 10_000


class RequestLog:
    """What was asked of the gateways: totals for ever, details for a while. Never a query string."""

    def __init__(self, limit: int) -> None:
        self.counts: Counter[str] = Counter()
        self.entries: deque[tuple[float, str, str, int]] = deque(maxlen=limit)

    def add(self, at: float, method: str, path: str, status: int) -> None:
        """Count one request."""
        key = f"{method} {path}"
        if key not in self.counts and len(self.counts) >= PATHS_COUNTED:
            key = f"{method} (other paths)"
        self.counts[key] += 1
        self.entries.append((at, method, path, status))


class Emulator:
    """A fake phone network with gateways before it.

    ``Emulator()`` stands still until ``advance`` is awaited; ``Emulator(clock=RealClock())`` lives by
    the machine's clock. The object itself is the ASGI app.
    """

    def __init__(
        self,
        settings: EmulatorSettings | None = None,
        *,
        clock: Clock | None = None,
        webhook_transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.world = World(settings or EmulatorSettings(), clock or ManualClock(), webhook_transport)
        self.requests = RequestLog(self.world.settings.log_limit)
        self.socket: SocketLayer | None = None
        self._mounts: list[tuple[str, Endpoint]] = mount_all(self.world)
        self._control = ControlApi(self)
        self._ticker: asyncio.Task[None] | None = None

    # -- what tests hold on to --------------------------------------------------------------

    @property
    def app(self) -> Emulator:
        """The ASGI app."""
        return self

    @property
    def network(self) -> PhoneNetwork:
        """The phones and the truth log."""
        return self.world.network

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        return self.world.faults

    @property
    def settings(self) -> EmulatorSettings:
        """The settings in force."""
        return self.world.settings

    @property
    def clock(self) -> Clock:
        """The world's clock."""
        return self.world.clock

    @property
    def timeline(self) -> Timeline:
        """What is still to happen."""
        return self.world.timeline

    @property
    def partner_token(self) -> str:
        """The account token of the Whapi dialect."""
        return self.world.settings.partner_token

    @property
    def webhooks(self) -> list[dict[str, Any]]:
        """The callbacks that were tried, oldest first."""
        return list(self.world.outbox.log)

    @property
    def whapi(self) -> WhapiAccount:
        """The account behind the Whapi dialect."""
        return cast("WhapiAccount", self.world.accounts["whapi"])

    @property
    def evolution(self) -> Evolution:
        """The two servers of the Evolution dialect."""
        return cast("Evolution", self.world.accounts["evolution"])

    @property
    def waabot(self) -> WaabotAccount:
        """The account behind the Waabot dialect."""
        return cast("WaabotAccount", self.world.accounts["waabot"])

    @property
    def whatscloud(self) -> Tenant:
        """The tenant of the WhatsCloud dialect."""
        return cast("Tenant", self.world.accounts["whatscloud"])

    def configure(self, **changes: Any) -> None:
        """Change settings from now on."""
        self.world.settings = self.world.settings.changed(changes)

    async def advance(self, seconds: float) -> None:
        """Let time pass, with everything that happens in it, webhooks included."""
        await self.world.advance(seconds)

    async def paired_channel(self, name: str = "test channel", phone: str | None = None) -> WhapiChannel:
        """Return a Whapi channel that is ready to send, without the waiting."""
        return self.whapi.paired_channel(name, phone)

    async def aclose(self) -> None:
        """Stop the ticker and the outbox."""
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker
            self._ticker = None
        await self.world.outbox.aclose()

    # -- ASGI -------------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the server's start and stop."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        request = Request(scope, await read_body(receive))
        self.world.timeline.run_due()
        reply = await self._answer(request)
        if not self.world.clock.manual:
            self.world.outbox.kick()
        await send_reply(send, reply, head=request.method == "HEAD")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message: Message = await receive()
            if message["type"] == "lifespan.startup":
                if not self.world.clock.manual:
                    self._ticker = asyncio.create_task(self._tick())
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _tick(self) -> None:
        while True:
            self.world.timeline.run_due()
            self.world.outbox.kick()
            await asyncio.sleep(TICK_SECONDS)

    async def _answer(self, request: Request) -> Reply:
        path = request.path
        if path.startswith(CONTROL):
            return await self._control.handle(request, path[len(CONTROL) :])
        fault = self.world.faults.for_request(request.method, path)
        reply = await (self._dispatch(request) if fault is None else self._spoil(request, fault))
        self.requests.add(self.world.clock.now(), request.method, path, reply.status)
        return reply

    async def _dispatch(self, request: Request) -> Reply:
        for prefix, endpoint in self._mounts:
            if request.path.startswith(prefix):
                return await endpoint(request, request.path[len(prefix) :])
        return json_reply({"error": "no gateway is mounted here"}, 404)

    async def _spoil(self, request: Request, fault: Fault) -> Reply:
        """Answer as a fault says; whether the gateway sees the request is the fault's to say."""
        await self.world.wait(fault.delay)
        if fault.kind == "unsent":
            request.unsent = True
            return await self._dispatch(request)
        reply = await self._dispatch(request) if fault.reaches_gateway() else Reply()
        if fault.kind == "hang":
            # In-process there is no socket to be silent on; the client must give up by itself.
            await asyncio.Event().wait()
        headers = [(name.lower().encode(), value.encode()) for name, value in fault.headers.items()]
        if fault.kind == "delay":
            return reply
        if fault.kind == "half_json":
            half = reply.body[: max(1, len(reply.body) // 2)] or b'{"sent":tr'
            return Reply(fault.status or reply.status, half, headers=headers)
        if fault.kind == "empty":
            return Reply(fault.status or 200, headers=headers)
        if fault.kind == "html":
            body = fault.body_bytes() or HTML_PAGE.encode()
            return Reply(fault.status or 200, body, b"text/html; charset=UTF-8", headers)
        return Reply(fault.status or 502, fault.body_bytes(), headers=headers)
