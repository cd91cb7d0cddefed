"""All of a campaign's deliveries: page by page in the order of a key, and counted over time."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
from sqlalchemy import event, text, update

from tests.campaigns.support import NO_ANSWER, REFUSED, Desk, number
from whatsapp_provider.campaigns.ledger.records import Counts
from whatsapp_provider.campaigns.ledger.rows import MOST_PERIODS, Failure
from whatsapp_provider.campaigns.ledger.schema import delivery, lane
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.report import over_time, rates


def change(desk: Desk, statement: Any) -> None:
    with desk.ledger._database.transaction() as connection:
        connection.execute(statement)


def test_every_delivery_comes_once_whatever_the_page(desk: Desk) -> None:
    record, other = desk.plan(7), desk.plan(3, desk.campaign("autumn"))
    for page in (1, 2, 6, 7, 8):
        # More than there are: a page that came again would come for ever.
        found = list(islice(desk.ledger.rows(record, page=page), 20))
        assert [row.recipient for row in found] == [number(index) for index in range(7)]
    assert len(list(desk.ledger.rows(other))) == 3


def test_who_is_sent_to_between_two_pages_is_neither_missed_nor_told_twice(desk: Desk) -> None:
    record = desk.plan(4)
    rows = desk.ledger.rows(record, page=2)
    told = [next(rows), next(rows)]
    desk.run(record)
    told += rows
    assert [row.recipient for row in told] == [number(index) for index in range(4)]
    assert [row.state for row in told] == ["planned", "planned", "accepted", "accepted"]


def test_a_page_is_found_by_the_key_and_no_row_is_read_twice(desk: Desk) -> None:
    record = desk.plan(5)
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    event.listen(desk.ledger._database.engine, "before_cursor_execute", note)
    assert len(list(desk.ledger.rows(record, page=2))) == 5
    event.remove(desk.ledger._database.engine, "before_cursor_execute", note)
    pages = [(told, values) for told, values in asked if "wa_delivery" in told]
    assert len(pages) == 3
    # SQLAlchemy says on SQLite that it begins at none.
    assert all("OFFSET" not in told.upper() or values[-1] == 0 for told, values in pages)
    if desk.ledger._database.is_sqlite:
        statement, values = pages[1]
        with desk.ledger._database.transaction() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        steps = " ".join(step for *_, step in plan)
        # Its unique index: (campaign, recipient).
        assert "sqlite_autoindex_wa_delivery_1 (campaign=? AND recipient>?)" in steps
        assert "TEMP B-TREE" not in steps


def test_a_row_tells_what_became_of_whom_and_when(desk: Desk) -> None:
    desk.phones.answer = lambda to, _: {number(1): REFUSED, number(2): NO_ANSWER}.get(to)
    record = desk.plan(3)
    planned = desk.time.database()
    desk.time.now += 60
    desk.run(record)
    change(
        desk,
        lane.insert().values(id=5, campaign=record.id, channel="whapi:OTHER", name="n", zones="[]"),
    )
    change(desk, update(delivery).where(delivery.c.recipient == number(2)).values(lane=5))
    sent, refused, doubt = desk.ledger.rows(record)
    assert (sent.state, sent.message_id, sent.attempt) == (DeliveryState.ACCEPTED, f"id-{number(0)}-1", 1)
    assert sent.planned_at == pytest.approx(planned)
    assert sent.sent_at == pytest.approx(planned + 60, abs=5)
    assert (refused.code, refused.reason, refused.sent_at) == ("not_on_whatsapp", "Not on WhatsApp.", None)
    assert (sent.channel, doubt.channel) == (record.channel, "whapi:OTHER")
    assert doubt.sent_at is None
    assert "1555" not in repr(sent).replace(str(sent.message_id), "")


def test_failures_are_counted_by_code_with_a_reason(desk: Desk) -> None:
    desk.phones.answer = lambda to, _: {number(1): REFUSED, number(2): NO_ANSWER, number(3): REFUSED}.get(to)
    record = desk.plan(4)
    desk.run(record)
    assert desk.ledger.failures(record) == [
        Failure(DeliveryState.IN_DOUBT, "ReadTimeout", 1, "The line went dead."),
        Failure(DeliveryState.REJECTED, "not_on_whatsapp", 2, "Not on WhatsApp."),
    ]


HOUR = 472_222 * 3600


@pytest.mark.parametrize(
    ("moments", "seconds", "sent"),
    [
        ([], 60, {}),
        ([HOUR, HOUR + 59.9, HOUR + 60, HOUR + 119.999], 60, {HOUR: 2, HOUR + 60: 2}),
        ([HOUR + 3599.7, HOUR + (MOST_PERIODS - 1) * 60 + 3600], 3600, {HOUR: 1, HOUR + 3 * 3600 - 3600: 1}),
        ([HOUR, HOUR + 6 * 86_400], 86_400, {HOUR - HOUR % 86_400: 1, HOUR - HOUR % 86_400 + 6 * 86_400: 1}),
    ],
    ids=["nothing", "minutes", "hours", "days"],
)
def test_what_was_sent_is_counted_by_minutes_or_longer_periods(
    desk: Desk, moments: list[float], seconds: int, sent: dict[int, int]
) -> None:
    record = desk.plan(6)
    for index, moment in enumerate(moments):
        values = {"state": "accepted", "intended_at": moment}
        change(desk, update(delivery).where(delivery.c.recipient == number(index)).values(**values))
    refused = {"state": "rejected", "intended_at": HOUR + 1.0}
    change(desk, update(delivery).where(delivery.c.recipient == number(5)).values(**refused))
    found = desk.ledger.over_time(record)
    assert (found.seconds, dict(found.sent)) == (seconds, sent)


def test_messages_of_before_moments_were_kept_are_not_counted_over_time(desk: Desk) -> None:
    record = desk.plan(1)
    desk.run(record)
    change(desk, text("UPDATE wa_delivery SET intended_at = NULL"))
    assert dict(desk.ledger.over_time(record).sent) == {}
    (row,) = desk.ledger.rows(record)
    assert row.sent_at is None


def test_shares_are_of_all_or_of_those_sent_to_and_who_read_it_got_it(desk: Desk) -> None:
    states = ["accepted", "delivered", "read", "read", "failed", "rejected", "in_doubt", "planned"]
    record = desk.plan(len(states))
    for index, state in enumerate(states):
        change(desk, update(delivery).where(delivery.c.recipient == number(index)).values(state=state))
    assert rates(desk.ledger.counts(record)) == {
        "sent": 0.625,
        "rejected": 0.125,
        "in_doubt": 0.125,
        "delivered_of_sent": 0.6,
        "read_of_sent": 0.4,
        "failed_of_sent": 0.2,
    }


def test_of_nobody_every_share_is_nothing() -> None:
    assert set(rates(Counts({})).values()) == {0.0}


def test_what_was_sent_when_is_told_in_utc(desk: Desk) -> None:
    record = desk.plan(2)
    change(desk, update(delivery).values(state="accepted", intended_at=HOUR + 61.0))
    assert over_time(desk.ledger, record) == {
        "seconds": 60,
        "sent": [{"from": "2023-11-14T22:01:00+00:00", "count": 2}],
    }
