"""The tree of errors: each carries what is to be done about it."""

from __future__ import annotations

import pickle
import re

import pytest

from whatsapp_provider import errors
from whatsapp_provider.errors import Disposition, GatewayError, WhatsAppError

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, WhatsAppError)]

#: Everything else halts: certainly not sent, and the next one would fare no better.
DISPOSITIONS = {
    "RecipientError": Disposition.SKIP,
    "RecipientRejectedError": Disposition.SKIP,
    "RecipientSuppressedError": Disposition.SKIP,
    "NotReachedError": Disposition.RETRY,
    "RateLimitedError": Disposition.RETRY,
    "TemporarilyUnavailableError": Disposition.RETRY,
    "NoAnswerError": Disposition.HOLD,
    "InDoubtError": Disposition.HOLD,
}


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_each_error_says_what_is_to_be_done(kind: type[WhatsAppError]) -> None:
    assert kind("x").disposition is DISPOSITIONS.get(kind.__name__, Disposition.HALT)


def test_the_tree_drawn_in_the_module_is_the_tree_there_is() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"(    |[ │├└─]+)(\w+Error)\b", line)
        if found:
            depth = (len(found.group(1)) - 4) // 4
            path[depth:] = [found.group(2)]
            drawn[path[-1]] = path[-2] if depth else "Exception"
    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in ALL}


def test_a_failure_is_counted_by_its_code() -> None:
    assert WhatsAppError("x").code == "WhatsAppError"
    assert WhatsAppError("x", code="own").code == "own"
    assert GatewayError("x", status=502).code == "http_502"
    assert GatewayError("x", status=502, code="own").code == "own"
    assert GatewayError("x").code == "GatewayError"


@pytest.mark.parametrize("kind", [kind for kind in ALL if issubclass(kind, GatewayError)])
def test_a_read_is_worth_another_try_where_the_next_answer_may_differ(kind: type[GatewayError]) -> None:
    assert kind("x").is_transient is (kind.disposition in {Disposition.RETRY, Disposition.HOLD})


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_an_error_keeps_its_facts_when_it_crosses_a_process(kind: type[WhatsAppError]) -> None:
    error = kind("what went wrong", retry_after=7.0, code="own")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.retry_after, again.code) == ("what went wrong", 7.0, "own")
