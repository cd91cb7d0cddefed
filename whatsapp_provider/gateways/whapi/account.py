"""Whapi's manager API: projects and channels (partner spec 0.1.1; captured answers)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

from whatsapp_provider.errors import (
    ConfigurationError,
    Disposition,
    GatewayError,
    NotFoundError,
    RequestRejectedError,
)
from whatsapp_provider.gateways.limited import LimitedAccount
from whatsapp_provider.gateways.whapi.capabilities import CAPABILITIES
from whatsapp_provider.gateways.whapi.connection import WhapiConfig
from whatsapp_provider.gateways.whapi.payloads import (
    ChannelList,
    ChannelPayload,
    ProjectList,
    ProjectPayload,
    read,
)
from whatsapp_provider.http import ApiClient, Effect, segment
from whatsapp_provider.model import Channel, ChannelRef, ChannelSpec
from whatsapp_provider.transport import Answer

PAGE = 500  #: the most that the manager gives at once
#: The documented forms; the manager answers 400, not 404, for what has another.
CHANNEL_ID = re.compile(r"[A-Z]{6}-[A-Z0-9]{5}|[A-Z0-9]{12}")
PROJECT_ID = re.compile(r"[a-zA-Z0-9]{20}|default")


class WhapiAccount(LimitedAccount):
    """All channels of one partner token."""

    gateway = "whapi"
    capabilities = CAPABILITIES

    def __init__(self, client: ApiClient, config: WhapiConfig) -> None:
        self._client = client
        self._config = config

    async def describe(self) -> str:
        """Name the account by its main project and say how many channels it has."""
        project = await self._project()
        page = read(ChannelList, await self._client.get("/channels/list", params={"count": "1"}))
        count = page.total if page.total is not None else len(page.channels)
        return f"Whapi account with main project {project.name or project.id!r}, {count} channels"

    async def list_channels(self) -> Sequence[Channel]:
        """Return all channels, page by page."""
        return [_channel(payload) async for payload in self._channels(None)]

    async def find_channel(self, name: str, *, project: str | None = None) -> Channel | None:
        """Return the channel of that exact name; the manager has no search, so all are read.

        Of several, a running one comes before a stopped one and an older one before a younger one, so
        that each task finds the same.
        """
        everywhere = self._channels(project or self._config.project_id or None)
        found = [payload async for payload in everywhere if payload.name == name]
        found.sort(key=lambda payload: (payload.is_stopped, payload.creationTS, payload.id))
        return _channel(found[0]) if found else None

    async def get_channel(self, channel_id: str) -> Channel | None:
        """Return one channel; what can't be an id, such as a name, is not asked for."""
        if not CHANNEL_ID.fullmatch(channel_id):
            return None
        payload = await self.channel_payload(channel_id)
        return _channel(payload) if payload else None

    async def channel_payload(self, channel_id: str) -> ChannelPayload | None:
        """Return one channel with its token, which must not leave this gateway."""
        try:
            return read(ChannelPayload, await self._client.get(f"/channels/{segment(channel_id)}"))
        except RequestRejectedError as error:
            if error.status == 400:
                return None
            raise
        except NotFoundError:
            return None

    async def create_channel(self, spec: ChannelSpec) -> Channel:
        """Create a channel in the given project, the connection's, or the main one."""
        if spec.options:
            raise ConfigurationError(
                f"Whapi takes no options for a new channel; got {', '.join(sorted(spec.options))}. Set them on the "
                "channel afterwards."
            )
        project = spec.project or self._config.project_id or (await self._project()).id
        # PUT or not, a repeat buys another channel.
        try:
            answer = await self._client.request(
                "PUT", "/channels", effect=Effect.ONCE, json={"name": spec.name, "projectId": project}
            )
        except RequestRejectedError as error:
            if error.status == 400 and not PROJECT_ID.fullmatch(project):
                raise NotFoundError(str(error), status=400) from None
            raise
        return _channel(read(ChannelPayload, answer.json()))

    async def delete_channel(self, channel_id: str) -> bool:
        """Delete a channel; unused days return to the account's balance.

        Not repeated blindly: a second answer of "not found" would not tell who deleted it.
        """
        path = f"/channels/{segment(channel_id)}"
        try:
            _check_success(await self._client.request("DELETE", path, effect=Effect.ONCE))
        except NotFoundError:
            return False
        except GatewayError as error:
            if error.status == 400 and not CHANNEL_ID.fullmatch(channel_id):
                return False
            if error.disposition is not Disposition.HOLD or await self.channel_payload(channel_id):
                raise
        return True

    async def extend_channel(self, channel_id: str, *, days: int, comment: str) -> None:
        """Add days from the account's balance; a repeat would add them twice."""
        path, body = f"/channels/{segment(channel_id)}/extend", {"days": days, "comment": comment}
        _check_success(await self._client.request("POST", path, effect=Effect.ONCE, json=body))

    async def set_channel_mode(self, channel_id: str, mode: str) -> None:
        """Set ``trial``, ``dev``, ``dev_archive`` or ``live``."""
        await self._change("PATCH", f"/channels/{segment(channel_id)}/mode", {"mode": mode})

    async def start_channel(self, channel_id: str) -> None:
        """Start a stopped channel."""
        await self._change("POST", f"/channels/{segment(channel_id)}/start")

    async def stop_channel(self, channel_id: str) -> None:
        """Stop a channel and keep its days on it."""
        await self._change("POST", f"/channels/{segment(channel_id)}/stop", {"saveDays": False})

    async def restart_channel(self, channel_id: str) -> None:
        """Restart a channel."""
        await self._change("POST", f"/channels/{segment(channel_id)}/restart")

    async def _change(self, method: str, path: str, body: Any = None) -> None:
        _check_success(await self._client.request(method, path, effect=Effect.IDEMPOTENT, json=body))

    async def _channels(self, project: str | None) -> AsyncIterator[ChannelPayload]:
        """Yield each channel once, also while others come and go between two pages.

        A channel that is overlooked would be bought again, so nothing but the manager's own count or a
        page without news ends the reading: a page may be shorter than asked for.
        """
        path = f"/channels/list/{segment(project)}" if project else "/channels/list"
        seen: set[str] = set()
        offset = 0
        while True:
            params = {"count": str(PAGE), "offset": str(offset)}
            page = read(ChannelList, await self._listed(path, params, project))
            news = [payload for payload in page.channels if payload.id not in seen]
            seen.update(payload.id for payload in news)
            for payload in news:
                yield payload
            offset += len(page.channels)
            if not news or (page.total is not None and offset >= page.total):
                return
            # One deleted meanwhile moves the others forward; reading a tenth again catches what it moved.
            offset -= len(page.channels) // 10

    async def _listed(self, path: str, params: dict[str, str], project: str | None) -> Any:
        try:
            return await self._client.get(path, params=params)
        except RequestRejectedError as error:
            if project and error.status == 400:
                raise NotFoundError(str(error), status=400) from None
            raise

    async def _project(self) -> ProjectPayload:
        body = await self._client.get("/projects", params={"count": str(PAGE)})
        # The spec has an object; two clients in the field read a bare list.
        projects = read(ProjectList, {"projects": body} if isinstance(body, list) else body).projects
        if not projects:
            raise ConfigurationError(
                f"The Whapi account of connection {self._config.conn_id!r} has no project; create one in its "
                "dashboard."
            )
        return next((project for project in projects if project.isDefault), projects[0])


def _channel(payload: ChannelPayload) -> Channel:
    return Channel(
        ref=ChannelRef("whapi", payload.id, payload.name),
        project=payload.projectId,
        active_till=payload.activeTill / 1000 if payload.activeTill else None,
        mode=payload.mode or "live",
        stopped=payload.is_stopped,
    )


def _check_success(answer: Answer) -> None:
    """Refuse an answer that says in its body that nothing was done."""
    if answer.body and answer.body.strip().startswith(b"{") and answer.json().get("success") is False:
        raise RequestRejectedError(
            "The Whapi manager answered 200 with success: false and did nothing.",
            status=answer.status,
            code="success_false",
        )
