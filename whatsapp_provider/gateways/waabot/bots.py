"""The account's bots and their pairs, which stay in this object: never in XCom, logs or the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from whatsapp_provider.errors import (
    ConfigurationError,
    CredentialRejectedError,
    NoAnswerError,
    NotFoundError,
)
from whatsapp_provider.gateways.waabot.api import Api
from whatsapp_provider.gateways.waabot.calls import LIST
from whatsapp_provider.gateways.waabot.connection import Pair, WaabotConfig
from whatsapp_provider.gateways.waabot.payloads import READER, Bot, data_of, read_list
from whatsapp_provider.model import ChannelRef

PAIR_WITHIN = 10.0  #: seconds for the API to tell a bot's pair


class Bots:
    """What the connection reaches.

    :param own: the channel of the connection's own pair.
    """

    def __init__(self, api: Api, config: WaabotConfig, own: ChannelRef | None) -> None:
        self._api = api
        self._config = config
        self._own = own.channel_id if own and config.pair else ""
        self._pairs: dict[str, Pair] = {}

    @property
    def sees_account(self) -> bool:
        """Whether the connection may ask for the account's bots."""
        return bool(self._config.account_token)

    async def rows(self) -> Sequence[Bot]:
        """Return all bots of the account; the API has no pages."""
        return read_list(Bot, await self._listed())

    async def row(self, ref: ChannelRef) -> Bot | None:
        """Return one bot, ``None`` if the account has none of that id."""
        return next((bot for bot in await self.rows() if self._is(bot, ref)), None)

    async def settings(self, ref: ChannelRef) -> dict[str, Any]:
        """Return a bot's settings as they stand in the list, its access token among them.

        :raises NotFoundError: if the account has no such bot.
        """
        body = data_of(await self._listed())
        for item in body if isinstance(body, list) else ():
            if self._is(READER.one(Bot, item), ref):
                told = item.get("settings")
                return told if isinstance(told, dict) else {}
        raise gone(ref)

    async def _listed(self) -> Any:
        # The page's sample gives an empty pair; a pair is only shown where nothing else can be.
        pair = None if self.sees_account else self._config.pair
        return (await self._api.ask(LIST, pair)).json()

    def _is(self, bot: Bot, ref: ChannelRef) -> bool:
        if bot.id == ref.channel_id:
            return True
        own = self._config.pair
        return self.is_own(ref) and own is not None and bot.session_id == own.session_id

    def is_own(self, ref: ChannelRef) -> bool:
        """Whether the connection itself gives the pair of ``ref``."""
        return bool(self._own) and self._own == ref.channel_id

    async def pair(self, ref: ChannelRef) -> Pair:
        """Return what opens a bot; asked of the API once.

        :raises NotFoundError: if the account has no such bot.
        :raises ConfigurationError: if the connection reaches another bot only.
        """
        config = self._config
        if config.pair is not None and self.is_own(ref):
            return config.pair
        if not config.account_token:
            raise ConfigurationError(
                f"Connection {config.conn_id!r} has session id and access token of one bot, and that is not known to "
                f"be {ref.channel_id!r}. Name no channel in the task, or fill in the connection's channel id."
            )
        if ref.channel_id not in self._pairs:
            self._pairs[ref.channel_id] = await self._asked(ref)
        return self._pairs[ref.channel_id]

    def forget(self, ref: ChannelRef) -> None:
        """Ask for the pair anew the next time."""
        self._pairs.pop(ref.channel_id, None)

    async def recheck(self, ref: ChannelRef) -> bool:
        """Return whether the pair of a bot that the API does not know has changed meanwhile.

        :raises NotFoundError: if the bot is gone.
        """
        try:
            bot = await self.row(ref)
        except CredentialRejectedError:
            if self._config.account_token:
                raise
            return False  # only the account's token may ask
        if bot is None:
            raise gone(ref)
        if self.is_own(ref) or bot.pair is None or bot.pair == self._pairs.get(ref.channel_id):
            return False
        self._pairs[ref.channel_id] = bot.pair
        return True

    async def _asked(self, ref: ChannelRef) -> Pair:
        try:
            async with asyncio.timeout(PAIR_WITHIN):
                bot = await self.row(ref)
        except TimeoutError:
            raise NoAnswerError(f"Waabot did not tell the bot's pair within {PAIR_WITHIN:g} s.") from None
        if bot is None:
            raise gone(ref)
        if bot.pair is None:
            raise ConfigurationError(
                f"Waabot does not tell session id and access token of bot {ref.channel_id!r}; fill in both, and the "
                "channel id, in a connection of that bot."
            )
        return bot.pair


def gone(ref: ChannelRef) -> NotFoundError:
    """Return the error of a bot that is not there."""
    name = f" ({ref.name})" if ref.name else ""
    return NotFoundError(
        f"Waabot knows no bot {ref.channel_id!r}{name}; it was deleted or belongs to another account.",
        code="bot_missing",
    )
