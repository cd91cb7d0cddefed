"""Old campaigns lose their people, later all of their rows; what somebody still needs stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.engine import make_url

from tests.campaigns.ledger.traces import NAME, Files, deliveries, found
from tests.campaigns.support import NO_ANSWER, REFUSED, Desk, number
from whatsapp_provider.campaigns.ledger.control import By
from whatsapp_provider.campaigns.ledger.erased import PREFIX
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.people import Purged
from whatsapp_provider.campaigns.ledger.schema import campaign, delivery, metadata
from whatsapp_provider.campaigns.ledger.settling import Verdict
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.rules import DAY, FrequencyCap, Rules
from whatsapp_provider.errors import ConfigurationError

on_a_file = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def rows(ledger: Ledger) -> dict[str, int]:
    """How many rows are in each table."""
    with ledger._database.transaction() as connection:
        return {table.name: len(connection.execute(select(table)).all()) for table in metadata.sorted_tables}


def later(desk: Desk, days: float) -> None:
    desk.time.slept += days * DAY


def test_first_the_people_go_and_later_the_campaign(desk: Desk) -> None:
    desk.phones.answer = lambda to, _: REFUSED if to == number(1) else None
    record = desk.plan(3)
    desk.run(record)
    later(desk, 31)
    desk.run(desk.plan(2, desk.campaign("new")), desk.campaign("new"))
    ledger = desk.ledger
    dry = ledger.purge(30 * DAY, dry_run=True)
    assert dry == Purged(campaigns=1, deliveries=3)
    assert ledger.purge(30 * DAY) == dry
    old = [row for (name, _), row in deliveries(ledger).items() if name == "spring"]
    assert all(row.recipient.startswith(PREFIX) and row.address == "" for row in old)
    assert {(row.variables, row.body_hash, row.message_id, row.reason) for row in old} == {
        (None, None, None, None)
    }
    assert desk.counts(record) == {"accepted": 2, "rejected": 1}
    assert {row.code for row in old} == {None, "not_on_whatsapp"}
    assert {to for name, to in deliveries(ledger) if name == "new"} == {number(0), number(1)}
    assert ledger.purge(30 * DAY) == Purged(), "once is enough"

    later(desk, 10)
    dry = ledger.purge(30 * DAY, delete_older_than=40 * DAY, dry_run=True)
    assert dry == Purged(deleted_campaigns=1, deleted_deliveries=3)
    assert ledger.purge(30 * DAY, delete_older_than=40 * DAY) == dry
    assert ledger.find("spring") is None
    assert {name for name, _ in deliveries(ledger)} == {"new"}
    # What nobody remembers is sent again: that is what the second age is for.
    calls = len(desk.phones.calls)
    desk.run(desk.plan(3))
    assert len(desk.phones.calls) == calls + 3


def test_everything_that_hangs_on_a_campaign_goes_with_it(desk: Desk) -> None:
    files = Files(desk)
    files.fill()
    ledger = desk.ledger
    ledger.settle("autumn", None, Verdict.SENT, by="Eve")
    ledger.cancel("winter", By("Eve"))
    for name in ("spring", "summer", "autumn", "may", "message/order-1"):
        desk.run(_record(ledger, name), desk.campaign(name))
    later(desk, 3)
    ledger.purge(DAY, delete_older_than=2 * DAY)
    left = rows(ledger)
    assert {name for name, count in left.items() if count} <= {
        *("wa_version", "wa_setting", "wa_permit", "wa_channel", "wa_suppression", "wa_alias", "wa_number")
    }
    assert left["wa_permit"]


def _record(ledger: Ledger, name: str) -> Any:
    record = ledger.find(name)
    assert record is not None
    return record


@on_a_file
def test_a_purge_takes_what_campaigns_tell_of_people_and_leaves_the_lists(desk: Desk) -> None:
    files = Files(desk)
    files.fill()
    ledger = desk.ledger
    for name in ("spring", "summer", "message/order-1"):
        desk.run(_record(ledger, name), desk.campaign(name))
    later(desk, 2)
    assert ledger.purge(DAY).campaigns == 3
    places = {place for place, _ in found(ledger)}
    # Of the campaigns that have not ended, and of the lists of people, everything is there.
    assert places >= {
        "wa_suppression.recipient",
        "wa_alias.alias",
        "wa_number.recipient",
        "wa_delivery.recipient",
    }
    with ledger._database.transaction() as connection:
        kept = {row.campaign_id: row for row in connection.execute(select(campaign))}
    single = kept["message/order-1"]
    assert (single.message, single.shared, single.preflight) == (None, "{}", None)


# -- what stays -----------------------------------------------------------------------------------


@on_a_file
def test_a_doubt_stays_until_it_is_settled(desk: Desk) -> None:
    desk.phones.answer = lambda to, _: NO_ANSWER if to == number(1) else None
    hold = desk.campaign()
    record = desk.plan(3, hold)
    desk.run(record, hold)
    later(desk, 100)
    ledger = desk.ledger
    done = ledger.purge(DAY, delete_older_than=DAY)
    assert done == Purged(campaigns=1, deliveries=2, kept_in_doubt=1)
    [doubt] = desk.in_state(record, DeliveryState.IN_DOUBT)
    assert doubt.recipient == number(1)
    ledger.settle("spring", None, Verdict.SENT, by="Eve")
    assert ledger.purge(DAY) == Purged(campaigns=1, deliveries=1)


@on_a_file
def test_a_campaign_that_has_not_ended_stays_and_is_told(desk: Desk) -> None:
    desk.plan(3)
    later(desk, 400)
    assert desk.ledger.purge(DAY, delete_older_than=DAY) == Purged(kept_open=1)
    assert len(deliveries(desk.ledger)) == 3


@on_a_file
def test_what_a_frequency_cap_counts_stays(desk: Desk) -> None:
    desk.run(desk.plan(1))
    later(desk, 20)
    rules = Rules(cap=FrequencyCap(1, 30 * DAY)).to_json()
    record = desk.plan(1, desk.campaign("capped"))
    with desk.ledger._database.transaction() as connection:
        connection.execute(update(campaign).where(campaign.c.id == record.id).values(rules=rules))
    assert desk.ledger.purge(DAY, delete_older_than=DAY) == Purged()
    later(desk, 11)
    assert desk.ledger.purge(DAY).deliveries == 1


@on_a_file
def test_a_campaign_that_got_people_after_its_purge_is_purged_again(desk: Desk) -> None:
    record = desk.plan(1)
    desk.run(record)
    later(desk, 2)
    assert desk.ledger.purge(DAY).deliveries == 1
    with desk.ledger._database.transaction() as connection:
        person = {
            "campaign": record.id,
            "recipient": number(5),
            "address": number(5),
            "variables": '{"name": "N5"}',
        }
        times = {"seq": 9, "state": "planned", "attempt": 0, "postponed": 0, "updated_at": 0}
        connection.execute(insert(delivery).values(**person, **times))
    desk.run(record)
    assert desk.phones.calls[-1] == number(5)
    later(desk, 2)
    assert desk.ledger.purge(DAY) == Purged(campaigns=1, deliveries=1)


@on_a_file
def test_what_is_purged_is_done_in_pages_and_goes_on_where_it_broke_off(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whatsapp_provider.campaigns.ledger.retention.BATCH", 3)
    for name in ("a", "b", "c", "d"):
        desk.run(desk.plan(7, desk.campaign(name)), desk.campaign(name))
    later(desk, 3)
    ledger = desk.ledger
    purged = 0
    for steps in (4, 5, 6):
        with monkeypatch.context() as patched:
            patched.setattr(ledger, "_in_one", _broken_after(ledger, steps))
            with pytest.raises(InterruptedError):
                ledger.purge(DAY)
        left = sum(not to.startswith(PREFIX) for _, to in deliveries(ledger))
        purged = 28 - left
        assert purged > 0
    assert ledger.purge(DAY).deliveries == 28 - purged
    assert all(to.startswith(PREFIX) for _, to in deliveries(ledger))
    with monkeypatch.context() as patched:
        patched.setattr(ledger, "_in_one", _broken_after(ledger, 6))
        with pytest.raises(InterruptedError):
            ledger.purge(DAY, delete_older_than=DAY)
    assert ledger.find("a") is not None, "its row goes last"
    desk.run(desk.plan(7, desk.campaign("a")), desk.campaign("a"))
    assert len(desk.phones.calls) == 28
    later(desk, 3)
    ledger.purge(DAY, delete_older_than=DAY)
    assert rows(ledger)["wa_campaign"] == 0


def _broken_after(ledger: Ledger, steps: int) -> Callable[..., Any]:
    whole, left = ledger._in_one, [steps]

    def broken(work: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise InterruptedError
        return whole(work)

    return broken


@on_a_file
def test_a_task_of_a_purged_campaign_that_is_cleared_sends_nothing(desk: Desk) -> None:
    desk.phones.answer = lambda to, _: REFUSED if to == number(1) else None
    desk.run(desk.plan(3))
    later(desk, 2)
    desk.ledger.purge(DAY)
    calls = list(desk.phones.calls)
    desk.run(desk.plan(3), again=(DeliveryState.REJECTED,))
    assert desk.phones.calls == calls


@on_a_file
def test_ages_that_are_no_use_are_refused(desk: Desk) -> None:
    for ages in ((0.0,), (float("nan"),), (DAY - 1,)):
        with pytest.raises(ConfigurationError, match="a day after their end"):
            desk.ledger.purge(*ages)
    with pytest.raises(ConfigurationError, match="before their people"):
        desk.ledger.purge(2 * DAY, delete_older_than=DAY)


@on_a_file
def test_the_file_is_clean_after_a_purge(desk: Desk, url: str) -> None:

    desk.run(desk.plan_rows([{"phone": number(0), "name": NAME}]))
    later(desk, 2)
    desk.ledger.purge(DAY)

    folder = Path(make_url(url).database or "").parent
    whole = b"".join(part.read_bytes() for part in folder.iterdir())
    assert NAME.encode() not in whole
    assert number(0).encode() not in whole
