"""The ledger as the rest of the package sees it: each method is one transaction."""

from __future__ import annotations

from sqlalchemy import Connection, update

from whatsapp_provider.campaigns.campaign import Campaign, Frozen
from whatsapp_provider.campaigns.ledger import endings, names, plans, windows
from whatsapp_provider.campaigns.ledger.approving import Approving
from whatsapp_provider.campaigns.ledger.columns import kept
from whatsapp_provider.campaigns.ledger.database import again_after_deadlock
from whatsapp_provider.campaigns.ledger.endings import LeftInDoubt
from whatsapp_provider.campaigns.ledger.extending import Extending
from whatsapp_provider.campaigns.ledger.handover import HandingOver
from whatsapp_provider.campaigns.ledger.hearing import Hearing
from whatsapp_provider.campaigns.ledger.overviews import Overseeing
from whatsapp_provider.campaigns.ledger.people import People
from whatsapp_provider.campaigns.ledger.recent import Recollecting
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, NameClaim
from whatsapp_provider.campaigns.ledger.running import Running
from whatsapp_provider.campaigns.ledger.schema import campaign
from whatsapp_provider.campaigns.ledger.settling import Settling
from whatsapp_provider.campaigns.ledger.states import OVER, CampaignState
from whatsapp_provider.campaigns.ledger.suppressing import Suppressing


class Ledger(
    Approving,
    Settling,
    Extending,
    Overseeing,
    Suppressing,
    Hearing,
    Recollecting,
    People,
    HandingOver,
    Running,
):
    """All of the ledger: how a campaign ends and what is no campaign's is here, the rest in its bases."""

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
            windows.count_one(connection, channel, self._database.now(connection))

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
