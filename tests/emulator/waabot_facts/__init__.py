"""What the documents of the Bots API (Waabot) show, each with its source; nothing was captured from the service.

``documented.json``: requests and answers of the vendor's page "whatsapp-bots" (2023-07) and of its SDK (2024-01).
``upstream.json``: what the open source underneath says and writes (whatsapp-api-nodejs, Baileys, open-wa; 2022-23).
Numbers, names and secrets are made up.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def facts(name: str) -> dict[str, Any]:
    """Return one file's facts by their titles."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name(f"{name}.json").read_text("utf-8"))
    return found
