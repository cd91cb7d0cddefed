"""The part of JSON schema that the server checks, with the texts of its validator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from whatsapp_provider.emulator.evolution.refusals import violations


class Rule(NamedTuple):
    """What one property may be; ``say`` replaces every complaint about it."""

    kind: str | None = None
    say: str | None = None
    values: tuple[str, ...] | None = None
    pattern: str | None = None
    least: int | None = None
    most: int | None = None
    item: Rule | None = None
    inner: Schema | None = None


class Schema(NamedTuple):
    """An object's properties in the order in which they are checked, and those it must have."""

    rules: Mapping[str, Rule]
    required: tuple[str, ...] = ()


TEXT = Rule("string")
SWITCH = Rule("boolean")


def demand(data: Mapping[str, Any], schema: Schema) -> None:
    """Refuse a body that breaks its schema, with all complaints at once."""
    found = complaints(data, schema, "")
    if found:
        raise violations(found)


def complaints(data: Mapping[str, Any], schema: Schema, path: str) -> list[str]:
    """Return what is wrong with an object; its name is ``instance`` at the top."""
    found = []
    for name, rule in schema.rules.items():
        if name in data:
            found += _complaints(data[name], rule, f"{path}.{name}" if path else name)
    found += [
        f'{path or "instance"} requires property "{name}"' for name in schema.required if name not in data
    ]
    return found


def _complaints(value: Any, rule: Rule, path: str) -> list[str]:
    found = list(_plain(value, rule, path))
    if rule.say is not None:
        return [rule.say] if found else []
    if isinstance(value, list) and rule.item is not None:
        for number, item in enumerate(value):
            found += _complaints(item, rule.item, f"{path}[{number}]")
    if isinstance(value, dict) and rule.inner is not None:
        found += complaints(value, rule.inner, path)
    return found


def _plain(value: Any, rule: Rule, path: str) -> list[str]:
    if rule.kind is not None and not _is(value, rule.kind):
        return [f"{path} is not of a type(s) {rule.kind}"]
    if rule.values is not None and value not in rule.values:
        return [f"{path} is not one of enum values: {','.join(rule.values)}"]
    if rule.pattern is not None and isinstance(value, str) and re.search(rule.pattern, value) is None:
        return [f'{path} does not match pattern "{_escaped(rule.pattern)}"']
    if isinstance(value, list) and rule.item is not None and rule.say is not None:
        return [line for item in value for line in _plain(item, rule.item, path)]
    return _size(value, rule, path)


def _size(value: Any, rule: Rule, path: str) -> list[str]:
    if isinstance(value, str | list):
        if rule.least is not None and len(value) < rule.least:
            return [f"{path} does not meet minimum length of {rule.least}"]
        if rule.most is not None and len(value) > rule.most:
            return [f"{path} does not meet maximum length of {rule.most}"]
    elif isinstance(value, int | float):
        if rule.least is not None and value < rule.least:
            return [f"{path} must be greater than or equal to {rule.least}"]
        if rule.most is not None and value > rule.most:
            return [f"{path} must be less than or equal to {rule.most}"]
    return []


def _escaped(pattern: str) -> str:
    return pattern.replace("\\", "\\\\")


def _is(value: Any, kind: str) -> bool:
    if kind in ("integer", "number"):
        # A JSON true is no number, though Python's True is one.
        wanted = int if kind == "integer" else (int, float)
        return isinstance(value, wanted) and not isinstance(value, bool)
    types: dict[str, type] = {"string": str, "boolean": bool, "array": list, "object": dict}
    return isinstance(value, types[kind])
