"""``campaign cancel``: end a campaign for good."""

from __future__ import annotations

import argparse

from whatsapp_provider.cli.campaign import control


def main(arguments: argparse.Namespace) -> int:
    """Cancel it, and return the exit code."""
    return control(
        arguments,
        lambda ledger, by: ledger.cancel(arguments.campaign, by),
        lambda found: f"cancelled; {found.deliveries} were not sent to.",
    )
