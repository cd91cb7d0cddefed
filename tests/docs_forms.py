"""The tables of the pages that are not about classes: forms, options, settings, commands, paces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests import docs_options
from tests.docs_markdown import listed, summary, table
from whatsapp_provider.campaigns.breaker import BreakerLimits
from whatsapp_provider.campaigns.pacing import WARM_UP, Pace, spelled
from whatsapp_provider.cli import find
from whatsapp_provider.gateways.evolution.dialects import DEFAULT_EVENTS
from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.get_provider_info import get_provider_info
from whatsapp_provider.messages import KINDS, Message

PROJECT = Path(__file__).parent.parent
_PRESETS = (Pace.cautious(), Pace.official(), Pace.unlimited())
#: The fields that every connection of Airflow's has, unless its form hides them.
_STANDARD = {
    "host": "text",
    "port": "whole number",
    "schema": "text",
    "login": "text",
    "password": "text, masked",
}
_MANY = (10, 100, 1000)
_PARAM = re.compile(r":param (\w+): (.+?)\.$", re.MULTILINE)


def form_fields(gateway: str) -> str:
    """Return the fields of a connection's form."""
    form = GATEWAYS[gateway].form
    shown = [name for name in _STANDARD if name not in form.hidden]
    rows = [
        [
            form.relabeling.get(name, name.capitalize()),
            f"`{name}`",
            _STANDARD[name],
            _shown(form.placeholders.get(name, "")),
        ]
        for name in shown
    ]
    for name, field in form.fields.items():
        told = [field["label"], f"`extra.{name}`", _type_of(field["schema"]), field.get("description", "")]
        rows.append(told)
    return table(["In the form", "In URI and JSON", "Type", "What it is"], rows)


def _shown(placeholder: str) -> str:
    return placeholder if " " in placeholder or not placeholder else f"e.g. `{placeholder}`"


def _type_of(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{word}`" for word in schema["enum"])
    if schema.get("format") == "password":
        return "text, masked"
    kind = next(word for word in schema["type"] if word != "null")
    words = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false"}
    least = f", at least {schema['minimum']}" if "minimum" in schema else ""
    return words[kind] + least


def channel_options(gateway: str) -> str:
    """Return the options of a new channel."""
    return table(["Option", "Type", "v1 sends it as", "v2 sends it as"], docs_options.rows(gateway))


def default_events(_gateway: str) -> str:
    """Return the events of a webhook for which none are given."""
    return f"{listed(DEFAULT_EVENTS)}."


def settings(_of: str) -> str:
    """Return what can be set in Airflow's configuration."""
    rows = [
        [
            f"`[{section}] {name}`",
            f"`{option['default']}`" if option["default"] else "",
            option["description"],
        ]
        for section, told in get_provider_info()["config"].items()
        for name, option in told["options"].items()
    ]
    return table(["Setting", "Default", "Meaning"], rows)


def command(name: str) -> str:
    """Return what a command takes."""
    found = find(name)
    rows = []
    for option in found.options:
        # What has no dashes is given by its place, and its name is for the code alone.
        flag = option.flag if option.flag.startswith("-") else ""
        value = f"{flag} {option.settings.get('metavar', '')}".strip()
        several = " …" if option.settings.get("nargs") == "+" else ""
        rows.append([f"`{value}{several}`", option.settings["help"]])
    return f"{found.description}\n\n{table(['Option', 'Meaning'], rows)}"


def tested(_of: str) -> str:
    """Return the versions of Airflow with a file of constraints."""
    names = sorted(path.name for path in (PROJECT / "constraints").glob("airflow-*.txt"))
    rows = [[name[len("airflow-") : -len(".txt")], f"[`{name}`](../constraints/{name})"] for name in names]
    return table(["Airflow", "All packages it is tested with"], rows)


def kinds(_of: str) -> str:
    """Return the kinds of message."""
    members = {member.model_fields["kind"].default: member for member in Message.__args__[0].__args__}
    rows = []
    for kind in sorted(KINDS):
        names = [name for name in members[kind].model_fields if name != "kind"]
        rows.append([f"`{kind}`", listed(names), summary(members[kind])])
    return table(["`kind`", "Fields", "What it is"], rows)


def paces(_of: str) -> str:
    """Return the presets, and how long some numbers of messages take at the least."""
    head = ["Pace", "At most", *(f"{count:,} people take" for count in _MANY)]
    rows = [
        [
            f"`{pace.name}`",
            str(pace),
            *(spelled(pace.forecast(count)) for count in _MANY),
        ]
        for pace in _PRESETS
    ]
    return table(head, rows)


def warm_up(_of: str) -> str:
    """Return the steps of the default warm-up."""
    rows = [
        [f"{days:g} days", "no further limit" if limit is None else f"{limit} in any 24 hours"]
        for days, limit in WARM_UP.steps
    ]
    return table(["From an age of", "At most"], rows)


def breaker(_of: str) -> str:
    """Return the shares from which on a campaign pauses."""
    limits = BreakerLimits()
    told = dict(_PARAM.findall(str(BreakerLimits.__doc__)))
    rows = [
        [f"`{name}`", f"{value:.0%}" if isinstance(value, float) else str(value), told[name].strip()]
        for name, value in asdict(limits).items()
    ]
    return table(["Name", "Default", "Of what"], rows)


def lacking(gateway: str) -> str:
    """Return what a gateway can't do, and what to do instead where it says so."""
    able = GATEWAYS[gateway].capabilities
    found = {flag: able.label(flag) for flag in able.flags() if not getattr(able, flag)}
    found |= {kind: f"send messages of kind `{kind}`" for kind in sorted(KINDS - able.message_kinds)}
    told = [f"- {words}. {able.notes.get(subject, '')}".rstrip() for subject, words in found.items()]
    told = ["It can't:", "", *told] if told else ["It can all that this package asks of a gateway."]
    return "\n".join([*told, "", "[What the others can](../gateways.md)."])
