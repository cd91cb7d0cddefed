"""What became of a campaign: counts, reasons, and who is in doubt, with numbers masked."""

from __future__ import annotations

from typing import Any

from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.redaction import mask_number

LISTED = 50  #: entries of each kind; the ledger has them all


def report(ledger: Ledger, record: CampaignRecord) -> dict[str, Any]:
    """Return a small summary that may be stored in XCom: counts and masked recipients only."""
    counts = ledger.counts(record)
    failures = [
        {"state": str(state), "code": code, "count": count}
        for (state, code), count in sorted(ledger.failures(record).items())
    ]
    return {
        "campaign_id": record.campaign_id,
        "channel": record.channel,
        "total": counts.total,
        "sent": counts.sent,
        "open": counts.open,
        "counts": counts.to_dict(),
        "left_out": dict(ledger.left_out(record)),
        "failures": failures,
        "rejected": _listed(ledger, record, DeliveryState.REJECTED),
        "in_doubt": _listed(ledger, record, DeliveryState.IN_DOUBT),
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
    told += [f"{item['count']} x {item['state']} with {item['code']}." for item in summary["failures"]]
    told += [
        f"In doubt, not resent: {item['recipient']} (delivery {item['delivery']}): {item['reason']}"
        for item in summary["in_doubt"]
    ]
    return told
