"""What is measured: the same text, sent in different ways to one emulator.

Each way tells how many messages it sent in how many seconds, and how many seconds its process worked for it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
from time import perf_counter
from uuid import uuid4

import aiohttp
import requests

from tests.bench.figures import Measured
from whatsapp_provider.campaigns.audience import AudienceOptions
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.outcome import Ending
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.plan import plan_campaign
from whatsapp_provider.campaigns.readers import rows_of
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.runner import CampaignRunner, RunOptions
from whatsapp_provider.deadline import writing_while
from whatsapp_provider.gateways.base import Sender
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.messages import Text
from whatsapp_provider.model import ChannelRef

CONCURRENCY = 50
WARM_UP = 200  #: messages before the clock starts: connections, compiled statements
TEMPLATE = "Hello {{ name }}, your order {{ order }} is on its way."


@dataclass(frozen=True)
class Target:
    """Where to send to: the emulator's gate and one of its channels."""

    gate_url: str
    manager_url: str
    token: str
    channel: str

    def sender(self) -> Sender:
        """Return the provider's own client of the channel."""
        values = ConnectionValues(
            "bench",
            host=self.gate_url,
            extra={"manager_url": self.manager_url, "channel_token": self.token, "channel_id": self.channel},
        )
        return GATEWAYS["whapi"].open(values).channel(ChannelRef("whapi", self.channel))

    @property
    def post(self) -> tuple[str, dict[str, str]]:
        """The address that a text is posted to, and its headers."""
        return f"{self.gate_url}/messages/text", {"authorization": f"Bearer {self.token}"}


class Watch:
    """Times a block, by the clock and by the processor."""

    seconds = work = 0.0

    def __enter__(self) -> Watch:
        self._clock, self._times = perf_counter(), os.times()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds, now = perf_counter() - self._clock, os.times()
        self.work = now.user + now.system - self._times.user - self._times.system


def number(index: int) -> str:
    """Return a fictive number."""
    return f"1555{index % 10_000_000:07d}"


def text(index: int) -> str:
    """Return what the template makes for that number."""
    return f"Hello N{index}, your order {index} is on its way."


def by_aiohttp(target: Target, seconds: float) -> Measured:
    """Send with nothing but aiohttp."""
    return asyncio.run(_by_aiohttp(target, seconds))


async def _by_aiohttp(target: Target, seconds: float) -> Measured:
    url, headers = target.post
    connector = aiohttp.TCPConnector(limit=CONCURRENCY)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as client:

        async def send(index: int) -> None:
            async with client.post(url, json={"to": number(index), "body": text(index)}) as answer:
                answer.raise_for_status()
                await answer.read()

        return await _for(seconds, send)


def by_bare_client(target: Target, seconds: float) -> Measured:
    """Send with the provider's own client: no ledger, no campaign."""
    return asyncio.run(_by_bare_client(target, seconds))


def by_client_on_places(target: Target, seconds: float) -> Measured:
    """Do the same with the connections that a run has for its messages."""
    with writing_while(lambda: True):
        return asyncio.run(_by_bare_client(target, seconds))


async def _by_bare_client(target: Target, seconds: float) -> Measured:
    sender = target.sender()

    async def send(index: int) -> None:
        await sender.send(number(index), Text(body=text(index)))

    return await _for(seconds, send)


async def _for(seconds: float, send: Callable[[int], Awaitable[object]]) -> Measured:
    """Send for a time, ``CONCURRENCY`` at once."""
    sent = 0

    async def one_after_the_other(most: float, ends: float) -> None:
        nonlocal sent
        while sent < most and perf_counter() < ends:
            sent += 1
            await send(sent)

    async def at_once(most: float, ends: float) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(one_after_the_other(most, ends))

    await at_once(WARM_UP, inf)
    sent = 0
    with Watch() as watch:
        await at_once(inf, perf_counter() + seconds)
    return Measured(sent, watch.seconds, watch.work, before=WARM_UP)


def by_requests(target: Target, seconds: float) -> Measured:
    """Send as a ``PythonOperator`` usually does: one after the other."""
    url, headers = target.post
    with requests.Session() as client:
        client.headers.update(headers)
        client.trust_env = False

        def send(index: int) -> None:
            answer = client.post(url, json={"to": number(index), "body": text(index)}, timeout=30)
            answer.raise_for_status()
            answer.json()

        send(0)
        sent = 0
        with Watch() as watch:
            ends = perf_counter() + seconds
            while perf_counter() < ends:
                send(sent)
                sent += 1
    return Measured(sent, watch.seconds, watch.work, before=1)


def by_campaign(target: Target, ledger_url: str, people: int) -> Measured:
    """Send a campaign; only its run is timed, its plan is told besides."""
    ledger = Ledger(ledger_url)
    try:
        _campaign(target, ledger, WARM_UP)
        return _campaign(target, ledger, people)
    finally:
        ledger.dispose()


def _campaign(target: Target, ledger: Ledger, people: int) -> Measured:
    channel = ChannelRef("whapi", target.channel)
    campaign = Campaign(f"bench-{uuid4()}", channel, Pace.unlimited(), CONCURRENCY)
    template = MessageTemplate(TEMPLATE)
    rows = [{"phone": f"+{number(index)}", "name": f"N{index}", "order": index} for index in range(people)]
    with Watch() as planning:
        record = plan_campaign(
            ledger, campaign, template, rows_of(rows, recipient_field="phone"), AudienceOptions()
        )
    runner = CampaignRunner(ledger, record, campaign, template, target.sender(), RunOptions(30.0))
    with Watch() as watch:
        outcome = asyncio.run(runner.run())
    counts = ledger.counts(record).to_dict()
    if outcome.ending is not Ending.FINISHED or counts != {"accepted": people}:
        raise RuntimeError(f"A campaign of {people} ended {outcome.ending}, {outcome.reason}: {counts}")
    return Measured(people, watch.seconds, watch.work, planning.seconds, WARM_UP)
