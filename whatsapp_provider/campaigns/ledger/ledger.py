"""The ledger as the rest of the package sees it: each method is one transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, func, insert, inspect, select, update
from sqlalchemy.engine import URL

from whatsapp_provider.campaigns.campaign import Campaign, Fingerprint, Frozen, ledger_id
from whatsapp_provider.campaigns.ledger import endings, names, plans, turns, windows
from whatsapp_provider.campaigns.ledger.database import Clock, Database
from whatsapp_provider.campaigns.ledger.plans import LeftOut
from whatsapp_provider.campaigns.ledger.records import (
    CampaignRecord,
    Counts,
    Entry,
    Lease,
    NameClaim,
    Planned,
    Result,
    Turn,
)
from whatsapp_provider.campaigns.ledger.schema import (
    VERSION,
    campaign,
    delivery,
    metadata,
    version,
)
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.errors import LedgerError


class Ledger:
    """Opens the database at its first use and makes its tables where they are missing.

    :param url: an SQLAlchemy URL.
    :param clock: stands in for the database's clock in tests; seconds since the epoch.
    """

    def __init__(self, url: str | URL, *, clock: Clock | None = None) -> None:
        self._database = Database(url, clock=clock)
        self._prepared = False

    @property
    def name(self) -> str:
        """Where it is, fit for a log."""
        return self._database.name

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file, which only one host can use."""
        return self._database.is_sqlite

    def prepare(self) -> None:
        """Make the tables, or check that they are of this version.

        :raises LedgerUnavailableError: if the database can't be reached or the right to make tables is missing.
        :raises LedgerError: if the tables are of another version.
        """
        if self._prepared:
            return
        with self._database.transaction() as connection:
            if not inspect(connection).has_table(version.name):
                _create(connection, self._database.dialect)
            found = connection.execute(select(func.max(version.c.version))).scalar_one()
        if found != VERSION:
            raise LedgerError(
                f"The ledger ({self.name}) is of version {found}, and this package reads version {VERSION}. "
                "Use the package version that wrote it, or another ledger."
            )
        self._prepared = True

    def plan(
        self,
        wanted: Campaign,
        template: str,
        people: Iterable[Planned],
        left_out: LeftOut = dict,
        frozen: Frozen | None = None,
    ) -> CampaignRecord:
        """Plan a campaign and all its recipients, or find it as it was planned.

        ``people`` is read to its end before the ledger is touched: an error there leaves the ledger as it
        was, and a slow source keeps nobody waiting.

        :param template: its text, part of the fingerprint.
        :param left_out: asked at the end for the counts of rows left out, by reason.
        :param frozen: what to keep of the template for a resume after a wait.
        :raises CampaignMismatchError: if the ledger has another audience or template under the id.
        """
        kept = frozen or Frozen.of(template)
        fingerprint = Fingerprint(template)
        known = self.find(wanted.campaign_id) is not None
        entries: list[Planned] = []
        for person in people:
            fingerprint.add(person.recipient, person.variables)
            if not known:
                entries.append(person)
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            if known:
                return plans.check(connection, wanted, fingerprint.hexdigest())
            return plans.plan(connection, wanted, kept, fingerprint.hexdigest(), entries, left_out(), now)

    def resume(self, wanted: Campaign, frozen: Frozen) -> tuple[CampaignRecord, Frozen]:
        """Find a campaign that waited, as it was planned: its audience is not read again.

        :raises CampaignMismatchError: if its text or channel was changed meanwhile, or it is not there.
        """
        self.prepare()
        with self._database.transaction() as connection:
            record, shared = plans.resume(connection, wanted, frozen.template)
        return record, Frozen(frozen.template, shared)

    def begin(
        self, record: CampaignRecord, *, label: str, seconds: float, again: Collection[DeliveryState] = ()
    ) -> Lease:
        """Begin a run: take over what dead runners left, and get a lease of ``seconds``.

        :param again: plan deliveries in these states again; with ``in_doubt`` among them they are sent at
            least once instead of at most once.
        """
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            _set_state(connection, record.id, CampaignState.RUNNING, None, now)
            endings.take_over(connection, record.id, now)
            endings.forget_postponements(connection, record.id)
            if again:
                endings.plan_again(connection, record.id, again, now)
            windows.forget(connection, record.channel, now)
            return turns.begin(connection, record.id, record.channel, label, seconds, now)

    def turn(
        self,
        lease: Lease,
        results: Sequence[Result],
        *,
        places: int,
        pace: Pace,
        held: Collection[int] | None = None,
    ) -> Turn:
        """Write results and get the next tasks, in one commit.

        :param held: after a commit whose answer was lost: the deliveries that the run knows to be under way.
            Others that were given to it in that commit are planned again.
        :raises LeaseLostError: if the lease has ended; the results are written all the same.
        """
        turn = Turn(open=1)
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            renewed = turns.renew(connection, lease, now)
            turns.write_results(connection, lease, results, now)
            if renewed:
                if held is not None:
                    endings.reclaim(connection, lease, held, now)
                turn = self._take(connection, lease, pace, places, now)
        if not renewed:
            raise turns.lease_lost()
        return turn

    def _take(self, connection: Connection, lease: Lease, pace: Pace, places: int, now: float) -> Turn:
        if reason := turns.paused(connection, lease.campaign):
            return Turn(open=1, paused=reason)
        turn = turns.take_tasks(connection, lease, pace, places, lambda: self._database.now(connection))
        if places > 0 and not turn.tasks and turn.open:
            endings.take_over(connection, lease.campaign, now)
        return turn

    def end(
        self, lease: Lease, results: Sequence[Result] = (), *, held: Collection[int] | None = None
    ) -> None:
        """End a run: write the last results; what is still under way is in doubt.

        :param held: the deliveries that the run knows to be under way; others are planned again.
        """
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            endings.end(connection, lease)
            turns.write_results(connection, lease, results, now)
            if held is not None:
                endings.reclaim(connection, lease, held, now)
            endings.doubt_the_rest(connection, lease, now)

    def set_state(self, record: CampaignRecord, state: CampaignState, reason: str | None = None) -> None:
        """Note that a campaign is paused or finished, and why."""
        with self._database.transaction() as connection:
            _set_state(connection, record.id, state, reason, self._database.now(connection))

    def count_send(self, channel: str) -> None:
        """Count a message that was sent outside any campaign."""
        self.prepare()
        with self._database.transaction() as connection:
            windows.take(connection, channel, 1, self._database.now(connection))

    def counts(self, record: CampaignRecord) -> Counts:
        """Return how many deliveries are in which state."""
        query = (
            select(delivery.c.state, func.count())
            .where(delivery.c.campaign == record.id)
            .group_by(delivery.c.state)
        )
        with self._database.transaction() as connection:
            return Counts({DeliveryState(state): count for state, count in connection.execute(query)})

    def failures(self, record: CampaignRecord) -> Mapping[tuple[DeliveryState, str], int]:
        """Return how many deliveries ended badly, by state and code."""
        bad = [DeliveryState.REJECTED, DeliveryState.FAILED, DeliveryState.IN_DOUBT]
        query = (
            select(delivery.c.state, func.coalesce(delivery.c.code, ""), func.count())
            .where(delivery.c.campaign == record.id, delivery.c.state.in_(bad))
            .group_by(delivery.c.state, delivery.c.code)
        )
        with self._database.transaction() as connection:
            return {(DeliveryState(state), code): count for state, code, count in connection.execute(query)}

    def entries(self, record: CampaignRecord, state: DeliveryState, *, limit: int = 100) -> Sequence[Entry]:
        """Return deliveries of one state, in the order of the audience."""
        query = (
            select(delivery)
            .where(delivery.c.campaign == record.id, delivery.c.state == state)
            .order_by(delivery.c.seq)
            .limit(limit)
        )
        with self._database.transaction() as connection:
            return [
                Entry(row.id, state, row.recipient, row.attempt, row.message_id, row.code, row.reason)
                for row in connection.execute(query)
            ]

    def left_out(self, record: CampaignRecord) -> Mapping[str, int]:
        """Return how many rows of the audience were left out at plan, by reason."""
        with self._database.transaction() as connection:
            stored = connection.execute(
                select(campaign.c.skipped).where(campaign.c.id == record.id)
            ).scalar_one()
        return dict(json.loads(stored or "{}"))

    def claim_channel_name(self, account: str, name: str, *, owner: str, seconds: float) -> NameClaim:
        """Ask for the sole right to create the channel of a name, for ``seconds``.

        :param owner: the same for each attempt of one task, which may claim again.
        """
        self.prepare()
        with self._database.transaction() as connection:
            return names.claim(connection, account, name, owner, seconds, self._database.now(connection))

    def release_channel_name(self, account: str, name: str, *, owner: str) -> None:
        """Give that right back."""
        with self._database.transaction() as connection:
            names.release(connection, account, name, owner)

    def find(self, campaign_id: str) -> CampaignRecord | None:
        """Return a campaign that is in the ledger."""
        self.prepare()
        with self._database.transaction() as connection:
            row = plans.find(connection, ledger_id(campaign_id))
        if row is None:
            return None
        return CampaignRecord(row.id, row.campaign_id, row.channel, CampaignState(row.state), fresh=False)

    def dispose(self) -> None:
        """Close all connections."""
        self._database.dispose()


def _set_state(
    connection: Connection, number: int, state: CampaignState, reason: str | None, now: float
) -> None:
    connection.execute(
        update(campaign)
        .where(campaign.c.id == number)
        .values(state=state, reason=turns.kept(reason, 500), updated_at=now)
    )


def _create(connection: Connection, dialect: str) -> None:
    if dialect == "postgresql":
        # Two workers may meet an empty database at once; the second waits here and finds the tables.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('whatsapp_provider.ledger'))")
    metadata.create_all(connection, checkfirst=True)
    if connection.execute(select(func.count()).select_from(version)).scalar_one() == 0:
        connection.execute(insert(version).values(version=VERSION))
