"""QR codes as the gateways show them: a long random text, and a real picture of it."""

from __future__ import annotations

import base64
import io
import random


def pairing_text(source: random.Random) -> str:
    """Return a text in the form that WhatsApp's phones scan; it pairs nothing."""
    parts = [base64.b64encode(source.randbytes(length)).decode() for length in (39, 32, 32, 32)]
    return "2@" + ",".join(parts)


def png(text: str, size: int, scale: int) -> bytes:
    """Draw a text as a square picture of so many pixels; ImportError without the extra ``emulator``."""
    import segno

    code = segno.make(text, micro=False, error="l", boost_error=False)
    border = (size // scale - len(code.matrix)) // 2
    stream = io.BytesIO()
    code.save(stream, kind="png", scale=scale, border=border)
    return stream.getvalue()
