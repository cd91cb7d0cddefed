"""The little of a web framework that the dialects need, kept small because every send passes here."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, unquote

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
HandlerT = TypeVar("HandlerT")

JSON_TYPE = b"application/json; charset=utf-8"


class Request:
    """One request, its body already read."""

    __slots__ = ("_query", "body", "headers", "method", "params", "path", "query_string", "scope", "unsent")

    def __init__(self, scope: Scope, body: bytes) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query_string: bytes = scope.get("query_string", b"")
        self.headers: list[tuple[bytes, bytes]] = scope["headers"]
        self.body = body
        self.params: dict[str, str] = {}
        # Set by a fault: the dialect must refuse to send, in its own words, with status 200.
        self.unsent = False
        self._query: dict[str, str] | None = None

    @property
    def query(self) -> dict[str, str]:
        """Return the query parameters, the last of each name."""
        if self._query is None:
            pairs = parse_qsl(self.query_string.decode("latin-1"), keep_blank_values=True)
            self._query = dict(pairs)
        return self._query

    def header(self, name: bytes) -> str:
        """Return a header by its lower-case name, or an empty text."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return ""

    def bearer(self) -> str:
        """Return the token from the Authorization header or from ``?token=``."""
        value = self.header(b"authorization")
        if value[:7].lower() == "bearer ":
            return value[7:].strip()
        return self.query.get("token", "") if self.query_string else ""

    def json(self) -> Any:
        """Return the body as JSON; an empty body is an empty object, a broken one is ValueError."""
        return json.loads(self.body) if self.body else {}

    async def form(self) -> tuple[dict[str, str], dict[str, tuple[str, str, bytes]]]:
        """Return a multipart body as fields and files (name, content type, bytes)."""
        # Starlette comes with Airflow; only this rare path pays for its import.
        from starlette.datastructures import UploadFile
        from starlette.requests import Request as FormRequest

        async def receive() -> Message:
            return {"type": "http.request", "body": self.body, "more_body": False}

        fields: dict[str, str] = {}
        files: dict[str, tuple[str, str, bytes]] = {}
        async with FormRequest(self.scope, receive).form(max_part_size=1 << 30) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    content = await value.read()
                    files[name] = (value.filename or "", value.content_type or "", content)
                else:
                    fields[name] = value
        return fields, files


class Reply:
    """One answer."""

    __slots__ = ("body", "content_type", "headers", "status")

    def __init__(
        self,
        status: int = 200,
        body: bytes = b"",
        content_type: bytes = JSON_TYPE,
        headers: list[tuple[bytes, bytes]] | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers


def json_reply(data: Any, status: int = 200) -> Reply:
    """Answer with JSON, the keys in the order given."""
    return Reply(status, json_bytes(data))


def json_bytes(data: Any) -> bytes:
    """Write JSON; half a surrogate pair, which JSON may carry and UTF-8 may not, becomes ``?``."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


async def read_body(receive: Receive) -> bytes:
    """Read a request to its end."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    parts = [body]
    while message.get("more_body", False):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


async def send_reply(send: Send, reply: Reply, *, head: bool) -> None:
    """Write an answer; HEAD has no body."""
    headers: list[tuple[bytes, bytes]] = []
    if reply.status != 204:
        headers.append((b"content-length", str(len(reply.body)).encode()))
    if reply.body:
        headers.append((b"content-type", reply.content_type))
    if reply.headers:
        headers.extend(reply.headers)
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else reply.body})


class Router(Generic[HandlerT]):
    """Paths to handlers: exact ones by one look-up, templates like ``/media/{id}`` in order."""

    def __init__(self) -> None:
        self._exact: dict[tuple[str, str], HandlerT] = {}
        self._patterns: list[tuple[str, re.Pattern[str], HandlerT]] = []

    def add(self, method: str, template: str, handler: HandlerT) -> None:
        """Register a handler."""
        if "{" not in template:
            self._exact[method, template] = handler
            return
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
        self._patterns.append((method, re.compile(pattern), handler))

    def resolve(self, request: Request, path: str) -> HandlerT | None:
        """Find the handler and put the path's parts into ``request.params``."""
        handler = self._exact.get((request.method, path))
        if handler is not None:
            return handler
        for method, pattern, candidate in self._patterns:
            if method == request.method and (match := pattern.fullmatch(path)):
                request.params = {name: unquote(value) for name, value in match.groupdict().items()}
                return candidate
        return None
