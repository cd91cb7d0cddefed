"""What campaign tests are made of: a desk with a ledger, and phones that answer as told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.campaigns.virtual_time import Time
from whatsapp_provider.campaigns.audience import AudienceOptions
from whatsapp_provider.campaigns.campaign import Campaign, OnInDoubt
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Entry, Planned
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.outcome import Outcome
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.plan import plan_campaign
from whatsapp_provider.campaigns.readers import rows_of
from whatsapp_provider.campaigns.reconcile import Historian
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.runner import CampaignRunner, RunOptions
from whatsapp_provider.errors import (
    CredentialRejectedError,
    NoAnswerError,
    NotReachedError,
    RateLimitedError,
    RecipientRejectedError,
)
from whatsapp_provider.messages import Message
from whatsapp_provider.model import ChannelRef, ChannelState, ChannelStatus, SendResult

SENDING = DeliveryState.SENDING
SEND_TIMEOUT = 30.0
CHANNEL = ChannelRef("whapi", "TESTER-1", "Tester")

NO_ANSWER = NoAnswerError("The line went dead.", code="ReadTimeout")
REFUSED = RecipientRejectedError("Not on WhatsApp.", code="not_on_whatsapp")
NOT_REACHED = NotReachedError("Connection refused.", code="ConnectError")
LOGGED_OUT = CredentialRejectedError("The token is wrong.", status=401)
SLOW_DOWN = RateLimitedError("Too many.", status=429)


def number(index: int) -> str:
    """A fictive number."""
    return f"1555{index:07d}"


def entry(index: int, variables: str = "{}") -> Planned:
    return Planned(number(index), number(index), variables, "hash")


class Phones:
    """A sender in memory. ``answer(recipient, attempt)`` gives an error to raise, or ``None``.

    :param seconds: how long a send takes.
    """

    def __init__(self, answer: Callable[[str, int], Any] | None = None, seconds: float = 0.0) -> None:
        self.answer = answer or (lambda _recipient, _attempt: None)
        self.seconds = seconds
        self.calls: list[str] = []
        self.received: Counter[str] = Counter()
        self.at_send: list[Callable[[], Any]] = []
        self.state: ChannelStatus | BaseException = ChannelStatus(ChannelState.CONNECTED, detail="AUTH")
        self.looks = 0
        self.under_way = 0
        self.most_under_way = 0

    async def send(self, recipient: str, message: Message) -> SendResult:
        self.calls.append(recipient)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            for look in self.at_send:
                look()
            await asyncio.sleep(self.seconds)
            error = self.answer(recipient, self.calls.count(recipient))
            if error is not None:
                raise error
        finally:
            self.under_way -= 1
        self.received[recipient] += 1
        return SendResult(f"id-{recipient}-{self.received[recipient]}")

    async def status(self) -> ChannelStatus:
        self.looks += 1
        if isinstance(self.state, BaseException):
            raise self.state
        return self.state


@dataclass
class Desk:
    """One test's ledger, time and phones, and what is usually done with them."""

    time: Time
    open_ledger: Callable[..., Ledger]
    phones: Phones = field(default_factory=Phones)

    def __post_init__(self) -> None:
        self.ledger = self.open_ledger()

    def campaign(self, name: str = "spring", **options: Any) -> Campaign:
        options = {"pace": Pace.unlimited(), "channel": CHANNEL, **options}
        return Campaign(name, **options)

    def plan(
        self, count: int, campaign: Campaign | None = None, text: str = "Hi {{ name }}"
    ) -> CampaignRecord:
        return self.plan_rows(
            [{"phone": number(index), "name": f"N{index}"} for index in range(count)], campaign, text
        )

    def plan_rows(
        self, rows: Sequence[dict[str, Any]], campaign: Campaign | None = None, text: str = "Hi {{ name }}"
    ) -> CampaignRecord:
        template = MessageTemplate(text, clock=self.time)
        return plan_campaign(
            self.ledger,
            campaign or self.campaign(),
            template,
            rows_of(rows, recipient_field="phone"),
            AudienceOptions(),
        )

    def runner(
        self,
        record: CampaignRecord,
        campaign: Campaign | None = None,
        *,
        phones: Phones | None = None,
        ledger: Ledger | None = None,
        history: Historian | None = None,
        **options: Any,
    ) -> CampaignRunner:
        return CampaignRunner(
            ledger or self.ledger,
            record,
            campaign or self.campaign(),
            MessageTemplate("Hi {{ name }}", clock=self.time),
            phones or self.phones,
            RunOptions(**{"send_timeout": SEND_TIMEOUT, **options}),
            clock=self.time,
            history=history,
        )

    def run(self, record: CampaignRecord, campaign: Campaign | None = None, **options: Any) -> Outcome:
        return self.time.run(self.runner(record, campaign, **options).run())

    def counts(self, record: CampaignRecord) -> dict[str, int]:
        return self.ledger.counts(record).to_dict()

    def state(self, name: str = "spring") -> CampaignState:
        found = self.ledger.find(name)
        assert found is not None
        return found.state

    def in_state(self, record: CampaignRecord, state: DeliveryState) -> Sequence[Entry]:
        return self.ledger.entries(record, state)

    def resend(self) -> Campaign:
        return self.campaign(on_in_doubt=OnInDoubt.RESEND)
