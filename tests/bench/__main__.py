"""``make bench``: how fast a campaign is beside what it is made of, and what importing us costs.

Five rounds, in each of which every way has its turn, so that whatever else the machine does meets all of them
alike; the figures are medians. All send one text to the same emulator, ``CONCURRENCY`` at once; only the loop
over ``requests`` sends one after the other, as it does in a task. Writes ``build/bench.json``.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.bench import sending
from tests.bench.figures import AIOHTTP, BARE, LATENCIES, ON_PLACES, REQUESTS, Figures, Measured
from tests.bench.forks import in_a_fork_of
from tests.bench.site import Emulator, emulator, ledgers

ROUNDS = 5
SECONDS = 6.0  #: of each measurement, about: campaigns of so many people have a process for their ledger
PEOPLE = range(500, 20_001)  #: how many a campaign may have
BUILD = Path("build")

Way = Callable[[], Measured]


class Bench:
    """All measurements against one emulator.

    :param urls: ledgers by the campaign's name.
    """

    def __init__(self, site: Emulator, urls: dict[str, str]) -> None:
        self._site, self._urls = site, urls
        self.figures = Figures()

    def run(self) -> None:
        """Measure everything."""
        for turn in range(1, ROUNDS + 1):
            for ending, latency in LATENCIES.items():
                self._site.wait_before_answers(latency)
                self._round(ending)
            print(f"round {turn} of {ROUNDS} is done", file=sys.stderr, flush=True)

    def _round(self, ending: str) -> None:
        target = self._site.target
        for way, send in (
            (AIOHTTP, sending.by_aiohttp),
            (REQUESTS, sending.by_requests),
            (ON_PLACES, sending.by_client_on_places),
            (BARE, sending.by_bare_client),
        ):
            bare = self._measure(way, ending, partial(send, target, SECONDS))
        # As many people as take about as long.
        people = min(max(int(bare.per_s * SECONDS), PEOPLE.start), PEOPLE.stop - 1)
        for way, url in self._urls.items():
            self._measure(way, ending, partial(sending.by_campaign, target, url, people))

    def _measure(self, way: str, ending: str, send: Way) -> Measured:
        before = self._site.received()
        measured = Measured(**in_a_fork_of(lambda: send().to_dict()))
        arrived = self._site.received() - before
        if arrived != measured.sent + measured.before:
            raise RuntimeError(f"{way} sent {measured.sent + measured.before}, and {arrived} arrived.")
        self.figures.add(way, ending, measured)
        return measured


def _imports() -> tuple[dict[str, float], bool]:
    """Return the milliseconds of each of our modules, and whether all are within the budget."""
    file = BUILD / "imports.json"
    # In a process that has loaded nothing of ours yet.
    done = subprocess.run([sys.executable, "-m", "tests.bench.imports", str(file)], check=False)
    return dict(json.loads(file.read_text())), done.returncode == 0


def conclude(figures: Figures, modules: dict[str, float], absent: dict[str, str], file: Path) -> bool:
    """Print what was found and write it to a file, unless there is nothing to report."""
    print(*figures.table(), sep="\n")
    for way, how_to_get in absent.items():
        print(f"Not measured: {way}; to measure it, {how_to_get}.")
    if refusal := figures.refusal():
        print(f"Nothing is reported. {refusal}", file=sys.stderr)
        return False
    for missed in figures.missed():
        print(f"Goal not reached: {missed}.")
    report = {
        **figures.report(),
        "import_ms": max(modules.values()),
        "import_ms_by_module": modules,
        "concurrency": sending.CONCURRENCY,
        "rounds": ROUNDS,
        "not_measured": sorted(absent),
        "machine": f"{os.cpu_count()} x {platform.machine()}, Python {platform.python_version()}",
    }
    file.write_text(json.dumps(report, indent=2) + "\n")
    return True


def main() -> int:
    """Measure, print and write; return 1 if there is nothing to report or an import is over its budget."""
    BUILD.mkdir(exist_ok=True)
    file = BUILD / "bench.json"
    file.unlink(missing_ok=True)
    modules, within_budget = _imports()
    gc.freeze()
    with emulator() as site, ledgers(BUILD) as (urls, absent):
        bench = Bench(site, urls)
        bench.run()
    reported = conclude(bench.figures, modules, absent, file)
    return int(not (reported and within_budget))


if __name__ == "__main__":
    sys.exit(main())
