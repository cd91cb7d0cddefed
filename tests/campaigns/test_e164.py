"""Numbers that are known without the library are exactly those that it would leave as they are."""

from __future__ import annotations

import random

import phonenumbers
import pytest

from whatsapp_provider.campaigns import e164

CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def by_library(digits: str) -> str | None:
    """What the library makes of a number, if it takes it for one of a possible length."""
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).lstrip("+")


def test_a_number_known_as_complete_is_one_that_the_library_leaves_as_it_is() -> None:
    chance, known = random.Random(7), 0
    for code in CODES:
        for _ in range(40):
            digits = f"{code}{''.join(chance.choices('0123456789', k=chance.randint(3, 13)))}"
            if e164.is_complete(digits):
                known += 1
                assert by_library(digits) == digits
    assert known > 5 * len(CODES)


@pytest.mark.parametrize(
    "digits",
    ["15550000001", "5511900000001", "4915550000001", "525550000001", "919000000001", "447700900001"],
)
def test_usual_numbers_are_known(digits: str) -> None:
    assert e164.is_complete(digits)


@pytest.mark.parametrize(
    "digits", ["", "1", "0", "999", "05550000001", "4407700900001", "1155500000011", "21"]
)
def test_whatever_is_not_certain_is_left_to_the_library(digits: str) -> None:
    assert not e164.is_complete(digits)
