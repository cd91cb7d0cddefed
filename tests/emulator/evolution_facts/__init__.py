"""What a real server answered: captured from Evolution API 2.3.6.

Each file is a list of exchanges in their order, one a line; phone numbers, hosts, codes and pictures were
replaced, and ``GLOBAL`` stands for the global key. ``webhooks.json`` has the calls that the server made.
``v1.py`` has what the documentation of version 1 (1.7.1) shows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def captured(name: str) -> list[dict[str, Any]]:
    """Return the exchanges of one file."""
    exchanges: list[dict[str, Any]] = json.loads(Path(__file__).with_name(f"{name}.json").read_text("utf-8"))
    return exchanges
