"""``campaign resume``: let a campaign go on that a person paused."""

from __future__ import annotations

import argparse

from whatsapp_provider.campaigns.ledger.control import Controlled
from whatsapp_provider.campaigns.ledger.states import CampaignState
from whatsapp_provider.cli.campaign import control


def main(arguments: argparse.Namespace) -> int:
    """Resume it, and return the exit code."""
    return control(arguments, lambda ledger, by: ledger.unpause(arguments.campaign, by), _told)


def _told(found: Controlled) -> str:
    if found.state is CampaignState.PAUSED:
        return "nobody holds it back any more. It had stopped itself, too: run its task again."
    return "it goes on. If no run of its task waits for it, run the task again."
