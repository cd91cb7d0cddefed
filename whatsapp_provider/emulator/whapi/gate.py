"""The gate: everything for one channel, which is chosen by its token alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from whatsapp_provider.emulator.asgi import Reply, Request, Router, json_reply
from whatsapp_provider.emulator.whapi import channel_settings, contacts, groups, login, messages
from whatsapp_provider.emulator.whapi.account import WhapiAccount
from whatsapp_provider.emulator.whapi.channel import WhapiChannel
from whatsapp_provider.emulator.whapi.history import list_messages
from whatsapp_provider.emulator.whapi.refusals import RefusalError

Handler = Callable[[WhapiChannel, Request], Awaitable[Reply]]


class Gate:
    """The gate host as one path prefix."""

    def __init__(self, account: WhapiAccount) -> None:
        self._account = account
        self._router: Router[Handler] = Router()
        self._add_channel_routes()
        self._add_message_routes()

    def _add_channel_routes(self) -> None:
        add = self._router.add
        add("GET", "/health", health)
        add("GET", "/limits", limits)
        add("GET", "/settings", channel_settings.get_settings)
        add("PATCH", "/settings", channel_settings.patch_settings)
        add("DELETE", "/settings", channel_settings.delete_settings)
        add("GET", "/settings/events", channel_settings.allowed_events)
        add("POST", "/settings/webhook_test", channel_settings.webhook_test)
        add("GET", "/users/login", login.login)
        add("GET", "/users/login/image", login.login_image)
        add("GET", "/users/login/rowdata", login.login_rowdata)
        add("GET", "/users/login/{phone}", login.login_phone)
        add("POST", "/users/logout", login.logout)
        add("GET", "/users/profile", login.profile)

    def _add_message_routes(self) -> None:
        add = self._router.add
        for kind in messages.REQUIRED:
            add("POST", f"/messages/{kind}", partial(messages.send_kind, kind=kind))
        add("POST", "/messages/media/{kind}", messages.send_raw)
        add("GET", "/messages/list", message_list)
        add("GET", "/messages/list/{chat}", message_list)
        add("GET", "/messages/{message}", message_get)
        add("GET", "/statuses/{message}", statuses)
        add("POST", "/media", upload)
        add("GET", "/media/{media}", download)
        add("POST", "/contacts", contacts.check)
        add("HEAD", "/contacts/{contact}", contacts.exists)
        add("GET", "/groups", groups.all_groups)
        add("GET", "/groups/{group}", groups.one_group)

    async def handle(self, request: Request, path: str) -> Reply:
        """Find the channel by its token, then answer for it."""
        try:
            return await self._answer(request, path)
        except RefusalError as refusal:
            return refusal.reply(self._account.world.settings.error_shape)

    async def _answer(self, request: Request, path: str) -> Reply:
        channel = self._account.by_token.get(request.bearer())
        if channel is None or not channel.provisioned:
            raise RefusalError(404, "Channel not found")
        handler = self._router.resolve(request, path)
        if handler is None:
            raise RefusalError(404, "Not found")
        channel.trial.count_request()
        if channel.status == "SYNC_ERROR" and request.method == "GET" and path != "/health":
            raise RefusalError(500, "Internal Error")
        return await handler(channel, request)


async def health(channel: WhapiChannel, request: Request) -> Reply:
    """Answer GET /health, which also starts a sleeping channel unless told not to."""
    if request.query.get("wakeup") != "false":
        channel.wake()
    return json_reply(channel.health())


async def limits(channel: WhapiChannel, _request: Request) -> Reply:
    """Answer GET /limits: counters on trial and sandbox channels, 204 on live ones."""
    return json_reply(channel.trial.remaining()) if channel.trial.limited() else Reply(204)


async def message_list(channel: WhapiChannel, request: Request) -> Reply:
    """Answer GET /messages/list and /messages/list/{ChatID}."""
    until = channel.world.clock.now() - channel.world.settings.history_lag
    return list_messages(channel.history, request, request.params.get("chat"), until=until)


async def message_get(channel: WhapiChannel, request: Request) -> Reply:
    """Answer GET /messages/{MessageID}."""
    return json_reply(channel.history.get(request.params["message"]))


async def statuses(channel: WhapiChannel, request: Request) -> Reply:
    """Answer GET /statuses/{MessageID}."""
    message = channel.history.get(request.params["message"])
    if not message["from_me"]:
        raise RefusalError(403, "View statuses available only for outgoing messages")
    return json_reply({"statuses": [channel.history.status(message["id"])]})


async def upload(channel: WhapiChannel, request: Request) -> Reply:
    """Answer POST /media, with the file as the body or as a multipart part."""
    content_type = request.header(b"content-type")
    limit = channel.world.settings.media_limit_bytes
    if content_type.startswith("multipart/"):
        _fields, files = await request.form()
        parts = list(files.values())
    else:
        parts = [("", content_type, request.body)] if request.body else []
    if not parts:
        raise RefusalError(400, "Wrong request parameters")
    if any(len(content) > limit for _name, _type, content in parts):
        raise RefusalError(413, "Request body/media too large")
    kept = [
        channel.media.put(content, mime_type or "application/octet-stream", name or None, "upload")
        for name, mime_type, content in parts
    ]
    return json_reply({"media": [{"id": file.id} for file in kept]})


async def download(channel: WhapiChannel, request: Request) -> Reply:
    """Answer GET /media/{MediaID}."""
    file = channel.media.get(request.params["media"])
    return Reply(200, file.content or b"", file.mime_type.encode())
