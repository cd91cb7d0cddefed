"""One request out, one answer or one honest error back.

Stock httpx in small pools: one large pool gets slower as it grows, and other transports report a
request that was read and then reset as one that never left, which would be sent twice. The messages of
a run, which ask for the right to be written, go through ``places.py``. The measurements are in ARCHITECTURE.md.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from whatsapp_provider import __version__, deadline
from whatsapp_provider.dispositions import failure
from whatsapp_provider.errors import WhatsAppError
from whatsapp_provider.exchange import Answer, Form, Request, Timeouts
from whatsapp_provider.places import Places
from whatsapp_provider.wire_failures import failure_of, no_address, unwritable, whole

__all__ = ["Answer", "Form", "Request", "Timeouts", "Wire", "look_at", "shared_wire"]

USER_AGENT = f"airflow-provider-whatsapp/{__version__}"
MAX_POOLS = 10  #: for each loop, origin and TLS setting
CONNECTIONS_PER_POOL = 8  #: a pool looks at each of its connections several times for each request

#: Never asked for through the machine's proxy: the emulator is here, and no proxy reaches it.
_LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")
_OF_EACH = {"user-agent": USER_AGENT, "accept": "application/json"}
#: Sizes are those of the file itself, so it is not to come packed.
_OF_A_LOOK = {"user-agent": USER_AGENT, "accept": "*/*", "accept-encoding": "identity", "connection": "close"}

# httpx logs each URL at INFO, which would put tokens and numbers into task logs.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


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


@dataclass(slots=True)
class _Pool:
    client: httpx.AsyncClient
    under_way: int = 0


class Wire:
    """Small connection pools to one origin, for one event loop."""

    def __init__(
        self, *, verify: bool | str = True, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._verify = verify
        self._transport = transport
        self._pools: list[_Pool] = []
        # So many requests, spread evenly, never ask a pool for more connections than it has.
        self._free = asyncio.Semaphore(MAX_POOLS * CONNECTIONS_PER_POOL)

    def _pool(self) -> _Pool:
        """Return the least busy pool.

        Requests that begin together in one pool are given the same free connection, and all but one must ask again.
        """
        quietest = min(self._pools, key=lambda pool: pool.under_way, default=None)
        if quietest is not None and (quietest.under_way == 0 or len(self._pools) == MAX_POOLS):
            return quietest
        client = httpx.AsyncClient(
            verify=_ssl_context(self._verify),
            transport=self._transport,
            mounts=dict.fromkeys(_LOOPBACK),
            limits=httpx.Limits(
                max_connections=CONNECTIONS_PER_POOL, max_keepalive_connections=CONNECTIONS_PER_POOL
            ),
            # A cookie of one tenant must not travel with the token of another.
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
            follow_redirects=False,
            headers=_OF_EACH,
        )
        self._pools.append(pool := _Pool(client))
        return pool

    @cached_property
    def _places(self) -> Places | None:
        """Where messages under a lease go, unless a proxy is between or a transport of somebody's own."""
        if self._transport is not None or getproxies():
            return None
        return Places(_ssl_context(self._verify), _OF_EACH)

    async def exchange(self, request: Request) -> Answer:
        """Send one request once.

        :raises NotReachedError: if no byte of it was written.
        :raises NoAnswerError: if it may have arrived and no whole answer came back.
        :raises ConfigurationError: if the URL can't be used at all.
        """
        where = urlsplit(request.url).netloc
        try:
            if self._free.locked():
                async with asyncio.timeout(request.timeouts.pool):
                    await self._free.acquire()
            else:
                await self._free.acquire()
        except TimeoutError:
            told = f"{where}: no free connection within {request.timeouts.pool:g} s; nothing was sent."
            raise failure("pool_timeout", told) from None
        try:
            writing = deadline.current()
            if writing is not None and self._places is not None and Places.suit(request):
                return await self._places.exchange(request, where, writing)
            pool = self._pool()
            pool.under_way += 1
            try:
                return await _exchange(pool.client, request, where, writing)
            finally:
                pool.under_way -= 1
        finally:
            self._free.release()

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in self._pools:
            await pool.client.aclose()
        self._pools.clear()
        if (places := vars(self).get("_places")) is not None:
            await places.aclose()


