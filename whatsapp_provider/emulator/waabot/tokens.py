"""The account's tokens: JSON Web Tokens, as the author's starter makes them, and two fixed ones for convenience."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from whatsapp_provider.emulator.world import World

REFRESH_SECONDS = 31_557_600
# Of no use to anybody: what it signs opens a fake service. Not from the dice, which others throw after it.
KEY = b"waabot"
FIXED_SESSION = "61bbdbe3087d744b74853600"


class Tokens:
    """Issues tokens and says whether one is still good; nothing is kept but which sessions are valid."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.sessions: dict[str, dict[str, Any]] = {}

    def issue(self, claims: dict[str, Any], seconds: float) -> str:
        """Return a signed token."""
        now = int(self._world.clock.now())
        head = _part({"alg": "HS256", "typ": "JWT"})
        body = _part({**claims, "iat": now, "exp": now + int(seconds)})
        return f"{head}.{body}.{self._sign(f'{head}.{body}')}"

    def access(self, user: dict[str, Any], session_id: str) -> str:
        """Return a bearer for a quarter of an hour, or as long as the settings say."""
        return self.issue({**user, "session": session_id}, self._world.settings.waabot_token_seconds)

    def refresh(self, session: dict[str, Any]) -> str:
        """Return what is sent as ``x-refresh``, good for a year."""
        return self.issue(session, REFRESH_SECONDS)

    def session_of_bearer(self, token: str) -> tuple[str | None, bool]:
        """Return the session of a good bearer, and whether a bearer was good once."""
        settings = self._world.settings
        if token == settings.waabot_token:
            expired = settings.waabot_token_expired
            return None if expired else FIXED_SESSION, expired
        claims = self._read(token)
        if claims is None or "session" not in claims:
            return None, False
        expired = self._expired(claims)
        return None if expired else claims["session"], expired

    def renewable(self, refresh_token: str) -> str | None:
        """Return the session for which ``x-refresh`` gets a new bearer."""
        session_id = FIXED_SESSION
        if refresh_token != self._world.settings.waabot_refresh_token:
            claims = self._read(refresh_token)
            if claims is None or self._expired(claims):
                return None
            session_id = claims["_id"]
        session = self.sessions.get(session_id)
        return session_id if session is not None and session["valid"] else None

    def _expired(self, claims: dict[str, Any]) -> bool:
        return bool(claims["exp"] <= self._world.clock.now())

    def _read(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token that was signed here."""
        signed, _, signature = token.rpartition(".")
        if not signed or not hmac.compare_digest(signature.encode(), self._sign(signed).encode()):
            return None
        text = signed.partition(".")[2]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return claims

    def _sign(self, text: str) -> str:
        return _bare(hmac.digest(KEY, text.encode(), hashlib.sha256))


def _part(data: dict[str, Any]) -> str:
    return _bare(json.dumps(data, separators=(",", ":")).encode())


def _bare(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
