"""Who is left out of a plan, and what a refusal says of a person for the plans after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from tests.campaigns.support import CHANNEL, REFUSED, Desk, number
from whatsapp_provider.campaigns.audience import AudienceOptions
from whatsapp_provider.campaigns.identity import AliasKind
from whatsapp_provider.campaigns.ledger.identities import LearnedFrom
from whatsapp_provider.campaigns.ledger.planning import Order
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.schema import alias, delivery, suppression
from whatsapp_provider.campaigns.ledger.schema import number as number_table
from whatsapp_provider.campaigns.ledger.screening import screens_of
from whatsapp_provider.campaigns.ledger.suppression import Source
from whatsapp_provider.campaigns.plan import make_plan
from whatsapp_provider.campaigns.readers import rows_of
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.rules import DAY, FrequencyCap, Rules
from whatsapp_provider.errors import AudienceError, RecipientRejectedError
from whatsapp_provider.model import NumberCheck, SendResult

ADA, BOB, EVE = number(1), number(2), number(3)
LID = "100000000000001@lid"
STOPPED_MARKETING = RecipientRejectedError("Meta refused the message with code 131050.", code="meta_131050")


def plan(
    desk: Desk, *people: str, name: str = "spring", rules: Rules | None = None, **options: Any
) -> CampaignRecord:
    """Plan as a task does."""
    rows = [{"phone": person, "name": "N"} for person in people]
    return plan_rows(desk, rows, name, rules or Rules(), AudienceOptions(**options))


def plan_rows(
    desk: Desk, rows: Sequence[dict[str, Any]], name: str, rules: Rules, options: AudienceOptions
) -> CampaignRecord:
    return make_plan(
        desk.ledger,
        desk.campaign(name, rules=rules),
        MessageTemplate("Hi {{ name }}", clock=desk.time),
        rows_of(rows, recipient_field="phone"),
        options,
        order=Order(screens=screens_of(rules, CHANNEL.gateway)),
    ).record


def left_out(desk: Desk, record: CampaignRecord) -> dict[str, tuple[str | None, str | None]]:
    with desk.ledger._database.transaction() as connection:
        rows = connection.execute(select(delivery).where(delivery.c.campaign == record.id)).all()
    return {row.recipient: (row.code, row.reason) for row in rows if row.state == "suppressed"}


def addresses(desk: Desk, record: CampaignRecord) -> dict[str, str]:
    with desk.ledger._database.transaction() as connection:
        rows = connection.execute(select(delivery).where(delivery.c.campaign == record.id)).all()
    return {row.recipient: row.address for row in rows}


def test_who_is_on_a_list_is_left_out_with_the_reason(desk: Desk) -> None:
    desk.ledger.suppress([[ADA]], source=Source.PERSON, by="Ada", reason="not for reports")
    desk.ledger.suppress([[BOB]], "press", source=Source.IMPORT, by="Ada")
    record = plan(desk, ADA, BOB, EVE)
    assert left_out(desk, record) == {
        ADA: ("suppressed", "opt_out: added by a person"),
        BOB: ("suppressed", "press: imported"),
    }
    assert set(left_out(desk, plan(desk, ADA, BOB, EVE, name="named", rules=Rules(lists=())))) == {ADA}
    assert left_out(desk, plan(desk, ADA, name="must", rules=Rules(ignore_lists=True))) == {}


def test_a_form_that_the_audience_tells_is_learned_and_counts_at_once(desk: Desk) -> None:
    desk.ledger.suppress([[LID]], source=Source.PERSON, by="Ada")
    rows = [{"phone": ADA, "name": "N", "hidden": LID}, {"phone": BOB, "name": "N", "hidden": ""}]
    record = plan_rows(desk, rows, "spring", Rules(), AudienceOptions(aliases={AliasKind.LID: "hidden"}))
    assert set(left_out(desk, record)) == {ADA}
    assert set(desk.ledger.suppressed([ADA, BOB])) == {ADA}


def test_a_form_that_is_none_is_a_problem_of_its_row(desk: Desk) -> None:
    rows = [{"phone": ADA, "hidden": "nobody"}, {"phone": BOB, "hidden": BOB}]
    options = AudienceOptions(aliases={AliasKind.USER_ID: "hidden"})
    with pytest.raises(AudienceError, match="row 1: 'nobody' is no user_id") as raised:
        plan_rows(desk, rows, "spring", Rules(), options)
    assert BOB not in str(raised.value)
    with pytest.raises(AudienceError, match="row 1: no column 'lid', which holds each person's lid"):
        plan_rows(desk, rows, "spring", Rules(), AudienceOptions(aliases={AliasKind.LID: "lid"}))


def test_who_has_had_enough_is_left_out_until_the_time_is_over(desk: Desk) -> None:
    cap = Rules(cap=FrequencyCap(2, 7 * DAY))
    for name, people in (("first", (ADA, BOB)), ("second", (ADA,))):
        record = plan(desk, *people, name=name)
        desk.run(record, desk.campaign(name))
        desk.time.now += DAY
    record = plan(desk, ADA, BOB, EVE, name="third", rules=cap)
    assert left_out(desk, record) == {ADA: ("frequency_cap", "frequency cap: 2 in 7 days")}
    desk.time.now += 5 * DAY
    assert left_out(desk, plan(desk, ADA, name="fourth", rules=cap)) == {}, (
        "the first of them is seven days old"
    )


def test_a_cap_counts_what_reached_a_person_or_may_have(desk: Desk) -> None:
    """Of two campaigns at once, each planned while nobody had heard anything, one writes to a person."""
    cap = Rules(cap=FrequencyCap(1, DAY))
    refused = plan(desk, ADA, BOB, name="refused")
    desk.phones.answer = lambda _recipient, _attempt: STOPPED_MARKETING
    desk.run(refused, desk.campaign("refused"))
    desk.phones.answer = lambda _recipient, _attempt: None
    first, second = (plan(desk, ADA, EVE, name=name, rules=cap) for name in ("first", "second"))
    desk.run(first, desk.campaign("first", rules=cap))
    desk.run(second, desk.campaign("second", rules=cap))
    assert desk.phones.received == {EVE: 1}, "ADA is on the list of those who want no marketing"
    assert left_out(desk, second)[EVE] == ("frequency_cap", "frequency cap: 1 in 1 days")


def test_a_message_that_was_refused_is_none_that_somebody_had(desk: Desk) -> None:
    record = plan(desk, ADA)
    desk.phones.answer = lambda _recipient, _attempt: RecipientRejectedError("No.", code="http_400")
    desk.run(record)
    assert left_out(desk, plan(desk, ADA, name="next", rules=Rules(cap=FrequencyCap(1, DAY)))) == {}


def test_who_told_whatsapp_to_end_marketing_gets_no_campaign_and_is_no_opt_out(desk: Desk) -> None:
    record = plan(desk, ADA, BOB)
    desk.phones.answer = lambda recipient, _attempt: STOPPED_MARKETING if recipient == ADA else None
    desk.run(record)
    assert desk.ledger.suppressed([ADA, BOB]) == {ADA: "marketing: unsubscribed, says the gateway"}
    assert desk.ledger.suppressed([ADA, BOB], ()) == {}
    (entry,) = desk.ledger.suppressions()
    assert (entry.source, entry.added_by) == ("gateway", CHANNEL.key())


@pytest.mark.parametrize("code", ["meta_131047", "meta_131049", "meta_131026", "http_400"])
def test_other_refusals_suppress_nobody(desk: Desk, code: str) -> None:
    record = plan(desk, ADA)
    desk.phones.answer = lambda _recipient, _attempt: RecipientRejectedError("No.", code=code)
    desk.run(record)
    assert desk.counts(record) == {"rejected": 1}
    assert desk.ledger.suppressed([ADA]) == {}
    assert left_out(desk, plan(desk, ADA, name="next")) == {}


def test_who_is_not_on_whatsapp_is_left_out_for_a_week(desk: Desk) -> None:
    record = plan(desk, ADA, BOB)
    desk.phones.answer = lambda recipient, _attempt: REFUSED if recipient == ADA else None
    desk.run(record)
    assert left_out(desk, plan(desk, ADA, BOB, name="next")) == {
        ADA: ("not_on_whatsapp", "not on WhatsApp, said the gateway")
    }
    assert desk.ledger.suppressed([ADA]) == {}, "they may come"
    desk.time.now += 7 * DAY
    assert left_out(desk, plan(desk, ADA, BOB, name="later")) == {}


def test_a_number_with_two_forms_may_be_there_by_the_other_one(desk: Desk) -> None:
    person = "5511970000001"
    record = plan(desk, person)
    desk.phones.answer = lambda _recipient, _attempt: REFUSED
    desk.run(record)
    assert left_out(desk, plan(desk, person, name="next")) == {}


def test_the_gateways_word_wins_over_the_number_plan(desk: Desk) -> None:
    ninth, other = "5511970000001", "5511970000002"
    desk.ledger.keep_checks(
        CHANNEL.gateway,
        {
            ninth: NumberCheck(ninth, exists=True, chat_id="551170000001@s.whatsapp.net"),
            other: NumberCheck(other, exists=True, chat_id="100000000000009@lid"),
            ADA: NumberCheck(ADA, exists=False),
            BOB: NumberCheck(BOB, exists=True, chat_id=f"{EVE}@s.whatsapp.net"),
        },
    )
    record = plan(desk, ninth, other, ADA, BOB)
    assert set(left_out(desk, record)) == {ADA}
    found = addresses(desk, record)
    assert found[ninth] == "551170000001", "as the gateway calls them"
    assert found[other] == other, "a hidden id is learned and not sent to"
    assert found[BOB] == EVE
    desk.ledger.record_inbound(CHANNEL.key(), sender=EVE, text="stop")
    desk.ledger.record_inbound(CHANNEL.key(), sender="100000000000009@lid", text="stop")
    assert set(desk.ledger.suppressed([ninth, other, BOB, EVE])) == {other, BOB, EVE}


def test_an_answer_is_the_gateways_own_and_the_newest_counts(desk: Desk) -> None:
    desk.ledger.keep_checks("evolution", {ADA: NumberCheck(ADA, exists=False)})
    desk.ledger.keep_checks(CHANNEL.gateway, {BOB: NumberCheck(BOB, exists=False)})
    desk.ledger.keep_checks(CHANNEL.gateway, {BOB: NumberCheck(BOB, exists=True, chat_id="?")})
    assert left_out(desk, plan(desk, ADA, BOB)) == {}
    desk.time.now += 31 * DAY
    desk.ledger.keep_checks(CHANNEL.gateway, {BOB: NumberCheck(BOB, exists=False)})
    desk.time.now += 6 * DAY
    assert set(left_out(desk, plan(desk, BOB, ADA, name="next"))) == {BOB}


def test_batches_of_an_audience_are_screened_and_learned_in_few_questions(desk: Desk) -> None:
    people = [number(index) for index in range(2500)]
    rows = [
        {"phone": person, "name": "N", "lid": f"3{index:013d}@lid"} for index, person in enumerate(people)
    ]
    desk.ledger.suppress(
        [[f"3{index:013d}@lid"] for index in range(0, 2500, 5)], source=Source.IMPORT, by="Ada"
    )
    record = plan_rows(desk, rows, "big", Rules(), AudienceOptions(aliases={AliasKind.LID: "lid"}))
    assert set(left_out(desk, record)) == set(people[::5])
    desk.ledger.link([[people[0], "US.1"]], LearnedFrom.GATEWAY)
    assert set(desk.ledger.suppressed(["US.1"])) == {"US.1"}


def test_what_a_gateway_calls_a_person_when_it_sends_is_a_form_of_theirs(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = plan(desk, ADA, BOB, "120363000000000000@g.us")
    names = {
        ADA: (f"{ADA}@s.whatsapp.net", LID),
        BOB: (f"{BOB}@s.whatsapp.net", "", "?", "120363000000000009@g.us"),
    }
    plain_send = desk.phones.send

    async def send(recipient: str, message: Any) -> SendResult:
        told = await plain_send(recipient, message)
        return SendResult(told.message_id, chat_ids=names.get(recipient, (LID,)))

    monkeypatch.setattr(desk.phones, "send", send)
    desk.run(record)
    with desk.ledger._database.transaction() as connection:
        links = [(row.alias, row.recipient, row.source) for row in connection.execute(select(alias))]
    assert links == [(LID, ADA, "gateway")], "a group is nobody, and what is the same is no news"
    desk.ledger.record_inbound(CHANNEL.key(), sender=LID, text="stop")
    assert set(desk.ledger.suppressed([ADA, BOB])) == {ADA}


def test_what_is_told_of_a_person_who_was_erased_meanwhile_is_not_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = plan(desk, ADA, BOB, EVE)
    answers = {ADA: None, BOB: STOPPED_MARKETING, EVE: REFUSED}
    desk.phones.answer = lambda recipient, _attempt: answers[recipient]
    plain_send = desk.phones.send

    async def send(recipient: str, message: Any) -> SendResult:
        desk.ledger.erase(recipient, by="Eve", suppress=False)
        return SendResult((await plain_send(recipient, message)).message_id, chat_ids=(LID,))

    monkeypatch.setattr(desk.phones, "send", send)
    desk.run(record)
    with desk.ledger._database.transaction() as connection:
        assert not [
            row for table in (alias, number_table, suppression) for row in connection.execute(select(table))
        ]
