"""The manager: channels and projects of one partner account."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request, Router, json_reply
from whatsapp_provider.emulator.whapi.account import CREATE_FIELDS, DAY_MS, WhapiAccount
from whatsapp_provider.emulator.whapi.history import number
from whatsapp_provider.emulator.whapi.messages import read_json
from whatsapp_provider.emulator.whapi.refusals import RefusalError, bad_request, missing

MODES = ("trial", "dev", "dev_archive", "live")
# A captured GET has its keys in this order; a captured create has its own.
GET_ORDER = (
    "activeTill",
    "apiUrl",
    "creationTS",
    "id",
    "ownerId",
    "server",
    "token",
    "stopped",
    "trial",
    "status",
    "mode",
    "name",
    "projectId",
)
# The documented forms of ids; the validator refuses others before anything is looked up.
FORMS = {
    "channel": re.compile(r"[A-Z]{6}-[A-Z0-9]{5}|[A-Z0-9]{12}"),
    "project": re.compile(r"[a-zA-Z0-9]{20}|default"),
}
SUCCESS: dict[str, Any] = {"success": True}

Handler = Callable[[Request], Awaitable[Reply]]


def as_listed(facts: dict[str, Any]) -> dict[str, Any]:
    """Return a channel as GET shows it: its own order of keys, without the custom phone text."""
    return {name: facts[name] for name in GET_ORDER if name in facts}


def _check_form(kind: str, value: str) -> None:
    form = FORMS.get(kind)
    if form is not None and not form.fullmatch(value):
        raise RefusalError(400, "Wrong request parameters")


def _read_channel(request: Request) -> dict[str, Any]:
    """Return the fields of a create or change request, its project's id being well formed if it has one."""
    data = read_json(request)
    if isinstance(data.get("projectId"), str):
        _check_form("project", data["projectId"])
    return data


