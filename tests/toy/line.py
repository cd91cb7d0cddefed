"""The toy's line of the registry, and how a test adds it."""

from __future__ import annotations

import pytest

from whatsapp_provider.emulator.dialects import DIALECTS
from whatsapp_provider.gateways import registry

TOY = registry.GatewayLine("toy", "toy", "tests.toy")


def register(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let package and emulator know the toy until the test is over."""
    monkeypatch.setitem(registry._LINES, TOY.name, TOY)
    monkeypatch.setitem(DIALECTS, TOY.name, "tests.toy.dialect")
