"""The settings of a bot: four updates and the webhook, all answered with what the database's updateOne says."""

from __future__ import annotations

from typing import Any

from whatsapp_provider.emulator.asgi import Reply
from whatsapp_provider.emulator.waabot.account import DAYS, OFF, ON
from whatsapp_provider.emulator.waabot.body import Data
from whatsapp_provider.emulator.waabot.bot import Bot
from whatsapp_provider.emulator.waabot.call import Call, Handler, Route, done
from whatsapp_provider.emulator.waabot.refusals import invalid

GENERAL = ("bot_name", "bot_timezone", "bot_lang", "default_msg")


def _updated(*, matched: bool, modified: bool) -> Reply:
    data = {
        "acknowledged": True,
        "modifiedCount": int(modified),
        "upsertedId": None,
        "upsertedCount": 0,
        "matchedCount": int(matched),
    }
    return done("Whatsapp settings updated successfully!", data)


def _merge(call: Call, bot: Bot, kept: Data, changes: Data) -> Reply:
    modified = any(kept.get(name) != value for name, value in changes.items())
    if modified:
        kept.update(changes)
        bot.row["updatedAt"] = call.account.now()
    return _updated(matched=True, modified=modified)


def _text(value: Any) -> str:
    """Return a value as the database casts it to a string; ``default_msg`` is documented as a boolean."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def update(part: str | None, names: tuple[str, ...], kind: type) -> Handler:
    """Return what answers the update of some settings, by default those at the top; other names are ignored."""

    async def answer(call: Call) -> Reply:
        bot = call.find_bot()
        if bot is None:
            # No row has such a pair, and that is no error to the database.
            return _updated(matched=False, modified=False)
        given = {name: call.data[name] for name in names if name in call.data}
        if kind is bool and not all(isinstance(value, bool) for value in given.values()):
            raise invalid(
                *(f"{name} must be a boolean" for name in given if not isinstance(given[name], bool))
            )
        changes = {name: value if kind is bool else _text(value) for name, value in given.items()}
        settings = bot.row["settings"]
        return _merge(call, bot, settings if part is None else settings[part], changes)

    return answer


async def set_webhook(call: Call) -> Reply:
    """Answer PUT setWebhook."""
    bot = call.find_bot()
    if bot is None:
        return _updated(matched=False, modified=False)
    url, events, request = (call.data.get(name) for name in ("webhook_url", "events", "requestConfig"))
    if url is not None and not isinstance(url, str):
        raise invalid("webhook_url must be a string")
    modified = bot.hook.change(
        url or "",
        [str(event) for event in events] if isinstance(events, list) else None,
        request if isinstance(request, dict) else None,
    )
    return _updated(matched=True, modified=modified)


ROUTES = {
    ("PUT", "/whatsapp/updategeneral"): Route(update(None, GENERAL, str), for_account=True, recorded=True),
    ("PUT", "/whatsapp/updateactions"): Route(
        update("actions", (*ON, *OFF), bool), for_account=True, recorded=True
    ),
    ("PUT", "/whatsapp/updateactivedays"): Route(
        update("active_days", DAYS, bool), for_account=True, recorded=True
    ),
    ("PUT", "/whatsapp/updateactivehours"): Route(
        update("active_hours", ("from", "to"), str), for_account=True, recorded=True
    ),
    ("PUT", "/whatsapp/setwebhook"): Route(set_webhook),
}
