"""What became of a campaign: counts, shares, reasons, and who is in doubt, with numbers masked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from whatsapp_provider.campaigns.campaign import SEVERAL
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Counts
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.redaction import mask_number

LISTED = 50  #: entries of each kind; the ledger has them all


def report(ledger: Ledger, record: CampaignRecord) -> dict[str, Any]:
    """Return a small summary that may be stored in XCom: counts and masked recipients only."""
    counts = ledger.counts(record)
    failures = [
        {"state": str(one.state), "code": one.code, "count": one.count, "reason": one.reason}
        for one in ledger.failures(record)
    ]
    return {
        "campaign_id": record.campaign_id,
        "channel": record.channel,
        "total": counts.total,
        "sent": counts.sent,
        "open": counts.open,
        "counts": counts.to_dict(),
        "rates": rates(counts),
        "left_out": dict(ledger.left_out(record)),
        "failures": failures,
        "rejected": _listed(ledger, record, DeliveryState.REJECTED),
        "in_doubt": _listed(ledger, record, DeliveryState.IN_DOUBT),
        "channels": _channels(ledger, record),
    }


def _channels(ledger: Ledger, record: CampaignRecord) -> dict[str, Any]:
    """Return what went through each channel, of a campaign that goes over several."""
    several = record.channel.startswith(f"{SEVERAL}/")
    parts = ledger.by_channel(record) if several else {}
    return {
        key: {"sent": part.counts.sent, "open": part.counts.open, "stopped": part.stopped}
        for key, part in parts.items()
    }


def rates(counts: Counts) -> dict[str, float]:
    """Return shares from 0 to 1: of all recipients, or of those whose message the gateway took where the name says so.

    A message that was read was delivered.
    """
    delivered = counts[DeliveryState.DELIVERED] + counts[DeliveryState.READ]
    return {
        "sent": _share(counts.sent, counts.total),
        "rejected": _share(counts[DeliveryState.REJECTED], counts.total),
        "in_doubt": _share(counts[DeliveryState.IN_DOUBT], counts.total),
        "delivered_of_sent": _share(delivered, counts.sent),
        "read_of_sent": _share(counts[DeliveryState.READ], counts.sent),
        "failed_of_sent": _share(counts[DeliveryState.FAILED], counts.sent),
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def over_time(ledger: Ledger, record: CampaignRecord) -> dict[str, Any]:
    """Return how many messages were sent in each minute, hour or day that had any.

    It reads every delivery: at the end, and not at each wait of a long campaign.
    """
    found = ledger.over_time(record)
    return {
        "seconds": found.seconds,
        "sent": [
            {"from": datetime.fromtimestamp(begin, UTC).isoformat(), "count": count}
            for begin, count in found.sent.items()
        ],
    }


def _listed(ledger: Ledger, record: CampaignRecord, state: DeliveryState) -> list[dict[str, Any]]:
    return [
        {
            "delivery": entry.id,
            "recipient": mask_number(entry.recipient),
            "code": entry.code,
            "reason": entry.reason,
        }
        for entry in ledger.entries(record, state, limit=LISTED)
    ]


def lines(summary: dict[str, Any]) -> list[str]:
    """Return the summary as lines for a task log."""
    counts = ", ".join(f"{count} {state}" for state, count in summary["counts"].items())
    told = [f"Campaign {summary['campaign_id']}: {summary['sent']} of {summary['total']} sent ({counts})."]
    told += [f"Left out: {count} x {reason}." for reason, count in summary["left_out"].items()]
    told += [
        f"Through {key}: {part['sent']} sent."
        + (f" It stopped: {part['stopped']}" if part["stopped"] else "")
        for key, part in summary["channels"].items()
    ]
    told += [f"{item['count']} x {item['state']} with {item['code']}." for item in summary["failures"]]
    told += [
        f"In doubt, not resent: {item['recipient']} (delivery {item['delivery']}): {item['reason']}"
        for item in summary["in_doubt"]
    ]
    return told
