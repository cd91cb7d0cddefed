"""``python -m tests.chaos --kills 60 --recipients 1000 --workers 4 --db postgres --seed 7``."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

from tests.chaos.controller import run_chaos
from tests.chaos.report import Report
from tests.chaos.settings import DATABASES, GATEWAYS, ChaosSettings
from tests.servers import MARIADB, POSTGRES

SERVERS = {"postgres": POSTGRES, "mariadb": MARIADB}
BUILD = Path(__file__).parents[2] / "build"


def main(arguments: list[str]) -> int:
    """Run, write ``build/chaos.json``, and return the exit code."""
    given = _arguments(arguments)
    settings, build = _settings(given), given.build
    needed = SERVERS.get(settings.database)
    if needed is not None and not needed.available:
        _say(f"{needed.name} is missing: {needed.how_to_get}.")
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    folder = build / "chaos" / f"{settings.database}-{settings.gateway}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _say(f"Seed {settings.seed}; the files of this run are in {folder}.")
    try:
        report = run_chaos(settings, folder, _say)
    except KeyboardInterrupt:
        _say(f"Stopped. Seed {settings.seed}.")
        return 130
    figures = json.dumps(report.to_dict(), indent=2) + "\n"
    (folder / "chaos.json").write_text(figures)
    (build / "chaos.json").write_text(figures)
    _say(figures.rstrip())
    return _verdict(report)


def _verdict(report: Report) -> int:
    settings, failures = report.settings, report.failures()
    if not failures:
        return 0
    _say("\n".join(["FAILED:", *failures]))
    _say(
        f"Again: make chaos KILLS={settings.kills} RECIPIENTS={settings.recipients} WORKERS={settings.workers} "
        f"DB={settings.database} GATEWAY={settings.gateway} SEED={settings.seed}"
    )
    return 1


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description=sys.modules["tests.chaos"].__doc__
    )
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--recipients", type=int, default=1000, help="people of each campaign")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--db", choices=DATABASES, default="sqlite")
    parser.add_argument("--gateway", choices=GATEWAYS, default="whapi")
    parser.add_argument("--seed", type=int, help="by default another one each time")
    parser.add_argument("--limit", type=float, help="seconds after which the run has failed")
    parser.add_argument("--build", type=Path, default=BUILD, help="folder for what is written")
    return parser.parse_args(arguments)


def _settings(given: argparse.Namespace) -> ChaosSettings:
    return ChaosSettings(
        kills=given.kills,
        recipients=given.recipients,
        workers=given.workers,
        database=given.db,
        gateway=given.gateway,
        seed=random.SystemRandom().randrange(10**6) if given.seed is None else given.seed,
        limit=given.limit or 120 + 4 * given.kills + given.recipients / 20,
    )


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
