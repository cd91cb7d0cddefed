"""What the tests have awaited for each new pairing; a path names it, so it keeps what it was told here."""

from __future__ import annotations

import asyncio
from typing import Any

TOLD: list[dict[str, Any]] = []


async def remember(context: dict[str, Any], **kwargs: Any) -> None:
    """Keep the pairing and the further arguments."""
    TOLD.append({**context["pairing"], **kwargs})


async def fail(context: dict[str, Any]) -> None:
    """Fail with the code in the text, as a careless notifier may."""
    TOLD.append(context["pairing"])
    raise RuntimeError(f"could not send {context['pairing']}")


async def hang(context: dict[str, Any]) -> None:
    """Come to no end."""
    TOLD.append(context["pairing"])
    await asyncio.Event().wait()
