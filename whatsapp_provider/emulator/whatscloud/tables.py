"""The tenant's rows: tables by id, and pages of them in the two documented forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply

Row = dict[str, Any]
PER_PAGE = 15
MOST_PER_PAGE = 100


class Table:
    """Rows of one kind, by their ids, oldest first."""

    def __init__(self, tenant_id: int, now: Callable[[], str]) -> None:
        self._tenant_id = tenant_id
        self._now = now
        self._last = 0
        self.rows: dict[int, Row] = {}

    def add(self, **values: Any) -> Row:
        """Add a row."""
        self._last += 1
        now = self._now()
        row = {"id": self._last, "tenant_id": self._tenant_id, **values, "created_at": now, "updated_at": now}
        self.rows[self._last] = row
        return row

    def change(self, row: Row, values: Row) -> None:
        """Change some of a row's columns."""
        row.update(values, updated_at=self._now())

    def remove(self, row: Row) -> None:
        """Delete a row."""
        del self.rows[row["id"]]

    def get(self, row_id: str) -> Row | None:
        """Return a row by its id as it stands in a path."""
        return self.rows.get(int(row_id)) if row_id.isascii() and row_id.isdigit() else None

    def where(self, **values: Any) -> Row | None:
        """Return the first row with these values."""
        for row in self.rows.values():
            if all(row[name] == value for name, value in values.items()):
                return row
        return None


def page_of(request: Request, rows: Sequence[Row], shape: str, *, meta: bool) -> Reply:
    """Answer a list; ``meta`` says whether the flat form tells its place at all."""
    page = _number(request, "page", 1)
    per_page = min(_number(request, "per_page", PER_PAGE), MOST_PER_PAGE)
    total = len(rows)
    start = (page - 1) * per_page
    shown = list(rows[start : start + per_page])
    if shape == "flat":
        body: Row = {"status": "success", "data": shown}
        if meta:
            body["meta"] = {"current_page": page, "total": total, "per_page": per_page}
        return json_reply(body)
    last = max(1, -(-total // per_page))
    host = request.header(b"host") or "emulator"
    path = f"http://{host}{request.path}"

    def url(number: int) -> str | None:
        # Laravel's paginator tells nothing of the query but the page, unless it is told to.
        return f"{path}?page={number}" if 1 <= number <= last else None

    nested = {
        "current_page": page,
        "data": shown,
        "first_page_url": url(1),
        "from": start + 1 if shown else None,
        "last_page": last,
        "last_page_url": url(last),
        "links": _links(page, last, url),
        "next_page_url": url(page + 1),
        "path": path,
        "per_page": per_page,
        "prev_page_url": url(page - 1),
        "to": start + len(shown) if shown else None,
        "total": total,
    }
    return json_reply({"status": "success", "data": nested})


def _links(page: int, last: int, url: Callable[[int], str | None]) -> list[Row]:
    pages = [{"url": url(n), "label": str(n), "active": n == page} for n in range(1, last + 1)]
    before = {"url": url(page - 1), "label": "&laquo; Previous", "active": False}
    after = {"url": url(page + 1), "label": "Next &raquo;", "active": False}
    return [before, *pages, after]


def _number(request: Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return max(1, int(text)) if text.isascii() and text.isdigit() else default
