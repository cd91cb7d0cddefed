"""The service over HTTP: what Express does before a handler is reached, and who may ask."""

from __future__ import annotations

import html

from whatsapp_provider.emulator.asgi import Reply, Request, Router
from whatsapp_provider.emulator.waabot import configure, life, sending, sessions, shelf
from whatsapp_provider.emulator.waabot.account import WaabotAccount
from whatsapp_provider.emulator.waabot.body import read_body
from whatsapp_provider.emulator.waabot.call import Call, Route
from whatsapp_provider.emulator.waabot.refusals import RefusalError, not_authorized, page

BASE = "/api/v1"


class Api:
    """The service as one path prefix."""

    def __init__(self, account: WaabotAccount) -> None:
        self._account = account
        self._router: Router[Route] = Router()
        for part in (sessions, life, configure, sending, shelf):
            for (method, path), route in part.ROUTES.items():
                self._router.add(method, BASE + path, route)

    async def handle(self, request: Request, path: str) -> Reply:
        """Answer one request, with a fresh bearer in a header where one was due."""
        session_id, renewed = self._look_at_bearer(request)
        try:
            reply = await self._answer(request, path, session_id)
        except RefusalError as refusal:
            reply = refusal.reply(self._account.world.settings.waabot_refusals)
        if renewed is not None:
            reply.headers = [*(reply.headers or ()), (b"x-access-token", renewed.encode())]
        return reply

    async def _answer(self, request: Request, path: str, session_id: str | None) -> Reply:
        # Express cares for neither the case nor a slash at the end.
        route = self._router.resolve(request, path.lower().rstrip("/"))
        if route is None:
            return page(f"Cannot {request.method} {html.escape(path or '/')}", 404)
        if request.method == "GET" and request.body:
            self._account.get_bodies.append((path, request.body))
        data, file = await read_body(request)
        call = Call(self._account, request, data, file, session_id)
        settings = self._account.world.settings
        needs_bearer = route.for_account or settings.waabot_strict_auth
        if needs_bearer and session_id is None and not route.anybody:
            raise not_authorized()
        reply = await route.handler(call)
        if settings.waabot_documented_204 and not route.recorded and reply.status == 200:
            return Reply(204)
        return reply

    def _look_at_bearer(self, request: Request) -> tuple[str | None, str | None]:
        """Return the session that asks, and a new bearer if it had to be renewed.

        An expired bearer with a good ``x-refresh`` goes on with a new one; ``x-refresh`` alone, or with a bearer
        that never was one, is ignored.
        """
        kind, _, bearer = request.header(b"authorization").partition(" ")
        if kind.lower() != "bearer" or not bearer.strip():
            return None, None
        tokens = self._account.tokens
        session_id, expired = tokens.session_of_bearer(bearer.strip())
        if not expired:
            return session_id, None
        session_id = tokens.renewable(request.header(b"x-refresh"))
        if session_id is None:
            return None, None
        return session_id, tokens.access(self._account.user, session_id)
