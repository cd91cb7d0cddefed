"""What a plan is held against: bounds that are really kept, and a deadline that comes too early."""

from __future__ import annotations

from typing import Any

import pytest

from whatsapp_provider.campaigns.preflight import Estimate, Prices, Thresholds
from whatsapp_provider.errors import ConfigurationError

NOON = 1_893_499_200.0  # 2030-01-01 12:00 UTC


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"max_recipient": 1}, "'max_recipient' is unknown; there is min_recipients"),
        ({"max_recipients": "many"}, "max_recipients must be a number of 0 or more, not 'many'"),
        ({"max_recipients": "nan"}, "must be a number of 0 or more"),
        ({"max_days": True}, "must be a number of 0 or more"),
        ({"max_left_out": 20}, "max_left_out is a share from 0 to 1, such as 0.2, not 20"),
        (["max_days"], "takes a mapping of min_recipients"),
    ],
)
def test_a_threshold_that_would_never_bind_is_refused(given: Any, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        Thresholds.from_value(given)


def test_a_bound_on_the_cost_needs_prices() -> None:
    bounded = Thresholds.from_value({"max_cost": 10})
    with pytest.raises(ConfigurationError, match=r"max_cost needs prices, e\.g\. prices="):
        bounded.need(None)
    bounded.need(Prices.from_value({"default": 0.1}))
    Thresholds.from_value({"max_days": 3}).need(None)


def test_a_template_gives_the_text_of_a_number() -> None:
    assert Thresholds.from_value({"max_recipients": "5000", "max_left_out": " 0.5"}) == Thresholds(
        max_recipients=5000, max_left_out=0.5
    )


@pytest.mark.parametrize(
    ("finish", "warned"), [(NOON - 60, False), (NOON, False), (NOON + 60, True), (None, True)]
)
def test_a_deadline_before_the_end_is_told(finish: float | None, warned: bool) -> None:
    told = Estimate(60, finish).warnings(NOON)
    assert bool(told) is warned
    assert not warned or "2030-01-01 12:00 UTC, comes before it is done" in told[0]


def test_without_a_deadline_nothing_is_told() -> None:
    assert Estimate(60, None).warnings(None) == []
