"""What triggers and the tasks they resume agree on. It loads nothing, so that a DAG file pays for no trigger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Airflow 3.3 can fail a healthy task that resumes within seconds of being deferred; none did after 25 s.
HOLD_SECONDS = 25.0
DUE = "due"


def check_due(event: Mapping[str, Any] | None) -> None:
    """Let a resumed task go on only if the trigger plainly said that the moment has come.

    :raises RuntimeError: for anything else, nothing at all included.
    """
    if (event or {}).get("status") != DUE:
        raise RuntimeError(f"The trigger said {event!r} where the end of a wait was expected.")
