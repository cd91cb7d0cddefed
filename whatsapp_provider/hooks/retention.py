"""How long people's data is kept: what a task or a command was given, else the configuration."""

from __future__ import annotations

from datetime import timedelta
from math import isfinite
from typing import Any

from airflow.providers.common.compat.sdk import conf

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.ledger import SECTION

_DAY = 86_400.0


def retention(older_than: Any) -> float:
    """Return the age in seconds from which people's data goes.

    :param older_than: days or a ``timedelta``; nothing for what the configuration says.
    :raises ConfigurationError: if neither says it, or it is no number of days.
    """
    found = age("older_than", older_than)
    if found is None:
        found = age(f"[{SECTION}] retention_days", conf.get(SECTION, "retention_days", fallback=""))
    if found is None:
        raise ConfigurationError(
            "Nobody has said how long people's data is kept: give older_than (--older-than) in days, or set "
            f"[{SECTION}] retention_days."
        )
    return found


def age(name: str, value: Any) -> float | None:
    """Return an age in seconds, ``None`` for none.

    :param value: days, which a template may have made a text, or a ``timedelta``.
    :raises ConfigurationError: if it is something else.
    """
    if value is None or str(value).strip() in {"", "None"}:
        return None
    if isinstance(value, timedelta):
        return value.total_seconds()
    try:
        days = float(value)
    except (TypeError, ValueError):
        days = float("nan")
    if isinstance(value, bool) or not isfinite(days):
        raise ConfigurationError(f"{name} must be a number of days or a timedelta, not {value!r}.")
    return days * _DAY
