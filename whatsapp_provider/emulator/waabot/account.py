"""One account: who it is, its sessions, its bots, and the attachments and contacts that messages name."""

from __future__ import annotations

import uuid
from collections import deque
from datetime import UTC, datetime
from typing import Any

from whatsapp_provider.emulator.waabot.body import Data
from whatsapp_provider.emulator.waabot.bot import Bot
from whatsapp_provider.emulator.waabot.tokens import FIXED_SESSION, Tokens
from whatsapp_provider.emulator.world import World

BOT_NAME = "WhatsappClient (bot_number)"
DEFAULT_MESSAGE = "{Hi|Hello} [name] your message has no keyword here."
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ON = ("send_default_msg", "reply_group_msgs", "reply_unread_msgs", "reply_msgs")
OFF = ("multi_device", "send_webhook")
GET_BODIES = 1000


class WaabotAccount:
    """What the account's bearer reaches; ``bots`` are by ``_id``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.bots: dict[str, Bot] = {}
        self.by_session: dict[str, Bot] = {}
        self.attachments: dict[str, Data] = {}
        self.contacts: dict[str, Data] = {}
        # Path and body of each GET that had a body: what a client's library or a proxy may have dropped.
        self.get_bodies: deque[tuple[str, bytes]] = deque(maxlen=GET_BODIES)
        self.tokens = Tokens(world)
        now = self.now()
        self.user: Data = {
            "_id": "61bbdbe3087d744b748535ff",
            "firstname": "Emulated",
            "lastname": "Owner",
            "email": world.settings.waabot_email,
            "createdAt": now,
            "updatedAt": now,
            "__v": 0,
        }
        self.open_session("emulator", FIXED_SESSION)

    def now(self) -> str:
        """Return the time as the database writes it."""
        moment = datetime.fromtimestamp(self.world.clock.now(), UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def object_id(self) -> str:
        """Return an id of the database: the seconds, then what is random, in hexadecimal."""
        return f"{int(self.world.clock.now()):08x}{self.world.random.getrandbits(64):016x}"

    def secret(self) -> str:
        """Return half of a pair, in the form of its time."""
        text = str(uuid.UUID(int=self.world.random.getrandbits(128), version=4))
        if self.world.settings.waabot_instance_shape == "seed":
            # In 2021 the first and the last group were cut to four digits.
            return f"{text[:4]}{text[8:28]}"
        return text

    def open_session(self, agent: str, session_id: str | None = None) -> Data:
        """Add a session, which is what a refresh token is of."""
        now = self.now()
        session: Data = {
            "_id": session_id or self.object_id(),
            "valid": True,
            "user": self.user["_id"],
            "userAgent": agent,
            "createdAt": now,
            "updatedAt": now,
            "__v": 0,
        }
        self.tokens.sessions[session["_id"]] = session
        return session

    # -- bots -------------------------------------------------------------------------------

    def create_bot(self, name: str | None = None) -> Bot:
        """Add a bot, as a row and nothing more."""
        now = self.now()
        settings: Data = {
            "bot_name": name or BOT_NAME,
            "status": "CONNECTED",
            "bot_timezone": "Africa/Harare",
            "bot_lang": "en",
            "default_msg": DEFAULT_MESSAGE,
            "actions": {**dict.fromkeys(ON, True), **dict.fromkeys(OFF, False)},
            "active_days": dict.fromkeys(DAYS, True),
            "active_hours": {"from": "always", "to": "always"},
            "access_token": self.secret(),
        }
        row: Data = {
            "settings": settings,
            "_id": self.object_id(),
            "user_id": self.user["_id"],
            "session_id": self.secret(),
            "createdAt": now,
            "updatedAt": now,
            "__v": 0,
        }
        bot = Bot(self.world, row, str(uuid.UUID(int=self.world.random.getrandbits(128), version=4)))
        self.bots[bot.id] = bot
        self.by_session[bot.session_id] = bot
        self.world.network.attach(bot.id, bot)
        return bot

    def delete_bot(self, bot_id: str) -> bool:
        """Remove a bot; its messages stay where they are."""
        bot = self.bots.pop(bot_id, None)
        if bot is None:
            return False
        bot.shut_down()
        self.world.network.detach(bot_id)
        del self.by_session[bot.session_id]
        return True

    def bot_of(self, session_id: Any, access_token: Any) -> Bot | None:
        """Return the bot of a pair."""
        bot = self.by_session.get(session_id) if isinstance(session_id, str) else None
        return bot if bot is not None and bot.access_token == access_token else None

    def paired_bot(self, name: str, phone: str | None = None) -> Bot:
        """Return a bot that is initialised and linked at once."""
        bot = self.create_bot(name)
        bot.begin()
        bot.show_qr()
        self.world.network.link(bot.id, phone)
        return bot
