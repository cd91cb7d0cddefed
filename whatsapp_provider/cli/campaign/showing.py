"""How a campaign is shown, to people and to machines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from whatsapp_provider.campaigns.ledger.overviews import Overview


def values(seen: Overview) -> dict[str, Any]:
    """Return a campaign for machines."""
    return {
        "campaign_id": seen.campaign_id,
        "channel": seen.channel,
        "state": str(seen.state),
        "held_by": seen.held_by,
        "stopped_because": None if seen.stop is None else seen.stop.reason,
        "runs": seen.runs,
        "total": seen.counts.total,
        "sent": seen.counts.sent,
        "open": seen.counts.open,
        "counts": seen.counts.to_dict(),
        "created_at": _time(seen.created_at),
        "updated_at": _time(seen.updated_at),
        "expires_at": _time(seen.expires_at),
        "control": [
            {"action": one.action, "by": one.by, "note": one.note, "at": _time(one.at)} for one in seen.done
        ],
    }


def line(seen: Overview) -> str:
    """Return a campaign in a line of a list."""
    counts = seen.counts
    return f"{_time(seen.created_at)}  {seen.told:<20}  {counts.sent}/{counts.total} sent  {seen.campaign_id}"


def lines(seen: Overview) -> Iterator[str]:
    """Yield a campaign's lines."""
    yield f"Campaign {seen.campaign_id} on {seen.channel}: {seen.told}."
    if seen.stop is not None:
        yield f"Nothing is sent: {seen.stop.reason}."
    counts = ", ".join(f"{count} {state}" for state, count in seen.counts.to_dict().items())
    yield f"{seen.counts.total} recipients: {counts or 'none'}."
    yield f"Runs at work: {seen.runs}. Planned {_time(seen.created_at)}, last changed {_time(seen.updated_at)}."
    if seen.expires_at is not None:
        yield f"Nothing more is sent after {_time(seen.expires_at)}."
    for one in seen.done:
        yield f"{_time(one.at)}  {one.action} by {one.by}{f': {one.note}' if one.note else ''}"


def _time(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
