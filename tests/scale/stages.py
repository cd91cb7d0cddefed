"""One campaign, in a process of its own: plan it from a file, send some of it, perhaps all, and tell what that took.

``python -m tests.scale.stages '{"file": …}'`` prints what was measured as JSON; the keys are :class:`Stage`'s.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.bench.sending import CONCURRENCY, Target
from tests.scale.audience import TEMPLATE
from whatsapp_provider.campaigns.audience import AudienceOptions
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.planning import Order
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.screening import screens_of
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.plan import make_plan
from whatsapp_provider.campaigns.readers import csv_rows
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.runner import CampaignRunner, RunOptions
from whatsapp_provider.gateways.base import Sender
from whatsapp_provider.messages import Message
from whatsapp_provider.model import ChannelRef, ChannelStatus, SendResult

WARM_UP = 200  #: messages before the clock starts: connections, compiled statements


@dataclass(frozen=True)
class Stage:
    """What is to be measured.

    :param first: so many messages are sent, and timed.
    :param whole: whether all others are sent after that.
    """

    file: str
    ledger: str
    target: dict[str, str]
    first: int
    whole: bool = False


@dataclass(frozen=True)
class Taken:
    """What it took: seconds by the clock, seconds of this process's CPU, megabytes.

    :param timed: how many messages the seconds of sending are of.
    :param peak_mb: when the first messages were sent.
    """

    planned: int
    plan_seconds: float
    plan_cpu: float
    sent: int
    timed: int
    send_seconds: float
    send_cpu: float
    peak_mb: float
    whole_seconds: float | None = None
    whole_sent: int | None = None


class Counting:
    """Sends through another, and says when it is time to stop and look at the clock.

    :param limit: after so many messages the run is stopped.
    """

    def __init__(self, sender: Sender, limit: int) -> None:
        self._sender, self._limit = sender, limit
        self.sent = 0
        self.runner: CampaignRunner | None = None
        self.began = self.ended = (0.0, 0.0)

    async def send(self, recipient: str, message: Message) -> SendResult:
        result = await self._sender.send(recipient, message)
        self.sent += 1
        if self.sent == WARM_UP:
            self.began = clocks()
        if self.sent == self._limit:
            self.ended = clocks()
            if self.runner is not None:
                self.runner.stop()
        return result

    async def status(self) -> ChannelStatus:
        return await self._sender.status()


def clocks() -> tuple[float, float]:
    """The clock on the wall, and this process's."""
    return time.perf_counter(), time.process_time()


def peak_mb() -> float:
    """How much memory this process had at the most."""
    try:
        (line,) = (
            row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith("VmHWM")
        )
        return int(line.split()[1]) / 1024
    except (OSError, ValueError):
        # Elsewhere than on Linux; it would count what the process was before it became this program.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(stage: Stage) -> Taken:
    """Plan and send."""
    ledger = Ledger(stage.ledger)
    target = Target(**stage.target)
    try:
        ledger.prepare()
        campaign = Campaign(
            f"scale-{uuid4()}", ChannelRef("whapi", target.channel), Pace.unlimited(), CONCURRENCY
        )
        template = MessageTemplate(TEMPLATE)
        began = clocks()
        with Path(stage.file).open("rb") as file:
            rows = csv_rows(file, name="people.csv")
            # As the operators do: the suppression list and the gateway's word on numbers are asked.
            order = Order(screens=screens_of(campaign.rules, "whapi"))
            plan = make_plan(ledger, campaign, template, rows, AudienceOptions(), order=order)
        record, planned = plan.record, clocks()
        total = ledger.counts(record).total

        def send(limit: int) -> Counting:
            sender = Counting(target.sender(), limit)
            runner = CampaignRunner(ledger, record, campaign, template, sender, RunOptions(30.0))
            sender.runner = runner
            asyncio.run(runner.run())
            return sender

        first = send(min(stage.first, total))
        taken = Taken(
            planned=total,
            plan_seconds=planned[0] - began[0],
            plan_cpu=planned[1] - began[1],
            sent=first.sent,
            timed=min(stage.first, total) - WARM_UP,
            send_seconds=first.ended[0] - first.began[0],
            send_cpu=first.ended[1] - first.began[1],
            peak_mb=peak_mb(),
        )
        if not stage.whole:
            return taken
        send(total + 1)
        return Taken(
            **{
                **asdict(taken),
                "whole_seconds": clocks()[0] - began[0],
                "whole_sent": _all_sent(ledger, record, total),
            }
        )
    finally:
        ledger.dispose()


def _all_sent(ledger: Ledger, record: CampaignRecord, total: int) -> int:
    counts = ledger.counts(record)
    if counts.sent != total:
        raise RuntimeError(f"Of {total} messages {counts.sent} were sent: {counts.to_dict()}")
    return counts.sent


def main(told: str) -> dict[str, Any]:
    """Run what is told as JSON."""
    return asdict(run(Stage(**json.loads(told))))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
