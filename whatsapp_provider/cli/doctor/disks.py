"""What kind of disk a file is on: SQLite's locks don't work over a network."""

from __future__ import annotations

from pathlib import Path

from whatsapp_provider.cli.doctor.findings import Finding, Topic

_MOUNTS = Path("/proc/self/mounts")  #: of Linux; see proc(5)
_NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "afs",
    "9p",
    "ceph",
    "gluster",
    "lustre",
    "beegfs",
    "gpfs",
    "fuse.",
    "drvfs",
)
_PASSING = ("tmpfs", "ramfs", "overlay")


def judge_disk(topic: Topic, path: Path) -> Finding:
    """Return what is to be thought of the disk that a file is on."""
    if not _MOUNTS.exists():
        return topic.ok("disk", "Not looked at on this system.", "The file must be on a local disk.")
    return judge_kind(topic, kind_of(path.resolve(), _MOUNTS.read_text("utf-8", "replace")))


def kind_of(path: Path, mounts: str) -> str:
    """Return the file system's kind, by a table in the form of ``/proc/mounts``; empty if it is in none."""
    found = (Path("/"), "")
    for line in mounts.splitlines():
        _, place, kind = line.split(" ")[:3]
        # Blanks in names are written as octal numbers.
        folder = Path(place.replace("\\040", " "))
        # A later line lies over an earlier one.
        if path.is_relative_to(folder) and len(folder.parts) >= len(found[0].parts):
            found = folder, kind
    return found[1]


def judge_kind(topic: Topic, kind: str) -> Finding:
    """Return what is to be thought of a file system."""
    if kind.startswith(_NETWORK):
        return topic.problem(
            "disk",
            f"The file is on a network disk ({kind}), where SQLite's locks don't hold.",
            "Put it on a local disk, or use PostgreSQL.",
        )
    if kind in _PASSING:
        return topic.warning(
            "disk",
            f"The file is on {kind}, which goes with the container or a restart; a new ledger remembers nobody.",
            "Put it on a volume that stays, or use PostgreSQL.",
        )
    return topic.ok("disk", f"Local ({kind})." if kind else "Its kind is not known.")
