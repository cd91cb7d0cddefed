"""One connection to the Bots API: an account by its token, or one bot by its pair."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.connection import ConnectionValues, check_gateway, fingerprint
from whatsapp_provider.gateways.waabot.account import WaabotAccount
from whatsapp_provider.gateways.waabot.api import Api
from whatsapp_provider.gateways.waabot.bots import PAIR_WITHIN, Bots
from whatsapp_provider.gateways.waabot.capabilities import CAPABILITIES
from whatsapp_provider.gateways.waabot.channel import WaabotChannel
from whatsapp_provider.gateways.waabot.connection import WaabotConfig
from whatsapp_provider.http import Sleep
from whatsapp_provider.model import ChannelRef
from whatsapp_provider.transport import Wire


def open_gateway(
    values: ConnectionValues, *, wire: Wire | None = None, sleep: Sleep | None = None
) -> WaabotGateway:
    """Return the gateway of a connection.

    :raises ConfigurationError: if the connection lacks a token or a value can't be used.
    """
    return WaabotGateway(WaabotConfig.read(values), wire, sleep=sleep or asyncio.sleep)


class WaabotGateway:
    """See :class:`whatsapp_provider.gateways.base.Gateway`."""

    name = "waabot"
    capabilities = CAPABILITIES
    creation_limit = None  # none is told
    channel_scope = ""  # a database's object ids, which are made to be unique everywhere

    def __init__(
        self, config: WaabotConfig, wire: Wire | None = None, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._config = config
        self._sleep = sleep
        self._api = Api(config, wire, sleep)
        self._bots = Bots(self._api, config, self.default_channel)

    @property
    def default_channel(self) -> ChannelRef | None:
        """The bot of the connection's own fields."""
        config = self._config
        if config.channel_id:
            return ChannelRef(self.name, config.channel_id)
        if config.pair is not None:
            # The pair is the only name of the bot; a hash of it is stable and no secret.
            return ChannelRef(self.name, f"session-{fingerprint(config.pair.session_id)}")
        return None

    @property
    def account_key(self) -> str:
        """A hash that names the account: by the user in its token, which itself ends after a quarter of an hour."""
        config = self._config
        pair = config.pair.session_id if config.pair else ""
        user = _user_of(config.account_token) or config.refresh_token or config.account_token or pair
        return f"{self.name}/{fingerprint(f'{config.url} {user}')}"

    @property
    def send_timeout(self) -> float:
        """The bot's pair and one whole exchange, each at its longest."""
        return PAIR_WITHIN + self._api.timeouts.total

    def account(self) -> WaabotAccount:
        """Return the account of the token."""
        if not self._config.account_token:
            raise ConfigurationError(
                f"Connection {self._config.conn_id!r} has only one bot's session id and access token; creating, "
                "finding and deleting channels needs the account token (Password)."
            )
        return WaabotAccount(self._api, self._bots, self._config)

    def channel(self, ref: ChannelRef) -> WaabotChannel:
        """Return one bot; its pair is asked for at the first request."""
        config = self._config
        check_gateway(ref, self.name, config.conn_id)
        deprecated = config.uses_deprecated_text
        return WaabotChannel(self._api, self._bots, ref, self._sleep, deprecated_text=deprecated)

    async def test(self) -> str:
        """Ask for the account's bots, or for the one bot where only its pair is given."""
        if self._config.account_token:
            return await self.account().describe()
        own = self.default_channel
        if own is None:
            raise ConfigurationError(f"Connection {self._config.conn_id!r} has no token.")
        return f"Waabot bot {own.channel_id}: {(await self.channel(own).look()).word}"


def _user_of(token: str) -> str:
    """Return the user's id in a JSON web token, without trusting it; empty where there is none."""
    part = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return ""
    user = claims.get("_id") if isinstance(claims, dict) else None
    return user if isinstance(user, str) else ""
