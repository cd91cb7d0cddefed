"""One call as its handler sees it: who asks, for which bot, with what body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.waabot.account import WaabotAccount
from whatsapp_provider.emulator.waabot.body import Data, File
from whatsapp_provider.emulator.waabot.bot import Bot
from whatsapp_provider.emulator.waabot.refusals import no_pair, unknown_pair


@dataclass(slots=True)
class Call:
    """One request, its body parsed, its bearer looked at."""

    account: WaabotAccount
    request: Request
    data: Data
    file: File | None
    session_id: str | None

    def given(self, name: str) -> Any:
        """Return half of the pair from where it stands: the query first, then the body."""
        return self.request.query.get(name) or self.data.get(name)

    def find_bot(self) -> Bot | None:
        """Return the bot that the pair names, if there is one."""
        return self.account.bot_of(self.given("session_id"), self.given("access_token"))

    def row(self) -> Bot:
        """Return the bot that the pair names, started or not; refuse where there is none."""
        bot = self.find_bot()
        if bot is None:
            raise unknown_pair() if self.given("session_id") else no_pair()
        return bot

    @property
    def bot(self) -> Bot:
        """The bot that the pair names, where the server below may be asked for it."""
        bot = self.row()
        if bot.state == "new" and self.account.world.settings.waabot_unstarted == "invalid":
            raise unknown_pair()
        return bot


Handler = Callable[[Call], Awaitable[Reply]]


class Route(NamedTuple):
    """What answers, whether it is the account's own, and whether its answer is in the documents."""

    handler: Handler
    for_account: bool = False
    recorded: bool = False
    anybody: bool = False


def done(message: str, data: Any) -> Reply:
    """Return a success in the envelope."""
    return json_reply({"status": True, "message": message, "data": data})


def deleted(what: str, count: int) -> Reply:
    """Return what the sibling resources answer to a DELETE."""
    return done(f"{what} deleted successfully!", {"n": count, "ok": 1, "deletedCount": count})
