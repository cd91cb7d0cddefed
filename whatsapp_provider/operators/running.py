"""Tasks that run a campaign, followed from the task's main thread."""

from __future__ import annotations

import logging
import time
from concurrent.futures import wait
from typing import TYPE_CHECKING, Any

from whatsapp_provider.hooks import edge
from whatsapp_provider.operators.base import WhatsAppOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.campaigns.fleet import Fleet
    from whatsapp_provider.campaigns.outcome import Outcome
    from whatsapp_provider.campaigns.runner import CampaignRunner

LOOK_SECONDS = 1.0
PROGRESS_SECONDS = 10.0


class WhatsAppSendingOperator(WhatsAppOperator):
    """Base of the operators that send."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._runner: CampaignRunner | Fleet | None = None
        self._killed = False

    def follow(self, runner: CampaignRunner | Fleet) -> Outcome:
        """Run to the end; a task that was killed while it still planned sends nothing."""
        self._runner = runner
        if self._killed:
            runner.stop()
        return follow(runner, self.log)

    def on_kill(self) -> None:
        """Begin no further send; what is known is written."""
        self._killed = True
        if self._runner is not None:
            self._runner.stop()


def follow(runner: CampaignRunner | Fleet, log: Any = None) -> Outcome:
    """Run to the end and log progress; an interrupted task stops the run and lets it write what it knows.

    The run lives on the loop thread. This thread only waits, so that Airflow's signals and timeouts,
    which come here, find it.
    """
    log = log or logging.getLogger(__name__)
    future = edge.submit(runner.run())
    told = time.monotonic()
    try:
        while not future.done():
            wait([future], timeout=LOOK_SECONDS)
            if time.monotonic() - told >= PROGRESS_SECONDS:
                told = time.monotonic()
                log.info("Progress: %s.", runner.progress)
    except BaseException:
        runner.stop()
        wait([future], timeout=runner.drain_seconds + LOOK_SECONDS)
        raise
    return future.result()


def superseded_attempts_refused(context: Context) -> None:
    """Let Airflow (3.3 and later) refuse an attempt that it has replaced: its writes fail, its reads do not."""
    store: Any = context.get("task_state_store")
    if store is not None:
        store.set("whatsapp_send_intent", str(context["ti"].id))
