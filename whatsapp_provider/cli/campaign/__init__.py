"""``campaign``: look at campaigns, and control them."""

from __future__ import annotations

import argparse
import getpass
import json
from collections.abc import Callable

from whatsapp_provider.campaigns.ledger.control import By, Controlled
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.cli.ledger import with_ledger


def control(
    arguments: argparse.Namespace,
    act: Callable[[Ledger, By], Controlled],
    told: Callable[[Controlled], str],
) -> int:
    """Do something to a campaign, print what came of it, and return the exit code.

    :param told: says it, where it was this call that did it.
    """
    by = By(arguments.by or getpass.getuser(), arguments.note)

    def done(ledger: Ledger) -> str:
        found = act(ledger, by)
        if arguments.json:
            return json.dumps(found.to_dict(), indent=2)
        return f"Campaign {found.campaign_id}: {told(found) if found.changed else unchanged(found)}"

    return with_ledger(done)


def unchanged(found: Controlled) -> str:
    """Say why there was nothing to do."""
    if found.held_by is not None:
        return f"paused by {found.held_by} already; nothing was changed."
    if found.deliveries:
        return f"{found.state} already; {found.deliveries} that were left are given up now."
    return f"it is {found.state}; nothing was changed."
