"""When a campaign will be through, and what keeps it from being through sooner.

It goes from one closing time to the next, not from message to message. It counts on a gateway that answers at once, on
nobody else who sends on the channel, and on the middle of what the spacing draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from whatsapp_provider.campaigns.calendars import Calendar, QuietHours, both_open
from whatsapp_provider.campaigns.pacing import DAY, Pace, WarmUp, Window, seconds_for

#: Windows from this length on are followed from day to day; shorter ones are empty after each closing time.
LONG_SECONDS = 6 * 3600.0
#: A campaign of more than ten years has no end.
LONGEST_SECONDS = 3660 * DAY
WORKING_HOURS, QUIET_HOURS, ASKED_TO_WAIT = "working hours", "quiet hours", "the gateway asked to wait"


@dataclass(frozen=True, slots=True)
class ChannelHistory:
    """What is known of a channel before the campaign.

    :param sent: when how many messages were sent, in the last day.
    :param first_used_at: when its first message was counted, ``None`` if it never was.
    :param quiet_until: until when its gateway asked to wait, ``None`` if it did not.
    """

    sent: Sequence[tuple[float, int]] = ()
    first_used_at: float | None = None
    quiet_until: float | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the last message goes; moments are in seconds since the epoch, ``inf`` for never.

    :param earliest: if people in different time zones never keep each other waiting.
    :param latest: if they go one time zone after the other.
    :param limit: what takes most of the time; empty if only the gateway does.
    """

    earliest: float
    latest: float
    limit: str


def forecast(
    count: int,
    pace: Pace,
    *,
    start: float,
    calendar: Calendar | None = None,
    quiet: QuietHours | None = None,
    lanes: Mapping[tuple[str, ...], int] | None = None,
    history: ChannelHistory | None = None,
) -> Forecast:
    """Tell how long ``count`` messages will take from ``start`` on.

    :param lanes: how many of them go to people in which time zones, where quiet hours count.
    """
    known = history or ChannelHistory()
    if quiet is None or not lanes:
        walk = _Walk(pace, start, known)
        walk.go(count, _Hours(calendar, quiet))
        return Forecast(walk.moment, walk.moment, walk.limit)
    alone = [
        (_Hours(calendar), count),
        *((_Hours(calendar, quiet, zones), people) for zones, people in lanes.items()),
    ]
    earliest = start
    for hours, people in alone:
        walk = _Walk(pace, start, known)
        walk.go(people, hours)
        earliest = max(earliest, walk.moment)
    walk = _Walk(pace, start, known)
    for hours, people in sorted(alone[1:], key=lambda lane: lane[0].opens(start)):
        walk.go(people, hours)
    return Forecast(earliest, max(earliest, walk.moment), walk.limit)


@dataclass(frozen=True, slots=True)
class _Hours:
    """When the sender works and those who receive are awake."""

    calendar: Calendar | None = None
    quiet: QuietHours | None = None
    zones: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        names = [WORKING_HOURS] * (self.calendar is not None) + [QUIET_HOURS] * (self.quiet is not None)
        return " and ".join(names)

    def opens(self, moment: float) -> float:
        return both_open(moment, self.calendar, self.quiet, self.zones)

    def closes(self, moment: float) -> float:
        closing = inf if self.calendar is None else self.calendar.closes(moment)
        return closing if self.quiet is None else min(closing, self.quiet.closes(moment, self.zones))


@dataclass(slots=True)
class _Budget:
    """How much of a long window is used: it is counted from its first message on, until it is over."""

    window: Window | WarmUp
    since: float  #: of a warm-up
    begin: float = -inf
    used: int = 0

    def at(self, moment: float) -> Window | None:
        return self.window.window(moment - self.since) if isinstance(self.window, WarmUp) else self.window

    def free(self, moment: float) -> float:
        if moment >= self.begin + self.seconds:
            self.begin, self.used = moment, 0
        window = self.at(moment)
        return inf if window is None else window.limit - self.used

    def more_at(self, moment: float) -> float:
        """Return when there will be more of it."""
        ages = self.window.steps if isinstance(self.window, WarmUp) else ()
        steps = [self.since + days * DAY for days, _ in ages if self.since + days * DAY > moment]
        return min([self.begin + self.seconds, *steps])

    @property
    def name(self) -> str:
        return "warm-up" if isinstance(self.window, WarmUp) else str(self.window)

    @property
    def seconds(self) -> float:
        return DAY if isinstance(self.window, WarmUp) else self.window.seconds


