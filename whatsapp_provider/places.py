"""A connection for each message that is under way: httpx's own, without the client and the pools around it.

A run sends the same request thousands of times to one address, each under its lease and as many at once as it has
places. So it needs little of what a client does for each request: to merge a URL and headers anew, redirects, cookies,
proxies, a pool that looks at all its connections. That is half of the work. What is written and read, and how it fails,
is httpcore's as before.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpcore
import httpx

from whatsapp_provider import network
from whatsapp_provider.deadline import Writing
from whatsapp_provider.errors import WhatsAppError
from whatsapp_provider.exchange import Answer, Request
from whatsapp_provider.wire_failures import failure_of, no_address, unwritable, whole

IDLE_SECONDS = 5.0  #: that a connection is kept unused, as in httpx's own pools


@dataclass(frozen=True, slots=True)
class _Target:
    """What a URL means on the wire."""

    origin: tuple[bytes, bytes, int]
    url: httpcore.URL
    host: bytes


class Places:
    """Connections that are used by one exchange at a time; who uses them says how many there may be.

    :param context: for TLS.
    :param headers: of each request.
    """

    def __init__(self, context: ssl.SSLContext, headers: Mapping[str, str]) -> None:
        context.set_alpn_protocols(["http/1.1"])
        self._context = context
        self._headers = [
            *_encoded(headers),
            (b"accept-encoding", b"gzip, deflate"),
            (b"connection", b"keep-alive"),
        ]
        self._idle: dict[tuple[bytes, bytes, int], deque[httpcore.AsyncHTTP11Connection]] = {}

    @staticmethod
    def suit(request: Request) -> bool:
        """Whether a request is like those that a run sends: JSON to an address of HTTP."""
        return request.form is None and not request.params and request.url.startswith(("http://", "https://"))

    async def exchange(self, request: Request, where: str, writing: Writing) -> Answer:
        """Send one request once, and raise what a wire raises.

        :param writing: asked before each part of it is written.
        """
        target, built = self._built(request, where)
        writing.check(where)
        writing.listen(where, built.extensions)
        limit = request.timeouts.exchange
        connection: httpcore.AsyncHTTP11Connection | None = None
        try:
            async with asyncio.timeout(limit):
                connection = await self._take(target, request.timeouts.connect)
                response = await connection.handle_async_request(built)
                try:
                    body = await whole(response.aiter_stream(), where, response.status)
                finally:
                    await response.aclose()
            return _answer(response, body)
        except WhatsAppError:
            raise
        except Exception as error:
            raise failure_of(error, where, limit) from None
        finally:
            # What did not come to its end was closed; the next request must not meet the rest of an answer.
            if connection is not None and connection.is_available():
                self._idle[target.origin].append(connection)

    def _built(self, request: Request, where: str) -> tuple[_Target, httpcore.Request]:
        bounds = request.timeouts
        timeout = {"connect": bounds.connect, "read": bounds.read, "write": bounds.write}
        try:
            target = _target(request.url)
            body = b"" if request.json is None else _body(request.json)
            headers = [(b"host", target.host), *self._headers, *_encoded(request.headers)]
            if body:
                headers.append((b"content-type", b"application/json"))
            if body or request.method in {"POST", "PUT", "PATCH"}:
                headers.append((b"content-length", b"%d" % len(body)))
            return target, httpcore.Request(
                request.method, target.url, headers=headers, content=body, extensions={"timeout": timeout}
            )
        except httpx.InvalidURL as error:
            raise no_address(error, where) from None
        except (ValueError, TypeError) as error:
            raise unwritable(error, where) from None

    async def _take(self, target: _Target, seconds: float) -> httpcore.AsyncHTTP11Connection:
        """Return the connection that rested for longest, so that those too many end by themselves, or a new one."""
        idle = self._idle.setdefault(target.origin, deque())
        while idle:
            connection = idle.popleft()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        scheme, host, port = target.origin
        context = self._context if scheme == b"https" else None
        stream = await network.connect(host.decode("ascii"), port, context, seconds)
        return httpcore.AsyncHTTP11Connection(target.url.origin, stream, keepalive_expiry=IDLE_SECONDS)

    async def aclose(self) -> None:
        """Close the connections that are not in use."""
        for idle in self._idle.values():
            while idle:
                await idle.popleft().aclose()


@lru_cache(maxsize=64)
def _target(url: str) -> _Target:
    parsed = httpx.URL(url)
    told = httpcore.URL(
        scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path
    )
    origin = told.origin
    return _Target((origin.scheme, origin.host, origin.port), told, parsed.netloc)


def _body(value: Any) -> bytes:
    """Return what httpx would write for it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]


def _answer(response: httpcore.Response, body: bytes) -> Answer:
    headers: dict[str, str] = {}
    for name, value in response.headers:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    if "content-encoding" in headers:
        body = httpx.Response(response.status, headers=response.headers, content=body).content
    return Answer(response.status, headers, body)
