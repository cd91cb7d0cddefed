"""Settle deliveries in doubt by what the gateway remembers of them.

Presence proves that a message was sent. Absence proves little: a history lags, may be switched off, may know a
chat by another number. So it counts only when the request can't be on its way any more, twice with a delay
between, while the same history shows another message that it must show and that was sent after it or hardly
before it, and while nothing in the chat could be the message in other words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from whatsapp_provider.campaigns.body import is_body
from whatsapp_provider.campaigns.identity import address_forms
from whatsapp_provider.campaigns.ledger.doubts import Delays
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.news import SKEW_SECONDS
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Doubt, Settled, Specimen
from whatsapp_provider.campaigns.ledger.states import Proof
from whatsapp_provider.errors import NoAnswerError, WhatsAppError
from whatsapp_provider.model import HistoryEntry, MessageStatus

AT_ONCE = 5  #: look-ups under way at the same time, and between two renewals of the run's lease
LONGEST_LOOK = 10.0  #: seconds; a lease outlasts the longest send by twice as much
MOST_FAILURES = 3  #: of one delivery's look-ups in one run
MOST_ENTRIES = 100  #: of one chat
NOT_SHOWN = (
    "the gateway's history does not show a message that the gateway took either, so that absence from it proves "
    "nothing"
)
NOTHING_AFTER = (
    "nothing was sent after it that would show that the history works, so that absence from it proves nothing"
)


class Historian(Protocol):
    """A channel whose gateway remembers what was sent."""

    async def history(self, recipient: str, *, since: float, limit: int = 100) -> Sequence[HistoryEntry]:
        """Return what was sent to a chat since a moment (seconds since the epoch)."""


class _Found(StrEnum):
    """What one look brought."""

    SENT = "sent"
    ABSENT = "absent"
    UNCLEAR = "other messages went to the chat, one of which may be it"


#: Runs a ledger method on the ledger's own thread.
Call = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Look:
    """What a round of look-ups left to do.

    :param wait: seconds until the next one is due, ``None`` if no look-up can settle anything more.
    """

    wait: float | None


class Reconciler:
    """Looks deliveries in doubt up, for one run of a campaign.

    :param call: runs a method of the ledger.
    :param label: who settles, as it is noted in the ledger.
    """

    def __init__(
        self,
        ledger: Ledger,
        record: CampaignRecord,
        historian: Historian,
        delays: Delays,
        call: Call,
        *,
        label: str,
    ) -> None:
        self._ledger, self._record, self._historian = ledger, record, historian
        self._delays, self._call = delays, call
        self._settled = Settled(Proof.HISTORY, label or "a run of the campaign")
        self._failures: dict[int, int] = {}
        self._given_up: set[int] = set()
        #: Why look-ups could not settle everything, for people.
        self.problem: str | None = None

    async def look(self) -> Look:
        """Look up what is due.

        :raises LedgerUnavailableError: if the ledger is out of reach.
        """
        doubts = await self._doubtful()
        due = [doubt for doubt in doubts if doubt.due <= 0][:AT_ONCE]
        if due:
            found = await asyncio.gather(*(self._look_up(doubt) for doubt in due))
            await self._write_absent([doubt for doubt in found if doubt is not None])
            doubts = await self._doubtful()
        return Look(min((doubt.due for doubt in doubts), default=None))

    async def _doubtful(self) -> Sequence[Doubt]:
        found: Sequence[Doubt] = await self._call(
            self._ledger.doubtful, self._record, self._delays, frozenset(self._given_up)
        )
        return found

    async def _look_up(self, doubt: Doubt) -> Doubt | None:
        """Look one up, and return it if it is absent."""
        try:
            entries = await self._entries(doubt.address, doubt.since)
        except Exception as error:
            # Of an error that isn't ours only the name: its text may quote the chat.
            told = str(error).rstrip(".") if isinstance(error, WhatsAppError) else type(error).__name__
            self._failed(doubt, f"the history could not be read: {told}")
            await self._call(self._ledger.looked, doubt)
            return None
        found = await self._compare(doubt, entries)
        if found is _Found.UNCLEAR:
            self._give_up(doubt, found)
        return doubt if found is _Found.ABSENT else None

    async def _entries(self, address: str, since: float) -> dict[str, HistoryEntry]:
        """Return a chat's messages by their ids, under each form that WhatsApp may know the number by."""
        found: dict[str, HistoryEntry] = {}
        longest = min(LONGEST_LOOK, self._delays.send)
        try:
            async with asyncio.timeout(longest):
                for form in address_forms(address):
                    entries = await self._historian.history(
                        form, since=since - SKEW_SECONDS, limit=MOST_ENTRIES
                    )
                    found |= {entry.message_id: entry for entry in entries}
        except TimeoutError:
            raise NoAnswerError(f"The gateway did not tell a chat's history within {longest:g} s.") from None
        return found

    async def _compare(self, doubt: Doubt, entries: dict[str, HistoryEntry]) -> _Found:
        unclaimed = await self._call(self._ledger.unclaimed, list(entries))
        left = sorted((entries[key] for key in unclaimed), key=lambda entry: entry.sent_at)
        for entry in left:
            failed = entry.status is MessageStatus.FAILED
            if is_body(doubt.body_hash, entry.kind, entry.text) and await self._call(
                self._ledger.was_sent, doubt, entry.message_id, self._settled, failed=failed
            ):
                return _Found.SENT
        # A chat that was told of in part may hold it in the rest.
        return _Found.UNCLEAR if left or len(entries) >= MOST_ENTRIES else _Found.ABSENT

    async def _write_absent(self, absent: Sequence[Doubt]) -> None:
        """Count the absences that count, if the history shows that it works."""
        ripe = [doubt for doubt in absent if doubt.ripe]
        unproven = await self._unproven(ripe) if ripe else {}
        for doubt in absent:
            if doubt.ripe and doubt.id not in unproven:
                await self._call(self._ledger.was_absent, doubt, self._settled)
                continue
            if doubt.ripe:
                self._failed(doubt, unproven[doubt.id])
            await self._call(self._ledger.looked, doubt)

    async def _unproven(self, ripe: Sequence[Doubt]) -> dict[int, str]:
        """Return the doubts whose absence proves nothing, with why: the history was not seen to work.

        A message that the gateway is known to have sent speaks for all that were intended before it: one request,
        not one for each.
        """
        moments = sorted({doubt.since for doubt in ripe})
        specimen: Specimen | None = None
        for since in dict.fromkeys((moments[-1], moments[0])):
            specimen = specimen or await self._call(
                self._ledger.specimen, self._record, since, self._delays.settle
            )
        if specimen is None:
            return {doubt.id: NOTHING_AFTER for doubt in ripe}
        if not await self._shows(specimen):
            return {doubt.id: NOT_SHOWN for doubt in ripe}
        return {doubt.id: NOTHING_AFTER for doubt in ripe if not specimen.speaks_for(doubt.since)}

    async def _shows(self, specimen: Specimen) -> bool:
        try:
            return specimen.message_id in await self._entries(specimen.address, specimen.since)
        except Exception:
            # Whatever keeps it from being shown: the history has not been seen to work.
            return False

    def _failed(self, doubt: Doubt, reason: str) -> None:
        self._failures[doubt.id] = self._failures.get(doubt.id, 0) + 1
        self.problem = reason
        if self._failures[doubt.id] >= MOST_FAILURES:
            self._given_up.add(doubt.id)

    def _give_up(self, doubt: Doubt, reason: str) -> None:
        self._given_up.add(doubt.id)
        self.problem = str(reason)
