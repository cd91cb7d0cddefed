"""Many waits in one process: what is loaded is taken out of the garbage collector's sight, once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from whatsapp_provider.triggers.crowd import MANY, Crowd


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_a_few_waits_leave_the_collector_alone_also_after_many_have_been() -> None:
    crowd = Crowd()
    with ExitStack() as waits:
        for _ in range(MANY - 1):
            waits.enter_context(crowd)
        crowd.settle()
    with pytest.raises(ZeroDivisionError), crowd:
        _ = 1 / 0
    for _ in range(MANY):
        with crowd:
            crowd.settle()
    assert gc.get_freeze_count() == 0


def test_many_waits_freeze_what_is_loaded_and_do_it_once() -> None:
    crowd = Crowd()
    with ExitStack() as waits:
        for _ in range(MANY):
            waits.enter_context(crowd)
        assert gc.get_freeze_count() == 0
        crowd.settle()
        assert gc.get_freeze_count() > 10_000
        gc.unfreeze()
        crowd.settle()
    assert gc.get_freeze_count() == 0