async def _exchange(
    client: httpx.AsyncClient, request: Request, where: str, writing: deadline.Writing | None
) -> Answer:
    built = _build(client, request, where)
    limit = request.timeouts.exchange
    if writing is not None:
        writing.check(where)
        writing.listen(where, built.extensions)
    try:
        async with asyncio.timeout(limit):
            response = await client.send(built, stream=True)
            try:
                body = await whole(response.aiter_bytes(), where, response.status_code)
            finally:
                await response.aclose()
    except WhatsAppError:
        raise
    except Exception as error:
        raise failure_of(error, where, limit) from None
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, body)


def _build(client: httpx.AsyncClient, request: Request, where: str) -> httpx.Request:
    """Return httpx's request; whatever can't be written is found here, before anything leaves."""
    bounds = request.timeouts
    try:
        return client.build_request(
            request.method,
            request.url,
            params=dict(request.params) or None,
            headers=dict(request.headers),
            json=request.json,
            files=None if request.form is None else _parts(request.form),
            timeout=httpx.Timeout(
                connect=bounds.connect, read=bounds.read, write=bounds.write, pool=bounds.pool
            ),
        )
    except httpx.InvalidURL as error:
        raise no_address(error, where) from None
    except (ValueError, TypeError) as error:
        raise unwritable(error, where) from None


def _parts(form: Form) -> list[tuple[str, tuple[str | None, str | bytes, str | None]]]:
    """Return httpx's parts: a field is one without a file's name, so that a form without files is one too."""
    fields = [(name, (None, value, None)) for name, value in form.fields.items()]
    files = [(name, (file.filename, file.content, file.content_type)) for name, file in form.files.items()]
    return [*fields, *files]


async def look_at(
    method: str,
    url: str,
    address: str,
    *,
    headers: Mapping[str, str],
    connect: float,
    limit: float,
    verify: bool | str = True,
) -> Answer:
    """Ask the server at one address for the head of a stranger's URL; its body is left unread.

    The name of the URL is not resolved, no proxy is used, and nothing of ours goes along: no cookie, no credential.

    :param connect: seconds to connect; ``limit`` is that of the whole.
    :raises NotReachedError: if there was no connection.
    :raises NoAnswerError: if no whole head came.
    :raises ConfigurationError: if the URL can't be used at all.
    """
    where = urlsplit(url).netloc
    try:
        named = httpx.URL(url)
        request = httpx.Request(
            method,
            named.copy_with(host=address),
            headers={**headers, "host": named.netloc.decode("ascii"), **_OF_A_LOOK},
            extensions={
                "sni_hostname": named.raw_host.decode("ascii").rstrip("."),
                "timeout": {"connect": connect, "read": limit, "write": limit, "pool": limit},
            },
        )
    except (httpx.InvalidURL, ValueError) as error:
        raise no_address(error, where, purpose="ask") from None
    try:
        # A transport by itself follows nothing, keeps no cookies and knows no proxies.
        async with (
            asyncio.timeout(limit),
            httpx.AsyncHTTPTransport(verify=_ssl_context(verify), trust_env=False) as transport,
        ):
            response = await transport.handle_async_request(request)
            await response.aclose()
    except Exception as error:
        raise failure_of(error, where, limit) from None
    return Answer(response.status_code, {name.lower(): told for name, told in response.headers.items()}, b"")


_wires: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, bool | str], Wire]] = (
    weakref.WeakKeyDictionary()
)
_wires_lock = threading.Lock()


def shared_wire(origin: str, *, verify: bool | str = True) -> Wire:
    """Return the running loop's pools for an origin; credentials are given with each request."""
    loop = asyncio.get_running_loop()
    with _wires_lock:
        # Pools know their loop, so the weak key alone would keep those of ended loops for ever.
        for ended in [other for other in _wires if other.is_closed()]:
            del _wires[ended]
        wires = _wires.setdefault(loop, {})
        if (origin, verify) not in wires:
            wires[origin, verify] = Wire(verify=verify)
        return wires[origin, verify]
