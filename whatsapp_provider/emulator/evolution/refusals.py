"""Error answers: one envelope whose message has many shapes, and the few answers without it."""

from __future__ import annotations

from typing import Any

from whatsapp_provider.emulator.asgi import Reply, json_reply

REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    500: "Internal Server Error",
}


class RefusalError(Exception):
    """A request that the server answers with an error; ``message`` is whatever JSON value it shows."""

    def __init__(self, status: int, message: Any, error: str | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.message = message
        self.error = error or REASONS[status]

    def reply(self) -> Reply:
        """Return the answer in the envelope."""
        return json_reply(
            {"status": self.status, "error": self.error, "response": {"message": self.message}}, self.status
        )

    def bare(self) -> Reply:
        """Return the answer without the envelope, as the check of numbers does."""
        return json_reply({"status": self.status, "error": self.error, "message": self.message}, self.status)


def bad_request(*lines: str) -> RefusalError:
    """Return a 400 that was raised on purpose."""
    return RefusalError(400, list(lines))


def violations(lines: list[str]) -> RefusalError:
    """Return the answer of the schema validator."""
    return RefusalError(400, [lines])


def unauthorized() -> RefusalError:
    """Return the answer to a bad or missing key."""
    return RefusalError(401, "Unauthorized")


def unknown_instance(name: str) -> RefusalError:
    """Return the answer to a path with a name that nobody has."""
    return RefusalError(404, [f'The "{name}" instance does not exist'])


def crashed(text: str) -> RefusalError:
    """Return the answer to an exception nobody caught: a 500 with a plain string."""
    return RefusalError(500, text)


def undefined(name: str) -> str:
    """Return what JavaScript says when it looks into nothing."""
    return f"Cannot read properties of undefined (reading '{name}')"
