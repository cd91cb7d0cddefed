"""What the vendor's and other white labels' pages show of the product behind WhatsCloud.

Nothing here was captured from whatscloud.pro: of its own pages only one is known. ``source`` says who shows it:
``whatscloud`` its page "API management", ``vendor`` the pages and the API reference of WhatsMark SaaS (Corbital,
2025), ``white label`` the pages of Xobito (2026) and RASL (2025), ``meta`` the reference of the Cloud API.

Each file is a list of facts. ``settings`` are the emulator's, ``before`` are requests whose answers don't matter;
``guessed`` names keys that the emulator has and the source has not. Numbers and names were replaced.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Fact = dict[str, Any]
HERE = Path(__file__).parent


def facts(name: str) -> list[Fact]:
    """Return the facts of one file."""
    found: list[Fact] = json.loads((HERE / f"{name}.json").read_text("utf-8"))
    return found
