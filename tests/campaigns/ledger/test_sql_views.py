"""The views in the ledger's database: one row a delivery, one a campaign, and no whole number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import create_engine, text, update

from tests.campaigns.recorded import version_1
from tests.campaigns.support import NO_ANSWER, REFUSED, Desk, number
from whatsapp_provider.campaigns.ledger import sql_views
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.schema import campaign, delivery, lane
from whatsapp_provider.campaigns.ledger.states import SENT, DeliveryState
from whatsapp_provider.model import MessageStatus
from whatsapp_provider.redaction import mask_number


def ask(url: str, query: str) -> list[dict[str, Any]]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "mysql":
                # An analyst's session has a time zone of its own.
                connection.execute(text("SET time_zone = '-03:00'"))
            return [dict(row) for row in connection.execute(text(query)).mappings()]
    finally:
        engine.dispose()


def change(desk: Desk, statement: Any) -> None:
    with desk.ledger._database.transaction() as connection:
        connection.execute(statement)


def utc(moment: Any) -> datetime:
    """Return what a driver makes of a view's moment: a text of SQLite, a local time of MariaDB."""
    found = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def test_a_delivery_is_a_row_without_its_number(desk: Desk, url: str) -> None:
    desk.phones.answer = lambda to, _: {number(1): REFUSED, number(2): NO_ANSWER}.get(to)
    record = desk.plan(3)
    desk.time.now += 60
    desk.run(record)
    rows = {row["recipient"]: row for row in ask(url, "SELECT * FROM wa_report")}
    assert set(rows) == {"…0000", "…0001", "…0002"}
    told = {name: (row["state"], row["code"], row["attempt"]) for name, row in rows.items()}
    assert told == {
        "…0000": ("accepted", None, 1),
        "…0001": ("rejected", "not_on_whatsapp", 1),
        "…0002": ("in_doubt", "ReadTimeout", 1),
    }
    row = rows["…0000"]
    assert (row["campaign_id"], row["channel"]) == ("spring", record.channel)
    assert row["message_id"] == "id-…-1", "the phones put the number into it"
    planned = utc(row["planned_at"])
    assert abs(planned.timestamp() - (desk.time.database() - 60)) < 2
    assert planned < utc(row["sent_at"]) <= utc(row["updated_at"])
    assert rows["…0001"]["sent_at"] is None
    assert not any("1555" in str(value) for row in rows.values() for value in row.values())


def test_a_campaign_is_a_row_of_counts(desk: Desk, url: str) -> None:
    states = list(DeliveryState)
    record = desk.plan(len(states))
    for index, state in enumerate(states):
        change(desk, update(delivery).where(delivery.c.recipient == number(index)).values(state=state))
    (row,) = ask(url, "SELECT * FROM wa_campaign_counts")
    counts = desk.ledger.counts(record)
    assert (row["total"], row["still_open"], row["sent"]) == (len(states), counts.open, counts.sent)
    assert (row["delivered"], row["seen"]) == (2, 1), "who read it got it"
    alone = ("failed", "rejected", "in_doubt", "suppressed", "expired", "cancelled")
    assert [row[name] for name in alone] == [1] * len(alone)
    assert row["campaign_id"] == "spring"


def test_a_campaign_of_nobody_has_zeros(desk: Desk, url: str) -> None:
    desk.plan(1)
    change(desk, delivery.delete())
    (row,) = ask(url, "SELECT total, sent FROM wa_campaign_counts")
    assert row == {"total": 0, "sent": 0}


@pytest.mark.parametrize(
    "recipient", [number(7), "123", "120363000000000001@g.us", "15550000000-1700000000@g.us", "10001@lid"]
)
def test_the_view_masks_as_the_reports_do(desk: Desk, url: str, recipient: str) -> None:
    desk.plan(1)
    change(desk, update(delivery).values(recipient=recipient))
    assert ask(url, "SELECT recipient FROM wa_report") == [{"recipient": mask_number(recipient)}]


@pytest.mark.parametrize(
    ("message_id", "shown"),
    [
        ("3EB0-1", "3EB0-1"),
        (f"true_{number(0)}@c.us_3EB0", "true_…@c.us_3EB0"),
        ("wamid.HBgLMTU1NTAwMDAwMDA", None),
    ],
)
def test_no_messages_id_tells_the_number(desk: Desk, url: str, message_id: str, shown: str | None) -> None:
    desk.plan(1)
    change(desk, update(delivery).values(message_id=message_id))
    assert ask(url, "SELECT message_id FROM wa_report") == [{"message_id": shown}]


def test_a_delivery_of_a_lane_names_the_lanes_channel(desk: Desk, url: str) -> None:
    record = desk.plan(2)
    values = {"campaign": record.id, "channel": "whapi:OTHER", "name": "n", "zones": "[]"}
    change(desk, lane.insert().values(id=5, **values))
    change(desk, update(delivery).where(delivery.c.recipient == number(1)).values(lane=5))
    found = ask(url, "SELECT channel FROM wa_report ORDER BY recipient")
    assert [row["channel"] for row in found] == [record.channel, "whapi:OTHER"]


def test_every_state_that_counts_as_sent_has_its_moment(desk: Desk, url: str) -> None:
    record = desk.plan(1)
    desk.run(record)
    for state in DeliveryState:
        change(desk, update(delivery).values(state=state))
        (row,) = ask(url, "SELECT sent_at FROM wa_report")
        assert (row["sent_at"] is not None) == (state in SENT), state


def test_an_old_ledger_gets_the_views_when_it_is_upgraded(
    url: str, open_ledger: Callable[..., Ledger]
) -> None:
    version_1.write(url)
    open_ledger().prepare()
    counts = {
        row["campaign_id"]: row for row in ask(url, "SELECT campaign_id, total, sent FROM wa_campaign_counts")
    }
    for name, by_state in version_1.COUNTS.items():
        assert counts[name]["total"] == sum(by_state.values())
    assert len(ask(url, "SELECT * FROM wa_report")) == sum(row["total"] for row in counts.values())


def test_a_view_is_replaced_where_it_is_and_one_upon_it_stays(desk: Desk, url: str) -> None:
    desk.plan(1)
    change(desk, text("CREATE VIEW ours AS SELECT recipient FROM wa_report"))
    with desk.ledger._database.transaction() as connection:
        sql_views.make(connection)
    assert ask(url, "SELECT * FROM ours") == [{"recipient": "…0000"}]
    assert desk.ledger.version() is not None


def test_news_of_a_message_shows_in_the_view(desk: Desk, url: str) -> None:
    record = desk.plan(1)
    desk.run(record)
    desk.ledger.record_status(record.channel, f"id-{number(0)}-1", MessageStatus.READ)
    assert [row["state"] for row in ask(url, "SELECT state FROM wa_report")] == ["read"]
    assert [row["seen"] for row in ask(url, "SELECT seen FROM wa_campaign_counts")] == [1]
    change(desk, update(campaign).values(state="paused"))
    assert [row["state"] for row in ask(url, "SELECT state FROM wa_campaign_counts")] == ["paused"]
