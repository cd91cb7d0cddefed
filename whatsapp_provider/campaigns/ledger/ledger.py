"""The ledger as the rest of the package sees it: each method is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import Connection, update

from whatsapp_provider.campaigns.campaign import Campaign, Frozen
from whatsapp_provider.campaigns.ledger import claims, endings, names, plans, standing, turns, windows
from whatsapp_provider.campaigns.ledger.approving import Approving
from whatsapp_provider.campaigns.ledger.claims import Claim
from whatsapp_provider.campaigns.ledger.columns import kept
from whatsapp_provider.campaigns.ledger.database import again_after_deadlock
from whatsapp_provider.campaigns.ledger.endings import LeftInDoubt
from whatsapp_provider.campaigns.ledger.extending import Extending
from whatsapp_provider.campaigns.ledger.handover import HandingOver
from whatsapp_provider.campaigns.ledger.hearing import Hearing
from whatsapp_provider.campaigns.ledger.overviews import Overseeing
from whatsapp_provider.campaigns.ledger.people import People
from whatsapp_provider.campaigns.ledger.recent import Recollecting
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Lease, NameClaim, Result, Turn
from whatsapp_provider.campaigns.ledger.schema import campaign
from whatsapp_provider.campaigns.ledger.settling import Settling
from whatsapp_provider.campaigns.ledger.states import OVER, CampaignState, DeliveryState
from whatsapp_provider.campaigns.ledger.suppressing import Suppressing
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.rules import NO_RULES, Rules


class Ledger(
    Approving, Settling, Extending, Overseeing, Suppressing, Hearing, Recollecting, People, HandingOver
):
    """All of the ledger: what a campaign's run does to it is here, the rest in its bases."""

    @again_after_deadlock
    def resume(self, wanted: Campaign, frozen: Frozen) -> tuple[CampaignRecord, Frozen]:
        """Find a campaign that waited, as it was planned: its audience is not read again.

        :raises CampaignMismatchError: if its text or channel was changed meanwhile, or it is not there.
        """
        self.prepare()
        with self._database.transaction() as connection:
            record, shared = plans.resume(connection, wanted, frozen.template)
        return record, Frozen(frozen.template, shared)

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
            now = self._database.now(connection)
            renewed = turns.renew(connection, lease, now)
            turns.write_results(connection, lease, results, now)
            if renewed:
                if held is not None:
                    endings.reclaim(connection, lease, held, now)
                turn = self._take(connection, Claim(lease, pace, rules, places), now)
        if not renewed:
            raise turns.lease_lost()
        return turn

    def _take(self, connection: Connection, claim: Claim, now: float) -> Turn:
        stop, has_lanes = standing.look(connection, claim.lease.campaign, now)
        if stop is not None:
            return Turn(open=1, stop=stop)
        claim = replace(claim, has_lanes=has_lanes)
        turn = claims.take_tasks(connection, claim, lambda: self._database.now(connection), self._chance)
        if claim.places > 0 and not turn.tasks and turn.open:
            endings.take_over(connection, claim.lease.campaign, now)
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

    @again_after_deadlock
    def resend(self, record: CampaignRecord, settle: float) -> LeftInDoubt:
        """Plan again what has been in doubt for ``settle`` seconds, and return what is left."""
        with self._database.transaction() as connection:
            return endings.resend(connection, record, settle, self._database.now(connection))

    @again_after_deadlock
    def finish(self, record: CampaignRecord) -> bool:
        """Note that a campaign is finished; ``False`` if something is left to send after all."""
        with self._database.transaction() as connection:
            return endings.finish(connection, record.id, self._database.now(connection))

    @again_after_deadlock
    def set_state(self, record: CampaignRecord, state: CampaignState, reason: str | None = None) -> None:
        """Note that a campaign is paused, and why; one that is over stays so."""
        with self._database.transaction() as connection:
            _set_state(connection, record.id, state, reason, self._database.now(connection))

    @again_after_deadlock
    def count_send(self, channel: str) -> None:
        """Count a message that was sent outside any campaign."""
        self.prepare()
        with self._database.transaction() as connection:
            windows.take(connection, channel, 1, self._database.now(connection))

    @again_after_deadlock
    def claim_channel_name(self, account: str, name: str, *, owner: str, seconds: float) -> NameClaim:
        """Ask for the sole right to create the channel of a name, for ``seconds``.

        :param owner: the same for each attempt of one task, which may claim again.
        """
        self.prepare()
        with self._database.transaction() as connection:
            return names.claim(connection, account, name, owner, seconds, self._database.now(connection))

    @again_after_deadlock
    def release_channel_name(self, account: str, name: str, *, owner: str) -> None:
        """Give that right back."""
        with self._database.transaction() as connection:
            names.release(connection, account, name, owner)


def _set_state(
    connection: Connection, number: int, state: CampaignState, reason: str | None, now: float
) -> None:
    connection.execute(
        update(campaign)
        .where(campaign.c.id == number, campaign.c.state.not_in(OVER))
        .values(state=state, reason=kept(reason, 500), updated_at=now)
    )
