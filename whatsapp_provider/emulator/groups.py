"""The groups of the fake network: their members, and what all dialects show of them.

Every linked channel of the world counts as a member, and as the owner, of every group.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterable
from dataclasses import dataclass, field

from whatsapp_provider.emulator.clock import Clock

SUFFIX = "@g.us"
FIRST = 120_363_400_000_000_001
CODE_LETTERS = string.ascii_letters + string.digits


@dataclass(slots=True)
class Group:
    """One group; ``participants`` are phone numbers in digits, ``created_at`` is unix seconds."""

    id: str
    subject: str
    participants: list[str]
    created_at: float
    invite_code: str
    description: str | None = None
    admins: set[str] = field(default_factory=set)


class Groups:
    """All groups, by their chat ids."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_id: dict[str, Group] = {}
        # Its own dice: a group added must not change the ids that come after it.
        self._random = random.Random(FIRST)  # noqa: S311 - codes of a fake network, not secrets

    def add(self, subject: str, participants: Iterable[str], description: str | None = None) -> Group:
        """Make a group; numbers may be written with signs or as chat ids."""
        phones = [re.sub(r"\D", "", item.partition("@")[0]) for item in participants]
        if not all(phones):
            raise ValueError("A participant of a group needs a phone number.")
        group = Group(
            f"{FIRST + len(self._by_id)}{SUFFIX}",
            subject,
            list(dict.fromkeys(phones)),
            self._clock.now(),
            "".join(self._random.choices(CODE_LETTERS, k=22)),
            description,
        )
        self._by_id[group.id] = group
        return group

    def get(self, group_id: str) -> Group | None:
        """Return a group by its chat id or by the digits of it."""
        return self._by_id.get(group_id if "@" in group_id else group_id + SUFFIX)

    def all(self) -> list[Group]:
        """Return all groups, the oldest first."""
        return list(self._by_id.values())
