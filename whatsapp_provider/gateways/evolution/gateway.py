"""One Evolution connection: a server by its global key, and one instance perhaps by a key of its own."""

from __future__ import annotations

import asyncio

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.connection import ConnectionValues, check_gateway, fingerprint, server_scope
from whatsapp_provider.gateways.evolution.account import EvolutionAccount
from whatsapp_provider.gateways.evolution.answers import classifier
from whatsapp_provider.gateways.evolution.capabilities import CAPABILITIES
from whatsapp_provider.gateways.evolution.channel import EvolutionChannel
from whatsapp_provider.gateways.evolution.connection import EvolutionConfig, check_name
from whatsapp_provider.gateways.evolution.dialects import VERSION_WITHIN, Server
from whatsapp_provider.http import ApiClient, Sleep, check_url
from whatsapp_provider.model import ChannelRef
from whatsapp_provider.transport import Timeouts, Wire


def open_gateway(
    values: ConnectionValues, *, wire: Wire | None = None, sleep: Sleep | None = None
) -> EvolutionGateway:
    """Return the gateway of a connection.

    :raises ConfigurationError: if the connection lacks its URL or a key, or a value can't be used.
    """
    return EvolutionGateway(EvolutionConfig.read(values), wire, sleep=sleep or asyncio.sleep)


class EvolutionGateway:
    """See :class:`whatsapp_provider.gateways.base.Gateway`."""

    name = "evolution"
    capabilities = CAPABILITIES
    creation_limit = None  # a server of one's own has none

    def __init__(
        self, config: EvolutionConfig, wire: Wire | None = None, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        check_url(config.url, f"Connection {config.conn_id!r}, server URL (Host)")
        self._config = config
        self._wire = wire
        self._sleep = sleep
        self._timeouts = Timeouts(read=config.timeout, write=config.timeout)
        self._server = Server(self._client("", "no key"), config.url, config.api_version)

    @property
    def default_channel(self) -> ChannelRef | None:
        """The instance of the connection's own fields."""
        name = self._config.instance
        return ChannelRef(self.name, name, name) if name else None

    @property
    def account_key(self) -> str:
        """A hash that names the server and the key."""
        key = self._config.global_key or self._config.instance_token
        named = fingerprint(f"{self._config.url} {key}")
        return f"{self.name}/{named}"

    @property
    def channel_scope(self) -> str:
        """The server: each has names of its own. Long ones are told by their hash."""
        return server_scope(self._config.url)

    @property
    def send_timeout(self) -> float:
        """The server's version and one whole exchange, each at its longest."""
        return VERSION_WITHIN + self._timeouts.total

    def account(self) -> EvolutionAccount:
        """Return the server's instances, by the global key."""
        key = self._config.global_key
        if not key:
            raise ConfigurationError(
                f"Connection {self._config.conn_id!r} has only an instance token; creating, finding and deleting "
                "channels needs the global API key (Password)."
            )
        client = self._client(key, "global API key (Password)")
        return EvolutionAccount(client, self._server, self._config, self._sleep)

    def channel(self, ref: ChannelRef) -> EvolutionChannel:
        """Return one instance; the connection's own one is reached by its own key, where that is given."""
        config = self._config
        check_gateway(ref, self.name, config.conn_id)
        name = check_name(ref.channel_id)
        if config.instance_token and name == config.instance:
            client = self._client(config.instance_token, "instance token")
        elif config.global_key:
            client = self._client(config.global_key, "global API key (Password)")
        else:
            raise ConfigurationError(
                f"Connection {config.conn_id!r} has the token of instance {config.instance!r} alone, which does not "
                f"reach {name!r}. Fill in the global API key, or use a connection of that instance."
            )
        return EvolutionChannel(client, self._server, name, self._sleep)

    async def test(self) -> str:
        """Check the global key, or the instance's state where only its token is given."""
        if self._config.global_key:
            return await self.account().describe()
        about = await self._server.described()
        own = ChannelRef(self.name, self._config.instance)
        status = await self.channel(own).status()
        return f"{about}, instance {own.channel_id!r}: {status.state.value} ({status.detail})"

    def _client(self, key: str, called: str) -> ApiClient:
        return ApiClient(
            self._config.url,
            label="Evolution API",
            headers={"apikey": key} if key else {},
            secrets=tuple(filter(None, (self._config.global_key, self._config.instance_token))),
            timeouts=self._timeouts,
            classify=classifier(f"{called} of connection {self._config.conn_id!r}"),
            wire=self._wire,
            sleep=self._sleep,
        )
