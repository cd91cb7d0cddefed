"""Wait for a sole right that tasks on several hosts share: a row of the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from whatsapp_provider.errors import TemporarilyUnavailableError

if TYPE_CHECKING:
    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.campaigns.ledger.records import NameClaim

MOST_SECONDS = 900.0  #: others may come first again and again
_LOOK_EVERY = 2.0


def wait_for_claim(
    ledger: Ledger,
    account: str,
    name: str,
    *,
    owner: str,
    seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> NameClaim:
    """Return the claim of ``name``, as soon as no other task has it.

    :param seconds: after which others may have it, should this task die.
    :raises TemporarilyUnavailableError: if others had it for a quarter of an hour.
    """
    waited = 0.0
    while True:
        claim = ledger.claim_channel_name(account, name, owner=owner, seconds=seconds)
        if claim.wait is None:
            return claim
        if waited >= MOST_SECONDS:
            raise TemporarilyUnavailableError(
                f"Other tasks were at {name!r} for {waited:.0f} s; nothing was done. Try again later."
            )
        pause = min(claim.wait, _LOOK_EVERY)
        sleep(pause)
        waited += pause
