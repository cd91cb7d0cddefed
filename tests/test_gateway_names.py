"""Which files of the package name a gateway outside of its own places: each has its reason, and there are few."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import whatsapp_provider
from whatsapp_provider.gateways.registry import GATEWAYS

ROOT = Path(whatsapp_provider.__file__).parent
#: Which may name which, and why. Nothing else, not even an example in a docstring.
NAMED = {
    "gateways/registry.py": "the line of each gateway",
    "emulator/dialects.py": "the line of each dialect",
    "demo/encore.py": "the gateway that the demo's second channel is on",
    "demo/gateways.py": "the line of each gateway, and the one that the demo takes by itself",
    "emulator/app.py": "what tests hold on to: each dialect's state by its name, with its type",
    "emulator/settings.py": "what each dialect can be told, in the one value that tests replace as a whole",
    "emulator/__main__.py": "the command line's options for these settings",
    "ARCHITECTURE.md": "decisions that name the gateway that asked for them",
}
NAMES = re.compile("|".join(GATEWAYS), re.IGNORECASE)


def own_places(name: str) -> tuple[str, ...]:
    """Return where a gateway's name belongs."""
    return (f"gateways/{name}/", f"emulator/{name}/", f"hooks/{name}.py")


def naming(path: str, text: str) -> set[str]:
    """Return the gateways that a file names although it is none of their own."""
    return {
        name
        for name in {found.lower() for found in NAMES.findall(text)}
        if not path.startswith(own_places(name))
    }


def files() -> dict[str, str]:
    """Return the text of each file of the package by its path."""
    found = {}
    for path in sorted(ROOT.rglob("*")):
        if (
            path.is_file()
            and "__pycache__" not in path.parts
            and path.suffix not in {".png", ".ico", ".woff2"}
        ):
            found[path.relative_to(ROOT).as_posix()] = path.read_text("utf-8")
    return found


def test_the_files_that_name_a_gateway_are_few_and_known() -> None:
    assert {path for path, text in files().items() if naming(path, text)} == set(NAMED)


@pytest.mark.parametrize("name", GATEWAYS)
def test_a_gateway_is_named_where_it_has_a_line(name: str) -> None:
    texts = files()
    for path in ("gateways/registry.py", "emulator/dialects.py", "demo/gateways.py"):
        assert f'"{name}"' in texts[path]


def test_a_name_in_anothers_place_is_found() -> None:
    assert naming("gateways/whapi/sends.py", "like Evolution's") == {"evolution"}
    assert naming("gateways/whapi/sends.py", "WhapiChannel") == set()
    assert naming("hooks/whatsapp.py", "e.g. Whapi") == {"whapi"}
