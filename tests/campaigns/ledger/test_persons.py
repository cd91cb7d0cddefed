"""One person gets one message of a campaign, also where its audience names them by two forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from tests.campaigns.ledger.book import PACE
from tests.campaigns.support import CHANNEL, Desk, number
from whatsapp_provider.campaigns.audience import AudienceOptions, Policy
from whatsapp_provider.campaigns.extend import extend_campaign
from whatsapp_provider.campaigns.identity import AliasKind
from whatsapp_provider.campaigns.ledger.control import By
from whatsapp_provider.campaigns.ledger.identities import LearnedFrom
from whatsapp_provider.campaigns.ledger.planning import Order
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Result
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.screening import screens_of
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.ledger.suppression import Source
from whatsapp_provider.campaigns.plan import make_plan
from whatsapp_provider.campaigns.readers import rows_of
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.rules import DAY, FrequencyCap, Rules
from whatsapp_provider.model import NumberCheck

ADA, BOB, EVE = number(1), number(2), number(3)
LID, OTHER_LID, USER = "100000000000001@lid", "100000000000002@lid", "US.1"
REPEATED = ("duplicate", "another row is the same person by another form")
SKIP = {"on_duplicate": Policy.SKIP}
ONE = Rules(cap=FrequencyCap(1, 7 * DAY))
#: How many rows are written in one transaction: each by itself, and all at once.
SIZES = pytest.mark.parametrize("batch", [1, 100])


def row(phone: str, *, lid: str = "", user: str = "") -> dict[str, Any]:
    return {"phone": phone, "name": "N", "lid": lid, "user": user}


def options(**more: Any) -> AudienceOptions:
    return AudienceOptions(aliases={AliasKind.LID: "lid", AliasKind.USER_ID: "user"}, **more)


def order_of(rules: Rules, batch: int = 100) -> Order:
    return Order(screens=screens_of(rules, CHANNEL.gateway), batch=batch)


def plan(
    desk: Desk,
    rows: Sequence[dict[str, Any]],
    batch: int = 100,
    name: str = "spring",
    rules: Rules | None = None,
    **more: Any,
) -> CampaignRecord:
    rules = rules or Rules()
    source = rows_of(rows, recipient_field="phone")
    campaign, template = desk.campaign(name, rules=rules), MessageTemplate("Hi {{ name }}", clock=desk.time)
    return make_plan(
        desk.ledger, campaign, template, source, options(**more), order=order_of(rules, batch)
    ).record


def extend(desk: Desk, rows: Sequence[dict[str, Any]], **more: Any) -> None:
    source, template = rows_of(rows, recipient_field="phone"), MessageTemplate("Hi {{ name }}")
    extend_campaign(
        desk.ledger, "spring", template, source, options(**more), By("ada"), order=order_of(Rules())
    )


def left_out(desk: Desk, record: CampaignRecord) -> dict[str, tuple[str, str]]:
    with desk.ledger._database.transaction() as connection:
        rows = connection.execute(select(delivery).where(delivery.c.campaign == record.id)).all()
    assert not [row for row in rows if row.code == "duplicate" and row.variables], "nobody needs the values"
    return {row.recipient: (row.code, row.reason) for row in rows if row.state == "suppressed"}


@SIZES
@pytest.mark.parametrize(
    ("rows", "repeated"),
    [
        ([row(ADA, lid=LID), row(LID), row(BOB)], LID),
        ([row(LID), row(BOB), row(ADA, lid=LID)], ADA),
        ([row(ADA, user=USER), row(BOB), row(LID, user=USER)], LID),
        ([row(ADA, lid=LID), row(BOB), row(EVE, lid=LID)], EVE),
        ([row(ADA, lid=LID), row(BOB, lid=OTHER_LID), row(OTHER_LID)], OTHER_LID),
    ],
    ids=["the first tells", "the second tells", "both tell a third", "two numbers", "a later person"],
)
def test_the_second_row_of_a_person_is_left_out(
    desk: Desk, batch: int, rows: list[dict[str, Any]], repeated: str
) -> None:
    record = plan(desk, rows, batch)
    assert left_out(desk, record) == {repeated: REPEATED}
    assert desk.ledger.left_out(record) == {"duplicate": 1}
    assert desk.counts(record) == {"planned": len(rows) - 1, "suppressed": 1}


@SIZES
def test_what_the_ledger_has_learned_counts(desk: Desk, batch: int) -> None:
    desk.ledger.link([[ADA, LID], [BOB, EVE]], LearnedFrom.GATEWAY)
    record = plan(desk, [row(LID), row(EVE), row(BOB), row(ADA)], batch)
    assert left_out(desk, record) == {BOB: REPEATED, ADA: REPEATED}


@SIZES
def test_what_only_a_later_row_tells_takes_an_earlier_one_back(desk: Desk, batch: int) -> None:
    rows = [row(ADA), row(BOB), row(LID), row(ADA, lid=LID), row(ADA, user=USER), row(EVE, user=USER)]
    record = plan(desk, rows, batch, **SKIP)
    assert left_out(desk, record) == {LID: REPEATED, EVE: REPEATED}
    assert desk.ledger.left_out(record) == {"duplicate": 4}, "two of one form, two of another"
    assert desk.run(record).reason == ""
    assert desk.phones.received == {ADA: 1, BOB: 1}


@SIZES
def test_an_id_that_two_rows_of_other_people_bring_together_makes_them_one(desk: Desk, batch: int) -> None:
    rows = [row(ADA), row(BOB), row(ADA, lid=LID), row(BOB, lid=LID)]
    assert left_out(desk, plan(desk, rows, batch, **SKIP)) == {BOB: REPEATED}


def test_who_is_left_out_for_a_reason_of_their_own_keeps_it(desk: Desk) -> None:
    desk.ledger.suppress([[ADA]], source=Source.PERSON, by="Ada")
    record = plan(desk, [row(ADA, lid=LID), row(LID)])
    assert {code for code, _ in left_out(desk, record).values()} == {"suppressed"}


def test_the_first_row_decides_also_if_it_is_left_out(desk: Desk) -> None:
    desk.ledger.keep_checks(CHANNEL.gateway, {ADA: NumberCheck(ADA, exists=False)})
    record = plan(desk, [row(ADA, lid=LID), row(LID)])
    assert left_out(desk, record) == {
        ADA: ("not_on_whatsapp", "not on WhatsApp, said the gateway"),
        LID: REPEATED,
    }


def test_of_an_erased_person_no_form_is_written_down(desk: Desk) -> None:
    desk.ledger.erase(ADA, by="Eve")
    record = plan(desk, [row(ADA, lid=LID), row(LID)])
    assert all(recipient.startswith("erased/") for recipient in left_out(desk, record))


def test_people_without_other_forms_are_all_sent_to(desk: Desk) -> None:
    desk.ledger.link([[number(900), "US.9"]], LearnedFrom.GATEWAY)
    record = plan(desk, [row(number(index), lid=f"30000000000{index:04d}@lid") for index in range(250)])
    assert desk.counts(record) == {"planned": 250}
    assert left_out(desk, plan(desk, [row(ADA), row(BOB)], name="next")) == {}


def test_who_is_in_the_campaign_by_another_form_does_not_come_in_again(desk: Desk) -> None:
    record = plan(desk, [row(ADA, lid=LID), row(BOB)])
    extend(desk, [row(LID), row(EVE), row(OTHER_LID), row(EVE, lid=OTHER_LID)], **SKIP)
    assert left_out(desk, record) == {LID: REPEATED, OTHER_LID: REPEATED}
    desk.run(record)
    assert desk.phones.received == {ADA: 1, BOB: 1, EVE: 1}


def test_of_a_running_campaign_the_row_that_was_sent_stays(desk: Desk) -> None:
    record = plan(desk, [row(ADA), row(BOB), row(LID)])
    lease = desk.ledger.begin(record, label="", seconds=60)
    with desk.ledger._database.transaction() as connection:
        connection.execute(
            delivery.update()
            .where(delivery.c.recipient != LID)
            .values(state=DeliveryState.POSTPONED, not_before=9e9)
        )
    (task,) = desk.ledger.turn(lease, [], places=5, pace=PACE).tasks
    assert task.recipient == LID
    extend(desk, [row(ADA, lid=LID)])
    assert left_out(desk, record) == {ADA: REPEATED}
    desk.ledger.end(lease, [Result(task, DeliveryState.ACCEPTED, message_id="1")])


def test_a_cap_counts_what_a_person_had_by_any_form(desk: Desk) -> None:
    desk.run(plan(desk, [row(ADA), row(BOB)], name="first"), desk.campaign("first"))
    desk.ledger.link([[ADA, LID]], LearnedFrom.GATEWAY)
    record = plan(desk, [row(LID), row(OTHER_LID), row(EVE)], name="second", rules=ONE)
    capped = {LID: ("frequency_cap", "frequency cap: 1 in 7 days")}
    assert left_out(desk, record) == capped
    # What is learned after the plan counts before the message.
    desk.ledger.link([[BOB, OTHER_LID]], LearnedFrom.INBOUND)
    desk.run(record, desk.campaign("second", rules=ONE))
    assert set(left_out(desk, record)) == {LID, OTHER_LID}
    assert desk.phones.received == {ADA: 1, BOB: 1, EVE: 1}


def test_a_cap_adds_up_what_each_form_had(desk: Desk) -> None:
    desk.ledger.link([[ADA, LID]], LearnedFrom.GATEWAY)
    for name, person in (("first", ADA), ("second", LID)):
        desk.run(plan(desk, [row(person)], name=name), desk.campaign(name))
    for most, out in ((2, {LID}), (3, set())):
        rules = Rules(cap=FrequencyCap(most, DAY))
        assert set(left_out(desk, plan(desk, [row(LID), row(BOB)], name=f"most{most}", rules=rules))) == out


def test_two_forms_of_a_person_that_are_due_at_one_moment_count_for_each_other(desk: Desk) -> None:
    record = plan(desk, [row(ADA), row(LID), row(BOB)], rules=ONE)
    desk.ledger.link([[ADA, LID]], LearnedFrom.GATEWAY)
    desk.run(record, desk.campaign(rules=ONE))
    assert desk.phones.received == {ADA: 1, BOB: 1}
