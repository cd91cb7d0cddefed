"""The plan of the kills, and what each of them found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.settings import ChaosSettings

ALL_AT_ONCE = 0.1  #: how often all workers are killed instead of one
FREEZES = 0.15  #: how many of them, of each kill
#: A row of a killed worker can't be sent by another one within this time: its lease is still to end.
SECONDS_TO_ARRIVE = 1.0


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill.

    :param at: when the killed processes were dead for certain, by the machine's clock.
    :param held: whose message they had intended and not answered for.
    :param limit: how many that may be: the concurrency of the killed.
    """

    campaign: str
    at: float
    victims: int
    held: tuple[str, ...]
    limit: int

    @property
    def is_within_limit(self) -> bool:
        """Whether no more people were put in doubt than the concurrency allows."""
        return len(self.held) <= self.limit


class Schedule:
    """Decides by the seed after how many messages the next kill comes, and who is killed."""

    def __init__(self, settings: ChaosSettings) -> None:
        self._settings = settings
        self._dice = settings.dice("kills")
        self.next_at = 0
        self.plan_next(0)

    def plan_next(self, total: int) -> None:
        """Set the next kill.

        :param total: messages that phones have got until now.
        """
        self.next_at = total + self._dice.randint(*self._settings.sends_between_kills)

    def hesitation(self) -> float:
        """Return seconds to wait, so that a kill meets any moment of a send and not only its end."""
        return self._dice.uniform(0.0, self._settings.send_latency)

    def frozen(self, left: Sequence[int]) -> tuple[int, float] | None:
        """Return which of those who are left is suspended, if any, and for how many seconds."""
        happens, pick, length = (
            self._dice.random() < FREEZES,
            self._dice.random(),
            self._dice.uniform(0.5, 2.5),
        )
        if not happens or not left:
            return None
        return left[int(pick * len(left))], length * self._settings.lease_seconds

    def last_freeze(self, total: int) -> int:
        """Return after how many messages a campaign's last freeze comes.

        Near its end, so that others settle the frozen one's messages and send them again before it wakes up.

        :param total: messages that phones have got until the campaign's begin.
        """
        return total + int(self._settings.recipients * self._dice.uniform(0.85, 0.98))

    def frozen_last(self, alive: Sequence[int]) -> tuple[int, float]:
        """Return who is suspended near the end of a campaign, and for how many seconds."""
        pick, length = self._dice.random(), self._dice.uniform(1.5, 3.0)
        return alive[int(pick * len(alive))], length * self._settings.lease_seconds

    def victims(self, alive: Sequence[int]) -> list[int]:
        """Return which of the living are killed."""
        everybody, pick = self._dice.random() < ALL_AT_ONCE, self._dice.random()
        return list(alive) if everybody else [alive[int(pick * len(alive))]]
