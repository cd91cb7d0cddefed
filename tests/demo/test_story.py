"""The person watching is told each change once, and what the phones really got."""

from __future__ import annotations

import io
import itertools

import pytest

from whatsapp_provider.demo.reporter import Reporter
from whatsapp_provider.demo.story import (
    SECONDS_TO_SCAN,
    Follower,
    tell_campaign,
    tell_received,
    tell_tasks,
    tell_webhooks,
)


@pytest.fixture
def told() -> io.StringIO:
    return io.StringIO()


def a_task(name: str, state: str | None, *, map_index: int = -1, duration: float | None = None) -> dict:
    return {
        "task_id": name,
        "state": state,
        "map_index": map_index,
        "start_date": "2026-01-01",
        "duration": duration,
    }


def test_each_change_of_state_is_told_once(told):
    follow = Follower(Reporter(told), "pair", lambda: None)
    follow([a_task("create", "running")])
    follow([a_task("create", "running")])
    follow([a_task("create", "success"), a_task("send", None)])
    lines = [line.partition("] ")[2].strip() for line in told.getvalue().splitlines()]
    assert lines == ["create: running", "create: success"]


def test_the_phone_tries_until_there_is_a_code_to_scan_and_then_scans_no_more(told):
    answers = iter([None, "15550001000", "never asked for"])
    seconds = itertools.count(0, SECONDS_TO_SCAN)
    follow = Follower(Reporter(told), "pair", lambda: next(answers), lambda: next(seconds))
    follow([a_task("pair", "queued")])
    for _ in range(4):
        follow([a_task("pair", "deferred")])
    assert told.getvalue().count("scans it") == 1
    assert next(answers) == "never asked for"


def test_where_no_phone_is_paired_nobody_waits_for_one(told):
    follow = Follower(Reporter(told))
    follow([a_task("wait_connected", "running")])
    assert "QR code" not in told.getvalue()


def test_every_instance_of_a_mapped_task_is_told_with_its_outcome_and_duration(told):
    tasks = [a_task("send", "success", map_index=1, duration=1.25), a_task("late", None)]
    tell_tasks(Reporter(told), tasks)
    assert "send[1]" in told.getvalue()
    assert "1.2 s" in told.getvalue()
    assert "not started" in told.getvalue()


def test_the_campaigns_counts_are_told_one_a_line(told):
    tell_campaign(Reporter(told), {"accepted": 11, "suppressed": 1})
    assert "accepted                 11" in told.getvalue()


def test_the_truth_log_tells_when_a_phone_got_a_message_twice(told):
    tell_received(Reporter(told), {"1": 1, "2": 2})
    assert "3 messages on 2 phones; at most 2 on any one phone" in told.getvalue()


def test_the_webhooks_that_came_are_counted_by_event(told):
    tell_webhooks(Reporter(told), {"statuses.post": 24, "messages.post": 12})
    assert "12 x messages.post, 24 x statuses.post" in told.getvalue()


def test_the_phones_owner_takes_a_few_seconds_to_scan(told):
    now = [100.0]
    follow = Follower(Reporter(told), "pair", lambda: "15550001000", lambda: now[0])
    follow([a_task("pair", "running")])
    now[0] += SECONDS_TO_SCAN - 0.1
    follow([a_task("pair", "running")])
    assert "scans it" not in told.getvalue()
    now[0] += 0.1
    follow([a_task("pair", "running")])
    assert "the phone 15550001000 scans it" in told.getvalue()
