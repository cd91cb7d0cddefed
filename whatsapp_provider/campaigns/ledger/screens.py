"""What is asked of a plan's people, a batch at a time, before they are written: who is left out, whose lane is which.

Everything here is called inside the transaction that writes the batch, perhaps more than once, because a deadlock does
it again: what is remembered between calls must not rest on what the transaction has written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection

from whatsapp_provider.campaigns.ledger.records import Planned


class Screen(Protocol):
    """Looks at a batch of people: the suppression list, the frequency cap, what the gateway said of a number."""

    def screen(self, connection: Connection, people: Sequence[Planned], now: float) -> Sequence[Planned]:
        """Return everybody in the same order, each as given or with something replaced.

        ``replace(person, exclusion=Exclusion(code, reason))`` leaves a person out: they are written as ``suppressed``
        and counted by the code. ``address`` may be replaced too; ``recipient``, who they are, may not. It asks for the
        whole batch at once, and sees those only whom no screen before it has left out.
        """


class Lanes(Protocol):
    """Says which part of a campaign a person is in."""

    def lanes(
        self, connection: Connection, campaign: int, people: Sequence[Planned], now: float
    ) -> Mapping[str, int]:
        """Return the lanes' numbers by recipient; who is not in it has none.

        It makes the rows of ``wa_lane`` that are missing.

        :param people: those who are not left out.
        """
