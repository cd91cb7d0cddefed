"""Whether a value is what a type hint says, to its innermost field."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def misfit(value: Any, hint: Any, where: str = "result") -> str | None:
    """Return where a value is not of its type, ``None`` if it is; a number that is none or infinite fits nowhere."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return None
    if origin in {Union, UnionType}:
        found = [misfit(value, option, where) for option in inner]
        return None if None in found else found[0]
    if hint in {None, NoneType}:
        return None if value is None else f"{where} is {type(value).__name__}"
    if origin is not None:
        return _collection(value, origin, inner, where)
    if is_dataclass(hint) and isinstance(value, hint):  # type: ignore[arg-type]  # a class, as hints are
        hints = _hints(type(value))
        found = [
            misfit(getattr(value, item.name), hints[item.name], f"{where}.{item.name}")
            for item in fields(value)
        ]
        return next(filter(None, found), None)
    return _plain(value, hint, where)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _collection(value: Any, origin: Any, inner: tuple[Any, ...], where: str) -> str | None:
    if not isinstance(value, origin):
        return f"{where} is {type(value).__name__}"
    if issubclass(origin, Mapping):
        pairs = [(key, inner[0]) for key in value] + [(item, inner[1]) for item in value.values()]
    elif issubclass(origin, tuple) and inner[-1] is not Ellipsis:
        pairs = list(zip(value, inner, strict=True))
    else:
        assert issubclass(origin, Collection)
        pairs = [(item, inner[0]) for item in value]
    found = (misfit(item, hint, f"{where}[]") for item, hint in pairs)
    return next(filter(None, found), None)


def _plain(value: Any, hint: type, where: str) -> str | None:
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return None if isfinite(value) else f"{where} is {value}"
    if type(value) is hint or (isinstance(value, hint) and not isinstance(value, bool)):
        return None
    return f"{where} is {type(value).__name__}"
