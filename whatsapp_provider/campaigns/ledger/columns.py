"""What fits into a column."""

from __future__ import annotations


def kept(text: str | None, limit: int) -> str | None:
    """Return what a column can hold: one odd character of a gateway's must not cost a whole commit."""
    if not text:
        return None
    return text.replace("\x00", "")[:limit].encode("utf-8", "replace").decode()
