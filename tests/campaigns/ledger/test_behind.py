"""Work that is done one step behind: in its order, with its failures, and with something to do meanwhile."""

from __future__ import annotations

from threading import Event

import pytest

from whatsapp_provider.campaigns.ledger.behind import Behind

NEVER = 3600.0


def test_items_are_handled_in_their_order_and_their_results_come_back() -> None:
    work = Behind(lambda item: item * item, lambda: None, NEVER)
    results = [result for item in range(20) for result in work.put(item)]
    assert [*results, *work.finish()] == [item * item for item in range(20)]


def test_what_goes_wrong_is_raised_to_whoever_hands_in_more_and_nothing_follows_it() -> None:
    handled: list[int] = []

    def handle(item: int) -> None:
        handled.append(item)
        if item == 2:
            raise ValueError("no")

    work = Behind(handle, lambda: None, NEVER)
    with pytest.raises(ValueError, match="no"):
        list(map(work.put, range(20)))
    with pytest.raises(ValueError, match="no"):
        work.finish()
    assert handled == [0, 1, 2]


def test_a_failure_of_the_last_item_is_raised_at_the_end() -> None:
    work = Behind(lambda item: 1 // item, lambda: None, NEVER)
    work.put(0)
    with pytest.raises(ZeroDivisionError):
        work.finish()


def test_while_no_item_comes_something_is_done_again_and_again() -> None:
    often, calls = Event(), []

    def idle() -> None:
        calls.append(1)
        if len(calls) == 3:
            often.set()

    work = Behind(lambda item: item, idle, 0.001)
    assert often.wait(10)
    work.put(1)
    assert list(work.finish()) == [1]


def test_what_fails_meanwhile_is_raised_too() -> None:
    failed = Event()

    def idle() -> None:
        failed.set()
        raise RuntimeError("the lease is another's")

    work = Behind(lambda item: item, idle, 0.001)
    assert failed.wait(10)
    with pytest.raises(RuntimeError, match="another's"):
        work.finish()


def test_an_end_waits_for_what_was_handed_in_and_raises_nothing() -> None:
    handled: list[int] = []
    work = Behind(handled.append, lambda: None, NEVER)
    work.put(1)
    work.put(2)
    work.end()
    work.end()
    assert handled == [1, 2]
