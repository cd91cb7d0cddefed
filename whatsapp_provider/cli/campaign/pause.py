"""``campaign pause``: hold a campaign back."""

from __future__ import annotations

import argparse

from whatsapp_provider.cli.campaign import control


def main(arguments: argparse.Namespace) -> int:
    """Pause it, and return the exit code."""
    return control(
        arguments,
        lambda ledger, by: ledger.pause(arguments.campaign, by),
        lambda found: f"paused by {found.held_by}. Nothing more is sent until somebody resumes it.",
    )
