"""One task that sends to everybody: how fast it is, and what a kill in the middle does."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import psutil

from tests.peers.judge import Verdict, judge
from tests.peers.settings import KILLED, UNDISTURBED, Peer
from tests.peers.site import Site
from tests.peers.waiting import until
from whatsapp_provider.demo.airflow import ENDED
from whatsapp_provider.demo.rest import Json, RunRef

#: The longest that a run of 5,000 people may take, in seconds: a broken one must not take all night.
PATIENCE = 900.0
_SENT = ("accepted", "delivered", "read")


def undisturbed(site: Site, peer: Peer) -> dict[str, Any]:
    """Return the rate of a run that nothing disturbs: from the task's start to its end, as Airflow notes them."""
    ref = site.start(peer, UNDISTURBED)
    site.server.wait_run(ref, PATIENCE)
    seconds = float(site.server.rest.task(ref, "send")["duration"])
    verdict = _judge(site, peer, ref, UNDISTURBED)
    if (verdict.received, verdict.most) != (verdict.recipients, 1):
        raise RuntimeError(f"{peer.key} was not disturbed, and yet: {verdict}")
    return {"per_s": round(verdict.received / seconds, 1), "seconds": round(seconds, 1)}


def killed(site: Site, peers: Sequence[Peer]) -> dict[str, dict[str, Any]]:
    """Return what became of runs whose tasks were killed when half of the people had it.

    They run side by side, since only what the phones got counts here, and most of the time is waiting.
    """
    runs = [_Killing(site, peer) for peer in peers]

    def all_have_ended() -> bool:
        steps = [run.has_ended() for run in runs]  # each takes its step, whatever the others say
        return all(steps)

    until("the end of the killed runs", all_have_ended, PATIENCE, every=0.2)
    return {run.peer.key: run.found() for run in runs}


class _Killing:
    """One run, from its start over its kill to its end."""

    def __init__(self, site: Site, peer: Peer) -> None:
        self.peer = peer
        self._site = site
        self._ref = site.start(peer, KILLED)
        self._task: psutil.Process | None = None
        self._killed = False

    def has_ended(self) -> bool:
        """Take the next step when its time has come, and tell whether that was the last."""
        server = self._site.server
        server.supervisor.check()
        if self._task is None:
            task: Json = server.rest.task(self._ref, "send")
            if task["state"] == "running" and task["pid"]:
                self._task = server.find_task_processes(self._ref, "send").task
        elif not self._killed:
            counts = self._site.phones(KILLED).counts(self.peer.channel(KILLED))
            if 2 * sum(counts.values()) >= len(self._site.audience.phones):
                self._task.kill()
                self._killed = True
        return self._killed and server.rest.run(self._ref)["state"] in ENDED

    def found(self) -> dict[str, Any]:
        """Return what the phones say."""
        rest = self._site.server.rest
        if rest.task(self._ref, "send")["try_number"] != 2:
            raise RuntimeError(f"{self.peer.key} had ended before it was killed; take more RECIPIENTS.")
        run = rest.run(self._ref)
        succeeded = run["state"] == "success"
        verdict = _judge(self._site, self.peer, self._ref, KILLED, succeeded=succeeded)
        return {
            **verdict.to_dict(),
            "kills": 1,
            "succeeded": succeeded,
            "seconds": round(float(run["duration"]), 1),
        }


def _judge(site: Site, peer: Peer, ref: RunRef, phase: str, *, succeeded: bool = True) -> Verdict:
    everybody = site.audience.phones
    received = site.phones(phase).counts(peer.channel(phase))
    if peer.line in ("http", "apprise"):
        # All that such a task can say: to everybody, or to nobody knows whom.
        return judge(everybody, received, sent=everybody if succeeded else ())
    campaign_id = f"{ref.dag_id}/send/{ref.run_id}"
    return judge(
        everybody,
        received,
        sent=_in_ledger(site, campaign_id, *_SENT),
        in_doubt=_in_ledger(site, campaign_id, "in_doubt"),
    )


def _in_ledger(site: Site, campaign_id: str, *states: str) -> set[str]:
    """Ask the ledger's file who is in one of the states."""
    query = (
        "SELECT recipient FROM wa_delivery JOIN wa_campaign ON wa_campaign.id = wa_delivery.campaign "
        f"WHERE campaign_id = ? AND wa_delivery.state IN ({', '.join('?' * len(states))})"
    )
    file = site.server.settings.home / "whatsapp" / "ledger.db"
    with closing(sqlite3.connect(file)) as connection:
        return {
            str(recipient).lstrip("+") for (recipient,) in connection.execute(query, (campaign_id, *states))
        }
