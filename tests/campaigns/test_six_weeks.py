"""A campaign of six weeks: short runs with long waits between them, and nobody twice, whatever is deployed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.campaigns.support import Desk, number
from whatsapp_provider.campaigns.calendars import Calendar, QuietHours
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.forecast import forecast
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.outcome import Ending
from whatsapp_provider.campaigns.pacing import DAY, Pace
from whatsapp_provider.campaigns.rules import Rules

PEOPLE, A_DAY = 120, 4
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
PACE = Pace.from_value({"based_on": "cautious", "per_day": A_DAY, "name": "four a day"})
OFFICE = Calendar.from_value(
    {"time_zone": "America/Sao_Paulo", "days": "mon-fri", "hours": "09:00-18:00", "holidays": ["2027-02-16"]}
)


@pytest.fixture
def url(sqlite_url: str) -> str:
    return sqlite_url


def deployed(campaign: Campaign) -> Campaign:
    """Return the campaign as the next process reads it."""
    pace = Pace.from_dict(json.loads(json.dumps(campaign.pace.to_dict())))
    return replace(campaign, pace=pace, rules=Rules.from_json(campaign.rules.to_json()))


def test_it_holds_no_slot_survives_deploys_and_writes_to_everybody_once(desk: Desk) -> None:
    campaign = desk.campaign(pace=PACE, rules=Rules(calendar=OFFICE))
    record = desk.plan(PEOPLE, campaign)
    sent: list[float] = []
    busy: list[float] = []
    desk.phones.at_send.append(lambda: sent.append(desk.time.database()))
    begun = desk.time.database()
    expected = forecast(PEOPLE, PACE, start=begun, calendar=OFFICE)
    for run in range(100):
        began = desk.time.now
        ledger = desk.open_ledger()
        runner = desk.runner(record, deployed(campaign), ledger=ledger, patience=60, resumed=run > 0)
        if run == 7:
            # A deploy in the middle of a burst.
            desk.phones.at_send.append(lambda stop=runner.stop: stop() if len(sent) == 30 else None)
        outcome = desk.time.run(runner.run())
        ledger.dispose()
        busy.append(desk.time.now - began)
        if outcome.ending is Ending.FINISHED:
            break
        desk.time.now += outcome.seconds + (1 if outcome.ending is Ending.WAITING else 30)
    assert outcome.ending is Ending.FINISHED
    assert desk.phones.received == {number(index): 1 for index in range(PEOPLE)}

    days = Counter(datetime.fromtimestamp(moment, SAO_PAULO).date() for moment in sent)
    assert all(OFFICE.opens(moment) == moment for moment in sent)
    assert set(days.values()) == {A_DAY}
    assert len(days) == PEOPLE // A_DAY
    assert sent[-1] - begun > 6 * 7 * DAY - 3 * DAY
    # Four messages take a minute, and then the slot is free until the next morning.
    assert max(busy) < 90
    assert len(busy) < 2 * len(days)
    assert abs(expected.latest - sent[-1]) < 1800
    assert expected.limit == "4 in 24 hours"


def test_whom_no_hour_is_left_for_is_told_of_and_keeps_no_campaign_waiting(desk: Desk) -> None:
    """The numbers without an area may be anywhere in North America: all of it is awake for a few hours a day."""
    working = Calendar.from_value({"time_zone": "America/Sao_Paulo", "hours": "08:00-12:00"})
    rules = Rules(calendar=working, quiet=QuietHours.from_value("21:00-08:00"))
    campaign = desk.campaign(rules=rules)
    rows = [{"phone": f"551190000000{index}", "name": "Ada"} for index in range(3)]
    record = desk.plan_rows(
        [*rows, *({"phone": number(index), "name": "Bob"} for index in range(2))], campaign
    )
    outcome = desk.run(record, campaign, patience=60)
    while outcome.ending is Ending.WAITING:
        desk.time.now += outcome.seconds
        outcome = desk.run(record, campaign, patience=60, resumed=True)
    assert outcome.ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 3, "suppressed": 2}
    (asleep, _) = desk.in_state(record, DeliveryState.SUPPRESSED)
    assert (asleep.code, asleep.reason) == (
        "asleep",
        "quiet hours leave no hour at which this campaign sends",
    )


def test_a_year_of_holidays_is_waited_for_day_by_day_and_costs_nobody(desk: Desk) -> None:
    days = [date(2026, 12, 1) + timedelta(days=index) for index in range(800)]
    campaign = desk.campaign(rules=Rules(calendar=replace(OFFICE, holidays=frozenset(days))))
    record = desk.plan(2, campaign)
    outcome = desk.run(record, campaign, patience=60)
    assert (outcome.ending, outcome.seconds) == (Ending.WAITING, DAY)
    assert desk.counts(record) == {"planned": 2}
