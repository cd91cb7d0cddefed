"""Which versions are at work, and whether they were tried together."""

from __future__ import annotations

import platform
from collections.abc import Iterator

from whatsapp_provider import __version__
from whatsapp_provider.cli.doctor.findings import Finding, Topic

TESTED = ("3.1.8", "3.2.2", "3.3.2")
_OLDEST = (3, 1)
VERSIONS = Topic("versions")


def look_at_versions(_seconds: float) -> Iterator[Finding]:
    """Compare Airflow's version with those that are tested."""
    from airflow import __version__ as airflow_version

    yield judge(airflow_version)


def judge(airflow_version: str) -> Finding:
    """Return what is to be thought of an Airflow version."""
    found = f"Provider {__version__}, Airflow {airflow_version}, Python {platform.python_version()}."
    tested = ", ".join(TESTED)
    numbers = tuple(int(part) for part in airflow_version.split(".")[:2] if part.isdigit())
    if numbers < _OLDEST:
        return VERSIONS.problem(
            "Airflow", found, f"This package needs Airflow 3.1 or newer; tested: {tested}."
        )
    if airflow_version not in TESTED:
        return VERSIONS.warning(
            "Airflow",
            f"{found} This Airflow version is not one that the package is tested with.",
            f"It may well work; tested are {tested}.",
        )
    return VERSIONS.ok("Airflow", f"{found} The package is tested with this Airflow version.")
