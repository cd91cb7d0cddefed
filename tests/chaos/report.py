"""What a run of chaos found, as it is written and as it is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.judge import Verdict
from tests.chaos.kills import Kill
from tests.chaos.settings import ChaosSettings

SHARE_DURING_SEND = 0.3  #: of the kills, at the least
SHOWN = 20


@dataclass(slots=True)
class Report:
    """The findings, filled in as the run goes.

    :param during_send: kills at which a request of a killed worker was under way.
    :param diary: what the workers noted, by kind.
    :param freezes: how often a worker was suspended, mostly for longer than its lease.
    :param trouble: why the run could not be brought to its end.
    """

    settings: ChaosSettings
    kills: list[Kill] = field(default_factory=list)
    during_send: int = 0
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    states: Counter[str] = field(default_factory=Counter)
    settled: Counter[str] = field(default_factory=Counter)
    diary: Counter[str] = field(default_factory=Counter)
    sends: int = 0
    freezes: int = 0
    seconds: float = 0.0
    trouble: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the figures."""
        settings = self.settings
        # The kill that came nearest to what is allowed, or went beyond it.
        worst = max(self.kills, key=lambda kill: (len(kill.held) / kill.limit, kill.limit), default=None)
        return {
            "kills": len(self.kills),
            "kills_during_send": self.during_send,
            "recipients": settings.recipients,
            "twice": self._people("twice"),
            "lost": self._people("lost"),
            "in_doubt_max_per_kill": len(worst.held) if worst else 0,
            "concurrency": worst.limit if worst else settings.concurrency,
            "in_doubt_by_kills": sum(len(kill.held) for kill in self.kills),
            "in_doubt_by_faults": self.diary["doubt"],
            "in_doubt_resent": self.settled["planned"],
            "unsettled": self._people("unsettled"),
            "misstated": self._people("misstated"),
            "unreached": self._people("unreached"),
            "seconds": round(self.seconds, 1),
            "seed": settings.seed,
            "database": settings.database,
            "gateway": settings.gateway,
            "workers": settings.workers,
            "campaigns": len(self.verdicts),
            "messages": self.sends,
            "freezes": self.freezes,
            "workers_killed": sum(kill.victims for kill in self.kills),
            "settled": dict(self.settled),
            "states": dict(self.states),
            "runs": {name: count for name, count in sorted(self.diary.items()) if name != "doubt"},
            "ok": not self.failures(),
        }

    def _people(self, kind: str) -> int:
        return sum(len(getattr(verdict, kind)) for verdict in self.verdicts.values())

    def failures(self) -> list[str]:
        """Return what must not be, as sentences; people are masked."""
        found = [self.trouble] if self.trouble else []
        for campaign, verdict in self.verdicts.items():
            for kind, people in verdict.wrongs(may_hold=not self.settings.has_history).items():
                shown = ", ".join(f"…{person[-4:]}" for person in people[:SHOWN])
                more = f" and {len(people) - SHOWN} more" if len(people) > SHOWN else ""
                found.append(f"{campaign}: {len(people)} {kind}: {shown}{more}")
        beyond = [kill for kill in self.kills if not kill.is_within_limit]
        found += [
            f"{kill.campaign}: a kill left {len(kill.held)} in doubt, {kill.limit} are allowed"
            for kill in beyond
        ]
        if not self.settings.has_history:
            found += self._held_failures()
        if len(self.kills) < self.settings.kills:
            found.append(f"{len(self.kills)} kills were made of {self.settings.kills}.")
        if self.during_send < SHARE_DURING_SEND * len(self.kills):
            found.append(f"Only {self.during_send} of {len(self.kills)} kills met a send under way.")
        return found

    def _held_failures(self) -> list[str]:
        """Return what must not be where nothing settles a doubt: that one is gone, or has come out of nothing."""
        doubted = sum(len(kill.held) for kill in self.kills) + self.diary["doubt"]
        # Whose lease ended while it was suspended is put in doubt by others, and writes nothing of it.
        doubted += self.freezes * self.settings.concurrency
        held, found = self._people("unsettled"), []
        if self.settled:
            found.append(f"Doubts were settled without a history: {dict(self.settled)}.")
        if held > doubted:
            found.append(
                f"{held} are held, and kills, faults and freezes put {doubted} in doubt at the most."
            )
        return found
