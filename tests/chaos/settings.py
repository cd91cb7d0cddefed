"""What one run of chaos is made of; all that happens by chance comes from its seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

from whatsapp_provider.gateways.registry import GATEWAYS as LINES

DATABASES = ("sqlite", "postgres", "mariadb")
GATEWAYS = ("whapi", "evolution", "whatscloud", "waabot")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosSettings:
    """One run; times are seconds, scaled down from what a real campaign has.

    :param kills: how often one worker, or all of them, are killed.
    :param recipients: people of each campaign.
    :param concurrency: sends that one worker has under way at once.
    :param limit: after so long the run has failed.
    """

    kills: int
    recipients: int
    workers: int
    database: str
    gateway: str
    seed: int
    limit: float
    concurrency: int = 5
    send_latency: float = 0.15
    send_timeout: float = 0.8
    lease_margin: float = 1.2
    settle: float = 0.7

    def __post_init__(self) -> None:
        if self.database not in DATABASES:
            raise ValueError(f"DB is one of {', '.join(DATABASES)}, not {self.database!r}.")
        if self.gateway not in GATEWAYS:
            raise ValueError(f"GATEWAY is one of {', '.join(GATEWAYS)}, not {self.gateway!r}.")
        if min(self.kills, self.recipients, self.workers) < 1:
            raise ValueError("KILLS, RECIPIENTS and WORKERS are 1 at the least.")

    @property
    def has_history(self) -> bool:
        """Whether the gateway remembers what it sent, so that doubts can be settled; else they are held."""
        return LINES[self.gateway].capabilities.history

    @property
    def lease_seconds(self) -> float:
        """How long a worker's lease lasts without renewal."""
        return self.send_timeout + self.lease_margin

    @property
    def sends_between_kills(self) -> tuple[int, int]:
        """The least and the most messages that phones get between two kills."""
        # Closer together they would meet workers that have hardly begun.
        mean = max(16, min(40, self.recipients // 20))
        return mean // 2, mean + mean // 2

    def dice(self, purpose: str) -> random.Random:
        """Return the dice for one purpose, so that one's throws don't change another's."""
        return random.Random(f"{self.seed} {purpose}")
