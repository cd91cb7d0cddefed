"""Who is sent to through which of a campaign's channels, and what the ledger knows of each of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from tests.campaigns.fleets import A, B, C, Harbour
from tests.campaigns.support import Desk, number
from whatsapp_provider.campaigns.calendars import QuietHours
from whatsapp_provider.campaigns.ledger import handover
from whatsapp_provider.campaigns.ledger.doubts import Delays
from whatsapp_provider.campaigns.ledger.handover import Left
from whatsapp_provider.campaigns.ledger.news import Recorded, Seen
from whatsapp_provider.campaigns.ledger.parting import Shares, parted
from whatsapp_provider.campaigns.ledger.planning import Order
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Result
from whatsapp_provider.campaigns.ledger.schema import delivery, lane
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.rules import Rules
from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.model import ChannelRef, MessageStatus

STATES = DeliveryState
PACE = Pace.unlimited()


def settle(desk: Desk, record: CampaignRecord, *states: DeliveryState, **values: Any) -> list[str]:
    """Attempt the next people and let it come to these states; return who they were."""
    lease = desk.ledger.begin(record, label="", seconds=60)
    tasks = desk.ledger.turn(lease, [], places=len(states), pace=PACE).tasks
    results = [
        Result(task, state, message_id=f"id-{task.id}" if state is STATES.ACCEPTED else None, **values)
        for task, state in zip(tasks, states, strict=True)
    ]
    desk.time.now += 1
    desk.ledger.end(lease, results)
    return [task.recipient for task in tasks]


def earlier(desk: Desk, name: str, channel: ChannelRef, people: list[int], state: DeliveryState) -> None:
    """A campaign before, through one channel."""
    campaign = desk.campaign(name, channel=channel)
    record = desk.plan_rows([{"phone": number(one), "name": f"N{one}"} for one in people], campaign)
    settle(desk, record, *[state] * len(people))


def through(harbour: Harbour, record: CampaignRecord) -> dict[str, str]:
    return {who: key for key, people in harbour.people(record).items() for who in people}


def test_a_person_keeps_the_number_that_they_heard_from_last(desk: Desk) -> None:
    earlier(desk, "first", A, list(range(10)), STATES.ACCEPTED)
    earlier(desk, "second", B, list(range(5, 15)), STATES.IN_DOUBT)
    earlier(desk, "elsewhere", C, list(range(20)), STATES.ACCEPTED)
    earlier(desk, "refused", A, list(range(10, 20)), STATES.REJECTED)
    harbour = Harbour(desk)
    record = harbour.plan(60)
    found = through(harbour, record)
    assert [found[number(one)] for one in range(15)] == [A.key()] * 5 + [B.key()] * 10
    assert set(Counter(found[number(one)] for one in range(15, 60))) == {A.key(), B.key()}


def test_who_was_reached_by_a_campaign_over_several_channels_keeps_its_number_in_the_next(desk: Desk) -> None:
    harbour = Harbour(desk, [A, B, C])
    record = harbour.plan(30)
    assert harbour.run(record)
    before = through(harbour, record)
    smaller = Harbour(desk, [C, A])
    smaller.campaign = replace(smaller.campaign, campaign_id="summer")
    after = through(smaller, smaller.plan(30))
    kept = {who for who in before if before[who] != B.key()}
    assert {who: after[who] for who in kept} == {who: before[who] for who in kept}
    assert len(kept) < 30


def test_people_are_parted_alike_each_time_and_by_weight(desk: Desk) -> None:
    shares = Shares((A.key(), B.key(), C.key()), {A.key(): 8.0})
    found = Counter(shares.of(number(one)) for one in range(2000))
    assert found == Counter(shares.of(number(one)) for one in range(2000))
    assert found[A.key()] == pytest.approx(1600, abs=80)
    assert found[B.key()] == pytest.approx(200, abs=50)
    gone = Shares((A.key(), C.key()))
    moved = Counter(gone.of(who) for who in map(number, range(2000)) if shares.of(who) == B.key())
    assert min(moved.values()) > 50, "those of a channel that is gone are spread over all others"
    for weights in ({A.key(): 0.0}, {A.key(): float("nan")}, {"other": 1.0}):
        with pytest.raises(ConfigurationError):
            parted(Order(), desk.campaign(pool=(A.key(), B.key())), weights)


def test_people_in_several_time_zones_are_in_lanes_of_their_own_in_each_channel(desk: Desk) -> None:
    rules = Rules(quiet=QuietHours.from_value("21:00-08:00"))
    harbour = Harbour(desk, rules=rules)
    rows = [
        {"phone": f"{start}{one:04d}", "name": "N"} for one in range(12) for start in ("1555000", "551190000")
    ]
    record = desk.plan_rows(rows, harbour.campaign)
    alone = desk.plan_rows(rows, desk.campaign("alone", rules=rules))
    plain = desk.plan_rows(rows, desk.campaign("plain"))
    with desk.ledger._database.transaction() as connection:
        found = connection.execute(select(lane.c.campaign, lane.c.channel, lane.c.zones)).all()
    assert {(row.channel, "Sao_Paulo" in row.zones) for row in found if row.campaign == record.id} == {
        (key, brazil) for key in harbour.phones for brazil in (True, False)
    }
    assert {row.channel for row in found if row.campaign == alone.id} == {"whapi/TESTER-1"}
    assert not [row for row in found if row.campaign == plain.id], "it has no lanes"


def test_what_a_channel_has_left_goes_to_the_others_but_nothing_that_may_have_been_sent(desk: Desk) -> None:
    harbour = Harbour(desk)
    record = harbour.plan(40)
    part = record.through(A.key())
    before = harbour.people(record)
    stay = settle(desk, part, STATES.ACCEPTED, STATES.IN_DOUBT, STATES.REJECTED)
    move = settle(desk, part, STATES.POSTPONED, STATES.POSTPONED, not_before=3600.0)
    lease = desk.ledger.begin(part, label="", seconds=60, resumed=True)
    under_way = [task.recipient for task in desk.ledger.turn(lease, [], places=2, pace=PACE).tasks]

    moved = desk.ledger.hand_over(part, Shares((B.key(),)))

    after = harbour.people(record)
    assert after[A.key()] == {*stay, *under_way}
    assert moved == len(before[A.key()]) - 5
    assert set(move) <= after[B.key()]
    assert desk.ledger.left(record) == Left(frozenset({B.key()}), frozenset({A.key()}))
    assert desk.ledger.hand_over(part, Shares((B.key(),))) == 0
    with desk.ledger._database.transaction() as connection:
        row = connection.execute(select(delivery).where(delivery.c.recipient == move[0])).one()
    assert (row.state, row.not_before, row.postponed) == (STATES.PLANNED, None, 0)


def test_many_change_their_channel_in_short_transactions(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "BATCH", 3)
    harbour = Harbour(desk, [A, B, C])
    record = harbour.plan(60)
    mine = harbour.people(record)[A.key()]
    assert desk.ledger.hand_over(record.through(A.key()), Shares((B.key(), C.key()))) == len(mine)
    after = harbour.people(record)
    assert (after[A.key()], mine - after[B.key()] - after[C.key()]) == (set(), set())


def test_news_of_a_message_are_of_the_channel_that_it_went_through(desk: Desk) -> None:
    harbour = Harbour(desk)
    record = harbour.plan(20)
    part = record.through(A.key())
    (sent, doubtful) = settle(desk, part, STATES.ACCEPTED, STATES.IN_DOUBT)
    (accepted,) = desk.in_state(record, STATES.ACCEPTED)
    (doubt,) = desk.ledger.doubtful(part, Delays(0, 0))
    assert not desk.ledger.doubtful(record.through(B.key()), Delays(0, 0))
    seen = Seen(doubtful, "text", f"Hi N{int(doubtful[4:])}")
    read, record_status = MessageStatus.READ, desk.ledger.record_status
    assert record_status(B.key(), str(accepted.message_id), read) is Recorded.UNKNOWN
    assert record_status(B.key(), "m1", read, seen) is Recorded.UNKNOWN
    assert record_status(A.key(), str(accepted.message_id), read) is Recorded.MOVED
    assert record_status(A.key(), "m1", read, seen) is Recorded.SETTLED
    assert (sent, doubt.address) == (accepted.recipient, doubtful)


def test_only_what_its_own_channel_sent_shows_that_a_history_works(desk: Desk) -> None:
    harbour = Harbour(desk)
    record = harbour.plan(20)
    a, b = record.through(A.key()), record.through(B.key())
    before = desk.time.database()
    settle(desk, b, STATES.ACCEPTED)
    assert desk.ledger.specimen(a, before) is None
    found = desk.ledger.specimen(b, before)
    (other,) = desk.in_state(record, STATES.ACCEPTED)
    assert found is not None
    assert found.message_id == other.message_id
    # A message of another campaign through the same channel speaks for it too.
    earlier(desk, "beside", A, [0], STATES.ACCEPTED)
    assert desk.ledger.specimen(a, before) is not None


def test_each_part_counts_and_remembers_its_own(desk: Desk) -> None:
    harbour = Harbour(desk)
    record = harbour.plan(30)
    a, b = record.through(A.key()), record.through(B.key())
    settle(desk, a, STATES.ACCEPTED, STATES.REJECTED)
    desk.ledger.note_stop(a, "logged out")
    parts = desk.ledger.by_channel(record)
    assert {key: part.stopped for key, part in parts.items()} == {A.key(): "logged out", B.key(): None}
    assert (desk.ledger.counts(a), desk.ledger.counts(b)) == (parts[A.key()].counts, parts[B.key()].counts)
    assert desk.ledger.counts(a).to_dict() == {
        "accepted": 1,
        "rejected": 1,
        "planned": len(harbour.people(record)[A.key()]) - 2,
    }
    assert sum(part.counts.total for part in parts.values()) == desk.ledger.counts(record).total == 30
    assert desk.ledger.stopped_channels(record) == {A.key(): "logged out"}
    assert desk.ledger.stopped_channels(record, forget=True) == {A.key(): "logged out"}
    assert desk.ledger.stopped_channels(record) == {}


def test_a_resend_of_one_part_leaves_the_doubts_of_the_others(desk: Desk) -> None:
    harbour = Harbour(desk)
    record = harbour.plan(20)
    a, b = record.through(A.key()), record.through(B.key())
    settle(desk, a, STATES.IN_DOUBT, STATES.REJECTED)
    settle(desk, b, STATES.IN_DOUBT, STATES.REJECTED)
    desk.ledger.end(desk.ledger.begin(a, label="", seconds=60, again=(STATES.IN_DOUBT, STATES.REJECTED)))
    assert not {"in_doubt", "rejected"} & desk.ledger.counts(a).to_dict().keys()
    desk.time.now += 60
    assert desk.ledger.resend(a, 30.0).wait is None
    assert desk.ledger.counts(b).to_dict() | {"planned": 0} == {"in_doubt": 1, "rejected": 1, "planned": 0}
