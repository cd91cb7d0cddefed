"""The settings of a bot: four calls, each with its own names, told as one mapping, as the account's list has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from whatsapp_provider.errors import ConfigurationError, NotFoundError
from whatsapp_provider.gateways.waabot.api import Api
from whatsapp_provider.gateways.waabot.calls import (
    UPDATE_ACTIONS,
    UPDATE_ACTIVE_DAYS,
    UPDATE_ACTIVE_HOURS,
    UPDATE_GENERAL,
    Call,
)
from whatsapp_provider.gateways.waabot.connection import Pair
from whatsapp_provider.gateways.waabot.payloads import Updated, read
from whatsapp_provider.transport import Answer

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOUR = re.compile(r"always|([01]?\d|2[0-3]):[0-5]\d|24:00")
Checks = Mapping[str, tuple[Callable[[Any], bool], str]]


def _is_switch(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_hour(value: Any) -> bool:
    return isinstance(value, str) and _HOUR.fullmatch(value) is not None


_SWITCH, _TEXT = (_is_switch, "true or false"), (_is_text, "text")


@dataclass(frozen=True, slots=True)
class Section:
    """The settings of one call.

    :param checks: whether a value can be that of a name, and in words what it must be.
    """

    call: Call
    checks: Checks


#: The section whose settings stand at the top, beside the groups that the other sections are.
TOP = "general"
#: By the name of the section, in the order in which they are changed.
SECTIONS: Mapping[str, Section] = {
    TOP: Section(
        UPDATE_GENERAL,
        {
            "bot_name": _TEXT,
            "bot_timezone": _TEXT,
            "bot_lang": _TEXT,
            # The page shows true, the bots hold a text.
            "default_msg": (lambda value: isinstance(value, bool | str), "text, or true or false"),
        },
    ),
    "actions": Section(
        UPDATE_ACTIONS,
        dict.fromkeys(
            (
                "send_default_msg",
                "reply_group_msgs",
                "reply_unread_msgs",
                "reply_msgs",
                "multi_device",
                "send_webhook",
            ),
            _SWITCH,
        ),
    ),
    "active_days": Section(UPDATE_ACTIVE_DAYS, dict.fromkeys(DAYS, _SWITCH)),
    "active_hours": Section(
        UPDATE_ACTIVE_HOURS, dict.fromkeys(("from", "to"), (_is_hour, "'always' or a time such as 5:00"))
    ),
}


def sections_of(changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the changes by section.

    :param changes: as a bot's settings are told, e.g. ``{"bot_lang": "en", "active_days": {"sunday": False}}``.
    :raises ConfigurationError: for a setting that there is not, or a value of a wrong type.
    """
    wanted: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        if name not in SECTIONS or name == TOP:
            wanted.setdefault(TOP, {})[name] = _checked(TOP, name, value)
        elif not isinstance(value, Mapping):
            raise ConfigurationError(f"Setting {name!r} of a bot must be a mapping of names to values.")
        elif value:
            wanted[name] = {inner: _checked(name, inner, part) for inner, part in value.items()}
    return {name: wanted[name] for name in SECTIONS if name in wanted}


def _checked(section: str, name: str, value: Any) -> Any:
    if name not in SECTIONS[section].checks:
        homes = [key for key, found in SECTIONS.items() if name in found.checks]
        where = f"in {homes[0]!r}" if homes and homes[0] != TOP else "at the top"
        known = f"It stands {where}" if homes else f"There are {', '.join(SECTIONS[section].checks)}"
        groups = ", ".join(key for key in SECTIONS if key != TOP)
        place = "at the top" if section == TOP else f"in {section!r}"
        raise ConfigurationError(f"A bot has no setting {name!r} {place}. {known}; its groups are {groups}.")
    fits, must_be = SECTIONS[section].checks[name]
    if not fits(value):
        raise ConfigurationError(f"Setting {name!r} of a bot must be {must_be}.")
    return value


def told(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a row of the list, without the bot's access token.

    What can be changed and is not told, as the language is not, is ``None``; groups have what can be changed.
    """
    found: dict[str, Any] = dict.fromkeys(SECTIONS[TOP].checks)
    found |= {name: value for name, value in settings.items() if name != "access_token"}
    for name, section in SECTIONS.items():
        group = found.get(name)
        if isinstance(group, Mapping):
            found[name] = {inner: part for inner, part in group.items() if inner in section.checks}
    return found


async def update(api: Api, pair: Pair | None, changes: Mapping[str, Any], bot_id: str) -> None:
    """Change settings, a call for each section; those that are not named stay.

    :raises ConfigurationError: before anything is changed, for what can't be a setting.
    :raises NotFoundError: if the API changed nothing, because it found no such bot.
    """
    for name, values in sections_of(changes).items():
        answer = await api.ask(SECTIONS[name].call, pair, json=values)
        check_matched(read(Updated, answer.json()), f"{name!r}", bot_id)


def check_matched(told: Updated, what: str, bot_id: str) -> None:
    """Refuse the success of an update that matched nothing.

    :raises NotFoundError: saying so.
    """
    if told.matchedCount == 0:
        raise NotFoundError(
            f"Waabot says that it updated {what} of bot {bot_id!r}, and that this matched nothing: nothing was "
            "changed. Are session id and access token those of a bot that is still there?",
            status=200,
            code="matched_nothing",
        )


def check_webhook_set(answer: Answer, bot_id: str) -> None:
    """Refuse it where the answer says that nothing was matched; the page shows no answer of this call.

    :raises NotFoundError: saying so.
    """
    if not answer.body.strip():
        return
    body = answer.json()
    data = body.get("data") if isinstance(body, dict) else None
    if isinstance(data, dict) and "matchedCount" in data:
        check_matched(read(Updated, body), "the webhook", bot_id)
