"""Airflow's own web application in this process, with the plugin in it, and an emulator on a port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from whatsapp_provider import transport
from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.emulator.clock import RealClock
from whatsapp_provider.emulator.server import EmulatorServer, serve
from whatsapp_provider.emulator.whapi.channel import WhapiChannel

CONN_ID = "wa_pairing"


class Clock:
    """Monotonic seconds that only a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Visitor:
    """Somebody with a browser, signed in under a role or not at all."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def look(self, channel: str = "", conn_id: str = CONN_ID) -> dict[str, Any]:
        query = {"conn_id": conn_id, "channel": channel}
        answer = await self.http.get("/whatsapp/api/pairing", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ask_code(self, phone: str, channel: str = "", **options: Any) -> httpx.Response:
        query = {"conn_id": CONN_ID, "channel": channel}
        headers = options.pop("headers", {"x-requested-with": "whatsapp-pairing"})
        return await self.http.post(
            "/whatsapp/api/code", params=query, json={"phone": phone}, headers=headers, **options
        )


@pytest.fixture
def clock(airflow_app: FastAPI) -> Iterator[Clock]:
    """The desk's clock, of a desk that knows nothing of other tests."""
    from whatsapp_provider.plugin.app import app
    from whatsapp_provider.plugin.desk import Desk

    clock = Clock()
    usual, app.state.desk = app.state.desk, Desk(clock)
    yield clock
    app.state.desk = usual


@pytest.fixture
async def visitor(airflow_app: FastAPI, clock: Clock) -> AsyncIterator[Callable[[str | None], Visitor]]:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    opened: list[httpx.AsyncClient] = []

    def visit(role: str | None) -> Visitor:
        headers = {}
        if role is not None:
            token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=role, role=role.upper()))
            headers["cookie"] = f"_token={token}"
        http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=airflow_app), base_url="http://airflow.test", headers=headers
        )
        opened.append(http)
        return Visitor(http)

    yield visit
    for http in opened:
        await http.aclose()


@pytest.fixture
def admin(visitor: Callable[[str | None], Visitor]) -> Visitor:
    return visitor("admin")


@pytest.fixture
async def gateway() -> AsyncIterator[EmulatorServer]:
    """An emulator whose channels are ready to be scanned within moments."""
    settings = EmulatorSettings(seed=7, provisioning_seconds=0.0, init_seconds=0.0, launch_seconds=0.0)
    async with serve(Emulator(settings, clock=RealClock())) as server:
        yield server
        for wire in transport._wires.get(asyncio.get_running_loop(), {}).values():
            await wire.aclose()


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch, gateway: EmulatorServer) -> Callable[..., None]:
    """Put a connection to the emulator where Airflow finds it."""

    def put(*, conn_id: str = CONN_ID, token: str | None = None, **extra: Any) -> None:
        facts = gateway.facts()
        fields = {
            "conn_type": "whapi",
            "host": facts["gate_url"],
            "password": facts["partner_token"] if token is None else token,
            "extra": {"manager_url": facts["manager_url"], **extra},
        }
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields))

    return put


@pytest.fixture
def channel(gateway: EmulatorServer, connect: Callable[..., None]) -> WhapiChannel:
    """A channel that waits for its phone, and the connection to it."""
    account = gateway.emulator.whapi
    made = account.create_channel({"name": "Front desk", "projectId": "default"})
    connect(channel_id=made.id)
    return made


@pytest.fixture
def reach(clock: Clock, admin: Visitor) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Look again and again, as the page does, until the channel is in a state."""

    async def until(state: str, channel: str = "", conn_id: str = CONN_ID) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while True:
                view = await admin.look(channel, conn_id)
                if view["state"] == state and (state != "waiting_for_pairing" or view["qr"]):
                    return view
                clock.now += 2
                await asyncio.sleep(0.02)

    return until
