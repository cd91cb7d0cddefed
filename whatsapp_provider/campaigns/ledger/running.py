"""What a run of a campaign does to the ledger from its first moment to its last."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from whatsapp_provider.campaigns.ledger import claims, endings, standing, turns, windows
from whatsapp_provider.campaigns.ledger.claims import Claim
from whatsapp_provider.campaigns.ledger.database import Clock, again_after_deadlock
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Lease, Result, Turn, told_to_wait
from whatsapp_provider.campaigns.ledger.standing import Standing
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.ledger.store import Store
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.rules import NO_RULES, Rules


class Running(Store):
    """The part of the ledger that gives a run its lease and its turns."""

    @again_after_deadlock
    def begin(
        self,
        record: CampaignRecord,
        *,
        label: str,
        seconds: float,
        again: Collection[DeliveryState] = (),
        resumed: bool = False,
    ) -> Lease:
        """Begin a run: take over what dead runners left, and get a lease of ``seconds``.

        :param again: plan deliveries in these states again; with ``in_doubt`` among them they are sent at
            least once instead of at most once.
        :param resumed: whether it goes on after a wait: then the tries before it count on.
        """
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            probing = endings.leave_pause(connection, record.id, now)
            endings.take_over(connection, record.id, now)
            if not resumed:
                endings.forget_postponements(connection, record.id)
            if again and probing is not None:
                endings.plan_again(connection, record, again, now)
            windows.forget(connection, record.channel, now)
            lease = turns.begin(connection, record.id, record.channel, label, seconds, now)
        return replace(lease, probing=bool(probing))

    @again_after_deadlock
    def turn(
        self,
        lease: Lease,
        results: Sequence[Result],
        *,
        places: int,
        pace: Pace,
        rules: Rules = NO_RULES,
        held: Collection[int] | None = None,
    ) -> Turn:
        """Write results and get the next tasks, in one commit.

        :param held: after a commit whose answer was lost: the deliveries that the run knows to be under way.
            Others that were given to it in that commit are planned again.
        :raises LeaseLostError: if the lease has ended; the results are written all the same.
        """
        turn = Turn(open=1)
        with self._database.transaction() as connection:
            # It tells the time, too, which else were a question of its own.
            clock = Clock(self._database, connection)
            found = standing.look(connection, lease, clock)
            renewed = turns.renew(connection, lease, found.now)
            turns.write_results(connection, lease, results, found.now)
            if renewed:
                if held is not None:
                    endings.reclaim(connection, lease, held, found.now)
                if found.is_old or told_to_wait(results):
                    found = standing.look(connection, lease, clock)
                turn = self._take(connection, Claim(lease, pace, rules, places), found, clock)
        if not renewed:
            raise turns.lease_lost()
        return turn

    def _take(self, connection: Connection, claim: Claim, found: Standing, clock: Clock) -> Turn:
        campaign, stop = claim.lease.campaign, found.stop
        if stop is None and found.is_ready:
            stop = standing.enter(connection, campaign, found.now)
        if stop is not None:
            return Turn(open=1, stop=stop)
        turn = claims.take_tasks(connection, claim, found, clock, self._due, self._chance)
        if claim.places > 0 and not turn.tasks and turn.open:
            endings.take_over(connection, campaign, found.now)
        return turn

    @again_after_deadlock
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
