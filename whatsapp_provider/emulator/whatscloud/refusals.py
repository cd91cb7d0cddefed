"""Error answers: the product's envelope, and what Laravel says by itself."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request, json_bytes, json_reply

INVALID = "Validation failed"


class RefusalError(Exception):
    """A request that is answered with an error; the body is sent as it is."""

    def __init__(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.status = status
        self.body = dict(body)
        self.headers = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]

    def reply(self, _request: Request) -> Reply:
        """Return the answer."""
        return Reply(self.status, json_bytes(self.body), headers=self.headers)


class StockError(RefusalError):
    """What the framework says before the product has a say: without ``status``, and a page to browsers."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, {"message": message})

    def reply(self, request: Request) -> Reply:
        """Return JSON to those who ask for it, and a page to all others."""
        if "json" in request.header(b"accept"):
            return json_reply(self.body, self.status)
        page = f"<!DOCTYPE html><html><title>{html.escape(self.body['message'])}</title></html>"
        return Reply(self.status, page.encode(), b"text/html; charset=UTF-8")


class TooLargeError(RefusalError):
    """What the web server before the product says to a body that is too large; it knows pages only."""

    def __init__(self) -> None:
        super().__init__(413, {})

    def reply(self, _request: Request) -> Reply:
        """Return the page."""
        title = "413 Request Entity Too Large"
        page = f"<html><head><title>{title}</title></head><body><center>nginx</center></body></html>"
        return Reply(self.status, page.encode(), b"text/html")


def refused(status: int, message: str, **more: Any) -> RefusalError:
    """Return an error in the product's envelope."""
    return RefusalError(status, {"status": "error", "message": message, **more})


def invalid(complaints: Mapping[str, list[str]]) -> RefusalError:
    """Return the answer of the validator: what is wrong, by field."""
    return refused(422, INVALID, errors=dict(complaints))


def not_found(what: str) -> RefusalError:
    """Return the answer to an id that nobody has."""
    return refused(404, f"{what} not found")
