"""QR codes: a real PNG of 300 by 300 pixels over a long random code, as the gate shows it."""

from __future__ import annotations

import base64
import random

from whatsapp_provider.emulator.qr import pairing_text, png
from whatsapp_provider.emulator.whapi.refusals import RefusalError

SIZE = 300
SCALE = 4


class QrCode:
    """One code, drawn when first asked for."""

    def __init__(self, source: random.Random, expires_at: float) -> None:
        self.raw = pairing_text(source)
        self.expires_at = expires_at
        self._png: bytes | None = None

    def png(self) -> bytes:
        """Return the picture."""
        if self._png is None:
            try:
                self._png = png(self.raw, SIZE, SCALE)
            except ImportError as error:
                raise RefusalError(422, "Render QR failed") from error
        return self._png

    def as_dict(self, seconds_left: float) -> dict[str, object]:
        """Return the QR object with the picture, in the captured order of keys."""
        picture = base64.b64encode(self.png()).decode()
        return {
            "status": "OK",
            "expire": max(0, int(seconds_left)),
            "base64": f"data:image/png;base64,{picture}",
        }
