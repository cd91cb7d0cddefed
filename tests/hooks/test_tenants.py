"""Connections of several tenants in one process never mix, on one server or on several."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hooks.tenants import Tenant, check_nothing_was_mixed, four_tenants
from whatsapp_provider.hooks.whatsapp import WhatsAppHook

ROUNDS = 5


@pytest.fixture
def tenants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Tenant]]:
    monkeypatch.setenv("AIRFLOW__WHATSAPP__LEDGER_PATH", str(tmp_path / "ledger.db"))
    with four_tenants() as tenants:
        for tenant in tenants:
            tenant.scan()
            monkeypatch.setenv(f"AIRFLOW_CONN_{tenant.conn_id.upper()}", json.dumps(tenant.connection))
        yield tenants


def recipient(number: int, turn: int) -> str:
    return f"1555{number:03d}{turn:04d}"


async def send_all(tenants: list[Tenant]) -> None:
    hooks = [WhatsAppHook(tenant.conn_id) for tenant in tenants]
    async with asyncio.TaskGroup() as group:
        for turn in range(ROUNDS):
            for number, hook in enumerate(hooks):
                group.create_task(hook.send_async(recipient(number, turn), f"from tenant {number}"))


def test_interleaved_sends_leave_from_their_own_tenants_channel_with_its_credential(
    tenants: list[Tenant],
) -> None:
    asyncio.run(send_all(tenants))
    check_nothing_was_mixed(tenants)
    for number, tenant in enumerate(tenants):
        received = [
            (entry.channel_id, entry.phone)
            for entry in tenant.emulator.network.received()
            if entry.channel_id == tenant.channel_id
        ]
        expected = [(tenant.channel_id, recipient(number, turn)) for turn in range(ROUNDS)]
        assert sorted(received) == expected
        assert len(tenant.seen()) >= ROUNDS
