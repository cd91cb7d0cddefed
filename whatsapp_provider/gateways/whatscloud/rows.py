"""Rows by their ids: one, a new one, changed, deleted; the same four calls for all of WhatsCloud's lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from whatsapp_provider.errors import NotFoundError
from whatsapp_provider.gateways.whatscloud.answers import NO_SUCH_ROW
from whatsapp_provider.gateways.whatscloud.payloads import Row, read
from whatsapp_provider.http import ApiClient, Effect, segment

R = TypeVar("R", bound=Row)


class Rows:
    """The rows of one tenant."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def one(self, path: str, row_id: str, kind: type[R]) -> R | None:
        """Return one row, ``None`` if there is none of that id."""
        try:
            body = await self._client.get(f"{path}/{segment(row_id)}")
        except NotFoundError as error:
            if error.code != NO_SUCH_ROW:
                raise
            return None
        return read(kind, _data(body))

    async def create(self, path: str, body: Mapping[str, Any], kind: type[R]) -> R:
        """Create a row, once."""
        answer = await self._client.request("POST", path, effect=Effect.ONCE, json=dict(body))
        return read(kind, _data(answer.json()))

    async def update(self, path: str, row_id: str, body: Mapping[str, Any], kind: type[R]) -> R:
        """Change a row."""
        place = f"{path}/{segment(row_id)}"
        answer = await self._client.request("PUT", place, effect=Effect.IDEMPOTENT, json=dict(body))
        return read(kind, _data(answer.json()))

    async def delete(self, path: str, row_id: str) -> bool:
        """Delete a row, once: a second answer of "not found" would not tell who deleted it."""
        try:
            await self._client.request("DELETE", f"{path}/{segment(row_id)}", effect=Effect.ONCE)
        except NotFoundError as error:
            if error.code != NO_SUCH_ROW:
                raise
            return False
        return True


def _data(body: Any) -> Any:
    return body.get("data") if isinstance(body, Mapping) else None
