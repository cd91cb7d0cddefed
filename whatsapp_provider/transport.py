"""The only module that imports an HTTP library: one request out, one answer or one honest error back.

Stock httpx in small pools: one large pool gets slower as it grows, and other transports report a
request that was read and then reset as one that never left, which would be sent twice. The
measurements are in ARCHITECTURE.md.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx

from whatsapp_provider import __version__
from whatsapp_provider.errors import ConfigurationError, NoAnswerError, NotReachedError

USER_AGENT = f"airflow-provider-whatsapp/{__version__}"
MAX_POOLS = 10  #: for each loop, origin and TLS setting
CONNECTIONS_PER_POOL = 8
MAX_ANSWER_BYTES = 20 * 1024 * 1024

#: Raised by httpx before the first byte of the request is written. All else may have been sent.
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

# httpx logs each URL at INFO, which would put tokens and numbers into task logs.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds in seconds: to connect, between bytes read, between bytes written, to get a connection."""

    connect: float = 10.0
    read: float = 30.0
    write: float = 30.0
    pool: float = 30.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request; the body is JSON."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    timeouts: Timeouts = field(default_factory=Timeouts)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, whatever its status. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Return the decoded body.

        :raises NoAnswerError: if it is not JSON; on a send this is ``hold``.
        """
        try:
            return json.loads(self.body)
        except ValueError:
            kind = self.headers.get("content-type", "no content type")
            raise NoAnswerError(
                f"answered {self.status} with {len(self.body)} bytes of {kind} that are not JSON; "
                "is the URL of the connection that of the API?",
                status=self.status,
                code="unreadable",
            ) from None


@lru_cache(maxsize=8)
def _ssl_context(verify: bool | str) -> ssl.SSLContext:
    # Building one costs 20 to 76 ms; a client for each trigger would block the triggerer.
    if verify is True:
        return ssl.create_default_context()
    if verify is False:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    return ssl.create_default_context(cafile=verify)


class Wire:
    """Small connection pools to one origin, for one event loop."""

    def __init__(
        self, *, verify: bool | str = True, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._verify = verify
        self._transport = transport
        self._clients: list[tuple[httpx.AsyncClient, asyncio.Semaphore]] = []
        self._free = asyncio.Semaphore(MAX_POOLS * CONNECTIONS_PER_POOL)

    def _client(self) -> tuple[httpx.AsyncClient, asyncio.Semaphore]:
        """Return the fullest pool with a free place, so that idle pools can let their connections go."""
        for client, places in self._clients:
            if not places.locked():
                return client, places
        client = httpx.AsyncClient(
            verify=_ssl_context(self._verify),
            transport=self._transport,
            limits=httpx.Limits(
                max_connections=CONNECTIONS_PER_POOL, max_keepalive_connections=CONNECTIONS_PER_POOL
            ),
            # A cookie of one tenant must not travel with the token of another.
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
            follow_redirects=False,
            headers={"user-agent": USER_AGENT, "accept": "application/json"},
        )
        pool = (client, asyncio.Semaphore(CONNECTIONS_PER_POOL))
        self._clients.append(pool)
        return pool

    async def exchange(self, request: Request) -> Answer:
        """Send one request once.

        :raises NotReachedError: if no byte of it was written.
        :raises NoAnswerError: if it may have arrived and no whole answer came back.
        :raises ConfigurationError: if the URL can't be used at all.
        """
        where = urlsplit(request.url).netloc or request.url
        try:
            async with asyncio.timeout(request.timeouts.pool):
                await self._free.acquire()
        except TimeoutError:
            raise NotReachedError(
                f"{where}: no free connection within {request.timeouts.pool:g} s; nothing was sent.",
                code="pool_timeout",
            ) from None
        try:
            client, places = self._client()
            async with places:
                return await _exchange(client, request, where)
        finally:
            self._free.release()

    async def aclose(self) -> None:
        """Close all connections."""
        for client, _ in self._clients:
            await client.aclose()
        self._clients.clear()


async def _exchange(client: httpx.AsyncClient, request: Request, where: str) -> Answer:
    bounds = request.timeouts
    try:
        async with client.stream(
            request.method,
            request.url,
            params=dict(request.params) or None,
            headers=dict(request.headers),
            json=request.json,
            timeout=httpx.Timeout(
                connect=bounds.connect, read=bounds.read, write=bounds.write, pool=bounds.pool
            ),
        ) as response:
            body = await _read(response, where)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, headers, body)
    except _NEVER_LEFT as error:
        raise NotReachedError(
            f"{where} can't be reached ({type(error).__name__}: {error or 'no detail'}); nothing was sent.",
            code=type(error).__name__,
        ) from None
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise ConfigurationError(f"{request.url!r} is not an address to send to: {error}.") from None
    except httpx.HTTPError as error:
        raise NoAnswerError(
            f"{where} gave no whole answer ({type(error).__name__}); the request may have been carried out.",
            code=type(error).__name__,
        ) from None


async def _read(response: httpx.Response, where: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise NoAnswerError(
                f"{where} answered with more than {MAX_ANSWER_BYTES} bytes.",
                status=response.status_code,
                code="too_large",
            )
        parts.append(part)
    return b"".join(parts)


_wires: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, bool | str], Wire]] = (
    weakref.WeakKeyDictionary()
)


def shared_wire(origin: str, *, verify: bool | str = True) -> Wire:
    """Return the running loop's pools for an origin; credentials are given with each request."""
    wires = _wires.setdefault(asyncio.get_running_loop(), {})
    return wires.setdefault((origin, verify), Wire(verify=verify))
