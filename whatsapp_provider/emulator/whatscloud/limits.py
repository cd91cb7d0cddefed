"""The limit of requests: so many a minute for each token, counted from the first one, as Laravel does."""

from __future__ import annotations

import math

from whatsapp_provider.emulator.whatscloud.refusals import RefusalError
from whatsapp_provider.emulator.world import World

WINDOW = 60.0
Headers = list[tuple[bytes, bytes]]


class RateLimit:
    """The windows of the tokens."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, token: str) -> Headers:
        """Count one request, or refuse it; return the headers of its answer."""
        settings = self._world.settings
        limit, now = settings.whatscloud_rate_limit, self._world.clock.now()
        if not limit:
            return []
        until, used = self._windows.get(token, (0.0, 0))
        if now >= until:
            until, used = now + WINDOW, 0
        if used >= limit:
            raise _too_many(settings.whatscloud_rate_limit_form, limit, math.ceil(until - now))
        self._windows[token] = until, used + 1
        return [
            (b"x-ratelimit-limit", str(limit).encode()),
            (b"x-ratelimit-remaining", str(limit - used - 1).encode()),
        ]


def _too_many(form: str, limit: int, wait: int) -> RefusalError:
    """Return the product's 429, which has no ``status``, or the framework's own, which tells in headers."""
    headers = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": "0"}
    with_wait = {**headers, "Retry-After": str(wait)}
    if form == "header":
        return RefusalError(429, {"message": "Too Many Attempts."}, with_wait)
    body = {"message": "Too many requests", "retry_after": wait}
    return RefusalError(429, body, with_wait if form == "both" else headers)
