"""Who is in a plan of several batches: each person once, none whom a screen leaves out, with what is theirs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from tests.campaigns.ledger.book import PACE
from tests.campaigns.ledger.test_planning import BATCH, PEOPLE, everybody, left, small
from tests.campaigns.support import Desk, number
from whatsapp_provider.campaigns.audience import AudienceOptions, Policy
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Exclusion, Planned
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import delivery, lane
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.plan import make_plan
from whatsapp_provider.campaigns.readers import rows_of
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.errors import AudienceError

Rows = list[dict[str, Any]]


def rows(count: int = PEOPLE) -> Rows:
    return [{"phone": number(index), "name": f"N{index}"} for index in range(count)]


def plan(desk: Desk, read: Rows, **options: Any) -> CampaignRecord:
    audience = rows_of(read, recipient_field="phone")
    template = MessageTemplate("Hi {{ name }}")
    how = AudienceOptions(**options)
    return make_plan(desk.ledger, desk.campaign(), template, audience, how, order=small()).record


def test_a_bad_row_at_the_end_of_a_long_audience_leaves_nothing(desk: Desk) -> None:
    with pytest.raises(AudienceError, match=r"^1 rows .* row 26: 'Ada' is neither"):
        plan(desk, [*rows(), {"phone": "Ada", "name": "Ada"}])
    assert left(desk) == (0, 0)


def test_people_who_come_again_in_another_batch_are_told_by_their_rows(desk: Desk) -> None:
    again = [{"phone": f"+{number(index)}", "name": "again"} for index in (7, 14, 7)]
    told = (
        r"^3 rows .* row 26: …0007 is the same person as row 8\. row 27: …0014 is the same person as row 15\. "
        r"row 28: …0007 is the same person as row 26\. Nothing was sent"
    )
    with pytest.raises(AudienceError, match=told):
        plan(desk, [*rows(), *again])
    assert left(desk) == (0, 0)


def test_all_problems_of_a_long_audience_are_counted_and_the_first_are_told(desk: Desk) -> None:
    """Also those that are noticed later than others of a later row: who comes twice, by the database."""
    first, middle = rows(BATCH), [{"phone": "Bo", "name": "x"} for _ in range(5)]
    with pytest.raises(AudienceError, match=r"^15 rows .*") as caught:
        plan(desk, [*first, *rows(3), *middle, *rows(BATCH)[3:]])
    told = str(caught.value)
    assert told.index("row 11: …0000 is the same person as row 1.") < told.index("row 14: 'Bo'")
    assert "And 5 more." in told
    assert left(desk) == (0, 0)


def test_people_who_come_again_are_left_out_and_the_first_of_them_is_kept(desk: Desk) -> None:
    audience = [*rows(), {"phone": number(3), "name": "again"}, *rows(2)]
    record = plan(desk, audience, on_duplicate=Policy.SKIP)
    assert desk.counts(record) == {"planned": PEOPLE}
    assert desk.ledger.left_out(record) == {"duplicate": 3}
    assert [task.variables for task in take(desk, record, 4)][3] == '{"name": "N3", "phone": "15550000003"}'
    # A run after that finds the campaign, wherever the rows have moved to.
    for again in (audience[::-1], [*rows(2), *audience[:-2]]):
        assert not plan(desk, again, on_duplicate=Policy.SKIP).fresh


def take(desk: Desk, record: CampaignRecord, places: int) -> Sequence[Any]:
    lease = desk.ledger.begin(record, label="", seconds=60)
    return desk.ledger.turn(lease, [], places=places, pace=PACE).tasks


class Thirds:
    """Leaves out each third person and gives the one after another address."""

    def screen(self, _connection: Connection, people: Sequence[Planned], _now: float) -> Sequence[Planned]:
        return [self._seen(person, int(person.recipient) % 3) for person in people]

    def _seen(self, person: Planned, rest: int) -> Planned:
        if rest == 0:
            return replace(person, exclusion=Exclusion("capped", "3 messages in 7 days"))
        return replace(person, address=f"{person.address}@lid") if rest == 1 else person


class Nobody:
    """Fails a test that asks about somebody who is left out already."""

    def screen(self, _connection: Connection, people: Sequence[Planned], _now: float) -> Sequence[Planned]:
        assert all(int(person.recipient) % 3 for person in people)
        return people


class TwoLanes:
    """Puts those with an even number into a lane."""

    def lanes(
        self, connection: Connection, campaign: int, people: Sequence[Planned], _now: float
    ) -> Mapping[str, int]:
        assert all(person.exclusion is None for person in people)
        values = {"campaign": campaign, "channel": "x", "name": "even", "zones": "[]"}
        found = connection.execute(select(lane.c.id).where(lane.c.campaign == campaign)).scalar_one_or_none()
        if found is None:
            found = connection.execute(insert(lane).values(values)).inserted_primary_key[0]  # type: ignore[index]
        return {person.recipient: found for person in people if int(person.recipient) % 2 == 0}


@pytest.mark.parametrize("count", [9, 2 * BATCH + 4])
def test_screens_leave_people_out_and_lanes_take_the_others(desk: Desk, count: int) -> None:
    order = small(screens=[Thirds(), Nobody()], lanes=TwoLanes())
    record = desk.ledger.plan(desk.campaign(), "text", everybody(count), order=order)
    out = sum(int(number(index)) % 3 == 0 for index in range(count))
    assert desk.counts(record) == {"planned": count - out, "suppressed": out}
    assert desk.ledger.left_out(record) == {"capped": out}
    with desk.ledger._database.transaction() as connection:
        found = connection.execute(select(delivery).order_by(delivery.c.seq).limit(6)).all()
        total = connection.execute(select(campaigns.c.total)).scalar_one()
    assert total == count
    for row in found:
        rest = int(row.recipient) % 3
        assert (row.code, row.reason, row.variables) == (
            ("capped", "3 messages in 7 days", None) if rest == 0 else (None, None, "{}")
        )
        assert row.address.endswith("@lid") == (rest == 1)
        assert (row.lane is not None) == (rest != 0 and int(row.recipient) % 2 == 0)
    # The audience is the same, whoever is left out of it now.
    assert not desk.ledger.plan(desk.campaign(), "text", everybody(count), order=small()).fresh


@pytest.mark.parametrize("count", [3, BATCH, PEOPLE])
def test_a_plan_ends_where_it_is_told_with_what_it_is_told(desk: Desk, count: int) -> None:
    order = small(state=CampaignState.READY, terms={"message": '{"kind": "text"}', "needs_approval": 1})
    record = desk.ledger.plan(desk.campaign(), "text", everybody(count), order=order)
    assert record.state is desk.state() is CampaignState.READY
    with desk.ledger._database.transaction() as connection:
        row = connection.execute(select(campaigns)).one()
    assert (row.message, row.needs_approval, row.total) == ('{"kind": "text"}', 1, count)
    assert (row.planner, row.plan_until) == (None, None)


def test_a_row_that_says_no_is_written_down_and_not_rendered(desk: Desk) -> None:
    def judge(row: Any) -> Exclusion | None:
        return (
            None if row.values["agreed"] == "yes" else Exclusion("no consent", "no consent in the audience")
        )

    audience = [{"phone": number(0), "agreed": "yes", "name": "Ada"}, {"phone": number(1), "agreed": ""}]
    record = plan(desk, audience, judge=judge)
    assert desk.counts(record) == {"planned": 1, "suppressed": 1}
    assert desk.ledger.left_out(record) == {"no consent": 1}
    (out,) = desk.in_state(record, DeliveryState.SUPPRESSED)
    assert (out.recipient, out.code, out.reason) == (number(1), "no consent", "no consent in the audience")


def test_what_an_audience_holds_comes_back_as_it_was(desk: Desk) -> None:
    """Whatever way many rows take into a database."""
    odd = ["Zoë 🎉", 'a "quote" \\ and a \\u0041', "tab\tand\nline", "null", "", "{}", "%s :name ?"]
    audience = [*rows(BATCH), *({"phone": number(5000 + i), "name": name} for i, name in enumerate(odd))]
    record = plan(desk, audience)
    tasks = take(desk, record, len(audience))[BATCH:]
    template = MessageTemplate("Hi {{ name }}")
    texts = [template.render(json.loads(task.variables)).body for task in tasks]  # type: ignore[union-attr]
    assert texts == [f"Hi {name}" for name in odd]
