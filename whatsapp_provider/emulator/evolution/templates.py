"""A template with somebody's values in it: whether Meta takes them, and what a phone then shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from whatsapp_provider.emulator.evolution.instance import Instance

Data = dict[str, Any]
# Code, title and details of a refusal.
Problem = tuple[int, str, str]
# Meta gives this one to everybody, approved; what it takes is not looked at.
SAMPLE = "hello_world"
PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
STOPPED = {
    "PAUSED": (132015, "Template is Paused", "Template is paused due to low quality"),
    "DISABLED": (132016, "Template is Disabled", "Template is disabled due to low quality"),
}


def _found(instance: Instance, data: Data) -> Data | None:
    wanted = (data["name"], data["language"])
    return next((one for one in instance.templates if (one["name"], one["language"]) == wanted), None)


def problem(instance: Instance, data: Data) -> Problem | None:
    """Return why Meta refuses to send a template, if it does."""
    if data["name"] == SAMPLE:
        return None
    template = _found(instance, data)
    if template is not None and template["status"] in STOPPED:
        return STOPPED[template["status"]]
    if template is None or template["status"] != "APPROVED":
        details = f"template name ({data['name']}) does not exist in {data['language']}"
        return 132001, "Template name does not exist in the translation", details
    parts = {part["type"].upper(): part for part in template["components"]}
    given = {part["type"].lower(): part.get("parameters") or [] for part in data.get("components") or []}
    return (
        _values("header", parts.get("HEADER", {}), given)
        or _values("body", parts.get("BODY", {}), given)
        or _buttons(parts.get("BUTTONS", {}), data)
    )


def _values(place: str, part: Data, given: dict[str, list[Data]]) -> Problem | None:
    kind, values = str(part.get("format", "TEXT")).lower(), given.get(place, [])
    if kind != "text":
        received = values[0]["type"] if values else "unknown"
        if received == kind:
            return None
        details = f"{place}: Format mismatch, expected {kind.upper()}, received {received.upper()}"
        return 132012, "Parameter format does not match format in the created template", details
    names = list(dict.fromkeys(PLACEHOLDER.findall(part.get("text", ""))))
    if len(values) != len(names):
        details = (
            f"{place}: number of localizable_params ({len(values)}) does not match the expected number of params "
            f"({len(names)})"
        )
        return 132000, "Number of parameters does not match the expected number of params", details
    named = [name for name in names if not name.isdecimal()]
    if named and {value.get("parameter_name") for value in values} != set(named):
        return 100, "Invalid parameter", "Parameter name is missing or empty"
    return None


def _buttons(part: Data, data: Data) -> Problem | None:
    given = {
        int(one["index"]): one["sub_type"]
        for one in data.get("components") or []
        if one["type"].lower() == "button"
    }
    for place, button in enumerate(part.get("buttons", ())):
        is_code = button["type"] == "COPY_CODE"
        if not is_code and not PLACEHOLDER.search(button.get("url", "")):
            continue
        if given.get(place) != ("copy_code" if is_code else "url"):
            details = (
                f"buttons: Button at index {place} of type {button['type'].title()} requires a parameter"
            )
            return 131008, "Required parameter is missing", details
    return None


def rendered(instance: Instance, data: Data) -> str:
    """Return what a person reads: the body with the values in it, or the name where its text is not known."""
    template = _found(instance, data)
    body = (
        next((part for part in template["components"] if part["type"].upper() == "BODY"), None)
        if template
        else None
    )
    if body is None:
        return str(data["name"])
    values = next(
        (
            one.get("parameters") or []
            for one in data.get("components") or []
            if one["type"].lower() == "body"
        ),
        [],
    )
    named = {
        value.get("parameter_name", str(at)): value.get("text", "") for at, value in enumerate(values, 1)
    }
    return PLACEHOLDER.sub(lambda found: str(named.get(found[1], found[0])), body["text"])
