"""A process of a campaign that stops itself where it is told, as a machine that goes to sleep would stop it.

``python -m tests.campaigns.zombie '{"ledger": …, "stop_at": 3, "where": "head", …}'``
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import Any

import httpx

from whatsapp_provider.campaigns.audience import AudienceOptions
from whatsapp_provider.campaigns.campaign import Campaign, OnInDoubt
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.options import RunOptions
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.plan import plan_campaign
from whatsapp_provider.campaigns.readers import rows_of
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.runner import CampaignRunner
from whatsapp_provider.deadline import BODY_IS_WRITTEN_NEXT, HEAD_IS_WRITTEN_NEXT
from whatsapp_provider.errors import LeaseLostError
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.messages import Message
from whatsapp_provider.model import ChannelRef, ChannelStatus, SendResult
from whatsapp_provider.transport import Wire


class Stopping(httpx.AsyncHTTPTransport):
    """Stops the process at one of its sends, directly before the wire's last look at the lease."""

    def __init__(self, stop_at: int, where: str) -> None:
        # Without idle connections each send has to connect first.
        super().__init__(limits=httpx.Limits(max_keepalive_connections=0 if where == "new connection" else 8))
        self.event = BODY_IS_WRITTEN_NEXT if where == "head" else HEAD_IS_WRITTEN_NEXT
        self.stop_at, self.count = stop_at, 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "POST":
            return await super().handle_async_request(request)
        look = request.extensions["trace"]

        async def listen(event: str, details: object) -> None:
            if event == self.event:
                self.count += 1
                if self.count == self.stop_at:
                    os.kill(os.getpid(), signal.SIGSTOP)
            await look(event, details)

        request.extensions["trace"] = listen
        return await super().handle_async_request(request)


class StoppingSender:
    """Stops the process before the gateway hears of the send."""

    def __init__(self, sender: Any, stop_at: int) -> None:
        self.sender, self.stop_at, self.count = sender, stop_at, 0

    async def send(self, recipient: str, message: Message) -> SendResult:
        self.count += 1
        if self.count == self.stop_at:
            os.kill(os.getpid(), signal.SIGSTOP)
        return await self.sender.send(recipient, message)  # type: ignore[no-any-return]  # one gateway's own

    async def status(self) -> ChannelStatus:
        return await self.sender.status()  # type: ignore[no-any-return]  # one gateway's own


def run(task: dict[str, Any]) -> dict[str, Any]:
    """Run one process's share."""
    stop_at, where = task.get("stop_at", 0), task.get("where", "")
    values = ConnectionValues(
        "test",
        host=task["gate_url"],
        password=task["partner_token"],
        extra={"manager_url": task["manager_url"]},
    )
    in_sender = where == "sender"
    wire = Wire() if in_sender or not where else Wire(transport=Stopping(stop_at, where))
    channel = ChannelRef("whapi", task["channel"])
    sender: Any = GATEWAYS["whapi"].open(values, wire=wire).channel(channel)
    if in_sender:
        sender = StoppingSender(sender, stop_at)
    campaign = Campaign("shared", channel, Pace.unlimited(), task["concurrency"], on_in_doubt=OnInDoubt.HOLD)
    template = MessageTemplate("Hello {{ name }}")
    rows = [{"phone": f"+1555{index:07d}", "name": f"N{index}"} for index in range(task["people"])]
    ledger = Ledger(task["ledger"])
    record = plan_campaign(
        ledger, campaign, template, rows_of(rows, recipient_field="phone"), AudienceOptions()
    )
    options = RunOptions(task["send_timeout"], lease_margin=task["lease_margin"])
    try:
        ending = str(
            asyncio.run(CampaignRunner(ledger, record, campaign, template, sender, options).run()).ending
        )
    except LeaseLostError:
        ending = "LeaseLostError"
    ledger.dispose()
    return {"ending": ending}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(json.loads(sys.argv[1]))) + "\n")
