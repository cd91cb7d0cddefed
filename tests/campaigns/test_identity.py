"""One person has one key, however their number was written."""

from __future__ import annotations

import pytest

from whatsapp_provider.campaigns.identity import (
    AliasKind,
    numbers_first,
    parse_alias,
    parse_form,
    parse_recipient,
)
from whatsapp_provider.errors import ConfigurationError, RecipientError


@pytest.mark.parametrize(
    ("written", "region", "key", "address"),
    [
        ("+15550000001", None, "15550000001", "15550000001"),
        ("15550000001", None, "15550000001", "15550000001"),
        (15550000001, None, "15550000001", "15550000001"),
        (" +1 (555) 000-0001 ", None, "15550000001", "15550000001"),
        ("+1.555.000.0001", None, "15550000001", "15550000001"),
        ("0015550000001", None, "15550000001", "15550000001"),
        ("(555) 000-0001", "US", "15550000001", "15550000001"),
        ("+1 555 000 0001", "BR", "15550000001", "15550000001"),
        ("11 90000-0001", "BR", "5511900000001", "5511900000001"),
        ("011 90000-0001", "BR", "5511900000001", "5511900000001"),
        # WhatsApp's own ids
        ("15550000001@s.whatsapp.net", None, "15550000001", "15550000001"),
        ("15550000001@c.us", None, "15550000001", "15550000001"),
        ("15550000001:12@s.whatsapp.net", None, "15550000001", "15550000001"),
        ("120363000000000000@g.us", None, "120363000000000000@g.us", "120363000000000000@g.us"),
        ("15550000001-1600000000@g.us", None, "15550000001-1600000000@g.us", "15550000001-1600000000@g.us"),
        ("100000000000001@lid", None, "100000000000001@lid", "100000000000001@lid"),
        ("100000000000001:12@lid", None, "100000000000001@lid", "100000000000001@lid"),
        (
            "120363000000000001@newsletter",
            None,
            "120363000000000001@newsletter",
            "120363000000000001@newsletter",
        ),
        # Brazil: the ninth digit that older ids lack. The address stays as it was given.
        ("+55 11 90000-0001", None, "5511900000001", "5511900000001"),
        ("551170000001@s.whatsapp.net", None, "5511970000001", "551170000001"),
        ("551130000001@s.whatsapp.net", None, "551130000001", "551130000001"),
        # Mexico: a 1 after the country code.
        ("+52 55 0000 0001", None, "525500000001", "525500000001"),
        ("+52 1 55 0000 0001", None, "525500000001", "5215500000001"),
        ("5215500000001@s.whatsapp.net", None, "525500000001", "5215500000001"),
        # Argentina: a 9 after it.
        ("+54 9 11 0000-0001", None, "5491100000001", "5491100000001"),
        ("+54 11 0000-0001", None, "5491100000001", "541100000001"),
        ("5491100000001@s.whatsapp.net", None, "5491100000001", "5491100000001"),
    ],
)
def test_each_form_of_a_number_gives_key_and_address(
    written: object, region: str | None, key: str, address: str
) -> None:
    recipient = parse_recipient(written, region=region)
    assert (recipient.key, recipient.address) == (key, address)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        (None, "is empty"),
        ("Ada", "neither a phone number nor a WhatsApp id"),
        ("ada@example.com", "neither a phone number"),
        (True, "neither a phone number"),
        ("1555", "too short"),
        ("+1555000000", "too short or too long"),
        ("+155500000012", "too short or too long"),
        ("1" * 40, "too"),
        ("+999 555 000 0001", "unknown country code"),
        ("15550000001@gmail.com", "neither a phone number"),
        ("x@+15550000001", "'…0001' is neither a phone number"),
        ("x@1 555 000 0001 y", "'…0001' is neither a phone number"),
        ("15550000001x22", "neither a phone number"),
        ("15550000001;15550000002", "neither a phone number"),
        # A spreadsheet's or data frame's decimal would be another person's number, with a 0 at its end.
        ("15550000001.0", "made a decimal"),
        (15550000001.0, "made a decimal"),
        ("1.5550000001E+10", "neither a phone number"),
        (float("nan"), "neither a phone number"),
    ],
)
def test_what_is_no_number_is_refused_and_never_shown_whole(written: object, told: str) -> None:
    with pytest.raises(RecipientError, match=told) as caught:
        parse_recipient(written)
    shown = str(caught.value)
    assert "1555000" not in shown
    assert "5550000001" not in shown


def test_digits_of_other_scripts_are_the_same_number() -> None:
    assert (
        parse_recipient("+\u0661\u0665\u0665\u0665\u0660\u0660\u0660\u0660\u0660\u0660\u0661").key
        == "15550000001"
    )
    with pytest.raises(RecipientError):
        parse_recipient("\u0661\u0665\u0665\u0665\u0660\u0660\u0660\u0660\u0660\u0660\u0661@s.whatsapp.net")


@pytest.mark.parametrize("region", ["br", "XX", "Brazil"])
def test_a_region_that_does_not_exist_is_a_mistake_of_the_setting_and_not_of_each_row(region: str) -> None:
    with pytest.raises(ConfigurationError, match="is not an ISO country code"):
        parse_recipient("11900000001", region=region)


def test_a_recipient_shows_the_end_of_the_number_only() -> None:
    recipient = parse_recipient("+5511900000001")
    assert recipient.masked == "…0001"
    assert "11900000001" not in repr(recipient)


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("+1 555 000 0001", "15550000001"),
        ("551170000001@s.whatsapp.net", "5511970000001"),
        ("100000000000001:3@lid", "100000000000001@lid"),
        (" US.13491208655302741918 ", "US.13491208655302741918"),
        ("US.ENT.11815799212886844830", "US.ENT.11815799212886844830"),
        ("BR." + "a" * 128, "BR." + "a" * 128),
    ],
)
def test_whatever_a_person_is_called_has_one_form(written: str, form: str) -> None:
    assert parse_form(written) == form


@pytest.mark.parametrize(
    "written",
    ["", None, "120363000000000000@g.us", "US.", "us.1", "USA.1", "US." + "a" * 129, "US.1 2", "Ada", 1.5],
)
def test_what_is_no_persons_form_is_refused(written: object) -> None:
    with pytest.raises(RecipientError):
        parse_form(written)


def test_a_column_of_ids_holds_ids_of_its_kind() -> None:
    lid = "100000000000001@lid"
    assert [parse_alias(AliasKind.LID, one) for one in (lid, "100000000000001", 100000000000001)] == [lid] * 3
    assert parse_alias(AliasKind.USER_ID, "BR.1") == "BR.1"
    assert [parse_alias(kind, nothing) for kind in AliasKind for nothing in (None, "", "  ")] == [None] * 6
    wrong = [
        (AliasKind.LID, "BR.1"),
        (AliasKind.LID, 1.0e14),
        (AliasKind.LID, "15550000001@s.whatsapp.net"),
        (AliasKind.USER_ID, "15550000001"),
    ]
    for kind, value in wrong:
        with pytest.raises(RecipientError, match=f"is no {kind}, such as") as raised:
            parse_alias(kind, value)
        assert "15550000001" not in str(raised.value)


def test_a_number_stands_for_a_person_before_any_id() -> None:
    assert numbers_first(["US.1", "1@lid", "15550000001", "1@lid"]) == ["15550000001", "1@lid", "US.1"]
