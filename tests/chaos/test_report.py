"""What makes a run fail, and that it can be run again."""

from __future__ import annotations

import pytest

from tests.chaos.judge import Verdict
from tests.chaos.kills import Kill, Schedule
from tests.chaos.report import Report
from tests.chaos.settings import ChaosSettings
from tests.chaos.weather import faults

#: The keys that whoever reads ``build/chaos.json`` relies on.
KEYS = {
    "kills",
    "kills_during_send",
    "recipients",
    "twice",
    "lost",
    "in_doubt_max_per_kill",
    "concurrency",
    "in_doubt_by_faults",
    "in_doubt_resent",
    "unsettled",
    "seconds",
    "seed",
}


def settings(**changes: int | str) -> ChaosSettings:
    given = {
        "kills": 2,
        "recipients": 100,
        "workers": 4,
        "database": "sqlite",
        "gateway": "whapi",
        "seed": 7,
        "limit": 60.0,
    }
    return ChaosSettings(**{**given, **changes})  # type: ignore[arg-type]  # values of several types


def kill(held: int, victims: int = 1) -> Kill:
    return Kill("c1", 0.0, victims, tuple(f"1555000000{number}" for number in range(held)), 5 * victims)


def report(*kills: Kill, during_send: int = 1, verdict: Verdict | None = None) -> Report:
    return Report(settings(), list(kills), during_send, {"c1": verdict or Verdict()})


def test_a_run_in_which_nothing_is_wrong_passes() -> None:
    good = report(kill(3), kill(5))
    assert good.failures() == []
    assert good.to_dict()["ok"] is True
    assert good.to_dict().keys() >= KEYS


@pytest.mark.parametrize("wrong", ["twice", "lost", "unsettled", "misstated", "unreached"])
def test_one_person_with_whom_something_is_wrong_fails_the_run_and_is_masked(wrong: str) -> None:
    bad = report(kill(3), kill(5), verdict=Verdict(**{wrong: ["15550001234"]}))
    assert bad.failures() == [f"c1: 1 {wrong}: …1234"]
    assert (bad.to_dict()[wrong], bad.to_dict()["ok"]) == (1, False)


def without_history(*, held: int, doubted: int, settled: int = 0) -> Report:
    people = [f"1555000{number:04d}" for number in range(held)]
    found = Report(settings(gateway="waabot"), [kill(3), kill(5)], 1, {"c1": Verdict(unsettled=people)})
    found.diary["doubt"] = doubted
    if settled:
        found.settled["planned"] = settled
    return found


def test_without_a_history_doubts_that_are_held_are_told_and_pass() -> None:
    good = without_history(held=12, doubted=6)
    assert good.failures() == []
    assert good.to_dict()["unsettled"] == 12


def test_without_a_history_nothing_settles_a_doubt_and_nothing_sends_it_again() -> None:
    bad = without_history(held=3, doubted=6, settled=2)
    assert bad.failures() == ["Doubts were settled without a history: {'planned': 2}."]


def test_without_a_history_more_are_not_held_than_were_put_in_doubt() -> None:
    assert without_history(held=12, doubted=3).failures() == [
        "12 are held, and kills, faults and freezes put 11 in doubt at the most."
    ]


def test_without_a_history_whoever_was_suspended_may_have_left_doubts_too() -> None:
    good = without_history(held=12, doubted=3)
    good.freezes = 1
    assert good.failures() == []


def test_more_in_doubt_after_one_kill_than_the_killed_may_send_at_once_fails_the_run() -> None:
    bad = report(kill(11, victims=4), kill(6))
    assert bad.failures() == ["c1: a kill left 6 in doubt, 5 are allowed"]
    # The worst kill is told, not the one with the most people.
    assert (bad.to_dict()["in_doubt_max_per_kill"], bad.to_dict()["concurrency"]) == (6, 5)


def test_kills_that_rarely_meet_a_send_prove_too_little() -> None:
    assert report(kill(3), kill(5), during_send=0).failures() == ["Only 0 of 2 kills met a send under way."]


def test_fewer_kills_than_were_asked_for_prove_too_little() -> None:
    assert report(kill(3)).failures() == ["1 kills were made of 2."]


def test_a_seed_repeats_the_faults_the_moments_and_the_victims() -> None:
    def decided(seed: int) -> list[object]:
        chosen = settings(seed=seed)
        schedule = Schedule(chosen)
        drawn: list[object] = [fault.as_dict() for fault in faults(chosen)]
        for total in range(0, 1000, 100):
            schedule.plan_next(total)
            drawn += [
                schedule.next_at,
                schedule.hesitation(),
                schedule.victims([0, 1, 3]),
                schedule.frozen([2]),
            ]
        return drawn

    assert decided(7) == decided(7)
    assert decided(7) != decided(8)


def test_all_workers_are_killed_at_once_now_and_then() -> None:
    schedule = Schedule(settings())
    sizes = {len(schedule.victims([0, 1, 2, 3])) for _ in range(200)}
    assert sizes == {1, 4}


def test_a_worker_is_suspended_now_and_then_mostly_for_longer_than_its_lease() -> None:
    schedule = Schedule(settings())
    lengths = [frozen[1] for _ in range(500) if (frozen := schedule.frozen([0, 1]))]
    assert 0 < len(lengths) < 250
    assert sum(length > settings().lease_seconds for length in lengths) > len(lengths) / 2
    assert schedule.frozen([]) is None


@pytest.mark.parametrize(
    "wrong", [{"database": "oracle"}, {"gateway": "pigeon"}, {"kills": 0}, {"recipients": 0}, {"workers": 0}]
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, int | str]) -> None:
    with pytest.raises(ValueError, match=r"is one of|at the least"):
        settings(**wrong)
