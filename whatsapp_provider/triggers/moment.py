"""Wait for a moment: until a channel may be created, or a campaign may go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import time
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from whatsapp_provider.triggers.due import DUE

LONGEST_SLEEP = 60.0


class WhatsAppMomentTrigger(BaseTrigger):
    """Fires once at a moment.

    :param moment: seconds since the epoch (UTC).
    """

    def __init__(self, moment: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's has no annotations
        self.moment = moment

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what Airflow stores in the clear: nothing private."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {"moment": self.moment}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Sleep in pieces, so that a changed clock is noticed."""
        while (left := self.moment - time()) > 0:  # noqa: ASYNC110 - time is what is waited for
            await asyncio.sleep(min(left, LONGEST_SLEEP))
        yield TriggerEvent({"status": DUE})
