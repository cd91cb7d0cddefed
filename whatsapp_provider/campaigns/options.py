"""How a run of a campaign behaves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from math import inf

from whatsapp_provider.campaigns.breaker import BreakerLimits
from whatsapp_provider.campaigns.ledger.states import DeliveryState

LEASE_MARGIN = 20.0  #: seconds that a lease lasts beyond the longest send
DRAIN_SECONDS = 4.0  #: Airflow kills a task 5 s after it asked it to stop
SETTLE_SECONDS = 30.0  #: what a gateway may take to show in its history what it sent
#: A few seconds' work, which is what another process costs before it is of use: half a second of a processor.
APART_FROM = 3000


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run behaves.

    :param send_timeout: seconds after which the sender has answered or given up; a send that takes longer
        is cut off and in doubt.
    :param label: who runs, for people who read the ledger.
    :param patience: seconds to wait for the next permitted moment; beyond it the run returns ``waiting``.
    :param again: states whose deliveries are planned again.
    :param resumed: whether the run goes on after it returned ``waiting``: the tries before that count on.
    :param probing: whether to begin with one send at a time, until one is accepted.
    :param settle: seconds until a message in doubt is looked up, and between two look-ups.
    :param limits: shares of what goes wrong that pause the campaign.
    :param apart_from: how many there must be to send to for a busy run to take its turns in another process.
    """

    send_timeout: float
    label: str = ""
    patience: float = inf
    again: Collection[DeliveryState] = ()
    resumed: bool = False
    probing: bool = False
    settle: float = SETTLE_SECONDS
    limits: BreakerLimits = field(default_factory=BreakerLimits)
    lease_margin: float = LEASE_MARGIN
    drain: float = DRAIN_SECONDS
    apart_from: int = APART_FROM

    @property
    def lease_seconds(self) -> float:
        """How long the right to send lasts without renewal."""
        return self.send_timeout + self.lease_margin
