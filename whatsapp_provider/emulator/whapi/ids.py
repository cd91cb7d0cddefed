"""Ids that look like the real ones: the tail is the account's, its first letter the direction."""

from __future__ import annotations

import random
import string

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


class MessageIds:
    """Message ids of one channel."""

    def __init__(self, source: random.Random) -> None:
        self._random = source
        self._account = "".join(source.choices(ALNUM, k=7))

    def sent(self) -> str:
        """Return an id for a message sent over the API."""
        text = "".join(self._random.choices(ALNUM, k=15))
        return f"Psq{text[:13]}-w{text[13:]}{self._account}"

    def received(self) -> str:
        """Return an id for a message that a phone sent."""
        text = "".join(self._random.choices(ALNUM, k=18))
        return f"{text[:16]}-g{text[16:]}{self._account}"


def media_id(source: random.Random, mime_type: str) -> str:
    """Return a media id: the kind of file, then two runs of hexadecimal digits."""
    kind = "".join(c for c in mime_type.partition(";")[0].rpartition("/")[2] if c.isalnum()) or "bin"
    text = "".join(source.choices(HEX, k=46))
    return f"{kind}-{text[:32]}-{text[32:]}"
