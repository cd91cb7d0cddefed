"""The host: routes, whose API it is, the token, the limit of requests, and abilities."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hmac import compare_digest
from typing import NamedTuple

from whatsapp_provider.emulator.asgi import Reply, Request, Router
from whatsapp_provider.emulator.whatscloud import contacts, messages, phones
from whatsapp_provider.emulator.whatscloud.limits import RateLimit
from whatsapp_provider.emulator.whatscloud.refusals import (
    INVALID,
    RefusalError,
    StockError,
    TooLargeError,
    refused,
)
from whatsapp_provider.emulator.whatscloud.resources import READ, WRITTEN
from whatsapp_provider.emulator.whatscloud.tenant import Tenant

PREFIX = "/api/v1/"
METHODS = ("GET", "POST", "PUT", "DELETE")
SENDING = ("messages.send_text", "messages.send_media", "messages.send_template")
FORM_BYTES = 65_536  #: what a form may have besides its file
ONE_FOR_ALL = "messages.send"
DONE = {"POST": "create", "GET": "read", "PUT": "update", "DELETE": "delete"}


class Call(NamedTuple):
    """What answers a path, and the abilities of which it needs one."""

    run: Callable[[Tenant, Request], Awaitable[Reply]]
    abilities: tuple[str, ...]
    newer: bool = False


class Api:
    """The vendor's host as one path prefix."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._limit = RateLimit(tenant.world)
        self._router: Router[Call] = Router()
        self._add_rows()
        add = self._router.add
        for path, send, ability in zip(
            ("send", "media", "template"),
            (messages.send_text, messages.send_media, messages.send_template),
            SENDING,
            strict=True,
        ):
            add("POST", f"/messages/{path}", Call(send, (ability,)))
        add("GET", "/messages/{id}/status", Call(messages.status, SENDING, newer=True))
        add("POST", "/phone/validate", Call(phones.validate, SENDING, newer=True))

    def _add_rows(self) -> None:
        add = self._router.add
        for method, path, run in (
            ("POST", "/contacts", contacts.create),
            ("GET", "/contacts", contacts.index),
            ("GET", "/contacts/{id}", contacts.show),
            ("PUT", "/contacts/{id}", contacts.update),
            ("DELETE", "/contacts/{id}", contacts.delete),
        ):
            add(method, path, Call(run, (f"contacts.{DONE[method]}",)))
        for kind in (*WRITTEN, *READ):
            add("GET", f"/{kind.path}", Call(kind.index, (f"{kind.path}.read",)))
            add("GET", f"/{kind.path}/{{id}}", Call(kind.show, (f"{kind.path}.read",)))
        for kind in WRITTEN:
            add("POST", f"/{kind.path}", Call(kind.create, (f"{kind.path}.create",)))
            add("PUT", f"/{kind.path}/{{id}}", Call(kind.update, (f"{kind.path}.update",)))
            add("DELETE", f"/{kind.path}/{{id}}", Call(kind.delete, (f"{kind.path}.delete",)))

    async def handle(self, request: Request, path: str) -> Reply:
        """Answer one request."""
        try:
            if len(request.body) > self._tenant.world.settings.media_limit_bytes + FORM_BYTES:
                raise TooLargeError
            call, name = self._route(request, path)
            self._admit(request, name)
            headers = self._limit.take(self._tenant.world.settings.whatscloud_token)
            try:
                self._able(call)
                reply = await call.run(self._tenant, request)
            except RefusalError as refusal:
                reply = refusal.reply(request)
            reply.headers = [*(reply.headers or []), *headers]
        except RefusalError as refusal:
            return refusal.reply(request)
        return reply

    def _route(self, request: Request, path: str) -> tuple[Call, str]:
        """Return what answers, and the tenant that the path names."""
        name, slash, rest = path.removeprefix(PREFIX).partition("/")
        if not path.startswith(PREFIX) or not slash:
            raise StockError(404, f"The route {path[1:]} could not be found.")
        call = self._router.resolve(request, f"/{rest}")
        newer = self._tenant.world.settings.whatscloud_newer_calls
        if call is not None and (newer or not call.newer):
            return call, name
        if call is None and (known := self._methods(request, f"/{rest}")):
            told = f"The {request.method} method is not supported for route {path[1:]}."
            raise StockError(405, f"{told} Supported methods: {', '.join(known)}.")
        raise StockError(404, f"The route {path[1:]} could not be found.")

    def _methods(self, request: Request, path: str) -> list[str]:
        found = [
            method
            for method in METHODS
            if self._router.resolve(Request({**request.scope, "method": method}, b""), path)
        ]
        return ["GET", "HEAD", *found[1:]] if "GET" in found else found

    def _admit(self, request: Request, name: str) -> None:
        """Let in who names the tenant and has its token."""
        settings = self._tenant.world.settings
        if name != settings.whatscloud_tenant:
            raise refused(400, INVALID, errors="Invalid tenant subdomain")
        if not settings.whatscloud_api_access:
            raise refused(403, "API access is disabled")
        scheme, _, token = request.header(b"authorization").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise refused(401, "API token is required")
        if not compare_digest(token.strip().encode(), settings.whatscloud_token.encode()):
            raise refused(401, "Invalid API token")

    def _able(self, call: Call) -> None:
        """Refuse a token that has none of the abilities that a call can be made with."""
        settings = self._tenant.world.settings
        one = settings.whatscloud_send_abilities == "one" and call.abilities[0] in SENDING
        abilities = (ONE_FOR_ALL,) if one else call.abilities
        if all(ability in settings.whatscloud_missing_abilities for ability in abilities):
            raise refused(403, f"Token does not have the required ability: {abilities[0]}")
