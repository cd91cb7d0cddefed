"""Statuses, sources and groups, which are written alike; templates and bots, which are only read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.whatscloud.body import Data, read_body
from whatsapp_provider.emulator.whatscloud.refusals import not_found, refused
from whatsapp_provider.emulator.whatscloud.rules import Rule, Rules, check, demand, true
from whatsapp_provider.emulator.whatscloud.tables import Row, Table, page_of

if TYPE_CHECKING:
    from whatsapp_provider.emulator.whatscloud.tenant import Tenant

NAMED: Rules = {"name": Rule(required=True, high=255)}
COLOURED: Rules = {**NAMED, "color": Rule(high=255), "isdefault": Rule(kind="boolean")}


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of rows.

    :param called: its name in messages, e.g. ``Status``.
    :param missing: its name in the message of a 404, which is not always the same.
    :param meta: whether the flat form of a page tells its place.
    """

    path: str
    called: str
    missing: str
    table: Callable[[Tenant], Table]
    rules: Rules
    meta: bool = True

    async def index(self, tenant: Tenant, request: Request) -> Reply:
        """Answer a list."""
        rows = list(self.table(tenant).rows.values())
        return page_of(request, rows, tenant.world.settings.whatscloud_page_shape, meta=self.meta)

    async def show(self, tenant: Tenant, request: Request) -> Reply:
        """Answer one row."""
        return json_reply({"status": "success", "data": self._find(tenant, request)})

    async def create(self, tenant: Tenant, request: Request) -> Reply:
        """Answer a POST; what was given comes back as it was given."""
        data = await read_body(request)
        demand(check(data, self.rules))
        row = self.table(tenant).add(**self._columns(tenant, data))
        self._tell(tenant, "created", row)
        shown = {"id": row["id"], "name": row["name"]}
        if "color" in row:
            shown |= {"color": row["color"], "isdefault": bool(row["isdefault"])}
        answer = {"status": "success", "message": f"{self.called} created successfully"}
        return json_reply({**answer, "data": {**shown, "created_at": row["created_at"]}}, 201)

    async def update(self, tenant: Tenant, request: Request) -> Reply:
        """Answer a PUT, which may name some columns only."""
        row = self._find(tenant, request)
        data = await read_body(request)
        rules = {name: rule for name, rule in self.rules.items() if name in data}
        demand(check(data, rules))
        before = dict(row)
        changed = self._columns(tenant, data)
        self.table(tenant).change(row, {name: changed[name] for name in changed if name in data})
        self._tell(tenant, "updated", row, before)
        answer = {"status": "success", "message": f"{self.called} updated successfully"}
        return json_reply({**answer, "data": row})

    async def delete(self, tenant: Tenant, request: Request) -> Reply:
        """Answer a DELETE; a default can't go."""
        row = self._find(tenant, request)
        if row.get("isdefault"):
            raise refused(400, f"Cannot delete the default {self.called.lower()}")
        self.table(tenant).remove(row)
        self._tell(tenant, "deleted", row)
        return json_reply({"status": "success", "message": f"{self.called} deleted successfully"})

    def _find(self, tenant: Tenant, request: Request) -> Row:
        row = self.table(tenant).get(request.params["id"])
        if row is None:
            raise not_found(self.missing)
        return row

    def _columns(self, tenant: Tenant, data: Data) -> Row:
        if "color" not in self.rules:
            return {"name": data.get("name")}
        default = true(data.get("isdefault"))
        if default:
            for row in self.table(tenant).rows.values():
                row["isdefault"] = 0
        return {"name": data.get("name"), "color": data.get("color"), "isdefault": int(default)}

    def _tell(self, tenant: Tenant, event: str, row: Row, before: Row | None = None) -> None:
        # Groups are not among the events that the product's pages offer.
        if self.called != "Group":
            tenant.webhooks.row(self.called.lower(), event, row, before)


WRITTEN = (
    Resource("statuses", "Status", "Status", lambda tenant: tenant.statuses, COLOURED),
    Resource("sources", "Source", "Source", lambda tenant: tenant.sources, NAMED),
    Resource("groups", "Group", "Groups", lambda tenant: tenant.groups, NAMED, meta=False),
)
READ = (
    Resource("templates", "Template", "Template", lambda tenant: tenant.templates, {}, meta=False),
    Resource("templatebots", "Template bot", "Template bot", lambda tenant: tenant.template_bots, {}),
    Resource("messagebots", "Message bot", "Message bot", lambda tenant: tenant.message_bots, {}),
)
