"""How ``make test`` and ``make kill`` spread the tests over two processes.

A file stays in one process, so that what its tests share is made once; where a folder shares it, all its files do.
Files that start a real Airflow go to the first process, one after another: two of them at once are slow. The other
process takes them too when it has nothing else left, for by then the machine has room for a second one. Those that
judge seconds come first, and so never beside another Airflow.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

JUDGE_SECONDS = ("test_signals.py", "test_waits.py")


@cache
def starts_servers(place: Path) -> bool:
    """Tell whether a file, or one of a folder's, has tests that need a real Airflow."""
    files = place.glob("test_*.py") if place.is_dir() else [place]
    return any("pytest.mark.airflow" in file.read_text("utf-8") for file in files)


@cache
def shares_a_server(folder: Path) -> bool:
    """Tell whether the files of a folder have something that is made once for all of them."""
    common = folder / "conftest.py"
    return common.exists() and 'scope="package"' in common.read_text("utf-8")


def sort_servers_first(items: list[pytest.Item]) -> None:
    """Put the tests that need a real Airflow before the others."""
    items.sort(key=lambda item: (not starts_servers(item.path), item.path.name not in JUDGE_SECONDS))


class Spread(LoadScopeScheduling):
    """Hands out whole files or folders, to each process of its own kind as long as there are any."""

    def _split_scope(self, nodeid: str) -> str:
        place = Path(nodeid.partition("::")[0])
        shared = shares_a_server(self.config.rootpath / place.parent)
        return str(place.parent if shared else place)

    def _assign_work_unit(self, node: Any) -> None:
        first = node is self.nodes[0]
        for scope in self.workqueue:
            if starts_servers(self.config.rootpath / scope) is first:
                self.workqueue.move_to_end(scope, last=False)
                break
        super()._assign_work_unit(node)
