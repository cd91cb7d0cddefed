"""The options of a new channel, as a gateway really sends them to each version of its server."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.evolution.bodies import create_body
from whatsapp_provider.gateways.evolution.connection import INTEGRATIONS
from whatsapp_provider.gateways.evolution.dialects import Dialect
from whatsapp_provider.gateways.evolution.options import GROUPS, Options, read_options

#: Two values of each type, both of which are taken.
_PAIRS: dict[Any, tuple[Any, Any]] = {
    bool: (True, False),
    str: ("15550001", "15550002"),
    int: (1, 2),
    list[str]: (["CALL"], ["CHATS_SET"]),
    dict[str, str]: ({"x-a": "1"}, {"x-a": "2"}),
}
_WORDS = {
    bool: "true or false",
    str: "text",
    int: "whole number",
    list[str]: "list of event names",
    dict[str, str]: "mapping",
}
_URLS = ("http://127.0.0.1/a", "http://127.0.0.1/b")


def rows(_gateway: str) -> list[list[str]]:
    """Return a row for each option: its name here, its type, and what it is called on the wire."""
    return [
        [f"`{name}`", said, *(_wire_names(name, pair, dialect) for dialect in Dialect)]
        for name, said, pair in _options()
    ]


def _options() -> Iterator[tuple[str, str, tuple[Any, Any]]]:
    for name, field in Options.model_fields.items():
        if name in GROUPS:
            for inner, part in GROUPS[name].model_fields.items():
                said, pair = _of_type(inner, part.annotation)
                yield f"{name}.{inner}", said + (", required" if part.is_required() else ""), pair
        else:
            yield name, *_of_type(name, field.annotation)


def _of_type(name: str, annotation: Any) -> tuple[str, tuple[Any, Any]]:
    if get_origin(annotation) in {types.UnionType}:
        annotation = next(kind for kind in get_args(annotation) if kind is not type(None))
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{word}`" for word in get_args(annotation)), (INTEGRATIONS[0], INTEGRATIONS[2])
    return _WORDS[annotation], _URLS if name == "url" else _PAIRS[annotation]


def _wire_names(name: str, pair: tuple[Any, Any], dialect: Dialect) -> str:
    """Return the places in a request's body that differ when the option's value does."""
    try:
        one, other = (dict(_leaves(_body(name, value, dialect))) for value in pair)
    except ConfigurationError:
        return "refused"
    found = sorted({place for place in {*one, *other} if one.get(place) != other.get(place)})
    return ", ".join(f"`{place}`" for place in found)


def _body(name: str, value: Any, dialect: Dialect) -> dict[str, Any]:
    group, _, field = name.rpartition(".")
    given = {group: _needed(GROUPS[group]) | {field: value}} if group else {name: value}
    return create_body("a", read_options(given, default_integration=INTEGRATIONS[0]), dialect)


def _needed(model: type[BaseModel]) -> dict[str, Any]:
    required = {name: field for name, field in model.model_fields.items() if field.is_required()}
    return {name: _of_type(name, field.annotation)[1][0] for name, field in required.items()}


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and not place.endswith("headers"):
        for name, inner in value.items():
            yield from _leaves(inner, f"{place}.{name}" if place else str(name))
    else:
        yield place, value
