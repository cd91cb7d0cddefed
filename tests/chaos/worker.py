"""One worker: runs the campaign, and runs it again as Airflow's retries would, until it is finished."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from pathlib import Path
from threading import Thread
from zlib import crc32

from tests.chaos.diary import Diary
from tests.chaos.emulation import Line
from tests.chaos.settings import ChaosSettings
from tests.chaos.truth import SEPARATOR
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger_process import LedgerProcess
from whatsapp_provider.campaigns.outcome import Ending, Outcome
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.runner import CampaignRunner, RunOptions
from whatsapp_provider.errors import Disposition, LeaseLostError, LedgerUnavailableError, WhatsAppError
from whatsapp_provider.gateways.base import ChannelGateway
from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.messages import Message
from whatsapp_provider.model import ChannelStatus, HistoryEntry, SendResult

RETRY_SECONDS = 0.2  #: between a run and the next; Airflow's retries wait longer


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is to do.

    :param label: its name in the ledger.
    :param ledger: an SQLAlchemy URL.
    """

    label: str
    ledger: str
    campaign_id: str
    line: Line
    diary: Path
    settings: ChaosSettings

    @property
    def has_process(self) -> bool:
        """Whether it takes its turns in a process of their own: every second worker does."""
        return crc32(self.label.encode()) % 2 == 0

    @property
    def campaign(self) -> Campaign:
        """The campaign, as it is planned and as it is run."""
        return Campaign(self.campaign_id, self.line.channel, Pace.unlimited(), self.settings.concurrency)

    @property
    def template(self) -> MessageTemplate:
        """Its text, which names the campaign for the truth log."""
        return MessageTemplate(f"{self.campaign_id}{SEPARATOR}hello {{{{ name }}}}")


def work(job: Job) -> None:
    """Run until the campaign is finished. Exits with 1 for an error that no retry mends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_die_with_owner, daemon=True).start()
    diary = Diary(job.diary)
    try:
        _work(job, diary)
    except Exception:
        diary.note("crash", traceback.format_exc(limit=-4))
        raise SystemExit(1) from None


def _die_with_owner() -> None:
    owner = parent_process()
    if owner is not None:
        connection.wait([owner.sentinel])
        os._exit(1)


def _work(job: Job, diary: Diary) -> None:
    channel = Witness(GATEWAYS[job.line.gateway].open(job.line.values).channel(job.line.channel), diary)
    ledger = Ledger(job.ledger)
    try:
        while not _run(job, ledger, channel, diary):
            time.sleep(RETRY_SECONDS)
    finally:
        ledger.dispose()


def _run(job: Job, ledger: Ledger, channel: Witness, diary: Diary) -> bool:
    """Run once; return whether the campaign is finished."""
    settings = job.settings
    options = RunOptions(
        settings.send_timeout,
        label=job.label,
        lease_margin=settings.lease_margin,
        settle=settings.settle,
        apart_from=1,
    )
    try:
        record = ledger.find(job.campaign_id)
        if record is None:
            raise RuntimeError(f"{job.campaign_id} is not in the ledger.")
        history = channel if settings.has_history else None
        runner = CampaignRunner(ledger, record, job.campaign, job.template, channel, options, history=history)
        outcome = asyncio.run(_through_a_process(runner, ledger) if job.has_process else runner.run())
    except (LeaseLostError, LedgerUnavailableError) as error:
        diary.note(type(error).__name__, str(error))
        return False
    diary.note(outcome.ending, outcome.reason)
    return outcome.ending is Ending.FINISHED


async def _through_a_process(runner: CampaignRunner, ledger: Ledger) -> Outcome:
    """Run with a process for the turns from as early as there is one, however few there are to send to."""
    process = LedgerProcess(ledger.url)
    runner.share(process)
    process.start()
    try:
        return await runner.run()
    finally:
        await process.close()


class Witness:
    """Hands everything on to the channel, and notes each send that ended without a word on what became of it."""

    def __init__(self, channel: ChannelGateway, diary: Diary) -> None:
        self._channel, self._diary = channel, diary

    async def send(self, recipient: str, message: Message) -> SendResult:
        """See :class:`whatsapp_provider.gateways.base.Sender`."""
        try:
            return await self._channel.send(recipient, message)
        except WhatsAppError as error:
            if error.disposition is Disposition.HOLD:
                self._diary.note("doubt", str(error.code))
            raise
        except (
            BaseException
        ) as error:  # noted, and raised: a time-out of the runner's comes as a cancellation
            self._diary.note("doubt", type(error).__name__)
            raise

    async def status(self) -> ChannelStatus:
        """See :class:`whatsapp_provider.gateways.base.Sender`."""
        return await self._channel.status()

    async def history(self, recipient: str, *, since: float, limit: int = 100) -> Sequence[HistoryEntry]:
        """See :class:`whatsapp_provider.gateways.base.ChannelGateway`."""
        return await self._channel.history(recipient, since=since, limit=limit)
