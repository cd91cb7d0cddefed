"""Pace: how many messages a channel may send in which time. What was sent is counted in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from whatsapp_provider.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``limit`` messages in any ``seconds``."""

    limit: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Pace:
    """Windows that all hold at once.

    :param name: shown in logs.
    """

    name: str
    windows: tuple[Window, ...]

    @classmethod
    def cautious(cls) -> Self:
        """Return a vendor's advice for mailings from a linked phone: 2 a minute, 10 in 15 minutes, 6 hours a day."""
        return cls("cautious", (Window(2, 60), Window(10, 900), Window(240, 86_400)))

    @classmethod
    def official(cls) -> Self:
        """Return the default throughput of a number on Meta's Cloud API: 80 a second."""
        return cls("official", (Window(80, 1),))

    @classmethod
    def unlimited(cls) -> Self:
        """Return no bound; sends are counted all the same."""
        return cls("unlimited", ())

    @classmethod
    def named(cls, value: str | Pace) -> Pace:
        """Return the preset of that name.

        :raises ConfigurationError: naming the presets there are.
        """
        if isinstance(value, Pace):
            return value
        presets = {"cautious": cls.cautious, "official": cls.official, "unlimited": cls.unlimited}
        if value not in presets:
            raise ConfigurationError(f"Pace {value!r} is unknown; use one of {', '.join(sorted(presets))}.")
        return presets[value]()

    def forecast(self, count: int) -> float:
        """Return the seconds that ``count`` messages take at the least, from an idle channel."""
        return max(
            ((max(count - 1, 0) // window.limit) * window.seconds for window in self.windows), default=0.0
        )
