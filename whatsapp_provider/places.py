"""A connection for each message that is under way: HTTP as httpx speaks it, without the client and pools around it.

A run sends the same request thousands of times to one address, each under its lease and as many at once as it has
places. So it needs little of what a client does for each request: to merge a URL and headers anew, redirects, cookies,
proxies, a pool that looks at all its connections. That is most of the work.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import h11
import httpx

from whatsapp_provider import network
from whatsapp_provider.conversation import Conversation
from whatsapp_provider.deadline import Writing
from whatsapp_provider.errors import WhatsAppError
from whatsapp_provider.exchange import Answer, Request
from whatsapp_provider.wire_failures import failure_of, no_address, unwritable, whole

IDLE_SECONDS = 5.0  #: that a connection is kept unused, as in httpx's own pools


@dataclass(frozen=True, slots=True)
class _Target:
    """What a URL means on the wire.

    :param origin: scheme, host and port.
    :param host: as the request's head names it.
    """

    origin: tuple[str, str, int]
    path: bytes
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
        self._idle: dict[tuple[str, str, int], deque[Conversation]] = {}

    @staticmethod
    def suit(request: Request) -> bool:
        """Whether a request is like those that a run sends: JSON to an address of HTTP."""
        return request.form is None and not request.params and request.url.startswith(("http://", "https://"))

    async def exchange(self, request: Request, where: str, writing: Writing) -> Answer:
        """Send one request once, and raise what a wire raises.

        :param writing: asked before a connection is taken and again before the request is written.
        """
        target, head, content = self._built(request, where)
        writing.check(where)
        limit = request.timeouts.exchange
        taken: Conversation | None = None
        is_over = False
        try:
            async with asyncio.timeout(limit):
                taken = await self._take(target, request)
                response = await taken.ask(head, content, partial(writing.check, where))
                body = await whole(taken.body(), where, response.status_code)
                is_over = True
            return _answer(response, body)
        except WhatsAppError:
            raise
        except Exception as error:
            raise failure_of(error, where, limit) from None
        finally:
            # The next request must not meet the rest of an answer.
            if taken is not None:
                if is_over and taken.end():
                    self._idle[target.origin].append(taken)
                else:
                    taken.close()

    def _built(self, request: Request, where: str) -> tuple[_Target, h11.Request, bytes]:
        try:
            target = _target(request.url)
            body = b"" if request.json is None else _body(request.json)
            headers = [(b"host", target.host), *self._headers, *_encoded(request.headers)]
            if body:
                headers.append((b"content-type", b"application/json"))
            if body or request.method in {"POST", "PUT", "PATCH"}:
                headers.append((b"content-length", b"%d" % len(body)))
            return target, h11.Request(method=request.method, target=target.path, headers=headers), body
        except httpx.InvalidURL as error:
            raise no_address(error, where) from None
        except h11.LocalProtocolError:
            raise unwritable(ValueError(), where) from None
        except (ValueError, TypeError) as error:
            raise unwritable(error, where) from None

    async def _take(self, target: _Target, request: Request) -> Conversation:
        """Return the connection that rested for longest, so that those too many end by themselves, or a new one."""
        idle = self._idle.setdefault(target.origin, deque())
        while idle:
            taken = idle.popleft()
            if not taken.has_rested(IDLE_SECONDS):
                taken.bounds = request.timeouts
                return taken
            taken.close()
        scheme, host, port = target.origin
        context = self._context if scheme == "https" else None
        stream = await network.connect(host, port, context, request.timeouts.connect)
        return Conversation(stream, request.timeouts)

    async def aclose(self) -> None:
        """Close the connections that are not in use."""
        for idle in self._idle.values():
            while idle:
                idle.popleft().close()


@lru_cache(maxsize=64)
def _target(url: str) -> _Target:
    parsed = httpx.URL(url)
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    return _Target((parsed.scheme, parsed.raw_host.decode("ascii"), port), parsed.raw_path, parsed.netloc)


def _body(value: Any) -> bytes:
    """Return what httpx would write for it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]


def _answer(response: h11.Response, body: bytes) -> Answer:
    headers: dict[str, str] = {}
    for name, value in response.headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    if "content-encoding" in headers:
        body = httpx.Response(response.status_code, headers=list(response.headers), content=body).content
    return Answer(response.status_code, headers, body)
