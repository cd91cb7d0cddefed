"""Settle doubts: by look-ups, by what gateways report later, by a person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum

from whatsapp_provider.campaigns.ledger import batches, doubts, news, specimens
from whatsapp_provider.campaigns.ledger.control import locked
from whatsapp_provider.campaigns.ledger.database import again_after_deadlock
from whatsapp_provider.campaigns.ledger.doubts import Delays
from whatsapp_provider.campaigns.ledger.news import Recorded, Seen
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Doubt, Settled, Specimen
from whatsapp_provider.campaigns.ledger.states import DeliveryState, Proof
from whatsapp_provider.campaigns.ledger.store import Store
from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.model import MessageStatus


class Verdict(StrEnum):
    """What a person found out about a message in doubt."""

    SENT = "sent"  #: it arrived
    NOT_SENT = "not_sent"  #: it did not: the next run sends it


_STATES = {Verdict.SENT: DeliveryState.ACCEPTED, Verdict.NOT_SENT: DeliveryState.PLANNED}


class Settling(Store):
    """Moves out of doubt; each method is one transaction, and a compare-and-set."""

    @again_after_deadlock
    def doubtful(
        self, record: CampaignRecord, delays: Delays, given_up: Collection[int] = ()
    ) -> Sequence[Doubt]:
        """Return what is in doubt and may be looked up, with when."""
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            return doubts.doubtful(connection, record, delays, given_up, now)

    @again_after_deadlock
    def specimen(self, record: CampaignRecord, since: float, settle: float = 0.0) -> Specimen | None:
        """Return a message that the gateway of the campaign's channel took, and that speaks for a moment.

        :param settle: seconds that the gateway may take to show a message.
        """
        with self._database.transaction() as connection:
            shown_by = self._database.now(connection) - settle
            return specimens.specimen(connection, record, since, shown_by)

    @again_after_deadlock
    def unclaimed(self, message_ids: Sequence[str]) -> set[str]:
        """Return which of these messages no delivery has for its own."""
        if not message_ids:
            return set()
        with self._database.transaction() as connection:
            return doubts.unclaimed(connection, message_ids)

    @again_after_deadlock
    def was_sent(self, doubt: Doubt, message_id: str, settled: Settled, *, failed: bool = False) -> bool:
        """Settle a doubt by its message; ``False`` if it is settled already or the message is another's.

        :param failed: whether the gateway says that the message did not get to its recipient.
        """
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            return doubts.was_sent(connection, doubt, message_id, settled, now, failed=failed)

    @again_after_deadlock
    def was_absent(self, doubt: Doubt, settled: Settled) -> bool:
        """Note an absence that counts; ``True`` if it was the second one, and the message is planned again."""
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            return doubts.was_absent(connection, doubt, settled, now)

    @again_after_deadlock
    def looked(self, doubt: Doubt) -> None:
        """Note a look that proves nothing."""
        with self._database.transaction() as connection:
            doubts.looked(connection, doubt, self._database.now(connection))

    @again_after_deadlock
    def settle(
        self,
        campaign_id: str,
        deliveries: Collection[int] | None,
        verdict: Verdict,
        *,
        by: str,
        note: str | None = None,
    ) -> Sequence[int]:
        """Settle deliveries in doubt by the word of a person; return which are settled by it.

        Who says the same again, e.g. because the answer was lost, is told the same again.

        :param deliveries: their numbers as in the report, ``None`` for all of the campaign.
        :param by: who says so: kept for ever.
        :raises ConfigurationError: if the campaign or one of the deliveries in doubt is not there.
        """
        if not by.strip():
            raise ConfigurationError("A doubt is settled by somebody: say by whom.")
        self.prepare()
        with self._database.transaction() as connection:
            whole = locked(connection, campaign_id)
            now = self._database.now(connection)
            settled, state = Settled(Proof.PERSON, by, note), _STATES[verdict]
            done = doubts.settled_so(connection, campaign_id, deliveries or (), state, settled)
            found = doubts.attempts(connection, campaign_id, deliveries, done)
            moved = [
                number
                for number, attempt in found.items()
                if doubts.settle(connection, number, attempt, state, settled, now)
            ]
            # Of a campaign that is over, nothing is planned again.
            batches.close(connection, whole, now)
            return [*done, *moved]

    @again_after_deadlock
    def record_status(
        self, channel: str, message_id: str, status: MessageStatus, seen: Seen | None = None
    ) -> Recorded:
        """Record a gateway's report of how far a message has come; may be told again, late, in any order.

        :param channel: its name in the ledger (``ChannelRef.key``).
        :param seen: the message itself, where the report shows it: it settles a doubt.
        """
        self.prepare()
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            return news.record_status(connection, channel, message_id, status, seen, now)
