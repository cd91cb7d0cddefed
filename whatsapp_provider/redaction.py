"""Make text fit for a log: no whole phone number, no token, no flood."""

from __future__ import annotations

import re

#: Seven digits or more in a row, as in phone numbers and WhatsApp ids, perhaps written with spaces.
_NUMBER = re.compile(r"\+?\d(?:[\s().-]?\d){6,}")
_BEARER = re.compile(r"(?i)(bearer\s+|token[=:\s\"']+|apikey[=:\s\"']+)[^\s\"',&}]+")


def mask_number(value: str) -> str:
    """Return the last four characters of a recipient, e.g. ``…4567``."""
    name, at, server = value.partition("@")
    return f"…{name[-4:]}{at}{server}" if name else "…"


def redact(text: str, *, secrets: tuple[str, ...] = (), limit: int = 300) -> str:
    """Return ``text`` on one line, without the secrets given, phone numbers and bearer tokens.

    :param limit: characters kept.
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = _BEARER.sub(r"\1***", text)
    text = _NUMBER.sub(lambda found: mask_number(re.sub(r"\D", "", found.group())), text)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
