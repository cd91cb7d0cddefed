"""A campaign over several channels: each with phones of its own, all with one ledger and one time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.campaigns.support import SEND_TIMEOUT, Desk, Phones, number
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.fleet import Fleet, Member
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.options import RunOptions
from whatsapp_provider.campaigns.outcome import Outcome
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.reconcile import Historian
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.model import ChannelRef

A, B, C = (ChannelRef("whapi", name) for name in "ABC")


class Harbour:
    """One campaign over some channels; nothing of it is shared with another run but the ledger.

    :param pace: by a channel's key, where it is not unlimited.
    """

    def __init__(self, desk: Desk, channels: Sequence[ChannelRef] = (A, B), **options: Any) -> None:
        self.desk, self.channels = desk, channels
        self.phones = {channel.key(): Phones() for channel in channels}
        self.paces: dict[str, Pace] = {}
        self.histories: dict[str, Historian] = {}
        pool = tuple(channel.key() for channel in channels)
        self.campaign = desk.campaign(channel=channels[0], pool=pool, **options)

    def plan(self, count: int) -> CampaignRecord:
        return self.desk.plan(count, self.campaign)

    def people(self, record: CampaignRecord) -> dict[str, set[str]]:
        """Who is to be sent to, or was, through which channel."""
        found: dict[str, set[str]] = {key: set() for key in self.phones}
        for row in self.desk.ledger.rows(record):
            found[row.channel].add(row.recipient)
        return found

    def of(self, channel: ChannelRef) -> Phones:
        return self.phones[channel.key()]

    def received(self) -> Counter[str]:
        """What everybody got, over all channels."""
        return sum((phones.received for phones in self.phones.values()), Counter())

    def fleet(
        self,
        record: CampaignRecord,
        *,
        ledger: Ledger | None = None,
        phones: dict[str, Phones] | None = None,
        failover: bool = True,
        **options: Any,
    ) -> Fleet:
        run = RunOptions(**{"send_timeout": SEND_TIMEOUT, **options})
        members = [
            Member(key, self._of(key), sender, run, self.histories.get(key))
            for key, sender in (phones or self.phones).items()
        ]
        template = MessageTemplate("Hi {{ name }}", clock=self.desk.time)
        return Fleet(
            ledger or self.desk.ledger, record, template, members, clock=self.desk.time, failover=failover
        )

    def _of(self, key: str) -> Campaign:
        return replace(self.campaign, pace=self.paces.get(key, Pace.unlimited()))

    def run(self, record: CampaignRecord, **options: Any) -> Outcome:
        return self.desk.time.run(self.fleet(record, **options).run())


def everyone(count: int) -> dict[str, int]:
    """Each of so many people with one message."""
    return {number(index): 1 for index in range(count)}
