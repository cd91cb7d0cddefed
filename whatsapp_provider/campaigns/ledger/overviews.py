"""Where campaigns are, for people: one line for each, and what people did to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from whatsapp_provider.campaigns.campaign import SINGLE
from whatsapp_provider.campaigns.ledger import standing
from whatsapp_provider.campaigns.ledger.control import by_id
from whatsapp_provider.campaigns.ledger.database import again_after_deadlock
from whatsapp_provider.campaigns.ledger.records import Counts, Stop, StopKind
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import control, delivery, runner
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.ledger.store import Store
from whatsapp_provider.errors import ConfigurationError

#: What a campaign waits for while its state says that it is ready or running.
_WAITS = {StopKind.UNAPPROVED: "waiting for approval", StopKind.EXPIRED: "past its deadline"}


@dataclass(frozen=True, slots=True)
class Done:
    """What a person did to a campaign.

    :param at: seconds since the epoch by the database's clock.
    """

    action: str
    by: str
    note: str | None
    at: float


@dataclass(frozen=True, slots=True)
class Overview:
    """Where a campaign is.

    :param stop: what keeps it from sending now, if anything does.
    :param runs: how many runs hold a lease on it.
    """

    campaign_id: str
    channel: str
    state: CampaignState
    counts: Counts
    stop: Stop | None
    runs: int
    created_at: float
    updated_at: float
    expires_at: float | None
    held_by: str | None
    done: tuple[Done, ...] = ()

    @property
    def told(self) -> str:
        """Where it is, in words for people: for whom or what it waits, and else its state."""
        if self.stop is None or self.state.is_over or self.state is CampaignState.FINISHED:
            return str(self.state)
        return f"paused by {self.held_by}" if self.held_by else _WAITS.get(self.stop.kind, str(self.state))


class Overseeing(Store):
    """What people look at before they act; each method is one transaction."""

    @again_after_deadlock
    def overview(self, campaign_id: str) -> Overview:
        """Return where a campaign is, and all that people did to it.

        :raises ConfigurationError: if there is no such campaign.
        """
        self.prepare()
        with self._database.transaction() as connection:
            row = connection.execute(by_id(campaign_id)).one_or_none()
            if row is None:
                raise ConfigurationError(f"The ledger has no campaign {campaign_id!r}.")
            (found,) = _overviews(
                connection, [row], self._database.now(connection), _done(connection, row.id)
            )
            return found

    @again_after_deadlock
    def stop_of(self, campaign_id: str) -> Stop | None:
        """Return what keeps a campaign from sending now, without counting anything.

        :raises ConfigurationError: if there is no such campaign.
        """
        self.prepare()
        with self._database.transaction() as connection:
            row = connection.execute(by_id(campaign_id)).one_or_none()
            if row is None:
                raise ConfigurationError(f"The ledger has no campaign {campaign_id!r}.")
            return standing.stop_of(row, self._database.now(connection))

    @again_after_deadlock
    def overviews(self, *, limit: int = 50, single: bool = False) -> Sequence[Overview]:
        """Return where the newest campaigns are, the newest first.

        :param single: single messages, too.
        """
        self.prepare()
        query = select(campaigns).order_by(campaigns.c.id.desc()).limit(limit)
        if not single:
            query = query.where(campaigns.c.campaign_id.not_like(f"{SINGLE}%"))
        with self._database.transaction() as connection:
            rows = list(connection.execute(query))
            return _overviews(connection, rows, self._database.now(connection))


def _overviews(
    connection: Connection, rows: Sequence[Row[Any]], now: float, done: tuple[Done, ...] = ()
) -> list[Overview]:
    numbers = [row.id for row in rows]
    counts, runs = _counts(connection, numbers), _runs(connection, numbers, now)
    return [
        Overview(
            campaign_id=row.campaign_id,
            channel=row.channel,
            state=CampaignState(row.state),
            counts=Counts(counts.get(row.id, {})),
            stop=standing.stop_of(row, now),
            runs=runs.get(row.id, 0),
            created_at=row.created_at,
            updated_at=row.updated_at,
            expires_at=row.expires_at,
            held_by=row.held_by,
            done=done,
        )
        for row in rows
    ]


def _counts(connection: Connection, numbers: Sequence[int]) -> Mapping[int, Mapping[DeliveryState, int]]:
    query = (
        select(delivery.c.campaign, delivery.c.state, func.count())
        .where(delivery.c.campaign.in_(numbers))
        .group_by(delivery.c.campaign, delivery.c.state)
    )
    found: dict[int, dict[DeliveryState, int]] = {}
    for number, state, count in connection.execute(query):
        found.setdefault(number, {})[DeliveryState(state)] = count
    return found


def _runs(connection: Connection, numbers: Sequence[int], now: float) -> Mapping[int, int]:
    query = (
        select(runner.c.campaign, func.count())
        .where(runner.c.campaign.in_(numbers), runner.c.ended == 0, runner.c.lease_until > now)
        .group_by(runner.c.campaign)
    )
    return {number: count for number, count in connection.execute(query)}  # noqa: C416 - rows are no pairs to mypy


def _done(connection: Connection, number: int) -> tuple[Done, ...]:
    query = select(control).where(control.c.campaign == number).order_by(control.c.id)
    return tuple(Done(row.action, row.done_by, row.note, row.done_at) for row in connection.execute(query))
