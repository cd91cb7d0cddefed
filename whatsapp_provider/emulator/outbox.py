"""Webhook calls on their way out.

The one file of the emulator that uses httpx: here the emulator is the client, and a webhook is only
worth something as a test when a real HTTP request with a real verb, headers and retries arrives.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from whatsapp_provider.emulator.clock import Clock, Timeline
from whatsapp_provider.emulator.faults import Faults
from whatsapp_provider.emulator.settings import EmulatorSettings

WORKERS = 8
QUEUE_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class Retries:
    """How a gateway tries again where it is not as the settings say: the wait doubles, any 2xx is taken.

    ``first`` and ``most`` are seconds, ``attempts`` counts the first try too; after one of the statuses
    in ``final`` it gives up.
    """

    attempts: int
    first: float
    most: float
    final: frozenset[int] = frozenset()

    def wait(self, attempt: int, status: int | None) -> float | None:
        """Return the seconds until the next try, or None when that one was the last."""
        taken = status is not None and 200 <= status < 300
        if taken or status in self.final or attempt >= self.attempts:
            return None
        return min(self.first * 2.0 ** (attempt - 1), self.most)


@dataclass(slots=True)
class Callback:
    """One webhook call, with how often it was tried."""

    channel_id: str
    event: str
    method: str
    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    backoff: float | None = None
    backoff_cap: float | None = None
    attempt: int = 0
    retries: Retries | None = None
    when_over: Callable[[], None] | None = None


class Outbox:
    """A queue of callbacks; unless they say otherwise only status 200 is a success, and the backoff linear."""

    def __init__(
        self,
        clock: Clock,
        timeline: Timeline,
        faults: Faults,
        settings: Callable[[], EmulatorSettings],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._clock = clock
        self._timeline = timeline
        self._faults = faults
        self._settings = settings
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._queue: deque[Callback] = deque()
        self._held: dict[str, list[Callback]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self.log: deque[dict[str, Any]] = deque(maxlen=settings().log_limit)
        self.dropped = 0

    def put(self, callback: Callback) -> None:
        """Queue a callback, unless a fault has other plans for it."""
        fault = self._faults.for_webhook(callback.method, callback.event)
        kind = fault.kind if fault else None
        if kind == "webhook_drop":
            _over(callback)
            return
        if fault is not None and kind == "webhook_reorder":
            # It goes out behind the next callback of its channel, or after a while if none comes.
            self._held.setdefault(callback.channel_id, []).append(callback)
            self._timeline.call_later(fault.delay or 1.0, self._release, callback.channel_id)
            return
        self._push(callback)
        if kind == "webhook_duplicate":
            self._push(replace(callback, when_over=None))
        self._release(callback.channel_id)

    def _release(self, channel_id: str) -> None:
        for callback in self._held.pop(channel_id, ()):
            self._push(callback)

    def _push(self, callback: Callback) -> None:
        if len(self._queue) >= QUEUE_LIMIT:
            self.dropped += 1
            _over(callback)
            return
        self._queue.append(callback)

    async def drain(self) -> None:
        """Deliver all that is queued, in order, before returning."""
        while self._queue:
            await self._deliver(self._queue.popleft())
        if self._workers:
            await asyncio.wait(self._workers)

    def kick(self) -> None:
        """Deliver what is queued in the background."""
        while self._queue and len(self._workers) < min(WORKERS, len(self._queue)):
            task = asyncio.get_running_loop().create_task(self._work())
            self._workers.add(task)
            task.add_done_callback(self._workers.discard)

    async def _work(self) -> None:
        while self._queue:
            await self._deliver(self._queue.popleft())

    async def _deliver(self, callback: Callback) -> None:
        callback.attempt += 1
        status = await self._request(callback)
        self.log.append(
            {
                "at": self._clock.now(),
                "channel_id": callback.channel_id,
                "event": callback.event,
                "method": callback.method,
                "url": callback.url,
                "attempt": callback.attempt,
                "status": status,
                "body": callback.body.decode(),
            }
        )
        wait = self._wait(callback, status)
        if wait is None:
            _over(callback)
        else:
            self._timeline.call_later(wait, self._push, callback)

    def _wait(self, callback: Callback, status: int | None) -> float | None:
        """Return the seconds until the next try, or None."""
        if callback.retries is not None:
            return callback.retries.wait(callback.attempt, status)
        settings = self._settings()
        if status == 200 or callback.attempt >= settings.callback_attempts:
            return None
        step = callback.backoff or settings.callback_backoff
        cap = callback.backoff_cap or settings.callback_backoff_cap
        return min(step * callback.attempt, cap)

    async def _request(self, callback: Callback) -> int | None:
        if not callback.url.startswith(("http://", "https://")):
            return None
        if self._client is None:
            # No environment proxy: a webhook to this machine must not leave it.
            self._client = httpx.AsyncClient(transport=self._transport, trust_env=False)
        try:
            response = await self._client.request(
                callback.method,
                callback.url,
                content=callback.body,
                headers={"content-type": "application/json", **callback.headers},
                timeout=self._settings().callback_timeout,
            )
        except (httpx.HTTPError, httpx.InvalidURL):
            return None
        return response.status_code

    async def aclose(self) -> None:
        """Stop delivering and close the connections."""
        for task in list(self._workers):
            task.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def _over(callback: Callback) -> None:
    """Tell whoever waits for the end of a callback, delivered or not."""
    if callback.when_over is not None:
        callback.when_over()
