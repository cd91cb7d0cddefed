"""How tasks name a campaign that another one plans or sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whatsapp_provider.errors import ConfigurationError


def campaign_id_of(value: Any) -> str:
    """Return the id of a campaign that a task returned, or that somebody wrote.

    :raises ConfigurationError: if it is neither.
    """
    found = value.get("campaign_id") if isinstance(value, Mapping) else value
    if not isinstance(found, str) or not found.strip() or found.strip() == "None":
        raise ConfigurationError(
            "campaign is what a task that plans or sends a campaign returned, or its campaign_id; this is "
            f"{'nothing' if found in (None, '', 'None') else 'a ' + type(value).__name__}."
        )
    return found.strip()
