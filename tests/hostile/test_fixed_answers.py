"""The known ways to answer badly, each to every request of every call of every gateway.

An answer that drips for ever is given up on the wire, whoever asked: ``tests/wire/test_transport.py``.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.hostile.calls import JSON, Call, Said, Subject
from tests.hostile.exploring import SUBJECTS, look
from tests.hostile.judging import play
from tests.hostile.mutation import Pairs, Raw, deep, slots, tree, written
from tests.hostile.server import HostileServer
from whatsapp_provider.errors import Disposition, WhatsAppError
from whatsapp_provider.wire_failures import MAX_ANSWER_BYTES

ELSEWHERE = {"location": "https://elsewhere.example/login", "content-type": "text/html"}
PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>group recipient error</body></html>"
MEGABYTE = 1_000_000


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest) -> Subject:
    return SUBJECTS[request.param]()


def _each(said: Said, kind: type | tuple[type, ...], value: Any) -> Said:
    """Return the answer with each value of these types replaced."""
    root = [tree(said.body)]
    for where, at in list(slots(root)):
        if isinstance(where[at], kind) and not isinstance(where[at], bool):
            where[at] = value
    return Said(said.status, written(root[0]).encode())


def _one_by_one(said: Said) -> Iterator[Said]:
    """Yield the answer with what is at one place after the other of another type."""
    for place in range(len(list(slots([tree(said.body)])))):
        root = [tree(said.body)]
        where, at = list(slots(root))[place]
        where[at] = (
            ["x"] if isinstance(where[at], Pairs) else Pairs() if not isinstance(where[at], list) else "x"
        )
        yield Said(said.status, written(root[0]).encode())


def _twice(said: Said) -> Said:
    """Return the answer with each key a second time, with nothing under it."""
    root = [tree(said.body)]
    for where, at in [(root, 0), *slots(root)]:
        if isinstance(where[at], Pairs):
            where[at].extend([key, None] for key in [pair[0] for pair in where[at]])
    return Said(said.status, written(root[0]).encode())


def hostile(said: Said) -> Iterator[Said]:
    """Yield the bad answers to a request that is well answered with ``said``."""
    content = said.content
    yield Said(200, b"")
    yield Said(204, b"")
    yield Said(200, PAGE, {"content-type": "text/html"})
    yield Said(200, content, {"content-type": "text/html; charset=utf-16"})
    yield Said(200, content[: len(content) // 2])
    yield Said(200, content, {"content-type": JSON, "content-encoding": "gzip"})
    for status in (301, 302, 303, 307, 308):
        yield Said(status, content, ELSEWHERE)
    for status in (403, 500, 503):
        yield Said(status, PAGE, {"content-type": "text/html"})
    yield Said(200, written(deep(100_000)).encode())
    yield Said(200, written(deep(100_000, "data")).encode())
    yield Said(500, written(deep(400, "error")).encode())
    if not isinstance(said.body, bytes):
        yield _twice(said)
        yield _each(said, str, "NEW_WORD")
        yield _each(said, str, "https://elsewhere.example/next")
        for number in (Raw("1e400"), Raw("NaN"), 10**30, -1, Raw("9" * 400)):
            yield _each(said, (int, float), number)


async def _judged(subject: Subject, server: HostileServer, call: Call, request: str, said: Said) -> list[str]:
    wrong = await look(subject, server, call, request, said)
    shown = f"{call.name}: {request} answered with {said.status} {said.content[:200]!r}"
    return [f"{one}, {shown}" for one in wrong]


async def test_bad_answers_bring_nothing_wrong_out(subject: Subject) -> None:
    server, wrong, seen = HostileServer(), [], set()
    for call in subject.calls:
        for request, answers in call.asks.items():
            # The question for a token or a version is the same before every call.
            if (request, call.sends) in seen:
                continue
            seen.add((request, call.sends))
            for said in hostile(answers[0]):
                wrong += await _judged(subject, server, call, request, said)
    assert wrong == []


async def test_a_value_of_another_type_brings_nothing_wrong_out_wherever_it_stands(subject: Subject) -> None:
    server, wrong, seen = HostileServer(), [], set()
    for call in subject.calls:
        for request, answers in call.asks.items():
            if request in seen or isinstance(answers[0].body, bytes):
                continue
            seen.add(request)
            for said in _one_by_one(answers[0]):
                wrong += await _judged(subject, server, call, request, said)
    assert wrong == []


def _sent(subject: Subject) -> Call:
    return next(call for call in subject.calls if call.name == "send text")


@cache
def _ten_megabytes(status: int) -> Said:
    words = "1234567 error: " * (10 * MEGABYTE // 15)
    body = {"data": [1] * (10 * MEGABYTE // 3)} if status == 200 else {"error": {"message": [words]}}
    return Said(status, json.dumps(body).encode())


@pytest.mark.parametrize("status", [200, 400])
async def test_ten_megabytes_are_read_and_judged_like_any_answer(subject: Subject, status: int) -> None:
    call = _sent(subject)
    assert await _judged(subject, HostileServer(), call, str(call.sends), _ten_megabytes(status)) == []


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
async def test_an_answer_beyond_the_bound_is_held(subject: Subject, packed: bool) -> None:
    call = _sent(subject)
    content = b'{"status": true, "x": "' + b" " * MAX_ANSWER_BYTES + b'"}'
    encoding = {"content-encoding": "gzip"} if packed else {}
    said = Said(200, gzip.compress(content, 1) if packed else content, encoding)
    came = await play(subject, HostileServer(), call, {str(call.sends): said})
    assert isinstance(came.error, WhatsAppError)
    assert (came.error.code, came.error.disposition) == ("too_large", Disposition.HOLD)
