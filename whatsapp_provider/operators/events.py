"""Tell other DAGs what a campaign came to: its counts go with the events of the task's outlet assets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Context

KEY = "whatsapp_campaign"
#: Of a report, what is neither a person's nor long.
_TOLD = ("campaign_id", "total", "sent", "open", "counts")


def tell_outlets(context: Context, outlets: Iterable[Any], summary: Mapping[str, Any]) -> None:
    """Put a report's counts into the ``extra`` of each outlet's event, which Airflow emits if the task succeeds."""
    events: Any = context.get("outlet_events")
    if events is None:
        return
    told = {name: summary[name] for name in _TOLD if name in summary}
    for outlet in outlets:
        events[outlet].extra[KEY] = told
