"""The counters of trial and sandbox channels."""

from __future__ import annotations

import time
from typing import Any

from whatsapp_provider.emulator.whapi.refusals import RefusalError
from whatsapp_provider.emulator.world import World

DAY = 86_400
LIMITED_MODES = frozenset({"trial", "dev"})


class TrialMeter:
    """Counts messages and checks a day, chats and requests a month."""

    def __init__(self, world: World, facts: dict[str, Any]) -> None:
        self._world = world
        self._facts = facts
        self._day = -1
        self._month = (0, 0)
        self.messages = 0
        self.checks = 0
        self.requests = 0
        self.chats: list[str] = []

    def limited(self) -> bool:
        """Say whether the channel's mode has limits."""
        return self._facts["mode"] in LIMITED_MODES

    def _roll(self) -> None:
        now = self._world.clock.now()
        if self._day != now // DAY:
            self._day = int(now // DAY)
            self.messages = self.checks = 0
            today = time.gmtime(now)
            if self._month != (today.tm_year, today.tm_mon):
                self._month = (today.tm_year, today.tm_mon)
                self.requests = 0
                self.chats = []

    def _refuse_if(self, over: bool) -> None:
        if over and self._world.settings.enforce_trial:
            raise RefusalError(402, "trial version limit exceeded")

    def count_request(self) -> None:
        """Count a gate call."""
        if self.limited():
            self._roll()
            self._refuse_if(self.requests >= self._world.settings.trial_requests_per_month)
            self.requests += 1

    def count_message(self, chat_id: str) -> None:
        """Count a message, and its chat if it is a new one."""
        if not self.limited():
            return
        self._roll()
        settings = self._world.settings
        self._refuse_if(self.messages >= settings.trial_messages_per_day)
        if len(self.chats) < settings.trial_chats_per_month:
            if chat_id not in self.chats:
                self.chats.append(chat_id)
        elif settings.enforce_trial:
            # Beyond the limit only the chats already counted may be written to.
            self._refuse_if(chat_id not in self.chats)
        self.messages += 1

    def count_checks(self, number: int) -> None:
        """Count checked numbers."""
        if self.limited():
            self._roll()
            self._refuse_if(self.checks + number > self._world.settings.trial_checks_per_day)
            self.checks += number

    def remaining(self) -> dict[str, Any]:
        """Return what ``/limits`` shows: what is left, and the chats already used."""
        self._roll()
        settings = self._world.settings
        return {
            "messages": max(0, settings.trial_messages_per_day - self.messages),
            "chats": list(self.chats),
            "checks": max(0, settings.trial_checks_per_day - self.checks),
            "requests": max(0, settings.trial_requests_per_month - self.requests),
        }
