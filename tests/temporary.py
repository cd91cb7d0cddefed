"""Where the tests keep what they write: in memory, where a machine has enough of it.

Each commit of an SQLite file waits for the disk, and the tests make many thousands. None is about a machine that
loses power: what they kill are processes, and what a process wrote outlives it here as on a disk.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import psutil

MEMORY = Path("/dev/shm")
ENOUGH = (
    4 * 2**30
)  #: bytes; most of the tests need one of these, the bare environments of `make package-test` two


def use_memory(folder: Path = MEMORY) -> bool:
    """Keep the temporary files of this process and its children in memory, unless somebody chose a place for them."""
    if "TMPDIR" in os.environ or not os.path.ismount(folder) or not _has_room(folder):
        return False
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None  # it is looked for anew
    return True


def _has_room(folder: Path) -> bool:
    """Say whether there is room, and programs may be run from there: containers have 64 MB, or forbid it."""
    told = os.statvfs(folder)
    free = min(told.f_bavail * told.f_frsize, psutil.virtual_memory().available)
    return free >= ENOUGH and not told.f_flag & os.ST_NOEXEC
