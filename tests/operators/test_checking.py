"""Number checks in batches, and the file of their answers: nothing is asked twice, and nothing known is lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from whatsapp_provider.errors import (
    ConfigurationError,
    NoAnswerError,
    RateLimitedError,
    TemporarilyUnavailableError,
)
from whatsapp_provider.model import NumberCheck
from whatsapp_provider.operators.checking import (
    COLUMNS,
    DAY,
    LONGEST_WAIT,
    MOST_WAITS,
    WAIT,
    Answers,
    Budget,
    check_in_batches,
)

NUMBERS = [f"1555000000{last}" for last in range(7)]
NOW = 1_900_000_000.0
LOG = logging.getLogger("checking")


class Desk:
    """A gateway that answers by a list of failures, and what was done meanwhile."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.asked: list[list[str]] = []
        self.slept: list[float] = []
        self.kept: list[str] = []

    def ask(self, batch: Sequence[str]) -> Sequence[NumberCheck]:
        self.asked.append(list(batch))
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        return [check(number) for number in batch]

    def keep(self, found: Sequence[NumberCheck]) -> None:
        self.kept += [one.number for one in found]

    def run(self, budget: Budget) -> None:
        check_in_batches(self.ask, NUMBERS, budget, self.keep, sleep=self.slept.append, log=LOG)


def check(number: str) -> NumberCheck:
    return NumberCheck(number, not number.endswith("3"), f"{number}@s.whatsapp.net")


def test_batches_are_as_large_and_as_far_apart_as_said() -> None:
    desk = Desk()
    desk.run(Budget(checks=100, batch_size=3, pause=10))
    assert desk.asked == [NUMBERS[:3], NUMBERS[3:6], NUMBERS[6:]]
    assert desk.slept == [10, 10]
    assert Budget(checks=100, batch_size=3, pause=10).seconds(len(NUMBERS)) == 20


@pytest.mark.parametrize("checks", [0, 1, 3, 4, 7])
def test_no_more_is_asked_than_the_budget_allows(checks: int) -> None:
    desk = Desk()
    desk.run(Budget(checks=checks, batch_size=3, pause=0))
    assert desk.kept == NUMBERS[:checks]


@pytest.mark.parametrize(("told", "waited"), [(7.0, 7.0), (None, WAIT), (LONGEST_WAIT, LONGEST_WAIT)])
def test_a_gateway_that_asks_to_wait_is_waited_for(told: float | None, waited: float) -> None:
    desk = Desk(RateLimitedError("later", retry_after=told))
    desk.run(Budget(checks=3, batch_size=3, pause=10))
    assert desk.slept == [waited]
    assert desk.kept == NUMBERS[:3]


@pytest.mark.parametrize(
    ("failures", "slept"),
    [
        ([RateLimitedError("later", retry_after=LONGEST_WAIT + 1)], []),
        ([RateLimitedError("later", retry_after=1.0)] * (MOST_WAITS + 1), [1.0] * MOST_WAITS),
        ([NoAnswerError("gone")], []),
        ([TemporarilyUnavailableError("502")], []),
    ],
    ids=["too long", "too often", "another failure", "no time told"],
)
def test_what_waiting_does_not_cure_ends_it(failures: list[Exception], slept: list[float]) -> None:
    desk = Desk(None, *failures)
    with pytest.raises(type(failures[0])):
        desk.run(Budget(checks=100, batch_size=3, pause=0))
    assert desk.slept == [0, *slept]
    assert desk.kept == NUMBERS[:3]  # before it failed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "checked.csv"


def answers(path: Path, *, max_age: float | None = None, now: float = NOW) -> Answers:
    return Answers.at(str(path), max_age=max_age, now=now)


def test_what_the_file_has_is_known_again(path: Path) -> None:
    first = answers(path)
    first.keep({number: check(number) for number in NUMBERS[2:4]}, at=NOW)
    again = answers(path)
    assert [again.exists(number) for number in NUMBERS[1:5]] == [None, True, False, None]
    assert path.read_text().splitlines()[:2] == [
        "phone,on_whatsapp,chat_id,checked_at",
        "+15550000002,yes,15550000002@s.whatsapp.net,2030-03-17T17:46:40+00:00",
    ]


def test_a_number_is_known_in_whatever_form_it_was_asked(path: Path) -> None:
    answers(path).keep({"5511990000001": NumberCheck("551190000001", True)}, at=NOW)
    assert "+551190000001" in path.read_text()
    assert answers(path).exists("5511990000001") is True


def test_an_answer_can_be_too_old_and_still_counts_against_the_day(path: Path) -> None:
    answers(path).keep({NUMBERS[0]: check(NUMBERS[0])}, at=NOW)
    later = answers(path, max_age=DAY / 2, now=NOW + DAY / 2 + 1)
    assert later.exists(NUMBERS[0]) is None
    assert NUMBERS[0] in answers(path, max_age=DAY / 2, now=NOW + DAY / 2)
    assert (later.made_since(NOW - 1), later.made_since(NOW + 1)) == (1, 0)


@pytest.mark.parametrize(
    "text",
    [
        "phone,name\n",
        f"{','.join(COLUMNS)},name\n+15550000001,yes,,2030-01-01T00:00:00+00:00,Ada\n",
        f"{','.join(COLUMNS)}\n+15550000001,maybe,,2030-01-01T00:00:00+00:00\n",
        f"{','.join(COLUMNS)}\n+15550000001,yes,,yesterday\n",
        f"{','.join(COLUMNS)}\n+15550000001\n",
        f"{','.join(COLUMNS)}\nnobody,yes,,2030-01-01T00:00:00+00:00\n",
        "\udcff",
    ],
    ids=["another file", "a column more", "no word", "no moment", "half a line", "no number", "no text"],
)
def test_a_file_that_is_something_else_is_refused_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    place = tmp_path / "people.csv"
    place.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigurationError) as refused:
        answers(place)
    assert "15550000001" not in str(refused.value)
    assert place.read_bytes() == text.encode(errors="surrogateescape")


def test_a_file_is_written_whole_or_not_at_all(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = answers(path)
    known.keep({NUMBERS[0]: check(NUMBERS[0])}, at=NOW)
    before = path.read_text()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    from fsspec.implementations.local import LocalFileOpener

    write: Callable[..., int] = LocalFileOpener.write
    monkeypatch.setattr(LocalFileOpener, "write", lambda self, data: (write(self, data[:9]), killed())[0])
    with pytest.raises(KeyboardInterrupt):
        known.keep({NUMBERS[1]: check(NUMBERS[1])}, at=NOW)
    assert path.read_text() == before


def test_a_storage_that_there_is_not_is_said_without_its_secrets() -> None:
    with pytest.raises(ConfigurationError, match="nosuch://"):
        Answers.at("nosuch://bucket/checked.csv", max_age=None, now=NOW)
