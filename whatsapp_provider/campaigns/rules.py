"""What holds for a campaign besides its text: at which hours it sends, to whom it must not, how often."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from whatsapp_provider.campaigns.calendars import Calendar, QuietHours
from whatsapp_provider.errors import ConfigurationError

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class FrequencyCap:
    """At most ``messages`` to one person in any ``seconds``, over all campaigns of the ledger."""

    messages: int
    seconds: float

    @classmethod
    def from_value(cls, value: Any) -> Self | None:
        """Read what a DAG's author writes: ``{"messages": 1, "days": 7}``; ``None`` for no cap.

        :raises ConfigurationError: if it is something else.
        """
        if value is None:
            return None
        if not isinstance(value, Mapping) or set(value) != {"messages", "days"}:
            raise ConfigurationError(f'frequency_cap takes {{"messages": 1, "days": 7}}, not {value!r}.')
        messages, days = value["messages"], value["days"]
        whole = isinstance(messages, int) and not isinstance(messages, bool) and messages >= 1
        if not whole or isinstance(days, bool) or not isinstance(days, int | float) or not 0 < days <= 3660:
            raise ConfigurationError(
                f"frequency_cap: messages is a whole number from 1 and days lies between 0 and 3660, not {value!r}."
            )
        return cls(messages, days * DAY)


@dataclass(frozen=True, slots=True)
class Rules:
    """What each send of a campaign must keep besides the pace.

    :param calendar: the hours at which it sends.
    :param quiet: the hours at which recipients are left alone, by their own clocks.
    :param lists: the suppression lists that count; ``None`` for every list.
    :param cap: how often one person is written to, over all campaigns.
    :param ignore_lists: whether no list counts: for a single message that its recipient must have.
    """

    calendar: Calendar | None = None
    quiet: QuietHours | None = None
    lists: tuple[str, ...] | None = None
    cap: FrequencyCap | None = None
    ignore_lists: bool = False

    def to_json(self) -> str:
        """Return them as the ledger keeps them."""
        kept = {
            "calendar": self.calendar and self.calendar.to_dict(),
            "quiet": self.quiet and self.quiet.to_dict(),
            "lists": None if self.lists is None else list(self.lists),
            "cap": self.cap and {"messages": self.cap.messages, "seconds": self.cap.seconds},
            "ignore_lists": self.ignore_lists or None,
        }
        return json.dumps({name: value for name, value in kept.items() if value is not None}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str | None) -> Self:
        """Return what :meth:`to_json` wrote; nothing is no rules."""
        kept = json.loads(text or "{}")
        lists = kept.get("lists")
        return cls(
            calendar=Calendar.from_dict(kept["calendar"]) if "calendar" in kept else None,
            quiet=QuietHours.from_dict(kept["quiet"]) if "quiet" in kept else None,
            lists=None if lists is None else tuple(lists),
            cap=FrequencyCap(**kept["cap"]) if "cap" in kept else None,
            ignore_lists="ignore_lists" in kept,
        )


#: The suppression list counts all the same.
NO_RULES = Rules()