@dataclass(slots=True)
class _Walk:
    """A channel on its way through a campaign: where it is, and what took the time so far."""

    pace: Pace
    moment: float
    known: ChannelHistory
    _lost: dict[str, float] = field(default_factory=dict)
    _short: list[Window] = field(default_factory=list)
    _budgets: list[_Budget] = field(default_factory=list)
    _end: float = 0.0
    #: since when messages go without a longer wait, and how many did
    _since: float = 0.0
    _sent: int = 0

    def __post_init__(self) -> None:
        start = self._since = self.moment
        self._end = start + LONGEST_SECONDS
        by_length = sorted(self.pace.windows, key=lambda window: window.seconds)
        self._short = [window for window in by_length if window.seconds < LONG_SECONDS]
        self._budgets = [_Budget(window, 0.0) for window in by_length if window.seconds >= LONG_SECONDS]
        if (warm_up := self.pace.warm_up) is not None:
            first = self.known.first_used_at if warm_up.since is None else warm_up.since
            self._budgets.append(_Budget(warm_up, start if first is None else first))
        for budget in self._budgets:
            inside = [(at, count) for at, count in self.known.sent if at > start - budget.seconds and count]
            if inside:
                budget.begin, budget.used = min(inside)[0], sum(count for _, count in inside)
        for window in self._short:
            inside = [(at, count) for at, count in self.known.sent if at > start - window.seconds and count]
            if sum(count for _, count in inside) >= window.limit:
                self._wait(min(inside)[0] + window.seconds, str(window))
        self._wait(self.known.quiet_until or 0.0, ASKED_TO_WAIT)

    @property
    def limit(self) -> str:
        """What took most of the time."""
        return max(self._lost, key=lambda name: self._lost[name], default="")

    def go(self, count: int, hours: _Hours) -> None:
        """Send so many messages in those hours."""
        while count > 0 and self.moment < inf:
            self._wait(hours.opens(self.moment), hours.name)
            closing = hours.closes(self.moment) if self.moment < inf else -inf
            while count > 0 and self.moment < closing:
                if self.moment > self._end:
                    self.moment = inf
                    return
                count -= self._burst(count, closing)

    def _burst(self, count: int, closing: float) -> int:
        """Send what is free until the hours end, or wait for more; return how many were sent."""
        free = min((budget.free(self.moment) for budget in self._budgets), default=inf)
        if free <= 0:
            used_up = [budget for budget in self._budgets if budget.free(self.moment) <= 0]
            longest = max(used_up, key=lambda budget: budget.more_at(self.moment))
            self._wait(longest.more_at(self.moment), longest.name)
            return 0
        until = min([closing, *(budget.more_at(self.moment) for budget in self._budgets)])
        wanted = int(min(count, free))
        sent = self._as_many(wanted, until)
        for budget in self._budgets:
            budget.used += sent
        if sent < wanted:
            # The last one goes before; the rest finds the windows empty, or closed doors.
            self._wait(until, self._binding(self._sent + sent + 1))
        else:
            self._pass(self._moment_of(sent), self._binding(self._sent + sent))
            self._sent += sent
        return sent

    def _as_many(self, wanted: int, until: float) -> int:
        """Return how many of the wanted go before a moment."""
        low, high = 0, wanted + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._moment_of(middle) < until else (low, middle)
        return low

    def _moment_of(self, count: int) -> float:
        """Return when the last of so many more goes."""
        return self._since + seconds_for(self._sent + count, self._short, self.pace.mean_gap)

    def _binding(self, count: int) -> str:
        """Return what keeps so many messages from going at once."""
        full = [window for window in self._short if count > window.limit]
        if not full:
            return "spacing"
        return str(min(full, key=lambda window: window.limit / window.seconds))

    def _wait(self, moment: float, name: str) -> None:
        """Let so much time pass that the short windows are empty."""
        if moment > self.moment:
            self._pass(moment, name)
            self._since, self._sent = moment, 0

    def _pass(self, moment: float, name: str) -> None:
        if moment > self.moment:
            self._lost[name] = self._lost.get(name, 0.0) + moment - self.moment
            self.moment = moment
