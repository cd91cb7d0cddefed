"""Error answers: the service's envelope, and the pages of Express where no code of the service was reached."""

from __future__ import annotations

import html
from typing import Any, Literal

from whatsapp_provider.emulator.asgi import Reply, json_reply

HTML = b"text/html; charset=utf-8"
SENT = "Message sent successfully"
Form = Literal["envelope", "upstream", "nested"]
NOT_YOU = "Oops! you are not an authorized user, kindly login."


class RefusalError(Exception):
    """A request that the service answers with an error in its envelope."""

    def __init__(self, status: int, message: str, error: Any = None, below: str | None = None) -> None:
        super().__init__(status, message)
        self.below = below
        self.status = status
        self.message = message
        self.error = {} if error is None else error

    def reply(self, form: Form = "envelope") -> Reply:
        """Return the answer; only what the server below says has other forms than the envelope."""
        if self.below is None or form == "envelope":
            return json_reply({"status": False, "message": self.message, "error": self.error}, self.status)
        inner: dict[str, Any] = {"error": True, "message": self.below}
        if self.status == 500:
            inner = {"error": True, "code": 500, "message": self.below}
        if form == "upstream":
            return json_reply(inner, self.status)
        return json_reply({"status": True, "message": SENT, "data": inner})


class PageError(RefusalError):
    """A request that Express itself answers, with a page."""

    def reply(self, form: Form = "envelope") -> Reply:
        """Return the page."""
        return page(html.escape(self.message), self.status)


def page(text: str, status: int) -> Reply:
    """Return an error page of Express around a text that is HTML already."""
    head = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n'
    )
    return Reply(status, f"{head}<body>\n<pre>{text}</pre>\n</body>\n</html>\n".encode(), HTML)


def not_authorized() -> RefusalError:
    """Return the answer to a missing, wrong or expired bearer."""
    return RefusalError(403, NOT_YOU)


def _below(status: int, text: str) -> RefusalError:
    return RefusalError(status, text, below=text)


def no_pair() -> RefusalError:
    """Return the answer to a call for one bot that names none."""
    return _below(403, "no key query was present")


def unknown_pair() -> RefusalError:
    """Return the answer to a pair that nobody has."""
    return _below(403, "invalid key supplied")


def not_connected() -> RefusalError:
    """Return the answer of a bot without a phone."""
    return _below(401, "phone isn't connected")


def invalid(*complaints: str) -> RefusalError:
    """Return the answer of the validator, which leads with its first complaint."""
    return RefusalError(400, complaints[0], list(complaints))


def crashed(text: str) -> RefusalError:
    """Return the answer to an exception in a handler."""
    return RefusalError(500, "Something went wrong!", text, below=text)


def undefined(name: str) -> RefusalError:
    """Return the answer to a handler that looked into nothing."""
    return crashed(f"Cannot read properties of undefined (reading '{name}')")
