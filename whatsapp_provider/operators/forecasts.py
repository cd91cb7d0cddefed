"""When a planned campaign will be done, by what the ledger knows of its channels."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.campaigns.preflight import Estimate
    from whatsapp_provider.operators.jobs import Job


def estimate(ledger: Ledger, job: Job, now: float) -> Estimate:
    """Return when the slowest of a campaign's channels is done, if it begins now.

    :param now: seconds since the epoch.
    """
    from whatsapp_provider.campaigns.forecast import forecast
    from whatsapp_provider.campaigns.preflight import Estimate

    finish, limit = now, ""
    for channel, lanes in ledger.parts(job.record).items():
        found = forecast(
            sum(lanes.values()),
            job.campaign.pace,
            start=now,
            calendar=job.campaign.rules.calendar,
            quiet=job.campaign.rules.quiet,
            lanes=lanes,
            history=ledger.channel_history(channel),
        )
        if found.latest > finish:
            finish, limit = found.latest, found.limit
    return Estimate(finish - now, None if finish == inf else finish, limit)
