"""Planning: all or nothing, once, and found again."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.campaigns.support import Desk, entry, number
from whatsapp_provider.campaigns.audience import AudienceOptions, Policy
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Planned
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.plan import body_hash, plan_campaign, preview
from whatsapp_provider.campaigns.readers import rows_of
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.errors import CampaignMismatchError, InputError, TemplateError
from whatsapp_provider.model import ChannelRef

ROWS = [{"phone": number(index), "name": f"N{index}"} for index in range(5)]


def plan(desk: Desk, rows: list[Any] = ROWS, text: Any = "Hi {{ name }}", **options: Any) -> CampaignRecord:
    campaign = options.pop("campaign", None) or desk.campaign()
    read = rows_of(rows, recipient_field="phone")
    return plan_campaign(desk.ledger, campaign, MessageTemplate(text), read, AudienceOptions(**options))


def test_the_same_plan_again_finds_the_campaign(desk: Desk) -> None:
    first, second = plan(desk), plan(desk)
    assert (first.fresh, second.fresh) == (True, False)
    assert (first.id, desk.counts(second)) == (second.id, {"planned": 5})


def test_the_order_of_the_audience_does_not_matter(desk: Desk) -> None:
    plan(desk)
    shuffled = random.Random(3).sample(ROWS, len(ROWS))
    assert not plan(desk, shuffled).fresh


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": ROWS[:4]},
        {"rows": [*ROWS, {"phone": number(9), "name": "N9"}]},
        {"rows": [*ROWS[:4], {"phone": number(4), "name": "changed"}]},
        {"text": "Ho {{ name }}"},
    ],
)
def test_another_audience_or_template_under_the_same_id_is_refused(
    desk: Desk, changes: dict[str, Any]
) -> None:
    record = plan(desk)
    with pytest.raises(CampaignMismatchError, match="with another audience or template"):
        plan(desk, **changes)
    assert desk.counts(record) == {"planned": 5}


def test_another_channel_under_the_same_id_is_refused(desk: Desk) -> None:
    plan(desk)
    with pytest.raises(
        CampaignMismatchError, match=r"planned for channel 'whapi/TESTER-1', not 'whapi/OTHER'"
    ):
        plan(desk, campaign=desk.campaign(channel=ChannelRef("whapi", "OTHER")))


def test_everything_is_rendered_before_anything_is_planned(desk: Desk) -> None:
    rows = [*ROWS, {"phone": number(8)}]
    with pytest.raises(TemplateError, match=r"row 6: message\.body: 'name' is undefined"):
        plan(desk, rows)
    assert desk.ledger.find("spring") is None
    assert plan(desk).fresh


def test_a_media_file_that_is_not_there_is_told_before_anything_is_planned(desk: Desk) -> None:
    with pytest.raises(InputError, match=r"row 1: media file 'N0\.png' is not on this worker"):
        plan(desk, text={"kind": "image", "media": {"file": "/nowhere/{{ name }}.png"}})
    assert desk.ledger.find("spring") is None


def test_an_audience_is_read_without_holding_the_ledger(desk: Desk) -> None:
    """A slow file or query must not keep other campaigns from sending."""
    other, others = desk.open_ledger(), []

    def slow() -> Iterator[Planned]:
        for index in range(3):
            others.append(other.plan(desk.campaign(f"other {index}"), "text", [entry(index)]))
            yield entry(index)

    desk.ledger.plan(desk.campaign(), "text", slow())
    assert [record.fresh for record in others] == [True, True, True]


def test_two_planners_at_once_make_one_campaign(desk: Desk) -> None:
    start = Barrier(4)
    ledgers = [desk.open_ledger() for _ in range(4)]

    def go(ledger: Any) -> CampaignRecord:
        start.wait()
        return ledger.plan(desk.campaign(), "text", [entry(index) for index in range(2500)])

    with ThreadPoolExecutor(4) as pool:
        records = list(pool.map(go, ledgers))
    assert sorted(record.fresh for record in records) == [False, False, False, True]
    assert desk.counts(records[0]) == {"planned": 2500}


def test_two_planners_of_different_campaigns_under_one_id_have_one_winner(desk: Desk) -> None:
    start = Barrier(2)

    def go(count: int) -> object:
        ledger = desk.open_ledger()
        start.wait()
        try:
            return ledger.plan(desk.campaign(), "text", [entry(index) for index in range(count)])
        except CampaignMismatchError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(go, (1200, 1300)))
    assert sum(isinstance(end, CampaignMismatchError) for end in ends) == 1
    (record,) = [end for end in ends if isinstance(end, CampaignRecord)]
    assert desk.counts(record)["planned"] in {1200, 1300}


def test_fresh_workers_at_an_empty_database_make_its_tables_once(desk: Desk) -> None:
    start = Barrier(5)

    def go(_: int) -> bool:
        ledger = desk.open_ledger()
        start.wait()
        ledger.prepare()
        return ledger.find("nothing") is None

    with ThreadPoolExecutor(5) as pool:
        assert all(pool.map(go, range(5)))


def test_a_long_id_is_kept_apart_from_others_that_begin_alike(desk: Desk) -> None:
    long, longer = "x" * 400, "x" * 401
    first = plan(desk, campaign=desk.campaign(long))
    second = plan(desk, campaign=desk.campaign(longer))
    assert first.id != second.id
    found = desk.ledger.find(long)
    assert found is not None
    assert (found.id, found.campaign_id, len(found.campaign_id)) == (first.id, first.campaign_id, 200)


def test_values_come_back_from_the_ledger_as_they_were_rendered(desk: Desk) -> None:
    """A tuple becomes a list, a key a text: the plan renders what the send will render."""
    rows = [{"phone": number(0), "items": ("tea", "milk"), "prices": {1: "a", 0: "b"}, "name": "Zoë 🎉"}]
    record = plan(desk, rows, "{{ name }} {{ items }} {{ prices }}")
    lease = desk.ledger.begin(record, label="", seconds=10)
    (task,) = desk.ledger.turn(lease, [], places=1, pace=desk.campaign().pace).tasks
    assert json.loads(task.variables)["prices"] == {"0": "b", "1": "a"}
    message = MessageTemplate("{{ name }} {{ items }} {{ prices }}").render(json.loads(task.variables))
    assert body_hash(message) == task.body_hash


def test_who_is_left_out_is_counted_in_the_ledger(desk: Desk) -> None:
    rows = [*ROWS, ROWS[0], {"phone": "Ada", "name": "x"}]
    record = plan(desk, rows, on_invalid=Policy.SKIP, on_duplicate=Policy.SKIP)
    assert desk.ledger.left_out(record) == {"invalid recipient": 1, "duplicate": 1}


def test_recipients_keep_the_order_of_the_audience(desk: Desk) -> None:
    record = plan(desk, list(reversed(ROWS)))
    entries = desk.ledger.entries(record, DeliveryState.PLANNED)
    assert [item.recipient for item in entries] == [number(index) for index in (4, 3, 2, 1, 0)]


def test_a_preview_checks_all_and_writes_nothing(desk: Desk) -> None:
    read = rows_of([*ROWS, ROWS[0]], recipient_field="phone")
    shown = preview(
        MessageTemplate("Hi {{ name }}"), read, AudienceOptions(on_duplicate=Policy.SKIP), samples=2
    )
    assert (shown.count, shown.left_out) == (5, {"duplicate": 1})
    assert [(masked, message.body) for masked, message in shown.samples] == [
        ("…0000", "Hi N0"),
        ("…0001", "Hi N1"),
    ]  # type: ignore[union-attr]
    assert "N0" not in repr(shown)
    with pytest.raises(TemplateError, match="row 1"):
        preview(MessageTemplate("{{ nobody }}"), rows_of(ROWS, recipient_field="phone"), AudienceOptions())
