"""The clock of leases."""

from __future__ import annotations

import time

from whatsapp_provider.campaigns.uptime import uptime


def test_the_clock_goes_forward():
    before = uptime()
    assert uptime() >= before


def test_the_clock_counts_the_sleep_of_the_machine_where_the_system_does(monkeypatch):
    asked: list[int] = []
    monkeypatch.setattr(time, "CLOCK_BOOTTIME", 7, raising=False)
    monkeypatch.setattr(time, "clock_gettime", lambda clock: asked.append(clock) or 5.0)
    assert uptime() == 5.0
    assert asked == [7]


def test_the_monotonic_clock_is_used_where_there_is_no_other(monkeypatch):
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    monkeypatch.setattr(time, "monotonic", lambda: 3.0)
    assert uptime() == 3.0
