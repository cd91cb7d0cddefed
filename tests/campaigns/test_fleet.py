"""A campaign over several channels: each goes at its own pace, everybody gets one message, all end alike."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from tests.campaigns.fleets import A, B, C, Harbour, everyone
from tests.campaigns.support import Desk, Phones, number
from whatsapp_provider.campaigns.campaign import OnInDoubt
from whatsapp_provider.campaigns.ledger.control import By
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.outcome import Ending, Outcome
from whatsapp_provider.campaigns.pacing import Pace, Window
from whatsapp_provider.campaigns.report import report
from whatsapp_provider.errors import CampaignMismatchError, ConfigurationError, LeaseLostError, LedgerError

HOURLY = Pace("hourly", (Window(5, 3600.0),))


@pytest.fixture
def harbour(desk: Desk) -> Harbour:
    return Harbour(desk)


def test_everybody_gets_one_message_through_the_channel_that_the_plan_gave_them(desk: Desk) -> None:
    harbour = Harbour(desk, [A, B, C])
    record = harbour.plan(60)
    planned = harbour.people(record)
    assert all(len(people) > 8 for people in planned.values()), "spread over all"
    outcome = harbour.run(record)
    assert (outcome.ending, outcome.reason, desk.state()) == (Ending.FINISHED, "", CampaignState.FINISHED)
    assert {key: set(phones.received) for key, phones in harbour.phones.items()} == planned
    assert harbour.received() == everyone(60)


def test_each_channel_goes_at_its_own_pace(desk: Desk, harbour: Harbour) -> None:
    record = harbour.plan(40)
    harbour.paces[A.key()] = Pace("minutely", (Window(5, 60.0),))
    begun, ends = desk.time.now, {}
    for channel in (A, B):
        key = channel.key()
        harbour.of(channel).at_send.append(lambda key=key: ends.update({key: desk.time.now - begun}))
    assert harbour.run(record).ending is Ending.FINISHED
    slow = len(harbour.of(A).received)
    assert ends[B.key()] < 5
    assert ends[A.key()] == pytest.approx((slow - 1) // 5 * 60, abs=5)


def test_channels_send_side_by_side_each_with_its_own_concurrency(harbour: Harbour) -> None:
    record = harbour.plan(40)
    for phones in harbour.phones.values():
        phones.seconds = 1.0
    assert harbour.run(record).ending is Ending.FINISHED
    assert [phones.most_under_way for phones in harbour.phones.values()] == [5, 5]


def test_who_waits_for_its_pace_goes_on_while_another_is_at_work(desk: Desk, harbour: Harbour) -> None:
    """The slow channel's run ends to wait; the fleet begins it again when its moment has come."""
    record = harbour.plan(40)
    harbour.paces[A.key()] = Pace("slow", (Window(5, 120.0),))
    harbour.of(B).seconds = 300.0
    slow = len(harbour.people(record)[A.key()])
    begun = desk.time.now
    outcome = harbour.run(record, patience=60.0, send_timeout=400.0)
    assert outcome.ending is Ending.FINISHED
    assert desk.time.now - begun < (slow // 5 + 1) * 120 + 1300
    assert harbour.received() == everyone(40)


def test_when_all_wait_the_run_waits_for_the_first_of_them(desk: Desk, harbour: Harbour) -> None:
    record = harbour.plan(60)
    harbour.paces = {A.key(): HOURLY, B.key(): Pace("daily", (Window(5, 86_400.0),))}
    outcome = harbour.run(record, patience=60.0)
    assert (outcome.ending, outcome.reason) == (Ending.WAITING, "5 in 1 hour")
    assert outcome.seconds == pytest.approx(3600, abs=10)
    assert len(harbour.received()) == 10
    desk.time.now += outcome.seconds
    outcome = harbour.run(record, patience=60.0, resumed=True)
    assert (outcome.ending, outcome.seconds) == (Ending.WAITING, pytest.approx(3600, abs=10))
    assert (len(harbour.of(A).received), len(harbour.of(B).received)) == (10, 5)


def test_a_short_wait_of_all_is_waited_for_in_the_run(desk: Desk, harbour: Harbour) -> None:
    record = harbour.plan(30)
    harbour.paces = dict.fromkeys(harbour.phones, Pace("minutely", (Window(5, 50.0),)))
    assert harbour.run(record, patience=60.0).ending is Ending.FINISHED
    assert harbour.received() == everyone(30)


@pytest.mark.parametrize(
    ("word", "ending"), [("pause", Ending.WAITING), ("cancel", Ending.CANCELLED), ("expire", Ending.EXPIRED)]
)
def test_a_persons_word_stops_all_channels_alike(
    desk: Desk, harbour: Harbour, word: str, ending: Ending
) -> None:
    record = harbour.plan(200)
    for phones in harbour.phones.values():
        phones.seconds = 1.0

    async def said() -> Ending:
        job = asyncio.create_task(harbour.fleet(record, patience=60.0).run())
        await asyncio.sleep(5)
        getattr(desk.ledger, word)("spring", By("ana"))
        at_that_moment = sum(len(phones.calls) for phones in harbour.phones.values())
        outcome = await job
        assert sum(len(phones.calls) for phones in harbour.phones.values()) == at_that_moment
        return outcome.ending

    assert desk.time.run(said()) is ending
    assert set(harbour.received().values()) == {1}
    assert not {"sending", "in_doubt"} & desk.counts(record).keys()


def test_a_held_campaign_goes_on_over_all_channels_when_it_is_let_go(desk: Desk, harbour: Harbour) -> None:
    record = harbour.plan(20)
    desk.ledger.pause("spring", By("ana"))
    outcome = harbour.run(record, patience=60.0)
    assert (outcome.ending, outcome.until_let_go) == (Ending.WAITING, True)
    desk.ledger.unpause("spring", By("ana"))
    assert harbour.run(record, patience=60.0, resumed=True).ending is Ending.FINISHED
    assert harbour.received() == everyone(20)


def test_a_stop_stops_all_and_the_next_run_sends_the_rest(desk: Desk, harbour: Harbour) -> None:
    record = harbour.plan(100)
    for phones in harbour.phones.values():
        phones.seconds = 1.0

    async def stopped() -> Ending:
        fleet = harbour.fleet(record)
        job = asyncio.create_task(fleet.run())
        await asyncio.sleep(3.5)
        fleet.stop()
        asked = desk.time.now
        outcome = await job
        assert desk.time.now - asked < fleet.drain_seconds + 1
        return outcome.ending

    assert desk.time.run(stopped()) is Ending.STOPPED
    assert set(desk.counts(record)) == {"accepted", "planned"}
    assert harbour.run(record).ending is Ending.FINISHED
    assert harbour.received() == everyone(100)


def test_a_stop_before_the_run_and_in_a_wait_is_heard(desk: Desk, harbour: Harbour) -> None:
    record = harbour.plan(10)
    fleet = harbour.fleet(record)
    fleet.stop()
    assert desk.time.run(fleet.run()).ending is Ending.STOPPED
    harbour.paces = dict.fromkeys(harbour.phones, Pace("minutely", (Window(1, 50.0),)))

    async def stopped() -> Ending:
        fleet = harbour.fleet(record, patience=60.0)
        job = asyncio.create_task(fleet.run())
        await asyncio.sleep(20)
        fleet.stop()
        asked = desk.time.now
        outcome = await job
        assert desk.time.now - asked < 1
        return outcome.ending

    assert desk.time.run(stopped()) is Ending.STOPPED


@pytest.mark.parametrize("moment", range(1, 17, 3))
def test_killed_at_any_commit_few_are_in_doubt_and_nobody_is_lost_or_doubled(
    desk: Desk, open_ledger: Callable[..., Ledger], moment: int
) -> None:
    """The ledger asks for the time in each turn; from the nth on it is as if the process was gone."""
    harbour = Harbour(desk)
    record = harbour.plan(24)
    for phones in harbour.phones.values():
        phones.seconds = 0.5
    commits: list[int] = []

    def clock() -> float:
        commits.append(1)
        if len(commits) >= moment:
            raise LedgerError("killed here")
        return desk.time.database()

    with pytest.raises(LedgerError, match="killed here"):
        harbour.run(record, ledger=open_ledger(clock=clock))
    desk.time.now += 100
    assert harbour.run(record, ledger=open_ledger()).ending is Ending.FINISHED
    doubtful = {entry.recipient for entry in desk.in_state(record, DeliveryState.IN_DOUBT)}
    assert len(doubtful) <= 10
    assert set(harbour.received().values()) == {1}
    assert everyone(24).keys() - harbour.received().keys() <= doubtful


def test_two_processes_may_run_the_whole_fleet_side_by_side(
    desk: Desk, harbour: Harbour, open_ledger: Callable[..., Ledger]
) -> None:
    record = harbour.plan(120)
    others = {key: Phones(seconds=0.4) for key in harbour.phones}
    for phones in harbour.phones.values():
        phones.seconds = 0.3

    async def both() -> list[Ending]:
        fleets = [harbour.fleet(record), harbour.fleet(record, ledger=open_ledger(), phones=others)]
        return [outcome.ending for outcome in await asyncio.gather(*(fleet.run() for fleet in fleets))]

    assert desk.time.run(both()) == [Ending.FINISHED, Ending.FINISHED]
    theirs = sum((phones.received for phones in others.values()), harbour.received())
    assert theirs == everyone(120)
    assert min(len(phones.received) for phones in (*others.values(), *harbour.phones.values())) > 10


def test_a_failure_of_one_channels_run_stops_all_and_is_told(desk: Desk, harbour: Harbour) -> None:
    record = harbour.plan(100)
    for phones in harbour.phones.values():
        phones.seconds = 1.0

    def lose() -> None:
        if len(harbour.of(A).calls) == 8:
            # The machine slept for longer than a lease lasts, and another run took over.
            desk.time.slept += 1000

    harbour.of(A).at_send.append(lose)

    async def fails() -> list[int]:
        with pytest.raises(LeaseLostError):
            await harbour.fleet(record).run()
        assert all(phones.under_way == 0 for phones in harbour.phones.values())
        calls = [len(phones.calls) for phones in harbour.phones.values()]
        await asyncio.sleep(60)
        return [
            len(phones.calls) - before for phones, before in zip(harbour.phones.values(), calls, strict=True)
        ]

    assert desk.time.run(fails()) == [0, 0]
    assert set(harbour.received().values()) == {1}


def test_who_goes_on_after_its_wait_does_not_end_the_pause_of_another_run(
    desk: Desk, harbour: Harbour
) -> None:
    record = harbour.plan(30)
    harbour.paces[A.key()] = Pace("slow", (Window(1, 65.0),))
    harbour.of(B).seconds = 300.0

    async def paused() -> Outcome:
        job = asyncio.create_task(harbour.fleet(record, patience=60.0, send_timeout=400.0).run())
        await asyncio.sleep(10)
        desk.ledger.set_state(record, CampaignState.PAUSED, "its gateway is gone")
        return await job

    outcome = desk.time.run(paused())
    assert (outcome.ending, desk.state()) == (Ending.PAUSED, CampaignState.PAUSED)
    assert "Another run paused the campaign" in outcome.reason
    assert len(harbour.of(A).received) == 1


def test_another_pool_under_the_same_id_is_refused(desk: Desk, harbour: Harbour) -> None:
    harbour.plan(5)
    with pytest.raises(CampaignMismatchError, match="for several channels, not 'whapi/A', 'whapi/C'"):
        Harbour(desk, [A, C]).plan(5)
    with pytest.raises(CampaignMismatchError, match="for several channels, not 'whapi/A'"):
        desk.plan(5, desk.campaign(channel=A))
    assert not Harbour(desk, [B, A]).plan(5).fresh, "their order does not count"


def test_a_channel_twice_and_a_fleet_without_all_channels_are_refused(desk: Desk, harbour: Harbour) -> None:
    with pytest.raises(ConfigurationError, match="one is named twice"):
        Harbour(desk, [A, B, A])
    record = harbour.plan(5)
    with pytest.raises(ConfigurationError, match="needs all of them"):
        harbour.fleet(record, phones={A.key(): Phones()})


def test_what_is_in_doubt_is_sent_again_by_its_own_channel_where_that_is_asked_for(desk: Desk) -> None:
    harbour = Harbour(desk, on_in_doubt=OnInDoubt.RESEND)
    record = harbour.plan(20)
    planned = harbour.people(record)
    for phones in harbour.phones.values():
        phones.answer = lambda _recipient, attempt: ValueError("lost") if attempt == 1 else None
        phones.answer = _once(phones.answer)
    assert harbour.run(record).ending is Ending.FINISHED
    assert harbour.received() == everyone(20)
    assert {key: set(phones.received) for key, phones in harbour.phones.items()} == planned


def _once(answer: Callable[[str, int], object]) -> Callable[[str, int], object]:
    """Two people of each channel meet it."""
    met: set[str] = set()

    def some(recipient: str, attempt: int) -> object:
        if len(met) < 2:
            met.add(recipient)
        return answer(recipient, attempt) if recipient in met else None

    return some


def test_progress_and_report_tell_of_all_channels(
    desk: Desk, harbour: Harbour, caplog: pytest.LogCaptureFixture
) -> None:
    record = harbour.plan(30)
    fleet = harbour.fleet(record)
    with caplog.at_level(logging.INFO):
        desk.time.run(fleet.run())
    assert (fleet.progress.total, fleet.progress.settled, fleet.progress.sent) == (30, 30, 30)
    told = report(desk.ledger, record)["channels"]
    assert told == {
        key: {"sent": len(phones.received), "open": 0, "stopped": None}
        for key, phones in harbour.phones.items()
    }
    assert number(0) not in caplog.text
