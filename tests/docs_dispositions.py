"""The tables of ``docs/dispositions.md``, from the data that the wire decides by."""

from __future__ import annotations

import builtins

from tests.docs_markdown import table
from whatsapp_provider.dispositions import (
    BUILDING,
    EXCHANGE,
    ONCE,
    REPEATABLE,
    STATUSES,
    UNLISTED,
    UNLISTED_STATUS,
    Meaning,
    StatusRule,
)

_REQUESTS = {ONCE: "a send", REPEATABLE: "a read", ONCE | REPEATABLE: "any"}


def causes(_of: str) -> str:
    """Return what exceptions and our own causes mean."""
    rows = [
        *(
            _cause(f"{_name(name)}, while the request is built", meaning)
            for name, meaning in BUILDING.items()
        ),
        *(_cause(_name(name), meaning) for name, meaning in EXCHANGE.items()),
        _cause("anything else", UNLISTED),
    ]
    return table(["Cause", "Disposition", "Error", "Why"], rows)


def _name(cause: str) -> str:
    if hasattr(builtins, cause):
        return f"Python's {cause}"
    return f"`{cause}`" if cause.islower() else f"`httpx.{cause}`"


def _cause(name: str, meaning: Meaning) -> list[str]:
    return [name, f"`{meaning.disposition}`", f"`{meaning.error.__name__}`", meaning.because]


def statuses(_of: str) -> str:
    """Return what statuses mean."""
    rows = [*map(_status, STATUSES), ["anything else", *_status(UNLISTED_STATUS)[1:]]]
    return table(["Status", "Of", "Disposition", "Error", "Why"], rows)


def _status(rule: StatusRule) -> list[str]:
    shown = ", ".join(_range(part) for part in rule.statuses)
    return [
        f"{shown} with `Retry-After`" if rule.told_to_wait else shown,
        _REQUESTS[rule.effects],
        f"`{rule.error.disposition}`",
        f"`{rule.error.__name__}`",
        rule.because,
    ]


def _range(part: range) -> str:
    return f"{part[0]}" if len(part) == 1 else f"{part[0]} to {part[-1]}"
