"""What can be read in the ledger: campaigns, counts, reasons, single deliveries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, select

from whatsapp_provider.campaigns.campaign import ledger_id
from whatsapp_provider.campaigns.ledger import doubts, lanes, plans
from whatsapp_provider.campaigns.ledger.database import again_after_deadlock
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Counts, Entry
from whatsapp_provider.campaigns.ledger.rows import Rows
from whatsapp_provider.campaigns.ledger.schema import campaign, delivery
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState, Proof
from whatsapp_provider.errors import ConfigurationError


class Views(Rows):
    """Reads; each method is one transaction."""

    @again_after_deadlock
    def find(self, campaign_id: str) -> CampaignRecord | None:
        """Return a campaign that is in the ledger."""
        self.prepare()
        with self._database.transaction() as connection:
            row = plans.find(connection, ledger_id(campaign_id))
        if row is None:
            return None
        return CampaignRecord(row.id, row.campaign_id, row.channel, CampaignState(row.state), fresh=False)

    @again_after_deadlock
    def counts(self, record: CampaignRecord) -> Counts:
        """Return how many deliveries are in which state."""
        with self._database.transaction() as connection:
            query = (
                select(delivery.c.state, func.count())
                .where(lanes.of_record(connection, record))
                .group_by(delivery.c.state)
            )
            return Counts({DeliveryState(state): count for state, count in connection.execute(query)})

    @again_after_deadlock
    def entries(self, record: CampaignRecord, state: DeliveryState, *, limit: int = 100) -> Sequence[Entry]:
        """Return deliveries of one state, in the order of the audience."""
        query = (
            select(delivery)
            .where(delivery.c.campaign == record.id, delivery.c.state == state)
            .order_by(delivery.c.seq)
            .limit(limit)
        )
        with self._database.transaction() as connection:
            return [_entry(row) for row in connection.execute(query)]

    @again_after_deadlock
    def in_doubt(self, campaign_id: str | None = None) -> Sequence[tuple[str, Entry]]:
        """Return what is in doubt with its campaign's id, of one campaign or of all.

        :raises ConfigurationError: if there is no such campaign.
        """
        self.prepare()
        query = (
            select(delivery, campaign.c.campaign_id)
            .join(campaign, campaign.c.id == delivery.c.campaign)
            .where(delivery.c.state == DeliveryState.IN_DOUBT)
            .order_by(delivery.c.campaign, delivery.c.seq)
        )
        if campaign_id is not None:
            if self.find(campaign_id) is None:
                raise ConfigurationError(f"The ledger has no campaign {campaign_id!r}.")
            query = query.where(campaign.c.campaign_id == ledger_id(campaign_id))
        with self._database.transaction() as connection:
            return [(row.campaign_id, _entry(row)) for row in connection.execute(query)]

    @again_after_deadlock
    def left_out(self, record: CampaignRecord) -> Mapping[str, int]:
        """Return how many rows of the audience were left out at plan, by reason."""
        with self._database.transaction() as connection:
            stored = connection.execute(
                select(campaign.c.skipped).where(campaign.c.id == record.id)
            ).scalar_one()
        return dict(json.loads(stored or "{}"))

    @again_after_deadlock
    def settlements(self, record: CampaignRecord) -> Mapping[tuple[Proof, DeliveryState], int]:
        """Return how many doubts were settled, by what proved it and what they became."""
        with self._database.transaction() as connection:
            return doubts.settlements(connection, record.id)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        id=row.id,
        state=DeliveryState(row.state),
        recipient=row.recipient,
        attempt=row.attempt,
        message_id=row.message_id,
        code=row.code,
        reason=row.reason,
        updated_at=row.updated_at,
    )
