"""Validation with the default English texts of Laravel's rules, which name a field with spaces."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from whatsapp_provider.emulator.whatscloud.body import Data, Upload
from whatsapp_provider.emulator.whatscloud.refusals import invalid

Kind = Literal["string", "integer", "boolean", "email", "url", "array", "file"]
Complaints = dict[str, list[str]]
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
NUMBER = re.compile(r"-?\d+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a field must be; ``low`` and ``high`` are characters, items, or kilobytes of a file."""

    kind: Kind = "string"
    required: bool = False
    low: int | None = None
    high: int | None = None
    values: tuple[str, ...] = ()
    mime_types: tuple[str, ...] = ()


Rules = Mapping[str, Rule]


def check(data: Data, rules: Rules, *, inside: str = "") -> Complaints:
    """Return what is wrong, by the full name of the field."""
    found: Complaints = {}
    for name, rule in rules.items():
        told = _complaint(f"{inside}{name}".replace("_", " "), data.get(name), rule)
        if told is not None:
            found[f"{inside}{name}"] = [told]
    return found


def demand(complaints: Complaints) -> None:
    """Refuse the request if there is anything to complain of."""
    if complaints:
        raise invalid(complaints)


def whole(value: Any) -> int | None:
    """Return a whole number that came as such or as a text."""
    return None if value is None else int(value)


def true(value: Any) -> bool:
    """Read what the rule ``boolean`` lets through; the text "true" is not among it."""
    return value in (True, 1, "1")


def _complaint(field: str, value: Any, rule: Rule) -> str | None:
    if value is None:
        return f"The {field} field is required." if rule.required else None
    if not _TYPES[rule.kind](value):
        return f"The {field} field must be {_NAMES[rule.kind]}."
    if rule.values and value not in rule.values:
        return f"The selected {field} is invalid."
    if isinstance(value, Upload):
        return _file(field, value, rule)
    if isinstance(value, str | list):
        return _size(field, len(value), rule, "characters" if isinstance(value, str) else "items")
    return None


def _size(field: str, size: int, rule: Rule, unit: str) -> str | None:
    low, high = rule.low, rule.high
    if rule.kind == "integer":
        return None
    if (low is None or size >= low) and (high is None or size <= high):
        return None
    be = "be" if unit == "characters" else "have"
    if low is not None and high is not None:
        return f"The {field} field must {be} between {low} and {high} {unit}."
    if low is not None:
        return f"The {field} field must {be} at least {low} {unit}."
    more = "be greater" if unit == "characters" else "have more"
    return f"The {field} field must not {more} than {high} {unit}."


def _file(field: str, file: Upload, rule: Rule) -> str | None:
    if rule.high is not None and len(file.content) > rule.high * 1024:
        return f"The {field} field must not be greater than {rule.high} kilobytes."
    if rule.mime_types and file.mime_type.partition(";")[0] not in rule.mime_types:
        return f"The {field} field must be a file of type: {', '.join(rule.mime_types)}."
    return None


def _is_url(value: Any) -> bool:
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        return False
    try:
        return bool(urlsplit(value).hostname)
    except ValueError:
        return False


_TYPES: Mapping[Kind, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, str) and NUMBER.fullmatch(value) is not None)
    ),
    "boolean": lambda value: value in (True, False, "0", "1"),
    "email": lambda value: isinstance(value, str) and EMAIL.fullmatch(value) is not None,
    "url": _is_url,
    "array": lambda value: isinstance(value, dict | list),
    "file": lambda value: isinstance(value, Upload),
}
_NAMES: Mapping[Kind, str] = {
    "string": "a string",
    "integer": "an integer",
    "boolean": "true or false",
    "email": "a valid email address",
    "url": "a valid URL",
    "array": "an array",
    "file": "a file",
}
