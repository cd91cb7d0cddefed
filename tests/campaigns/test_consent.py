"""Who has not clearly agreed is not written to, and nobody guesses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.campaigns.support import Desk
from whatsapp_provider.campaigns.audience import AudienceOptions
from whatsapp_provider.campaigns.consent import NO, YES, Consent, agreed
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.plan import make_plan
from whatsapp_provider.campaigns.readers import rows_of
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.errors import AudienceError, ConfigurationError


@pytest.mark.parametrize(
    "value", [True, 1, 1.0, "true", "TRUE", " Yes ", "y", "1", "on", "Sim", "sí", "Oui.", "ja"]
)
def test_a_yes(value: Any) -> None:
    assert agreed(value) is True


@pytest.mark.parametrize(
    "value",
    [False, None, 0, 0.0, float("nan"), "", "  ", "no", "Não", "false", "0", "NULL", "None", "n/a", "NaN"],
)
def test_a_no_and_nothing_at_all(value: Any) -> None:
    assert agreed(value) is False


@pytest.mark.parametrize(
    "value", ["maybe", "2025-03-01", 2, 0.5, "?", "-", [], {}, "yes, but", "si no", "true false"]
)
def test_what_nobody_can_tell(value: Any) -> None:
    assert agreed(value) is None


def test_no_word_is_both() -> None:
    assert not YES & NO


@pytest.mark.parametrize(
    "given", ["opted_in", {"column": "opted_in"}, {"column": "opted_in", "require": True}]
)
def test_a_rule_is_read_and_written(given: Any) -> None:
    rule = Consent.read(given)
    assert rule == Consent("opted_in")
    assert Consent.read(rule.to_dict()) == rule
    assert Consent.read(None) is None


@pytest.mark.parametrize(
    "given", ["", {}, {"column": 3}, {"column": "a", "require": "yes"}, {"column": "a", "else": 1}]
)
def test_another_rule_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="consent must be"):
        Consent.read(given)


def plan(desk: Desk, *said: Any, consent: Consent | None = None, column: str = "opted_in") -> Any:
    rows = [
        {"phone": f"1555000000{index}", "name": "N", column: value}
        for index, value in enumerate(said, start=1)
    ]
    return make_plan(
        desk.ledger,
        desk.campaign(),
        MessageTemplate("Hi {{ name }}", clock=desk.time),
        rows_of(rows, recipient_field="phone"),
        AudienceOptions(judge=(consent or Consent("opted_in")).judge),
    )


def test_who_did_not_agree_is_left_out_by_name_of_the_reason(desk: Desk) -> None:
    made = plan(desk, "yes", "no", "", "sim")
    assert desk.counts(made.record) == {"planned": 2, "suppressed": 2}
    left_out = desk.in_state(made.record, DeliveryState.SUPPRESSED)
    assert {(one.recipient, one.code) for one in left_out} == {
        ("15550000002", "no_consent"),
        ("15550000003", "no_consent"),
    }
    assert made.preview.count == 2
    desk.run(made.record)
    assert sorted(desk.phones.received) == ["15550000001", "15550000004"]


def test_an_unclear_word_fails_the_plan_with_its_place(desk: Desk) -> None:
    with pytest.raises(AudienceError, match=r"row 2: 'perhaps' in column 'opted_in' is neither yes nor no"):
        plan(desk, "yes", "perhaps")
    with pytest.raises(AudienceError) as raised:
        plan(desk, "+15550000009")
    assert "15550000009" not in str(raised.value)
    assert desk.ledger.find("spring") is None


def test_a_missing_column_fails_the_plan(desk: Desk) -> None:
    with pytest.raises(AudienceError, match="row 1: no column 'opted_in'"):
        plan(desk, "yes", column="agreed")


def test_a_rule_that_is_switched_off_leaves_nobody_out(desk: Desk) -> None:
    made = plan(desk, "no", "perhaps", consent=Consent("opted_in", require=False))
    assert desk.counts(made.record) == {"planned": 2}