class Manager:
    """The manager host as one path prefix."""

    def __init__(self, account: WhapiAccount) -> None:
        self._account = account
        self._router: Router[Handler] = Router()
        for method, path, handler in (
            ("PUT", "/channels", self._create),
            ("GET", "/channels/list", self._list),
            ("GET", "/channels/list/{project}", self._list),
            ("GET", "/channels/{channel}", self._get),
            ("PATCH", "/channels/{channel}", self._patch),
            ("DELETE", "/channels/{channel}", self._delete),
            ("POST", "/channels/{channel}/start", self._start),
            ("POST", "/channels/{channel}/stop", self._stop),
            ("POST", "/channels/{channel}/restart", self._restart),
            ("POST", "/channels/{channel}/extend", self._extend),
            ("PATCH", "/channels/{channel}/mode", self._mode),
            ("GET", "/projects", self._projects),
            ("PUT", "/projects", self._create_project),
            ("GET", "/projects/{project}", self._get_project),
            ("PATCH", "/projects/{project}", self._rename_project),
            ("DELETE", "/projects/{project}", self._delete_project),
            ("GET", "/partners/{partner}/settings", self._partner_settings),
            ("PATCH", "/partners/{partner}/settings", self._change_partner_settings),
        ):
            self._router.add(method, path, handler)

    async def handle(self, request: Request, path: str) -> Reply:
        """Check the partner token, then answer."""
        try:
            return await self._answer(request, path)
        except RefusalError as refusal:
            # The flat shape was only ever met at the gate.
            return refusal.reply("object")

    async def _answer(self, request: Request, path: str) -> Reply:
        if request.bearer() != self._account.world.settings.partner_token:
            raise RefusalError(401, "Unauthorized")
        handler = self._router.resolve(request, path)
        if handler is None:
            raise RefusalError(404, "Not found")
        for kind, value in request.params.items():
            _check_form(kind, value)
        return await handler(request)

    # -- channels ---------------------------------------------------------------------------

    async def _create(self, request: Request) -> Reply:
        return json_reply(self._account.create_channel(_read_channel(request)).facts)

    async def _list(self, request: Request) -> Reply:
        project = request.params.get("project")
        wanted = None if project is None else self._account.project(project)["id"]
        found = [
            as_listed(channel.facts)
            for channel in self._account.channels.values()
            if wanted in (None, channel.facts["projectId"])
        ]
        return self._page(request, "channels", found)

    def _page(self, request: Request, name: str, found: list[dict[str, Any]]) -> Reply:
        count = number(request.query, "count", 100, 1, 500)
        offset = number(request.query, "offset", 0, 0, 1 << 53)
        page = found[offset : offset + count]
        return json_reply({name: page, "count": len(page), "total": len(found), "offset": offset})

    async def _get(self, request: Request) -> Reply:
        return json_reply(as_listed(self._account.channel(request.params["channel"]).facts))

    async def _patch(self, request: Request) -> Reply:
        channel = self._account.channel(request.params["channel"])
        data = _read_channel(request)
        changes = {name: data[name] for name in CREATE_FIELDS if name in data}
        if "projectId" in changes:
            changes["projectId"] = self._account.project(changes["projectId"])["id"]
        channel.facts.update(changes)
        return json_reply(SUCCESS)

    async def _delete(self, request: Request) -> Reply:
        days = self._account.delete_channel(request.params["channel"])
        return json_reply({"days": days, "success": True})

    async def _start(self, request: Request) -> Reply:
        channel = self._account.channel(request.params["channel"])
        if not channel.provisioned or channel.facts["activeTill"] <= self._account.now_ms():
            raise RefusalError(503, "The channel is not ready to be started")
        if channel.status in {"NOT_INIT", "STOP", "ERROR"}:
            channel.start()
        return json_reply(SUCCESS)

    async def _stop(self, request: Request) -> Reply:
        channel = self._account.channel(request.params["channel"])
        if not channel.provisioned:
            raise RefusalError(503, "The channel is not ready to be stopped")
        channel.stop()
        return json_reply(SUCCESS)

    async def _restart(self, request: Request) -> Reply:
        channel = self._account.channel(request.params["channel"])
        if not channel.provisioned or channel.status == "STOP":
            raise RefusalError(503, "The channel is not ready to be restarted")
        channel.start()
        return json_reply(SUCCESS)

    async def _extend(self, request: Request) -> Reply:
        channel = self._account.channel(request.params["channel"])
        data = read_json(request)
        for name in ("days", "comment"):
            if name not in data:
                raise missing(name)
        days = data["days"]
        if isinstance(days, bool) or not isinstance(days, int | float) or days <= 0:
            raise bad_request("/body/days must be number")
        overdue = channel.facts["activeTill"] <= self._account.now_ms()
        base = max(channel.facts["activeTill"], self._account.now_ms())
        channel.facts["activeTill"] = int(base + days * DAY_MS)
        channel.watch_active_till()
        if overdue and channel.status == "STOP":
            channel.start()
        return json_reply(SUCCESS)

    async def _mode(self, request: Request) -> Reply:
        channel = self._account.channel(request.params["channel"])
        mode = read_json(request).get("mode")
        if mode not in MODES:
            raise bad_request("/body/mode must be equal to one of the allowed values")
        channel.facts["mode"] = mode
        return json_reply(SUCCESS)

    # -- projects ---------------------------------------------------------------------------

    async def _projects(self, request: Request) -> Reply:
        return self._page(request, "projects", list(self._account.projects.values()))

    async def _create_project(self, request: Request) -> Reply:
        return json_reply(self._account.create_project(self._name(request)))

    def _name(self, request: Request) -> str:
        name = read_json(request).get("name")
        if not isinstance(name, str):
            raise missing("name")
        return name

    async def _get_project(self, request: Request) -> Reply:
        return json_reply(self._account.project(request.params["project"]))

    async def _rename_project(self, request: Request) -> Reply:
        self._account.project(request.params["project"])["name"] = self._name(request)
        return json_reply(SUCCESS)

    async def _delete_project(self, request: Request) -> Reply:
        project = self._account.project(request.params["project"])
        if project["isDefault"]:
            raise RefusalError(400, "Wrong request parameters")
        del self._account.projects[project["id"]]
        return json_reply(SUCCESS)

    # -- partners ---------------------------------------------------------------------------

    async def _partner_settings(self, request: Request) -> Reply:
        return json_reply(self._account.partner_settings.get(request.params["partner"], {}))

    async def _change_partner_settings(self, request: Request) -> Reply:
        settings = self._account.partner_settings.setdefault(request.params["partner"], {})
        settings.update(read_json(request))
        return json_reply(SUCCESS)
