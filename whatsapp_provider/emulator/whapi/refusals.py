"""Error answers, in both shapes that clients have met."""

from __future__ import annotations

from whatsapp_provider.emulator.asgi import Reply, json_reply
from whatsapp_provider.emulator.settings import ErrorShape


class RefusalError(Exception):
    """A request that the gateway answers with an error."""

    def __init__(self, status: int, message: str, details: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details

    def reply(self, shape: ErrorShape) -> Reply:
        """Return the answer: ``{"error": {…}}`` by the schema, or the flat one seen at the gate."""
        if shape == "flat":
            return json_reply({"code": self.status, "error": self.details or self.message}, self.status)
        error: dict[str, object] = {"code": self.status, "message": self.message}
        if self.details is not None:
            error["details"] = self.details
        return json_reply({"error": error}, self.status)


def bad_request(details: str) -> RefusalError:
    """Return the answer of the request validator."""
    return RefusalError(400, "bad request", details)


def missing(name: str) -> RefusalError:
    """Return the answer to a request without a required property."""
    return bad_request(f"/body must have required property '{name}'")
