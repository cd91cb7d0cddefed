"""Four tenants of two servers: two share a server and its origin, and every server hands out cookies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.emulator.asgi import Message, Receive, Scope, Send
from whatsapp_provider.emulator.clock import RealClock
from whatsapp_provider.emulator.server import serve_in_thread

QUICK: dict[str, Any] = {
    "init_seconds": 0.0,
    "launch_seconds": 0.0,
    "qr_lifetime": 3600.0,
    "typing_delays_answer": False,
}


class Seen(NamedTuple):
    """What one request of a client had with it."""

    path: str
    token: str
    cookie: str


class WatchedEmulator(Emulator):
    """An emulator that remembers whose credential came with each request, and sets a cookie each time."""

    def __init__(self, partner_token: str) -> None:
        super().__init__(EmulatorSettings(partner_token=partner_token, **QUICK), clock=RealClock())
        self.seen: list[Seen] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_emulator"):
            await super().__call__(scope, receive, send)
            return
        headers = {name: value.decode() for name, value in scope["headers"]}
        token = headers.get(b"authorization", "").removeprefix("Bearer ")
        self.seen.append(Seen(scope["path"], token, headers.get(b"cookie", "")))

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = f"session=of-{token[-6:]}; Path=/".encode()
                message["headers"] = [*message["headers"], (b"set-cookie", cookie)]
            await send(message)

        await super().__call__(scope, receive, with_cookie)


@dataclass(frozen=True)
class Tenant:
    """One tenant's Airflow connection, its channel, and every credential that its requests may carry."""

    conn_id: str
    emulator: WatchedEmulator
    connection: dict[str, Any]
    channel_id: str
    tokens: frozenset[str]

    def scan(self) -> None:
        """Let a phone of the tenant scan the QR code."""
        self.emulator.network.link(self.channel_id, None)

    def seen(self) -> list[Seen]:
        """Return the requests with the tenant's credentials."""
        return [one for one in list(self.emulator.seen) if one.token in self.tokens]


@contextmanager
def four_tenants() -> Iterator[list[Tenant]]:
    """Run two servers: on each a tenant with a partner token; on the first two more with a channel token each.

    Their channels show a QR code.
    """
    with ExitStack() as stack:
        tenants = []
        for name in ("north", "south"):
            emulator = WatchedEmulator(f"partner-token-of-{name}-4711")
            kinds = ("account", "desk_one", "desk_two") if name == "north" else ("account",)
            channels = {kind: _channel(emulator, f"{name} {kind}") for kind in kinds}
            facts = stack.enter_context(serve_in_thread(emulator)).facts()
            for kind, channel in channels.items():
                extra = {"manager_url": facts["manager_url"], "channel_id": channel.id, "timeout": 10}
                connection = {"conn_type": "whapi", "host": facts["gate_url"], "extra": extra}
                if kind == "account":
                    connection["password"] = facts["partner_token"]
                else:
                    extra["channel_token"] = channel.token
                tokens = {channel.token, str(connection.get("password", channel.token))}
                tenants.append(Tenant(f"{name}_{kind}", emulator, connection, channel.id, frozenset(tokens)))
        yield tenants


def _channel(emulator: WatchedEmulator, name: str) -> Any:
    channel = emulator.whapi.create_channel({"name": name, "projectId": "default"})
    channel.provisioned = True
    channel.show_qr()
    return channel


def check_nothing_was_mixed(tenants: list[Tenant]) -> None:
    """Fail if a request came with a credential of another server's tenant, with none, or with a cookie."""
    for emulator in {id(tenant.emulator): tenant.emulator for tenant in tenants}.values():
        own = frozenset[str]().union(*(tenant.tokens for tenant in tenants if tenant.emulator is emulator))
        strangers = [one for one in emulator.seen if one.token not in own]
        assert not strangers, f"requests with a credential of somebody else: {strangers}"
        cookies = [one for one in emulator.seen if one.cookie]
        assert not cookies, f"requests that brought a cookie back: {cookies}"
