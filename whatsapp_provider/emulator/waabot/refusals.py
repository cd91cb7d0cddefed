"""Error answers: the service's envelope, and the pages of Express where no code of the service was reached."""

from __future__ import annotations

import html
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, json_reply

HTML = b"text/html; charset=utf-8"
NOT_YOU = "Oops! you are not an authorized user, kindly login."


class RefusalError(Exception):
    """A request that the service answers with an error in its envelope."""

    def __init__(self, status: int, message: str, error: Any = None) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.error = {} if error is None else error

    def reply(self) -> Reply:
        """Return the answer."""
        return json_reply({"status": False, "message": self.message, "error": self.error}, self.status)


class PageError(RefusalError):
    """A request that Express itself answers, with a page."""

    def reply(self) -> Reply:
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


def no_pair() -> RefusalError:
    """Return the answer to a call for one bot that names none."""
    return RefusalError(403, "no key query was present")


def unknown_pair() -> RefusalError:
    """Return the answer to a pair that nobody has."""
    return RefusalError(403, "invalid key supplied")


def not_connected() -> RefusalError:
    """Return the answer of a bot without a phone."""
    return RefusalError(401, "phone isn't connected")


def invalid(*complaints: str) -> RefusalError:
    """Return the answer of the validator, which leads with its first complaint."""
    return RefusalError(400, complaints[0], list(complaints))


def crashed(text: str) -> RefusalError:
    """Return the answer to an exception in a handler."""
    return RefusalError(500, "Something went wrong!", text)


def undefined(name: str) -> RefusalError:
    """Return the answer to a handler that looked into nothing."""
    return crashed(f"Cannot read properties of undefined (reading '{name}')")
