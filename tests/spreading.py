"""How ``make test`` and ``make kill`` spread the tests over two processes.

A file stays in one process, so that what its tests share is made once. All files that start a real Airflow
go to the same process, one after another and first: two of them at once would be too slow for their own
deadlines on two cores, and begun late they would make the other process wait for them at the end.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

SERVERS = "servers"


@cache
def starts_servers(file: Path) -> bool:
    """Tell whether a file has tests that need a real Airflow."""
    return "pytest.mark.airflow" in file.read_text("utf-8")


def sort_servers_first(items: list[pytest.Item]) -> None:
    """Put the tests that need a real Airflow before the others."""
    items.sort(key=lambda item: not starts_servers(item.path))


class Spread(LoadScopeScheduling):
    """Hands out whole files, and those with a real Airflow as if they were one."""

    def _split_scope(self, nodeid: str) -> Any:
        file = nodeid.partition("::")[0]
        return SERVERS if starts_servers(self.config.rootpath / file) else file
