"""The table and the file of a whole comparison."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.peers.settings import LATENCY, LOOPS, MAPPED

PACKAGES = (
    "apache-airflow",
    "apache-airflow-providers-apprise",
    "apache-airflow-providers-http",
    "apprise",
    "requests",
    "airflow-provider-whatsapp",
)
COLUMNS = {"per_s": "per s", "kills": "kills", "twice": "twice", "lost": "lost", "in_doubt": "in doubt"}
COLUMNS |= {"unaccounted": "unaccounted"}


def table(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of a table, a peer in each."""
    yield f"{'':28}{'gateway':>10}{COLUMNS['per_s']:>10}   after a SIGKILL:" + "".join(
        f"{name:>13}" for key, name in COLUMNS.items() if key != "per_s"
    )
    for peer in (MAPPED, *LOOPS):
        if peer.key in found:
            figures = found[peer.key]
            rate = f"{figures['undisturbed']['per_s']:10,.1f}{'':19}"
            killed = "".join(f"{figures['killed'][key]:13,}" for key in COLUMNS if key != "per_s")
            yield f"{peer.title:28}{peer.gateway:>10}{rate}{killed}"
    if MAPPED.key in found:
        killed = found[MAPPED.key]["killed"]
        yield (
            f"Of {killed['kills_at_random']} mapped tasks killed at a random moment {killed['twice_of_random']} sent "
            f"twice, of {killed['kills_aimed']} killed as soon as the phone had the message {killed['twice_of_aimed']}."
        )


def write(file: Path, found: Mapping[str, Mapping[str, Any]], recipients: int, minutes: float) -> None:
    """Write what was found, and on what."""
    report = {
        **found,
        "recipients": recipients,
        "minutes_of_mapped": minutes,
        "latency_s": LATENCY,
        "machine": f"{os.cpu_count()} x {platform.machine()}, Python {platform.python_version()}",
        "load_before": _load,
        "versions": {package: version(package) for package in PACKAGES},
        "remarks": [
            "Undisturbed runs send to the emulator's fast mode, which is for plain texts of Whapi's dialect; the "
            "mapped one and all that are killed send to the full emulator, whose history can be asked.",
            "Seconds are the task's, as Airflow notes them, with its start, its imports and the campaign's plan; "
            "those of the mapped tasks count from the start of the DAG's run.",
            "Airflow has a PostgreSQL and its own defaults of how much runs at once (32, 16 of a DAG). Where only "
            "waiting depends on it, waits are shorter: a lost worker is noticed after 20 s, retries come after 1 s, "
            "and our connection's timeout and settle_seconds are 5 s; the killed campaigns' seconds are mostly these.",
            "All go through Airflow's own retry after a kill (retries=1). A loop or a campaign is killed when half of "
            "the messages have come, all of these side by side. Of the mapped tasks some are killed at a random "
            "moment, with the executor's worker or without, and some (aimed) as soon as the phone has the message.",
            "Unaccounted are people who got nothing and of whom the tool says nothing: of the mapped tasks those that "
            "were not reached in the time.",
        ],
    }
    file.write_text(json.dumps(report, indent=2) + "\n")


_load = [round(load, 2) for load in os.getloadavg()]  # before anything is started here
