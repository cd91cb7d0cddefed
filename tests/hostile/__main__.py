"""``python -m tests.hostile --examples 10000 --seed 7``: every gateway, or those of ``--gateway``."""

from __future__ import annotations

import argparse
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.hostile.exploring import SUBJECTS, Finding, explore, shares

AT_ONCE = 2  #: processes


def main(arguments: list[str]) -> int:
    """Run, tell what was found, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.hostile", description=sys.modules["tests.hostile"].__doc__
    )
    parser.add_argument("--examples", type=int, default=10_000, help="mutated answers for each gateway")
    parser.add_argument("--gateway", choices=SUBJECTS, action="append", help="by default all of them")
    parser.add_argument("--seed", type=int, help="by default another one each time")
    given = parser.parse_args(arguments)
    dice = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    names = given.gateway or list(SUBJECTS)
    _say(f"Seed {dice}, {given.examples} mutated answers for each of {', '.join(names)}.")
    found = 0
    with ProcessPoolExecutor(AT_ONCE) as pool:
        for told, findings in pool.map(_explored, names, [given.examples] * len(names), [dice] * len(names)):
            _say(told)
            found += findings
    if found:
        _say(f"FAILED. Again: make hostile EXAMPLES={given.examples} SEED={dice}")
    return 1 if found else 0


def _explored(name: str, examples: int, dice: int) -> tuple[str, int]:
    """Return what is to be told of one gateway, and how many of its calls something was found in."""
    subject, played, found = SUBJECTS[name](), 0, []
    began = time.monotonic()
    for call, share in zip(subject.calls, shares(subject.calls, examples), strict=True):
        try:
            played += explore(subject, call, examples=share, dice=dice)
        except Finding as finding:
            found.append(f"  {finding}")
    told = f"{name}: {played} answers to {len(subject.calls)} calls in {time.monotonic() - began:.0f} s, "
    return "\n".join([told + (f"{len(found)} findings:" if found else "nothing found."), *found]), len(found)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
