"""The hash by which a sent message is found again in a gateway's history."""

from __future__ import annotations

import hashlib

from whatsapp_provider.messages import Message, message_text

#: A gateway may show a voice note as audio, as WhatsApp itself does.
_SHOWN_AS = {"voice": ("voice", "audio"), "audio": ("audio", "voice")}


def body_hash(message: Message) -> str:
    """Return what the ledger keeps of a message's content.

    :raises UnicodeEncodeError: if the text holds half a character.
    """
    return _hash(message.kind, (message_text(message) or "").strip().encode())


def is_body(kept: str | None, kind: str, text: str | None) -> bool:
    """Whether a message that a gateway shows is the one that the ledger kept this hash of.

    White space at the ends is WhatsApp's to drop: what was planned with it may come without.
    """
    if kept is None:
        return False
    shown = (text or "").strip().encode(errors="replace")
    return any(kept == _hash(name, shown) for name in _SHOWN_AS.get(kind, (kind,)))


def _hash(kind: str, text: bytes) -> str:
    return hashlib.sha256(kind.encode() + b"\x00" + text).hexdigest()
