"""One process of a campaign: when told to go, plan or find it, run it, print what became of it as JSON.

``python -m tests.campaigns.worker '{"ledger": …, "gate": …, …}'``
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from whatsapp_provider.campaigns.audience import AudienceOptions
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.plan import plan_campaign
from whatsapp_provider.campaigns.readers import rows_of
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.runner import CampaignRunner, RunOptions
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.model import ChannelRef


def run(task: dict[str, Any]) -> dict[str, Any]:
    """Run one process's share."""
    extra = {"manager_url": task["manager_url"]}
    values = ConnectionValues("test", host=task["gate_url"], password=task["partner_token"], extra=extra)
    gateway = GATEWAYS["whapi"].open(values)
    channel = ChannelRef("whapi", task["channel"])
    campaign = Campaign("shared", channel, Pace.unlimited(), task["concurrency"])
    template = MessageTemplate("Hello {{ name }}")
    rows = [{"phone": f"+1555{index:07d}", "name": f"N{index}"} for index in range(task["people"])]
    ledger = Ledger(task["ledger"])
    record = plan_campaign(
        ledger, campaign, template, rows_of(rows, recipient_field="phone"), AudienceOptions()
    )
    options = RunOptions(task["send_timeout"], lease_margin=task["lease_margin"])
    sender = gateway.channel(channel)
    outcome = asyncio.run(CampaignRunner(ledger, record, campaign, template, sender, options).run())
    ledger.dispose()
    return {"ending": outcome.ending, "reason": outcome.reason}


if __name__ == "__main__":
    # Everything is loaded; who started it says when, so that several begin at once.
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(json.dumps(run(json.loads(sys.argv[1]))) + "\n")
