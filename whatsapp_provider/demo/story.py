"""What the person watching is told: moments as they come, and the outcome at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from whatsapp_provider.demo.reporter import Reporter
from whatsapp_provider.demo.rest import Json, task_name

_WAITS_FOR_PHONE = frozenset({"running", "deferred"})

SECONDS_TO_SCAN = 4.0


class Follower:
    """Tells each change of a task's state once, and lets the phone scan while a task waits for it, if one does.

    ``scan`` returns the number of the phone that scanned, or None while there is nothing to scan. The
    phone's owner takes a few seconds to find it, counted from the moment the task waits.
    """

    def __init__(
        self,
        reporter: Reporter,
        pairing_task: str | None = None,
        scan: Callable[[], str | None] = lambda: None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._reporter = reporter
        self._pairing_task = pairing_task
        self._scan = scan
        self._clock = clock
        self._scans_at: float | None = None
        self._scanned = False
        self._seen: dict[str, str] = {}

    def __call__(self, tasks: list[Json]) -> None:
        """Look at the run's task instances once."""
        for task in sorted(tasks, key=lambda one: one["start_date"] or "~"):
            self._tell_change(task)
            if task["task_id"] == self._pairing_task and task["state"] in _WAITS_FOR_PHONE:
                self._scan_once()

    def _tell_change(self, task: Json) -> None:
        name, state = task_name(task), task["state"]
        if state is not None and self._seen.get(name) != state:
            self._seen[name] = state
            self._reporter.step(f"  {name}: {state}")

    def _scan_once(self) -> None:
        if self._scans_at is None:
            self._scans_at = self._clock() + SECONDS_TO_SCAN
            self._reporter.step("  the channel shows its QR code and waits for a phone")
        if self._scanned or self._clock() < self._scans_at:
            return
        if phone := self._scan():
            self._scanned = True
            self._reporter.step(f"  the phone {phone} scans it")


def tell_tasks(reporter: Reporter, tasks: list[Json]) -> None:
    """Write each task's outcome and duration, in the order in which they ran."""
    reporter.heading("Tasks")
    for task in sorted(tasks, key=lambda one: one["start_date"] or "~"):
        duration = "" if task["duration"] is None else f"{task['duration']:6.1f} s"
        reporter.line(f"  {task_name(task):<24} {task['state'] or 'not started':<12} {duration}")


def tell_campaign(reporter: Reporter, result: Any) -> None:
    """Write what the campaign's task returned: its counts, or whatever else it is."""
    reporter.heading("Campaign (what the task send_campaign returned)")
    if not isinstance(result, Mapping):
        reporter.line(f"  {result}")
        return
    for key, value in result.items():
        reporter.line(f"  {key:<24} {value}")


def tell_received(reporter: Reporter, counts: Mapping[str, int]) -> None:
    """Write what arrived, by the emulator's own log: that nobody got a message twice."""
    reporter.heading("Phones (the emulator's truth log)")
    total = sum(counts.values())
    most = max(counts.values(), default=0)
    reporter.line(f"  {total} messages on {len(counts)} phones; at most {most} on any one phone")


def tell_webhooks(reporter: Reporter, events: Mapping[str, int]) -> None:
    """Write which events came to the webhook that the DAG configured."""
    told = ", ".join(f"{count} x {event}" for event, count in sorted(events.items()))
    reporter.line(f"  the webhook got {told or 'nothing'}")
