"""``python -m whatsapp_provider.demo``: see it work, on this machine, without a WhatsApp account."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from whatsapp_provider.demo.errors import DemoError
from whatsapp_provider.demo.examples import copy_examples
from whatsapp_provider.demo.gateways import DEFAULT_GATEWAY, known_gateways
from whatsapp_provider.demo.reporter import Reporter
from whatsapp_provider.demo.run import DemoOptions, run_demo


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo, or copy the examples, and return the exit code."""
    options = _parser().parse_args(arguments)
    reporter = Reporter()
    try:
        if options.copy_examples:
            _copy(options.copy_examples, reporter)
        else:
            run_demo(_demo_options(options), reporter)
    except DemoError as error:
        reporter.line(f"\nThe demo ended early: {error}")
        return error.exit_code
    return 0


def _copy(folder: Path, reporter: Reporter) -> None:
    written = copy_examples(folder)
    for file in written:
        reporter.line(str(file))
    if not written:
        reporter.line(f"{folder} has all the examples already; nothing was changed.")


def _demo_options(given: argparse.Namespace) -> DemoOptions:
    return DemoOptions(given.gateway, given.up, given.airflow_home, given.keep, given.deadline)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m whatsapp_provider.demo",
        description="Start the emulator and a real Airflow, run the example campaign, tell what happened.",
    )
    add = parser.add_argument
    known = ", ".join(known_gateways())
    add("--gateway", default=DEFAULT_GATEWAY, help=f"one of: {known} (default: {DEFAULT_GATEWAY})")
    add("--up", action="store_true", help="leave Airflow running until Ctrl-C")
    add("--airflow-home", type=Path, metavar="DIR", help="use this folder, and leave it as it is")
    add("--keep", action="store_true", help="keep the database and the DAGs, not only the logs")
    add("--deadline", type=float, default=600.0, metavar="SECONDS", help="give up after it (default: 600)")
    add("--copy-examples", type=Path, metavar="DIR", help="copy the example DAGs there, nothing else")
    return parser


if __name__ == "__main__":
    sys.exit(main())
