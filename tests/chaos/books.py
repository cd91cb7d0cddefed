"""What the controller reads in the ledger: straight from its tables, with no code of the engine between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from sqlalchemy import create_engine, func, select

from whatsapp_provider.campaigns.ledger.schema import campaign, delivery, runner, settlement
from whatsapp_provider.campaigns.ledger.states import DeliveryState


class Books:
    """One ledger.

    :param url: an SQLAlchemy URL.
    """

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url)

    def under_way(self, labels: Collection[str]) -> dict[str, list[str]]:
        """Return whose message each of these runners has intended and not answered for, by its label."""
        query = (
            select(runner.c.label, delivery.c.recipient)
            .join(runner, runner.c.id == delivery.c.runner)
            .where(delivery.c.state == DeliveryState.SENDING, runner.c.label.in_(labels))
        )
        held: dict[str, list[str]] = {label: [] for label in labels}
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                held[row.label].append(row.recipient)
        return held

    def states(self, campaign_id: str) -> dict[str, DeliveryState]:
        """Return the state of each person of a campaign."""
        query = (
            select(delivery.c.recipient, delivery.c.state)
            .join(campaign, campaign.c.id == delivery.c.campaign)
            .where(campaign.c.campaign_id == campaign_id)
        )
        with self._engine.connect() as connection:
            return {row.recipient: DeliveryState(row.state) for row in connection.execute(query)}

    def settled(self) -> Counter[str]:
        """Return how many doubts became what."""
        query = select(settlement.c.state, func.count()).group_by(settlement.c.state)
        with self._engine.connect() as connection:
            return Counter({str(row[0]): int(row[1]) for row in connection.execute(query)})

    def dispose(self) -> None:
        """Close all connections."""
        self._engine.dispose()
