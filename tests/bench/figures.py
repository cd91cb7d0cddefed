"""What the measurements say: medians, ratios, the goals, and whether they may be reported at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

#: The ways to send that are compared, by the names that the report gives them.
AIOHTTP, BARE, REQUESTS = "aiohttp", "bare_client", "requests"
#: The bare client on a run's connections: what a campaign's ledger, lease and templates cost is the difference to it.
ON_PLACES = "client_on_places"
CAMPAIGNS = ("campaign_sqlite", "campaign_postgres", "campaign_mariadb")
WAYS = (AIOHTTP, BARE, ON_PLACES, REQUESTS, *CAMPAIGNS)
#: What the server waits before it answers, in seconds, by the ending of the names in the report.
LATENCIES = {"": 0.0, "_20ms": 0.02}
#: How much faster than our client the server must be seen to be.
HEADROOM = 2.0


@dataclass(frozen=True)
class Measured:
    """What one measurement found.

    :param sent: messages within ``seconds``.
    :param work: seconds that the processors worked for the measuring process meanwhile.
    :param planned: seconds that planning took before.
    :param before: messages sent before the clock started.
    """

    sent: int
    seconds: float
    work: float
    planned: float = 0.0
    before: int = 0

    @property
    def per_s(self) -> float:
        """Messages a second."""
        return self.sent / self.seconds

    def to_dict(self) -> dict[str, float]:
        """Return it as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Goal:
    """What one figure should at least be, as a multiple of another one."""

    way: str
    beside: str
    ending: str
    least: float


GOALS = (
    Goal("campaign_sqlite", BARE, "", 0.6),
    Goal("campaign_postgres", BARE, "", 0.5),
    *(Goal(way, BARE, "_20ms", 0.9) for way in CAMPAIGNS),
    *(Goal(way, REQUESTS, "_20ms", 10.0) for way in CAMPAIGNS),
)


class Figures:
    """The measurements of all rounds."""

    def __init__(self) -> None:
        self._measured: defaultdict[tuple[str, str], list[Measured]] = defaultdict(list)

    def add(self, way: str, ending: str, measured: Measured) -> None:
        """Take one measurement."""
        self._measured[way, ending].append(measured)

    def per_s(self, way: str, ending: str) -> float | None:
        """Return the median rate in messages a second, ``None`` if it was not measured."""
        found = self._measured.get((way, ending))
        return median(one.per_s for one in found) if found else None

    def work_us(self, way: str, ending: str) -> float | None:
        """Return the median of a processor's microseconds for each message."""
        found = self._measured.get((way, ending))
        return median(one.work / one.sent for one in found) * 1e6 if found else None

    def ratio(self, way: str, beside: str, ending: str) -> float | None:
        """Return how many times as fast one way is as another, by their medians."""
        rates = self.per_s(way, ending), self.per_s(beside, ending)
        return None if rates[0] is None or rates[1] is None else rates[0] / rates[1]

    def refusal(self) -> str | None:
        """Return why nothing may be reported: a server at its limit makes all clients alike."""
        found = self.ratio(AIOHTTP, BARE, "")
        if found is None:
            return "The server was not measured: bare aiohttp and the bare client are missing."
        if found >= HEADROOM:
            return None
        return (
            f"The server takes {self.per_s(AIOHTTP, ''):,.0f} messages a second from bare aiohttp, which is only "
            f"{found:.2f} times what it takes from the bare client ({self.per_s(BARE, ''):,.0f}); below "
            f"{HEADROOM:g} times the figures would be the server's. Is the machine doing something else?"
        )

    def report(self) -> dict[str, Any]:
        """Return the rates, and the processor's time besides, by their names."""
        rates = {f"{way}_per_s{ending}": self.per_s(way, ending) for way, ending in self._measured}
        work = {f"{way}_work_us{ending}": self.work_us(way, ending) for way, ending in self._measured}
        return {name: round(value, 1) for name, value in {**rates, **work}.items() if value is not None}

    def missed(self) -> list[str]:
        """Name the goals that are not reached; one that was not measured is not reached."""
        return [
            f"{goal.way}{goal.ending} is {_times(found)} {goal.beside}, and should be {goal.least:g} times"
            for goal in GOALS
            if (found := self.ratio(goal.way, goal.beside, goal.ending)) is None or found < goal.least
        ]

    def table(self) -> Iterator[str]:
        """Yield the lines of a table: rates, the processor's time, and the ratios that matter."""
        names = ("per s", "lowest", "highest", "work µs", "of bare")
        yield f"{'':26}{''.join(f'{name:>9}' for name in names)}{'of requests':>13}{'plan s':>8}"
        for ending, seconds in LATENCIES.items():
            for way in WAYS:
                if (way, ending) in self._measured:
                    yield self._line(way, ending, f"{way} at {seconds * 1000:g} ms")

    def _line(self, way: str, ending: str, name: str) -> str:
        found = self._measured[way, ending]
        rates = [one.per_s for one in found]
        ratios = [self.ratio(way, beside, ending) for beside in (BARE, REQUESTS)]
        shown = [f"{ratio:.2f}" if ratio is not None else "" for ratio in ratios]
        return (
            f"{name:26}{median(rates):9,.0f}{min(rates):9,.0f}{max(rates):9,.0f}{self.work_us(way, ending) or 0:9,.0f}"
            f"{shown[0]:>9}{shown[1]:>13}{median(one.planned for one in found):8.2f}"
        )


def _times(ratio: float | None) -> str:
    return "not measured beside" if ratio is None else f"{ratio:.2f} times"
