"""All channels of an account are looked at; one that can't be asked hides none of the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.contract.harness import BASE
from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.emulator.faults import Fault
from whatsapp_provider.errors import ConfigurationError, CredentialRejectedError
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.hooks.health import ChannelHealth, look_at_all
from whatsapp_provider.transport import Wire

DAY = 86_400


@dataclass
class Account:
    """An account of three channels: one connected, one never paired, one deleted while it is looked at."""

    emulator: Emulator

    def open(
        self, gateway: str = "whapi", host: str = "/whapi/gate", password: str = "", **extra: str
    ) -> Any:
        if gateway == "whapi":
            extra["manager_url"] = f"{BASE}/whapi/manager"
        values = ConnectionValues("health", host=f"{BASE}{host}", password=password, extra=extra)
        wire = Wire(transport=httpx.ASGITransport(app=self.emulator.app))
        return GATEWAYS[gateway].open(values, wire=wire, sleep=self.emulator.advance)

    async def look(self, gateway: Any = None, **options: Any) -> list[ChannelHealth]:
        gateway = gateway or self.open(password=self.emulator.partner_token)
        return list(await look_at_all(gateway, now=self.emulator.clock.now(), **options))


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    emulator = Emulator(EmulatorSettings(seed=7))
    await emulator.paired_channel("front", "15550001000")
    await emulator.paired_channel("back", "15550002000")
    yield Account(emulator)
    await emulator.aclose()


def break_status(account: Account, channel: str, status: int) -> None:
    token = account.emulator.whapi.channels[channel].token
    assert token
    account.emulator.faults.add(Fault(kind="status", status=status, path=f"/channels/{channel}$", times=None))


async def test_each_channel_is_told_with_its_number_masked(account: Account) -> None:
    front, back = await account.look()
    assert (front.name, front.state, front.detail, front.phone) == ("front", "connected", "AUTH", "…1000")
    assert (back.name, back.state, back.mode) == ("back", "connected", "trial")
    assert front.days_left == pytest.approx(6, abs=0.1)
    assert front.templates is None
    assert "15550001000" not in repr(front) + str(front.to_dict())


async def test_a_number_in_a_channels_name_is_masked_too(account: Account) -> None:
    # The Bots API calls a bot so that was given no name.
    account.emulator.waabot.paired_bot("WhatsappClient (bot_number)", "15550003000")
    token = account.emulator.settings.waabot_token
    [one] = await account.look(account.open("waabot", "/waabot/api/v1", token))
    assert one.name == "WhatsappClient (…3000)"
    assert "15550003000" not in repr(one) + str(one.to_dict())


async def test_one_that_cant_be_asked_hides_no_other(account: Account) -> None:
    first, second = account.emulator.whapi.channels
    break_status(account, first, 403)
    broken, sound = await account.look()
    assert (broken.channel_id, broken.state, broken.phone) == (first, "unknown", None)
    assert broken.detail.startswith("CredentialRejectedError: ")
    assert broken.days_left == pytest.approx(6, abs=0.1)
    assert (sound.channel_id, sound.state) == (second, "connected")


async def test_a_stopped_one_is_not_asked(account: Account) -> None:
    first, _ = account.emulator.whapi.channels
    account.emulator.whapi.channels[first].facts["stopped"] = True
    asked = account.emulator.requests.counts.copy()
    stopped, sound = await account.look()
    assert (stopped.state, stopped.detail, sound.state) == (
        "stopped",
        "stopped, says the account",
        "connected",
    )
    asked = account.emulator.requests.counts - asked
    assert sum(count for name, count in asked.items() if "/health" in name) == 1


async def test_days_are_below_zero_once_the_time_is_over(account: Account) -> None:
    await account.emulator.advance(7 * DAY)
    assert [one.days_left for one in await account.look()] == [pytest.approx(-1, abs=0.1)] * 2


async def test_no_more_channels_are_asked_at_once_than_allowed(account: Account) -> None:
    for number in range(4):
        await account.emulator.paired_channel(f"more {number}")
    gateway = account.open(password=account.emulator.partner_token)
    now = most = 0
    channel = gateway.channel

    def counted(ref: Any) -> Any:
        one = channel(ref)
        status = one.status

        async def seen() -> Any:
            nonlocal now, most
            now, most = now + 1, max(most, now + 1)
            try:
                await asyncio.sleep(0)  # in the process nothing else gives the others a turn
                return await status()
            finally:
                now -= 1

        one.status = seen
        return one

    gateway.channel = counted
    assert len(await account.look(gateway, concurrency=2)) == 6
    assert most == 2


async def test_a_connection_to_one_channel_tells_of_that_one(account: Account) -> None:
    first = next(iter(account.emulator.whapi.channels.values()))
    own = account.open(channel_token=first.token, channel_id=first.facts["id"])
    [one] = await account.look(own)
    assert (one.channel_id, one.state, one.mode, one.days_left) == (
        first.facts["id"],
        "connected",
        None,
        None,
    )


async def test_an_account_that_cant_be_asked_is_no_empty_report(account: Account) -> None:
    with pytest.raises(CredentialRejectedError):
        await account.look(account.open(password="wrong"))


async def test_templates_are_told_where_there_are_any_and_the_paused_ones_by_name(account: Account) -> None:
    server = account.emulator.evolution.v2
    official = server.paired("official", integration="WHATSAPP-BUSINESS")
    server.paired("phone")
    for name, status in {"news": "APPROVED", "sale": "PAUSED", "old": "DISABLED", "new": "PENDING"}.items():
        official.templates.append(
            {
                "id": name,
                "name": name,
                "language": "en_US",
                "status": status,
                "category": "UTILITY",
                "components": [],
            }
        )
    gateway = account.open("evolution", "/evolution/v2", account.emulator.settings.evolution_key)
    told, phone = await account.look(gateway)
    assert told.templates is not None
    assert told.templates.statuses == {"APPROVED": 1, "DISABLED": 1, "PAUSED": 1, "PENDING": 1}
    assert told.templates.paused == ("old (en_US)", "sale (en_US)")
    assert phone.state == "connected"
    assert phone.templates is None
    assert [one.templates for one in await account.look(gateway, templates=False)] == [None, None]


async def test_templates_that_cant_be_read_leave_the_channels_state(account: Account) -> None:
    account.emulator.evolution.v2.paired("official", integration="WHATSAPP-BUSINESS")
    account.emulator.faults.add(Fault(kind="status", status=401, path="/template/find", times=None))
    gateway = account.open("evolution", "/evolution/v2", account.emulator.settings.evolution_key)
    [one] = await account.look(gateway)
    assert one.state == "connected"
    assert one.templates is not None
    assert one.templates.error.startswith("CredentialRejectedError")


async def test_a_connection_that_reaches_nothing_is_refused(account: Account) -> None:
    with pytest.raises(ConfigurationError):
        await account.look(account.open())
