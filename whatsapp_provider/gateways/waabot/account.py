"""The bots of one account token (the vendor's API page, its client)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from whatsapp_provider.errors import (
    ConfigurationError,
    Disposition,
    GatewayError,
    NoAnswerError,
)
from whatsapp_provider.gateways.limited import LimitedAccount
from whatsapp_provider.gateways.waabot.api import Api
from whatsapp_provider.gateways.waabot.bots import Bots
from whatsapp_provider.gateways.waabot.calls import CREATE, DELETE, INIT
from whatsapp_provider.gateways.waabot.capabilities import CAPABILITIES
from whatsapp_provider.gateways.waabot.connection import WaabotConfig
from whatsapp_provider.gateways.waabot.payloads import Bot, Deleted, is_object_id, read
from whatsapp_provider.gateways.waabot.settings import update
from whatsapp_provider.model import Channel, ChannelRef, ChannelSpec
from whatsapp_provider.transport import Answer


class WaabotAccount(LimitedAccount):
    """All bots of one account token."""

    gateway = "waabot"
    capabilities = CAPABILITIES

    def __init__(self, api: Api, bots: Bots, config: WaabotConfig) -> None:
        self._api = api
        self._bots = bots
        self._config = config

    async def describe(self) -> str:
        """Say where the account is and how many bots it has."""
        return f"Waabot account at {urlsplit(self._config.url).netloc}, {len(await self._bots.rows())} bots"

    async def list_channels(self) -> Sequence[Channel]:
        """Return all bots."""
        return [_channel(bot) for bot in await self._bots.rows()]

    async def find_channel(self, name: str, *, project: str | None = None) -> Channel | None:
        """Return the bot of that exact name; of several the oldest, so that each task finds the same."""
        if project:
            raise _no_projects(project)
        found = [bot for bot in await self._bots.rows() if bot.name == name]
        found.sort(key=lambda bot: (bot.createdAt or "", bot.id))
        return _channel(found[0]) if found else None

    async def get_channel(self, channel_id: str) -> Channel | None:
        """Return one bot; what can't be an id, such as a name, is not asked for."""
        if not is_object_id(channel_id):
            return None
        bot = await self._bots.row(ChannelRef("waabot", channel_id))
        return _channel(bot) if bot else None

    async def create_channel(self, spec: ChannelSpec) -> Channel:
        """Create a bot and start it, so that its QR code is there when it is asked for."""
        if spec.project:
            raise _no_projects(spec.project)
        if spec.options:
            raise ConfigurationError(
                f"Waabot takes no options for a new bot; got {', '.join(sorted(spec.options))}. Set them on the "
                "channel afterwards."
            )
        answer = await self._api.ask(CREATE, json={"bot_name": spec.name})
        bot = read(Bot, answer.json())
        if bot.name != spec.name:
            await self._rename(bot, spec.name)
        await self._start(bot)
        return Channel(ChannelRef("waabot", bot.id, spec.name))

    async def _rename(self, bot: Bot, name: str) -> None:
        """Give a bot its name where its creation did not: the page's sample has no name, the vendor's client does."""
        try:
            await update(self._api, bot.pair, {"bot_name": name}, bot.id)
        except GatewayError as error:
            told = (
                f"Waabot created bot {bot.id!r}, and it could not be given the name {name!r}: {error} Name it, or "
                "delete it."
            )
            if error.disposition is Disposition.HOLD:
                raise NoAnswerError(told, code="created_unnamed") from None
            # A bot of another name would not be found again, and each retry would create one more.
            raise ConfigurationError(told, code="created_unnamed") from None

    async def _start(self, bot: Bot) -> None:
        if bot.pair is None:
            return
        try:
            await self._api.ask(INIT, bot.pair)
        except GatewayError:
            # The bot is there all the same; the first look at it starts it.
            return

    async def delete_channel(self, channel_id: str) -> bool:
        """Delete a bot by its id.

        Not repeated blindly: a second answer of "none deleted" would not tell who deleted it.
        """
        if not is_object_id(channel_id):
            return False
        try:
            told = _count(await self._api.ask(DELETE, bot_id=channel_id))
        except GatewayError as error:
            if error.disposition is not Disposition.HOLD or await self.get_channel(channel_id):
                raise
            return True
        if told is None:
            # The page shows no answer of this call, and may be right about the empty one.
            if await self.get_channel(channel_id):
                raise NoAnswerError(f"Waabot answered the deletion of {channel_id!r}, and the bot is there.")
            return True
        return told > 0


def _count(answer: Answer) -> int | None:
    """Return how many were deleted, ``None`` where the answer does not say it."""
    try:
        return read(Deleted, answer.json()).deletedCount
    except NoAnswerError:
        return None


def _channel(bot: Bot) -> Channel:
    return Channel(ChannelRef("waabot", bot.id, bot.name))


def _no_projects(project: str) -> ConfigurationError:
    return ConfigurationError(
        f"Waabot has no projects; leave out project={project!r}. Another account is another connection."
    )
