"""``campaign resend``: have those sent to again whom the gateway refused, or reported as failed."""

from __future__ import annotations

import argparse

from whatsapp_provider.cli.campaign import control


def main(arguments: argparse.Namespace) -> int:
    """Plan them again, and return the exit code."""
    return control(
        arguments,
        lambda ledger, by: ledger.resend_failed(arguments.campaign, by),
        lambda found: f"{found.deliveries} are planned again. The next run of its task sends them.",
    )
