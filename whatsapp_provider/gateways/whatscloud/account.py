"""One WhatsCloud tenant as an account: its one channel, its people, its bots."""

from __future__ import annotations

from collections.abc import Sequence

from whatsapp_provider.gateways.limited import LimitedAccount
from whatsapp_provider.gateways.whatscloud.capabilities import CAPABILITIES
from whatsapp_provider.gateways.whatscloud.directory import WhatsCloudDirectory
from whatsapp_provider.gateways.whatscloud.limits import phone_of
from whatsapp_provider.gateways.whatscloud.pages import Pages
from whatsapp_provider.gateways.whatscloud.payloads import (
    MessageBotRow,
    NumberAnswer,
    NumberData,
    TemplateBotRow,
    TemplateRow,
    read,
)
from whatsapp_provider.gateways.whatscloud.rows import Rows
from whatsapp_provider.gateways.whatscloud.templates import official
from whatsapp_provider.http import ApiClient, Effect
from whatsapp_provider.model import Channel, ChannelRef
from whatsapp_provider.templates import OfficialTemplate


class WhatsCloudAccount(LimitedAccount):
    """One tenant, which is one channel.

    :param client: below the tenant's part of the URL.
    """

    gateway = "whatscloud"
    capabilities = CAPABILITIES

    def __init__(self, client: ApiClient, pages: Pages, tenant: str) -> None:
        self._client = client
        self._rows = Rows(client)
        self._pages = pages
        self._tenant = tenant

    async def describe(self) -> str:
        """Name the tenant, and say how many templates it has."""
        page = await self._pages.first("/templates")
        count = "templates can be read" if page.total is None else f"{page.total} templates"
        return f"WhatsCloud tenant {self._tenant!r}, {count}"

    async def list_channels(self) -> Sequence[Channel]:
        """Return the one channel; that it is there is asked by its status."""
        return [Channel(ChannelRef(self.gateway, self._tenant, self._tenant))]

    async def find_channel(self, name: str, *, project: str | None = None) -> Channel | None:
        """Return the channel, if it is called so: by its tenant."""
        return next((one for one in await self.list_channels() if one.ref.name == name), None)

    async def get_channel(self, channel_id: str) -> Channel | None:
        """Return the channel, if it is that one."""
        return await self.find_channel(channel_id)

    def directory(self) -> WhatsCloudDirectory:
        """Return the tenant's contacts, groups, statuses and sources."""
        return WhatsCloudDirectory(self._client, self._pages)

    async def template(self, template_id: str) -> OfficialTemplate | None:
        """Return one template by WhatsCloud's own id of it, which is not Meta's."""
        row = await self._rows.one("/templates", template_id, TemplateRow)
        return official(row) if row else None

    async def template_bots(self) -> Sequence[TemplateBotRow]:
        """Return the bots that answer with a template."""
        return [read(TemplateBotRow, row) async for row in self._pages.rows("/templatebots")]

    async def template_bot(self, bot_id: str) -> TemplateBotRow | None:
        """Return one of them."""
        return await self._rows.one("/templatebots", bot_id, TemplateBotRow)

    async def message_bots(self) -> Sequence[MessageBotRow]:
        """Return the bots that answer with a text."""
        return [read(MessageBotRow, row) async for row in self._pages.rows("/messagebots")]

    async def message_bot(self, bot_id: str) -> MessageBotRow | None:
        """Return one of them."""
        return await self._rows.one("/messagebots", bot_id, MessageBotRow)

    async def number_format(self, number: str) -> NumberData:
        """Ask whether a number is well formed; that it is says nothing of WhatsApp. Newer versions only.

        :param number: digits.
        """
        body = {"phone_number": phone_of(number)}
        answer = await self._client.request("POST", "/phone/validate", effect=Effect.READ, json=body)
        return read(NumberAnswer, answer.json()).data
