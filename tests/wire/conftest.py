from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.wire.line import Line, a_line
from tests.wire.transports import WIRES, offered
from whatsapp_provider.transport import Wire


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a proxy of the machine out of the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with a_line() as line:
        yield line


@pytest.fixture(params=WIRES)
async def wire(request: pytest.FixtureRequest) -> AsyncIterator[Wire]:
    """Yield a wire that sends as all requests are sent, or as a run's messages are."""
    wire = request.param(transport=offered())
    yield wire
    await wire.aclose()
