"""``make scale``: what a campaign of a million people takes beside one of ten thousand. Writes ``build/scale.json``.

A CSV file is planned into a PostgreSQL that waits for the disk as it does by default, and sent to an emulator in its
fast mode. Each size has a process of its own, so that its peak of memory is its own. Half an hour, most of it for
sending the whole million; on a machine that does nothing else. ``ROWS=100000 make scale`` for a try, and
``ARGS=--first`` to send the first 50,000 only.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests import servers
from tests.bench.site import Emulator, emulator
from tests.scale.audience import write_csv
from tests.scale.queries import problems_of
from tests.scale.stages import Stage, Taken

FEW = 10_000
FIRST = 50_000  #: messages of the large campaign that are timed
BUILD = Path("build")
#: What is asked for: rows a second planned, and how memory and the rate of sending may differ between the two sizes.
PLAN_PER_S, MEMORY, RATE = 15_000, 1.3, 0.9


def main() -> int:
    """Measure, print and write; return 1 if a goal is not reached."""
    many, whole = int(os.environ.get("ROWS") or 1_000_000), "--first" not in sys.argv
    BUILD.mkdir(exist_ok=True)
    file = BUILD / "scale.json"
    file.unlink(missing_ok=True)
    with (
        TemporaryDirectory(prefix="scale-", dir=BUILD) as folder,
        servers.postgres_server() as server,
        emulator() as site,
    ):
        ledger = servers.new_schema(server, durable=True)
        few = measure(site, ledger, write_csv(Path(folder) / "few.csv", min(FEW, many)))
        large = measure(site, ledger, write_csv(Path(folder) / "many.csv", many), whole=whole)
        slow = [told for known in (False, True) for told in problems_of(ledger, many, analyzed=known)]
    report = figures(few, large) | {
        "slow_queries": slow,
        "machine": f"{os.cpu_count()} x {platform.machine()}, Python {platform.python_version()}",
    }
    file.write_text(json.dumps(report, indent=2) + "\n")
    print(file.read_text(), end="")
    missed = goals_missed(report)
    print(*(f"Goal not reached: {goal}." for goal in missed), sep="\n", file=sys.stderr)
    return int(bool(missed))


def measure(site: Emulator, ledger: str, file: Path, *, whole: bool = False) -> Taken:
    """Plan and send one file in a process of its own."""
    print(f"{file.stem}: planning and sending", file=sys.stderr, flush=True)
    before = site.received()
    stage = Stage(str(file), ledger, asdict(site.target), FIRST, whole)
    done = subprocess.run(
        [sys.executable, "-m", "tests.scale.stages", json.dumps(asdict(stage))],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    taken = Taken(**json.loads(done.stdout))
    arrived = site.received() - before
    if arrived != (taken.whole_sent or taken.sent):
        raise RuntimeError(f"{taken.whole_sent or taken.sent} messages were sent, and {arrived} arrived.")
    return taken


def figures(few: Taken, many: Taken) -> dict[str, Any]:
    """Return what is reported; seconds of CPU tell the same on a machine that does other things besides."""
    return {
        "rows": many.planned,
        "plan_rows_per_s": round(many.planned / many.plan_seconds),
        "plan_cpu_us_per_row": round(many.plan_cpu / many.planned * 1e6, 1),
        "peak_mb_10k": round(few.peak_mb, 1),
        "peak_mb_1m": round(many.peak_mb, 1),
        "send_per_s_10k": round(few.timed / few.send_seconds),
        "send_per_s_1m": round(many.timed / many.send_seconds),
        "send_cpu_us_10k": round(few.send_cpu / few.timed * 1e6),
        "send_cpu_us_1m": round(many.send_cpu / many.timed * 1e6),
        "end_to_end_seconds": many.whole_seconds and round(many.whole_seconds, 1),
        "end_to_end_sent": many.whole_sent,
    }


def goals_missed(report: dict[str, Any]) -> list[str]:
    """Return what is not as good as it is to be."""
    rate = report["send_per_s_1m"] / report["send_per_s_10k"]
    memory = report["peak_mb_1m"] / report["peak_mb_10k"]
    goals = {
        f"{report['plan_rows_per_s']} rows a second planned, not {PLAN_PER_S}": (
            report["plan_rows_per_s"] >= PLAN_PER_S
        ),
        f"memory grows {memory:.2f} times": memory <= MEMORY,
        f"sending slows down to {rate:.2f}": rate >= RATE,
        **{f"a query is slow: {told}": False for told in report["slow_queries"]},
    }
    return [told for told, reached in goals.items() if not reached]


if __name__ == "__main__":
    sys.exit(main())
