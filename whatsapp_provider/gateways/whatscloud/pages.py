"""Read a list to its end, page by page, in both documented forms, no faster than the token may.

Flat: ``{"data": [...], "meta": {"current_page", "total", "per_page"}}``, for some lists without ``meta``. Nested:
Laravel's paginator under ``data``. Its URLs are not followed: they may name another host, and forget ``per_page``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from whatsapp_provider.errors import NoAnswerError, RateLimitedError
from whatsapp_provider.http import ApiClient, Sleep

PER_PAGE = 100  #: the most that is given at once
LEAST_PER_PAGE = 15  #: what a server gives that does not look at ``per_page``
MOST_PAGES = 2_000
LONGEST_WAIT = 120.0  #: seconds that are waited where the server says so
MOST_WAITS = 5  #: in a row


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    :param total: rows of the whole list, where it is told.
    """

    rows: list[Any]
    total: int | None
    has_next: bool


class Pages:
    """The lists of one tenant.

    :param rate_limit: requests a minute.
    """

    def __init__(self, client: ApiClient, rate_limit: int, sleep: Sleep) -> None:
        self._client = client
        self._rate_limit = rate_limit
        self._sleep = sleep

    async def first(self, path: str) -> Page:
        """Return the first page, of one row."""
        return await self._page(path, {}, number=1, per_page=1)

    async def rows(self, path: str, params: Mapping[str, str] | None = None) -> AsyncIterator[Any]:
        """Yield all rows of a list, each once.

        :raises NoAnswerError: if it has no end, or an answer is no page.
        """
        seen: set[str] = set()
        for number in range(1, MOST_PAGES + 1):
            if number > max(1, self._rate_limit // 2):
                await self._sleep(60.0 / self._rate_limit)
            page = await self._patient_page(path, params or {}, number)
            # A list that changes while it is read shows a row on two pages.
            fresh = {key: row for row in page.rows if (key := _key(row)) not in seen}
            seen.update(fresh)
            for row in fresh.values():
                yield row
            # A server that does not look at the page's number would show the first one for ever.
            if not page.has_next or not fresh:
                return
        raise NoAnswerError(f"The list {path} has no end after {MOST_PAGES} pages.", code="endless_list")

    async def _patient_page(self, path: str, params: Mapping[str, str], number: int) -> Page:
        for _ in range(MOST_WAITS):
            try:
                return await self._page(path, params, number=number, per_page=PER_PAGE)
            except RateLimitedError as error:
                if number == 1 or (wait := error.retry_after or 60.0) > LONGEST_WAIT:
                    raise
                await self._sleep(wait)
        return await self._page(path, params, number=number, per_page=PER_PAGE)

    async def _page(self, path: str, params: Mapping[str, str], *, number: int, per_page: int) -> Page:
        asked = {**params, "page": str(number), "per_page": str(per_page)}
        return read_page(await self._client.get(path, params=asked), number=number, per_page=per_page)


def read_page(body: Any, *, number: int, per_page: int) -> Page:
    """Return a page of either form.

    :param number: of the page that was asked for; ``per_page`` likewise.
    :raises NoAnswerError: if it is none.
    """
    data = body.get("data") if isinstance(body, Mapping) else None
    place = data if isinstance(data, Mapping) else body.get("meta") if isinstance(body, Mapping) else None
    rows = data.get("data") if isinstance(data, Mapping) else data
    if not isinstance(rows, list) or body.get("status") not in ("success", None):
        raise NoAnswerError(
            "WhatsCloud answered something unexpected where a list belongs. Is the API URL of the connection that of "
            "WhatsCloud's API, version 1?",
            code="unreadable",
        )
    told: Mapping[str, Any] = place if isinstance(place, Mapping) else {}
    return Page(rows, _whole(told.get("total")), _has_next(told, len(rows), number, per_page))


def _has_next(told: Mapping[str, Any], count: int, number: int, per_page: int) -> bool:
    if count == 0:
        return False
    if "next_page_url" in told:
        return bool(told["next_page_url"])
    if (last := _whole(told.get("last_page"))) is not None:
        return number < last
    if (total := _whole(told.get("total"))) is not None:
        return number * (_whole(told.get("per_page")) or per_page) < total
    return count >= min(per_page, LEAST_PER_PAGE)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _key(row: Any) -> str:
    row_id = row.get("id") if isinstance(row, Mapping) else None
    if not isinstance(row_id, int | str) or isinstance(row_id, bool):
        raise NoAnswerError("WhatsCloud answered a list with a row without an id.", code="unreadable")
    return str(row_id)
