"""``campaign expire``: set the moment after which nothing more of a campaign is sent."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from whatsapp_provider.campaigns.ledger.control import Controlled
from whatsapp_provider.campaigns.ledger.states import CampaignState
from whatsapp_provider.cli.campaign import control


def main(arguments: argparse.Namespace) -> int:
    """Set it, and return the exit code."""

    def told(found: Controlled) -> str:
        if found.state is CampaignState.EXPIRED:
            return f"expired; {found.deliveries} were not sent to."
        return f"nothing more is sent after {datetime.fromtimestamp(arguments.at, UTC):%Y-%m-%d %H:%M} UTC."

    return control(arguments, lambda ledger, by: ledger.expire(arguments.campaign, by, at=arguments.at), told)
