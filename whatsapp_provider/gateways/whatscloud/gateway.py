"""One WhatsCloud connection: one tenant by its token, which is one channel."""

from __future__ import annotations

import asyncio

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.connection import ConnectionValues, check_gateway, fingerprint, server_scope
from whatsapp_provider.gateways.whatscloud.account import WhatsCloudAccount
from whatsapp_provider.gateways.whatscloud.answers import classifier
from whatsapp_provider.gateways.whatscloud.capabilities import CAPABILITIES
from whatsapp_provider.gateways.whatscloud.channel import TEMPLATES_WITHIN, WhatsCloudChannel
from whatsapp_provider.gateways.whatscloud.connection import WhatsCloudConfig
from whatsapp_provider.gateways.whatscloud.pages import Pages
from whatsapp_provider.http import ApiClient, Sleep, check_url, segment
from whatsapp_provider.model import ChannelRef
from whatsapp_provider.transport import Timeouts, Wire


def open_gateway(
    values: ConnectionValues, *, wire: Wire | None = None, sleep: Sleep | None = None
) -> WhatsCloudGateway:
    """Return the gateway of a connection.

    :raises ConfigurationError: if the connection lacks its tenant or token, or a value can't be used.
    """
    return WhatsCloudGateway(WhatsCloudConfig.read(values), wire, sleep=sleep or asyncio.sleep)


class WhatsCloudGateway:
    """See :class:`whatsapp_provider.gateways.base.Gateway`."""

    name = "whatscloud"
    capabilities = CAPABILITIES
    creation_limit = None  # none can be created

    def __init__(
        self, config: WhatsCloudConfig, wire: Wire | None = None, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        check_url(config.url, f"Connection {config.conn_id!r}, API URL (Host)")
        self._config = config
        self._timeouts = Timeouts(read=config.timeout, write=config.timeout)
        self._client = ApiClient(
            f"{config.url}/{segment(config.tenant)}",
            label="WhatsCloud",
            # The wire asks for JSON by itself; else this framework answers errors with pages and redirects.
            headers={"authorization": f"Bearer {config.token}"},
            secrets=tuple(filter(None, (config.token, config.webhook_secret))),
            timeouts=self._timeouts,
            classify=classifier(config.conn_id, config.tenant),
            wire=wire,
            sleep=sleep,
        )
        self._pages = Pages(self._client, config.rate_limit, sleep)

    @property
    def default_channel(self) -> ChannelRef:
        """The tenant."""
        return ChannelRef(self.name, self._config.tenant, self._config.tenant)

    @property
    def account_key(self) -> str:
        """A hash that names the server and the tenant; tokens change."""
        named = fingerprint(f"{self._config.url} {self._config.tenant}")
        return f"{self.name}/{named}"

    @property
    def channel_scope(self) -> str:
        """The server: each has tenants of its own. Long ones are told by their hash."""
        return server_scope(self._config.url)

    @property
    def send_timeout(self) -> float:
        """The templates and one whole exchange, each at its longest."""
        return TEMPLATES_WITHIN + self._timeouts.total

    def account(self) -> WhatsCloudAccount:
        """Return the tenant."""
        return WhatsCloudAccount(self._client, self._pages, self._config.tenant)

    def channel(self, ref: ChannelRef) -> WhatsCloudChannel:
        """Return the tenant's channel.

        :raises ConfigurationError: for any other.
        """
        check_gateway(ref, self.name, self._config.conn_id)
        if ref.channel_id != self._config.tenant:
            raise ConfigurationError(
                f"Connection {self._config.conn_id!r} has the token of tenant {self._config.tenant!r} alone, which "
                f"does not reach {ref.channel_id!r}. Use a connection of that tenant, or name no channel."
            )
        return WhatsCloudChannel(self._client, self._pages)

    async def test(self) -> str:
        """Read one template of the tenant."""
        return await self.account().describe()
