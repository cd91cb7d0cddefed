"""What a run does with its doubts when nothing else is left: look them up, send them again, or leave them."""

from __future__ import annotations

from whatsapp_provider.campaigns.campaign import Campaign, OnInDoubt
from whatsapp_provider.campaigns.ledger.doubts import Delays
from whatsapp_provider.campaigns.ledger.endings import MAX_RESENDS
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.options import RunOptions
from whatsapp_provider.campaigns.reconcile import Call, Historian, Look, Reconciler


class Resender:
    """Plans deliveries in doubt again, for one run whose owner asked for at least once instead of at most once.

    :param settle: seconds that a doubt is left alone first: its answer is over by then, and news of the message may
        have settled it. Nobody gets a burst of the same message.
    :param call: runs a method of the ledger.
    """

    def __init__(self, ledger: Ledger, record: CampaignRecord, settle: float, call: Call) -> None:
        self._ledger, self._record, self._settle, self._call = ledger, record, settle, call
        #: Why not everything was sent again, for people.
        self.problem: str | None = None

    async def look(self) -> Look:
        """Plan again what is old enough.

        :raises LedgerUnavailableError: if the ledger is out of reach.
        """
        left = await self._call(self._ledger.resend, self._record, self._settle)
        self.problem = f"{left.used_up} were sent again {MAX_RESENDS} times" if left.used_up else None
        return Look(left.wait)


def of_run(
    campaign: Campaign,
    ledger: Ledger,
    record: CampaignRecord,
    options: RunOptions,
    history: Historian | None,
    call: Call,
) -> Reconciler | Resender | None:
    """Return what settles a run's doubts, ``None`` where they are left as they are.

    :param history: where the gateway remembers what it sent.
    """
    if campaign.on_in_doubt is OnInDoubt.RESEND:
        return Resender(ledger, record, options.settle, call)
    if history is None or campaign.on_in_doubt is not OnInDoubt.RECONCILE:
        return None
    delays = Delays(settle=options.settle, send=options.send_timeout)
    return Reconciler(ledger, record, history, delays, call, label=options.label)
