"""What is known of a campaign before its first message: how many, until when, at what price; and what is too much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Self

from whatsapp_provider.errors import ConfigurationError

DAY = 86_400.0
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Prices:
    """What a message costs, by the country code that a number begins with.

    :param by_code: the price of a message for each code, or longer beginning of a number; the longest one counts.
    :param otherwise: for all other numbers; without it they are unknown.
    """

    by_code: Mapping[str, float]
    otherwise: float | None = None
    currency: str = ""

    @classmethod
    def from_value(cls, value: Any) -> Self | None:
        """Read what a DAG's author writes: ``{"55": 0.0625, "default": 0.1, "currency": "USD"}``.

        :raises ConfigurationError: naming what is no price.
        """
        if value is None:
            return None
        if not isinstance(value, Mapping) or not value:
            raise ConfigurationError(
                'prices takes the price of a message by country code: {"55": 0.06, "default": 0.1, "currency": "USD"}.'
            )
        given = {str(key).removeprefix("+"): price for key, price in value.items()}
        currency = given.pop("currency", "")
        for key, price in given.items():
            if key != DEFAULT and not (key.isascii() and key.isdecimal() and len(key) <= 4):
                raise ConfigurationError(f"prices: {key!r} is no country code of at most four digits.")
            if isinstance(price, bool) or not isinstance(price, int | float) or not 0 <= price < 1_000:
                raise ConfigurationError(f"prices: {price!r} is no price of a message ({key}).")
        otherwise = given.pop(DEFAULT, None)
        return cls({key: float(price) for key, price in given.items()}, otherwise, str(currency))

    def cost(self, counts: Mapping[str, int]) -> Cost:
        """Return what messages cost.

        :param counts: how many go to numbers that begin with these digits.
        """
        amount, unpriced = 0.0, 0
        for digits, count in counts.items():
            lengths = range(len(digits), 0, -1)
            found = next(
                (self.by_code[digits[:n]] for n in lengths if digits[:n] in self.by_code), self.otherwise
            )
            if found is None:
                unpriced += count
            else:
                amount += found * count
        return Cost(round(amount, 4), self.currency, unpriced)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a campaign costs.

    :param unpriced: how many messages go to countries without a price.
    """

    amount: float
    currency: str = ""
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """When a campaign is done.

    :param finish: seconds since the epoch, ``None`` if nobody can say.
    :param limit: what it waits for most.
    """

    seconds: float
    finish: float | None
    limit: str = ""

    def warnings(self, expires_at: float | None) -> list[str]:
        """Return in words that the campaign's deadline comes before its end, if it does.

        :param expires_at: the deadline, in seconds since the epoch.
        """
        if expires_at is None or (self.finish is not None and self.finish <= expires_at):
            return []
        deadline = datetime.fromtimestamp(expires_at, UTC).isoformat(sep=" ", timespec="minutes")
        return [
            f"Its deadline, {deadline.removesuffix('+00:00')} UTC, comes before it is done: "
            "who is not reached by then gets nothing."
        ]


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a plan found. It names nobody, and may be stored anywhere.

    :param total: how many are to be sent to.
    :param left_out: how many are not, by reason.
    :param warnings: what does not stand in the way, in words.
    """

    campaign_id: str
    channels: Sequence[str]
    total: int
    left_out: Mapping[str, int]
    estimate: Estimate
    cost: Cost | None = None
    warnings: Sequence[str] = ()
    media: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        finish = self.estimate.finish
        found: dict[str, Any] = {
            "campaign_id": self.campaign_id,
            "channels": list(self.channels),
            "total": self.total,
            "left_out": dict(self.left_out),
            "seconds": round(self.estimate.seconds),
            "finish": None
            if finish is None
            else datetime.fromtimestamp(finish, UTC).isoformat(timespec="seconds"),
            "limit": self.estimate.limit,
            "warnings": list(self.warnings),
        }
        if self.cost is not None:
            found["cost"] = {
                "amount": self.cost.amount,
                "currency": self.cost.currency,
                "unpriced": self.cost.unpriced,
            }
        if self.media:
            found["media"] = dict(self.media)
        return found


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a plan is refused.

    :param max_left_out: the largest share of the audience that may be left out, 0 to 1.
    :param max_days: how long it may take.
    """

    min_recipients: float | None = None
    max_recipients: float | None = None
    max_left_out: float | None = None
    max_days: float | None = None
    max_cost: float | None = None

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Read what a DAG's author writes: ``{"max_recipients": 50000, "max_left_out": 0.2, "max_days": 7}``.

        :raises ConfigurationError: naming what is no threshold.
        """
        names = [each.name for each in fields(cls)]
        given = dict(value) if isinstance(value, Mapping) else None
        if given is None:
            if value is None:
                return cls()
            raise ConfigurationError(f"thresholds takes a mapping of {', '.join(names)}.")
        for name in given:
            if name not in names:
                raise ConfigurationError(f"thresholds: {name!r} is unknown; there is {', '.join(names)}.")
        found = cls(**{name: _bound(name, number) for name, number in given.items()})
        if found.max_left_out is not None and found.max_left_out > 1:
            raise ConfigurationError(
                f"thresholds: max_left_out is a share from 0 to 1, such as 0.2, not {given['max_left_out']!r}."
            )
        return found

    def need(self, prices: Prices | None) -> None:
        """Refuse a bound that nothing would ever be held against.

        :raises ConfigurationError: if costs are bounded and no price is known.
        """
        if self.max_cost is not None and prices is None:
            raise ConfigurationError(
                'thresholds: max_cost needs prices, e.g. prices={"default": 0.1, "currency": "USD"}.'
            )

    def refusals(self, found: Preflight) -> list[str]:
        """Return in words what is too much or too little."""
        left_out = sum(found.left_out.values())
        everybody = found.total + left_out
        share = left_out / everybody if everybody else 0.0
        days = found.estimate.seconds / DAY
        told = []
        if self.min_recipients is not None and found.total < self.min_recipients:
            told.append(f"{found.total} recipients are fewer than min_recipients {self.min_recipients:g}")
        if self.max_recipients is not None and found.total > self.max_recipients:
            told.append(f"{found.total} recipients are more than max_recipients {self.max_recipients:g}")
        if self.max_left_out is not None and share > self.max_left_out:
            told.append(
                f"{left_out} of {everybody} are left out ({share:.1%}), more than max_left_out {self.max_left_out:.1%}"
            )
        if self.max_days is not None and days > self.max_days:
            told.append(f"it would take {days:.1f} days, longer than max_days {self.max_days:g}")
        if self.max_cost is not None and found.cost is not None:
            if found.cost.amount > self.max_cost:
                told.append(f"it would cost {found.cost.amount:g}, more than max_cost {self.max_cost:g}")
            if found.cost.unpriced:
                told.append(f"{found.cost.unpriced} messages have no price, so max_cost can't be kept")
        return told


def _bound(name: str, given: Any) -> float:
    """Read a number; a template gives the text of one."""
    number = given
    if isinstance(given, str):
        with suppress(ValueError):
            number = float(given)
    if isinstance(number, bool) or not isinstance(number, int | float) or not number >= 0:
        raise ConfigurationError(f"thresholds: {name} must be a number of 0 or more, not {given!r}.")
    return float(number)


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return a preflight report, as :meth:`Preflight.to_dict` gives it, in lines of Markdown."""
    told = [
        f"**{found['total']:,} recipients** through {', '.join(f'`{key}`' for key in found['channels'])}.",
        _when(found),
    ]
    if cost := found.get("cost"):
        unpriced = f" {cost['unpriced']:,} messages have no price." if cost["unpriced"] else ""
        told.append(f"It costs **{cost['amount']:,.2f} {cost['currency']}**".rstrip() + f".{unpriced}")
    told += [
        f"Left out: {count:,} x {reason.replace('_', ' ')}." for reason, count in found["left_out"].items()
    ]
    told += [f"⚠ {warning}" for warning in found["warnings"]]
    return told


def _when(found: Mapping[str, Any]) -> str:
    if found["finish"] is None:
        return "Nobody can say when it is done."
    bound = f", bound by {found['limit']}" if found["limit"] else ""
    return f"Begun now it is done by {found['finish'].replace('T', ' ').replace('+00:00', ' UTC')}{bound}."
