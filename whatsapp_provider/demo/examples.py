"""Where the example DAGs are: beside the package in a checkout, inside it when installed."""

from __future__ import annotations

import shutil
from pathlib import Path

from whatsapp_provider.demo.errors import ExamplesMissingError

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE.parent / "dags_examples", _PACKAGE / "example_dags")


def examples_folder() -> Path:
    """Return the folder that holds the example DAGs; a checkout's comes first."""
    for folder in _PLACES:
        if any(folder.glob("*.py")):
            return folder
    raise ExamplesMissingError(_PLACES)


def copy_examples(target: Path) -> list[Path]:
    """Copy the example DAGs and their data into the folder, and return the files written.

    A file that is there already stays as it is: it may hold somebody's changes.
    """
    source = examples_folder()
    written = []
    for file in sorted(source.rglob("*")):
        destination = target / file.relative_to(source)
        if file.is_dir() or "__pycache__" in file.parts or destination.exists():
            continue
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, destination)
        written.append(destination)
    return written
