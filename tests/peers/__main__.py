"""``make peers``: what people use today beside our campaign, under one Airflow, to the same people.

Each peer sends to everybody twice: undisturbed, for its rate, and killed in the middle and retried by Airflow. The
judge is what the emulated phones got. Writes ``build/peers.json``.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.peers import contest, report
from tests.peers.mapped import mapped
from tests.peers.settings import LOOPS, MAPPED
from tests.peers.site import Site, a_site
from whatsapp_provider.demo.errors import DemoError
from whatsapp_provider.demo.signals import interruptible

FILE = Path("build") / "peers.json"


def _say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def compare(site: Site, minutes: float, only: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Let all compete, one after the other."""
    found: dict[str, dict[str, Any]] = {}
    loops = [peer for peer in LOOPS if not only or peer.key in only]
    for peer in loops:
        _say(f"{peer.key}, undisturbed")
        found[peer.key] = {"gateway": peer.gateway, "undisturbed": contest.undisturbed(site, peer)}
        _say(f"{peer.key}: {found[peer.key]['undisturbed']}")
    _say("all of these, killed in the middle")
    for key, killed in contest.killed(site, loops).items():
        found[key]["killed"] = killed
        _say(f"{key}: {killed}")
    if not only or MAPPED.key in only:
        _say(f"{MAPPED.key}: {minutes:g} minutes, then kills")
        rate, after = mapped(site, minutes, random.Random(1))
        found[MAPPED.key] = {"gateway": MAPPED.gateway, "undisturbed": rate, "killed": after}
        _say(f"{MAPPED.key}: {found[MAPPED.key]}")
    return found


def main() -> int:
    """Measure, print and write; return 1 if something went wrong, and say where the logs are."""
    line = argparse.ArgumentParser(prog="python -m tests.peers", description=__doc__)
    line.add_argument("--recipients", type=int, default=5000)
    line.add_argument("--minutes", type=float, default=5.0, help="for the mapped tasks")
    line.add_argument("--only", nargs="*", default=[], metavar="PEER", help="by their names in the report")
    options = line.parse_args()
    FILE.parent.mkdir(exist_ok=True)
    FILE.unlink(missing_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="whatsapp-peers-"))
    try:
        with interruptible(), a_site(folder, options.recipients) as site:
            found = compare(site, options.minutes, options.only)
    except (DemoError, RuntimeError) as error:
        _say(f"The comparison ended early: {error}\nLogs: {folder}")
        return 1
    report.write(FILE, found, options.recipients, options.minutes)
    shutil.rmtree(folder)
    sys.stdout.write("\n".join(report.table(found)) + f"\n{FILE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
