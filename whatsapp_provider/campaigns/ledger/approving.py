"""What a campaign was planned with, what the plan found, and who approved it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, insert, select, update

from whatsapp_provider.campaigns.ledger.columns import kept
from whatsapp_provider.campaigns.ledger.database import again_after_deadlock
from whatsapp_provider.campaigns.ledger.planner import Planner
from whatsapp_provider.campaigns.ledger.planning import LEASE_SECONDS, Held, Order
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.schema import campaign, control, delivery, lane
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.terms import Terms

PREFIX_DIGITS = 4  #: the longest country code, and one digit more for those that share one


class Approving(Planner):
    """Plans that are looked at before they are sent."""

    @again_after_deadlock
    def terms(self, record: CampaignRecord) -> Terms | None:
        """Return what a campaign was planned with, ``None`` for one of the version before."""
        columns = (campaign.c.message, campaign.c.rules, campaign.c.shared)
        with self._database.transaction() as connection:
            row = connection.execute(select(*columns).where(campaign.c.id == record.id)).one()
        return Terms.read(row.message, row.rules, row.shared)

    @again_after_deadlock
    def has_terms(self, record: CampaignRecord, asked: Mapping[str, Any]) -> bool:
        """Whether a campaign was planned with these values of its row's columns."""
        columns = [campaign.c[name] for name in asked]
        with self._database.transaction() as connection:
            row = connection.execute(select(*columns).where(campaign.c.id == record.id)).one()
        return dict(row._mapping) == dict(asked)

    @again_after_deadlock
    def by_country_code(self, record: CampaignRecord) -> Mapping[str, int]:
        """Return how many are still to be sent to, by the first digits of their number; other ids count as ``""``."""
        start = func.substr(delivery.c.recipient, 1, PREFIX_DIGITS)
        query = (
            select(start, func.count())
            .where(delivery.c.campaign == record.id, delivery.c.state == DeliveryState.PLANNED)
            .where(delivery.c.recipient.not_like("%@%"))
            .group_by(start)
        )
        with self._database.transaction() as connection:
            return {str(digits): int(count) for digits, count in connection.execute(query)}

    @again_after_deadlock
    def parts(self, record: CampaignRecord) -> Mapping[str, Mapping[tuple[str, ...], int]]:
        """Return how many are still to be sent to, by channel and by the time zones that they may live in."""
        query = (
            select(lane.c.channel, lane.c.zones, func.count())
            .select_from(delivery.outerjoin(lane, lane.c.id == delivery.c.lane))
            .where(delivery.c.campaign == record.id, delivery.c.state == DeliveryState.PLANNED)
            .group_by(lane.c.id, lane.c.channel, lane.c.zones)
        )
        found: dict[str, dict[tuple[str, ...], int]] = {}
        with self._database.transaction() as connection:
            for channel, zones, count in connection.execute(query):
                in_channel = found.setdefault(channel or record.channel, {})
                in_channel[tuple(json.loads(zones or "[]"))] = int(count)
        return found

    @again_after_deadlock
    def first_values(self, record: CampaignRecord, count: int) -> list[dict[str, Any]]:
        """Return the values of the first people who are still to be sent to."""
        query = (
            select(delivery.c.variables)
            .where(delivery.c.campaign == record.id, delivery.c.state == DeliveryState.PLANNED)
            .order_by(delivery.c.seq)
            .limit(count)
        )
        with self._database.transaction() as connection:
            return [dict(json.loads(values or "{}")) for values in connection.execute(query).scalars()]

    @again_after_deadlock
    def keep_preflight(self, record: CampaignRecord, found: Mapping[str, Any]) -> None:
        """Write what the plan found; it names nobody."""
        with self._database.transaction() as connection:
            this = update(campaign).where(campaign.c.id == record.id)
            connection.execute(this.values(preflight=json.dumps(dict(found), sort_keys=True)))

    @again_after_deadlock
    def preflight(self, record: CampaignRecord) -> dict[str, Any]:
        """Return what the plan found, nothing for a campaign that was planned without a look."""
        with self._database.transaction() as connection:
            found = connection.execute(
                select(campaign.c.preflight).where(campaign.c.id == record.id)
            ).scalar_one()
        return dict(json.loads(found or "{}"))

    @again_after_deadlock
    def approve(self, record: CampaignRecord, *, by: str, note: str | None = None) -> bool:
        """Note who approved a campaign; ``False`` if somebody has before, whose name stays."""
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            first = update(campaign).where(campaign.c.id == record.id, campaign.c.approved_by.is_(None))
            done = connection.execute(first.values(approved_by=kept(by, 250), approved_at=now)).rowcount == 1
            if done:
                values = {"campaign": record.id, "action": "approve", "done_by": kept(by, 250)}
                connection.execute(insert(control).values(**values, note=kept(note, 500), done_at=now))
        return done

    @again_after_deadlock
    def approved_by(self, record: CampaignRecord) -> str | None:
        """Return who approved a campaign."""
        query = select(campaign.c.approved_by).where(campaign.c.id == record.id)
        with self._database.transaction() as connection:
            found: str | None = connection.execute(query).scalar_one()
        return found

    @again_after_deadlock
    def planned_at(self, record: CampaignRecord) -> float:
        """Return when a campaign's plan was begun: another one under its id has another moment."""
        query = select(campaign.c.created_at).where(campaign.c.id == record.id)
        with self._database.transaction() as connection:
            return float(connection.execute(query).scalar_one())

    def discard(self, record: CampaignRecord) -> bool:
        """Remove a campaign that was planned and never begun, as if it had not been.

        ``False`` if it was begun, be it before people were added to it, or a person holds it back.
        """
        held = self._take_back(record)
        if held is not None:
            self._undo(held, Order(), whole=True)
        return held is not None

    @again_after_deadlock
    def _take_back(self, record: CampaignRecord) -> Held | None:
        token = secrets.token_hex(16)
        attempted = select(delivery.c.id).where(delivery.c.campaign == record.id, delivery.c.attempt > 0)
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            # Ready is also what ended and is to go on: whom it has reached must not be forgotten.
            if connection.execute(attempted.limit(1)).first() is not None:
                return None
            taken = connection.execute(
                update(campaign)
                .where(campaign.c.id == record.id, campaign.c.state == CampaignState.READY)
                # Only a person ends a pause of theirs, not a plan that is made anew.
                .where(campaign.c.held_by.is_(None))
                .values(state=CampaignState.PLANNING, planner=token, plan_until=now + LEASE_SECONDS)
            )
        return Held(record.id, token, leftover=True) if taken.rowcount == 1 else None
