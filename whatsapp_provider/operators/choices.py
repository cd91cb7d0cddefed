"""Arguments that are one of a few words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import conf

from whatsapp_provider.errors import ConfigurationError

if TYPE_CHECKING:
    from whatsapp_provider.campaigns.identity import AliasKind
    from whatsapp_provider.campaigns.reconcile import Historian
    from whatsapp_provider.gateways.base import Capabilities

#: What to do with a message that may or may not have been sent.
ON_IN_DOUBT = ("reconcile", "hold", "resend")
_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off", "none", ""}


def check_choice(name: str, value: str, *choices: str) -> None:
    """Refuse an argument that is none of the choices, when the DAG is read.

    :raises ValueError: naming them.
    """
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}")


def is_true(name: str, value: object) -> bool:
    """Return what a switch means, which a template may have made a text.

    :raises ConfigurationError: if it is neither: anything unclear must not send.
    """
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ConfigurationError(f"{name}={value!r} is neither true nor false.")
    return word in _TRUE


def alias_columns(value: object) -> dict[AliasKind, str]:
    """Return the columns that hold other forms of people, by their kind.

    :raises ConfigurationError: if it is something else.
    """
    from whatsapp_provider.campaigns.identity import AliasKind

    given = {} if value is None else value
    kinds = {str(kind): kind for kind in AliasKind}
    if not isinstance(given, Mapping) or not all(
        kind in kinds and isinstance(column, str) and column for kind, column in given.items()
    ):
        raise ConfigurationError(
            f"aliases must name columns by what they hold ({', '.join(kinds)}), e.g. "
            '{"lid": "lid", "user_id": "bsuid"}.'
        )
    return {kinds[kind]: column for kind, column in given.items()}


def historian(capabilities: Capabilities, channel: Historian) -> Historian | None:
    """Return where messages in doubt can be looked up, ``None`` where the gateway remembers nothing."""
    return channel if capabilities.history else None


def settle_seconds() -> float:
    """Return how many seconds a gateway may take to show in its history what it sent.

    :raises ConfigurationError: if ``[whatsapp] settle_seconds`` is no such number.
    """
    from whatsapp_provider.campaigns.options import SETTLE_SECONDS

    configured = conf.get("whatsapp", "settle_seconds", fallback="") or str(SETTLE_SECONDS)
    try:
        seconds = float(configured)
    except ValueError:
        seconds = -1.0
    if not isfinite(seconds) or seconds <= 0:
        raise ConfigurationError(
            f"[whatsapp] settle_seconds is {configured!r}; give the seconds that your gateway may take to show "
            "in its history what it sent."
        )
    return seconds


def moment_of(name: str, value: object) -> float | None:
    """Return a moment in seconds since the epoch; ``None`` where a template came to nothing.

    :raises ConfigurationError: if it is no moment, or one without an offset.
    """
    if value is None or (isinstance(value, str) and value.strip() in {"", "None"}):
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigurationError(
            f"{name} is {value!r}; give a datetime or an ISO text with its offset, e.g. 2030-03-31T18:00:00+00:00."
        )
    return moment.timestamp()


def words_of(name: str, value: object) -> tuple[str, ...]:
    """Return the words of a list, which a template may have made a text: ``"stopped, error"``.

    :raises ConfigurationError: if it is neither.
    """
    if value is None or value == "None":
        return ()
    if isinstance(value, str):
        text = value.strip()
        if text[:1] in {"[", "(", "{"}:
            text = text.strip("[](){}").replace("'", "").replace('"', "")
        value = text.split(",")
    if not isinstance(value, Collection) or not all(isinstance(word, str) for word in value):
        raise ConfigurationError(f"{name} must be a list of words, not {value!r}.")
    return tuple(word.strip() for word in value if word.strip())


def whole_number(name: str, value: object) -> int:
    """Return a count of 0 or more, which a template may have made a text.

    :raises ConfigurationError: if it is none.
    """
    text = str(value).strip()
    if isinstance(value, bool) or not (text.isascii() and text.isdecimal()):
        raise ConfigurationError(f"{name} must be a whole number of 0 or more, not {value!r}.")
    return int(text)
