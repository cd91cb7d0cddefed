"""Headers on every answer, errors too: the page runs its own files only, and no copy is kept."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from whatsapp_provider.plugin.lazy import App, Receive, Scope, Send

#: ``data:`` is the QR code, which is nowhere a file.
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'self'",
}


def content_security_policy(**changes: str) -> str:
    """Return the policy as a header's value; ``style_src=…`` replaces the directive ``style-src``."""
    policy = POLICY | {name.replace("_", "-"): value for name, value in changes.items()}
    return "; ".join(f"{name} {value}" for name, value in policy.items())


SAFE_HEADERS = {
    b"content-security-policy": content_security_policy().encode(),
    b"cache-control": b"no-store",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}


class SafeHeaders:
    """ASGI middleware that puts :data:`SAFE_HEADERS` where an answer has none of its own."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the head of its answer."""

        async def complete(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                given = {name.lower() for name, _ in headers}
                headers += [item for item in SAFE_HEADERS.items() if item[0] not in given]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, complete)
