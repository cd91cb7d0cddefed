"""One toy connection."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from urllib.parse import urlsplit

from tests.toy.answers import READER, Line, Lines, classify
from tests.toy.capabilities import CAPABILITIES
from tests.toy.channel import ToyChannel
from tests.toy.connection import ToyConfig
from whatsapp_provider.errors import ConfigurationError, NotFoundError
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.limited import LimitedAccount
from whatsapp_provider.http import ApiClient, Sleep, check_url, segment
from whatsapp_provider.model import Channel, ChannelRef
from whatsapp_provider.transport import Timeouts, Wire

__all__ = ["CAPABILITIES", "open_gateway"]


def open_gateway(
    values: ConnectionValues, *, wire: Wire | None = None, sleep: Sleep | None = None
) -> ToyGateway:
    return ToyGateway(ToyConfig.read(values), wire, sleep or asyncio.sleep)


class ToyAccount(LimitedAccount):
    gateway = "toy"
    capabilities = CAPABILITIES

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def describe(self) -> str:
        return f"Toy account with {len(await self.list_channels())} lines"

    async def list_channels(self) -> Sequence[Channel]:
        return [_channel(line) for line in READER.one(Lines, await self._client.get("/lines")).lines]

    async def find_channel(self, name: str, *, project: str | None = None) -> Channel | None:
        return next((found for found in await self.list_channels() if found.ref.name == name), None)

    async def get_channel(self, channel_id: str) -> Channel | None:
        try:
            return _channel(READER.one(Line, await self._client.get(f"/lines/{segment(channel_id)}")))
        except NotFoundError:
            return None


def _channel(line: Line) -> Channel:
    return Channel(ChannelRef("toy", line.id, line.name))


class ToyGateway:
    name = "toy"
    capabilities = CAPABILITIES
    creation_limit = None

    def __init__(self, config: ToyConfig, wire: Wire | None, sleep: Sleep) -> None:
        check_url(config.url, f"Connection {config.conn_id!r}, server URL (Host)")
        self._config = config
        self.channel_scope = urlsplit(config.url).netloc  # each server numbers its lines from 1
        self._wire = wire
        self._sleep = sleep
        self._timeouts = Timeouts()
        self.send_timeout = self._timeouts.total

    @property
    def default_channel(self) -> ChannelRef | None:
        return ChannelRef(self.name, self._config.line_id) if self._config.line_id else None

    @property
    def account_key(self) -> str:
        key = self._config.account_key or self._config.line_key
        return f"{self.name}/{hashlib.sha256(key.encode()).hexdigest()[:12]}"

    def account(self) -> ToyAccount:
        if not self._config.account_key:
            raise ConfigurationError(f"Connection {self._config.conn_id!r} has the key of one line only.")
        return ToyAccount(self._client(self._config.account_key))

    def channel(self, ref: ChannelRef) -> ToyChannel:
        config = self._config
        if ref.gateway != self.name:
            raise ConfigurationError(f"Channel {ref.channel_id!r} is one of gateway {ref.gateway!r}.")
        if not config.account_key and ref.channel_id != config.line_id:
            raise ConfigurationError(f"Connection {config.conn_id!r} has no key of line {ref.channel_id!r}.")
        return ToyChannel(self._client(config.account_key or config.line_key), ref.channel_id)

    async def test(self) -> str:
        if self._config.account_key:
            return await self.account().describe()
        own = ChannelRef(self.name, self._config.line_id)
        return f"Toy line, {(await self.channel(own).status()).state.value}"

    def _client(self, key: str) -> ApiClient:
        return ApiClient(
            self._config.url,
            label="The toy",
            headers={"x-toy-key": key},
            secrets=(self._config.account_key, self._config.line_key),
            timeouts=self._timeouts,
            classify=classify,
            wire=self._wire,
            sleep=self._sleep,
        )
