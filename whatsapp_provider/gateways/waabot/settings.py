"""The settings of a bot: four calls, each with its own names, told as one mapping."""

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
_HOUR = re.compile(r"always|([01]?\d|2[0-3]):[0-5]\d")
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


#: By the name of the section, in the order in which they are changed.
SECTIONS: Mapping[str, Section] = {
    "general": Section(
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
    """Return the changes by section; given so, or flat, or both.

    :raises ConfigurationError: for a setting that there is not, is given twice, or has a value of a wrong type.
    """
    wanted: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        if name in SECTIONS:
            if not isinstance(value, Mapping):
                raise ConfigurationError(f"Settings {name!r} of a bot must be a mapping of names to values.")
            for inner, part in value.items():
                _put(wanted, name, str(inner), part)
            continue
        section = next((key for key, section in SECTIONS.items() if name in section.checks), "")
        _put(wanted, section, str(name), value)
    return {name: wanted[name] for name in SECTIONS if name in wanted}


def _put(wanted: dict[str, dict[str, Any]], section: str, name: str, value: Any) -> None:
    if not section or name not in SECTIONS[section].checks:
        known = "; ".join(f"{key}: {', '.join(found.checks)}" for key, found in SECTIONS.items())
        raise ConfigurationError(f"A bot has no setting {name!r}. It has {known}.")
    fits, must_be = SECTIONS[section].checks[name]
    if not fits(value):
        raise ConfigurationError(f"Setting {name!r} of a bot must be {must_be}.")
    target = wanted.setdefault(section, {})
    if name in target and target[name] != value:
        raise ConfigurationError(f"Setting {name!r} of a bot is given twice, with two values.")
    target[name] = value


async def update(api: Api, pair: Pair | None, changes: Mapping[str, Any], bot_id: str) -> None:
    """Change settings, a call for each section; those that are not named stay.

    :raises ConfigurationError: before anything is changed, for what can't be a setting.
    :raises NotFoundError: if the API changed nothing, because it found no such bot.
    """
    for name, values in sections_of(changes).items():
        answer = await api.ask(SECTIONS[name].call, pair, json=values)
        check_matched(read(Updated, answer.json()), f"the {name.replace('_', ' ')}", bot_id)


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
