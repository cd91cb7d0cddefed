"""Make text fit for a log: no whole phone number, no token, no flood."""

from __future__ import annotations

import re

#: Seven digits or more in a row, as in phone numbers and WhatsApp ids, perhaps written with spaces.
_NUMBER = re.compile(r"\+?\d(?:[\s().\-/]{0,3}\d){6,}")
#: What follows the name of a secret, and what looks like one by itself: a word of 20 characters or more
#: after "bearer", a JWT, 32 letters and digits, hexadecimal digits in groups as in a UUID.
_NAMED = re.compile(
    r"(?i)((?:token|api_?key|secret|password)[\"']?\s*[=:]\s*[\"']?)(?:bearer\s+)?[^\s\"',&}]+"
)
_BARE = re.compile(
    r"(?i)(bearer\s+)[\w.~+/=-]{20,}|\beyJ[\w-]+(?:\.[\w-]+)*|\b(?=\w*\d)[A-Za-z0-9]{32,}\b"
    r"|\b[0-9a-f]{4,8}(?:-[0-9a-f]{4}){3}(?:-[0-9a-f]{4,12})?\b"
)
_LONGEST = 10_000  #: characters that are looked at
_PART = 12  #: characters in a row of a secret that are struck out where the rest of it was cut off
_WORD = 4  #: characters; a shorter secret is struck out as a whole word only, else little text would remain


def mask_number(value: str) -> str:
    """Return the last four characters of a recipient, e.g. ``…4567``."""
    name, at, server = value.partition("@")
    return f"…{name[-4:]}{at}{server}" if name else "…"


def redact(text: str, *, secrets: tuple[str, ...] = (), limit: int = 300) -> str:
    """Return ``text`` on one line, without the secrets given, phone numbers and bearer tokens.

    :param secrets: struck out wherever they stand, the longest first; of less than four characters, whole words.
        So is what is quoted of one in part, from 12 characters in a row.
    :param limit: characters kept.
    """
    for secret in sorted(set(secrets), key=len, reverse=True):
        text = _strike(text, secret)
    text = _strike_parts(text[:_LONGEST], secrets)
    text = _NAMED.sub(r"\1***", text)
    text = _BARE.sub(lambda found: f"{found.group(1) or ''}***", text)
    text = _NUMBER.sub(lambda found: mask_number(re.sub(r"\D", "", found.group())), text)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _strike(text: str, secret: str) -> str:
    bare = secret.strip()
    if not bare:
        return text
    if len(bare) < _WORD:
        return re.sub(rf"(?<!\w){re.escape(bare)}(?!\w)", "***", text)
    return text.replace(secret, "***").replace(bare, "***")


def _strike_parts(text: str, secrets: tuple[str, ...]) -> str:
    """Strike out what is quoted of a secret in part: of a long one, such as a file, what is in its beginning."""
    # As one line, because a quotation may have lost its line breaks.
    text, *bare = (" ".join(one[:_LONGEST].split()) for one in (text, *secrets))
    parts = {one[at : at + _PART] for one in bare for at in range(len(one) - _PART + 1)}
    if not parts:
        return text
    told, end = "", 0  # up to where it is struck out
    for at, character in enumerate(text):
        if text[at : at + _PART] in parts:
            told += "***" if at >= end else ""
            end = at + _PART
        elif at >= end:
            told += character
    return told
