"""What is taken out of a text before it may be logged, and what stays legible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_provider.redaction import mask_number, redact

CHANNEL_TOKEN = "gW3kZ0bYt7LhXq2mRv8PnCs5DfJa1UeT"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjMifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("5511900001234", "…1234"),
        ("5511900001234@s.whatsapp.net", "…1234@s.whatsapp.net"),
        ("120363012345678901@g.us", "…8901@g.us"),
        ("", "…"),
    ],
)
def test_of_a_recipient_the_last_four_characters_are_shown(value: str, shown: str) -> None:
    assert mask_number(value) == shown


@pytest.mark.parametrize(
    "number",
    [
        *("5511900001234", "+5511900001234", "+55 11 90000-1234", "+55 (11) 90000-1234", "11 90000 1234"),
        *("+1 (555) 000-1234", "+44 (0) 20 - 7000 - 1234", "555.000.1234", "55/11/90001234", "0001234"),
    ],
)
def test_of_a_number_however_written_four_digits_stay(number: str) -> None:
    shown = redact(f"no user {number} here")
    assert shown == "no user …1234 here"


@given(st.text(alphabet="0123456789", min_size=7, max_size=31))
def test_no_long_row_of_digits_stays(digits: str) -> None:
    assert digits not in redact(f"a {digits} b")


@pytest.mark.parametrize(
    "text",
    [
        *(f"Bearer {CHANNEL_TOKEN}", f"authorization: bearer {JWT}", f"?token={CHANNEL_TOKEN}&x=1"),
        *(f'{{"token": "{CHANNEL_TOKEN}"}}', f"apikey: {CHANNEL_TOKEN}", f"api_key={CHANNEL_TOKEN}"),
        *(f"secret='{CHANNEL_TOKEN}'", f"token {JWT} expired", f"token {CHANNEL_TOKEN} expired"),
        f"Token: Bearer {CHANNEL_TOKEN}",
    ],
)
def test_what_looks_like_a_token_is_struck_out_though_nobody_named_it(text: str) -> None:
    shown = redact(text)
    assert CHANNEL_TOKEN not in shown
    assert JWT not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    "token", ["0184-28a5-439a-a1cd-fc6f", "464c3391-9d2f-4e0a-8a51-0f6b1c2d3e4f", "2AD8-07C9-447B-994D"]
)
def test_hexadecimal_digits_in_groups_are_struck_out(token: str) -> None:
    assert redact(f"no bot {token} here") == "no bot *** here"


@pytest.mark.parametrize("text", ["token=abc", "password: abc", 'secret":"abc'])
def test_what_is_named_as_a_secret_is_struck_out_however_short(text: str) -> None:
    assert "abc" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "Your token has expired",
        "Bearer token required",
        "invalid token",
        "Channel SHAZAM-3HDYQ not found",
        "need channel authorization",
        "the message PsqbJeDusXSe3ho-wBeFabHYIw is unknown",
        'must match pattern "^[\\d-]{9,31}(@[\\w\\.]{1,})?$"',
    ],
)
def test_words_about_tokens_and_ids_of_channels_and_messages_stay_legible(text: str) -> None:
    assert redact(text) == text


def test_the_secrets_given_are_struck_out_whatever_they_look_like() -> None:
    assert redact("pass phrase, two words", secrets=("pass phrase", "", "two")) == "***, *** words"


def test_a_secret_inside_another_does_not_leave_the_rest_of_it() -> None:
    assert redact("swordfish", secrets=("sword", "swordfish")) == "***"


def test_a_very_short_secret_is_struck_out_as_a_word_only() -> None:
    assert redact("a cat and 12 of 129", secrets=("a", "12")) == "*** cat and *** of 129"


def test_a_secret_far_down_a_long_text_is_struck_out_before_the_text_is_cut() -> None:
    text = " " * 9_990 + "a secret of many letters"
    assert "secret" not in redact(text, secrets=("a secret of many letters",))


def test_text_comes_on_one_line_and_is_cut_with_a_mark() -> None:
    assert redact("a\n b\t\tc") == "a b c"
    assert redact("word " * 100, limit=10) == "word word…"


@given(st.text(), st.integers(1, 50))
def test_no_text_breaks_it_and_none_is_longer_than_its_limit(text: str, limit: int) -> None:
    shown = redact(text, limit=limit)
    assert len(shown) <= limit
    assert "\n" not in shown


LETTER = "Dear Ada, your test came back:\npositive. Call the practice at nine."


@pytest.mark.parametrize(
    ("quoted", "shown"),
    [
        ("'Dear Ada, your te…' is too long", "'***…' is too long"),
        ("Dear Ada, yo", "***"),
        ("near 'test came back: positive. Ca'...", "near '***'..."),
        ("ends in: practice at nine.", "ends in:***"),
        ("Dear Ada, your test or Dear Ada, your te", "***or ***"),
        ("Dear Ada, your test.. practice at nine.", "***..***"),
        ("Dear Ada is no number", "Dear Ada is no number"),
    ],
)
def test_a_secret_that_is_quoted_in_part_is_struck_out_from_twelve_characters(
    quoted: str, shown: str
) -> None:
    assert redact(quoted, secrets=(LETTER,)) == shown


@given(st.text(min_size=12, max_size=60), st.data())
def test_no_part_of_twelve_characters_of_a_secret_stays(secret: str, data: st.DataObject) -> None:
    words = " ".join(secret.split())
    if len(words) >= 12:
        start = data.draw(st.integers(0, len(words) - 12))
        end = data.draw(st.integers(start + 12, len(words)))
        assert words[start:end] not in redact(f"a {words[start:end]}… b", secrets=(secret,))


def test_of_a_big_file_that_is_quoted_its_beginning_is_struck_out() -> None:
    file = "".join(map(chr, range(0x4E00, 0x4E00 + 1_000))) * 20_000
    assert redact(f"bad file: {file[:200]}…", secrets=(file,)) == "bad file: ***…"
