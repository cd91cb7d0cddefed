"""What a long audience takes: no more memory than a short one, on its way into the ledger and in a preview."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from tests.campaigns.support import Desk, number
from tests.campaigns.virtual_time import Time
from whatsapp_provider.campaigns.audience import AudienceOptions, Findings, Policy, people
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.planning import Order
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Counts
from whatsapp_provider.campaigns.plan import make_plan, preview
from whatsapp_provider.campaigns.readers import Row
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.seen import SeenOnDisk

FEW, MANY = 200, 2000


def audience(count: int) -> Iterator[Row]:
    return (
        Row(f"people.csv, line {index + 2}", {"phone": number(index), "name": f"N{index}"})
        for index in range(count)
    )


def peak(work: Callable[[], object]) -> int:
    """Return how much memory was taken at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def of_plan(desk: Desk, count: int) -> Callable[[], object]:
    def work() -> None:
        campaign, template, order = (
            desk.campaign(f"of {count}"),
            MessageTemplate("Hi {{ name }}"),
            Order(batch=50),
        )
        plan = make_plan(desk.ledger, campaign, template, audience(count), AudienceOptions(), order=order)
        assert plan.preview.count == count

    return work


def of_preview(_desk: Desk, count: int) -> Callable[[], object]:
    return lambda: preview(MessageTemplate("Hi {{ name }}"), audience(count), AudienceOptions())


def of_second_reading(desk: Desk, count: int) -> Callable[[], object]:
    of_plan(desk, count)()
    return of_plan(desk, count)


def of_bad_rows(desk: Desk, count: int) -> Callable[[], object]:
    bad = (Row(row.place, {"phone": "x", "name": ""}) for row in audience(count))

    def work() -> None:
        with pytest.raises(Exception, match=f"^{count} rows of the audience"):
            make_plan(desk.ledger, desk.campaign(), MessageTemplate("Hi"), bad, AudienceOptions())

    return work


@pytest.mark.parametrize("of", [of_plan, of_second_reading, of_preview, of_bad_rows])
def test_ten_times_as_many_people_take_no_more_memory(
    desk: Desk, of: Callable[[Desk, int], Callable[[], object]]
) -> None:
    of(desk, 60)()  # what is made once: statements, tables of numbers
    few, many = peak(of(desk, FEW)), peak(of(desk, MANY))
    assert many < 1.3 * few


class SlowToCount(Ledger):
    """A ledger of so many people that a count of them takes half a second."""

    counted = 0

    def counts(self, record: CampaignRecord) -> Counts:
        self.counted += 1
        self.time.now += 0.5
        return super().counts(record)

    def __init__(self, url: str, time: Time) -> None:
        super().__init__(url, clock=time.database)
        self.time = time


def test_a_run_counts_so_rarely_that_counting_takes_no_time_to_speak_of(desk: Desk, url: str) -> None:
    desk.phones.seconds = 1.0
    campaign, ledger = desk.campaign(concurrency=1), SlowToCount(url, desk.time)
    try:
        desk.run(desk.plan(200, campaign), campaign, ledger=ledger)
    finally:
        ledger.dispose()
    assert desk.time.now > 1200
    # At the begin, at the end, and for a fiftieth of the time between.
    assert 200 / 25 - 1 <= ledger.counted <= 200 / 25 + 3


def test_a_preview_finds_who_comes_again_without_keeping_anybody() -> None:
    seen = SeenOnDisk()
    rows = [*audience(30), *audience(3)]
    options = AudienceOptions(on_duplicate=Policy.SKIP)
    findings = Findings(options)
    assert len(list(people(rows, options, findings, seen))) == 30
    assert findings.counts == {"duplicate": 3}
    assert seen.setdefault(number(2), 99) == 3
    assert seen.setdefault("somebody", 99) == 99
