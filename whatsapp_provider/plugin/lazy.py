"""An ASGI application that is imported when the first request comes, and denies if that fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger(__name__)


class LazyApp:
    """Stands where an application will be.

    :param module: imported at the first request, in a thread.
    :param name: of the application in that module.
    """

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name
        self._app: App | None = None
        self._failed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an HTTP request on; refuse whatever else there is."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            app = await self._loaded()
            await (app or _unavailable)(scope, receive, send)

    async def _loaded(self) -> App | None:
        if self._app is None and not self._failed:
            try:
                self._app = getattr(await asyncio.to_thread(import_module, self._module), self._name)
            except Exception:
                # The check of rights is in there too: without it nothing may be shown.
                self._failed = True
                log.exception("The WhatsApp pages can't be loaded and stay closed until a restart.")
        return self._app


async def _unavailable(_scope: Scope, _receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    body = b"The WhatsApp pages could not be loaded; the API server's log says why.\n"
    await send({"type": "http.response.body", "body": body})
