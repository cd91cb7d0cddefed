"""Recorded answers, mutated: nothing but an error of ours or a right result comes out, and no doubt looks certain."""

from __future__ import annotations

import os
import random

import pytest

from tests.hostile.calls import Subject
from tests.hostile.exploring import SUBJECTS, explore, shares
from tests.hostile.judging import play
from tests.hostile.server import HostileServer
from whatsapp_provider.gateways.registry import GATEWAYS

EXAMPLES = 150  #: of each gateway; `make hostile` hands in 10,000
#: Where changes are judged, the same answers each time; else others, for there is always one that nobody tried.
DICE = 20261121 if os.environ.get("CI") == "true" else None

#: Calls that wait for a change of what the server here always answers alike.
NEVER_SEEN_TO_END = {"delete channel", "code of one that shows QR codes"}


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest) -> Subject:
    return SUBJECTS[request.param]()


def test_every_gateway_is_a_subject() -> None:
    assert GATEWAYS.keys() <= SUBJECTS.keys()


def test_every_kind_that_a_gateway_sends_is_sent() -> None:
    for name, line in GATEWAYS.items():
        sent = {call.name.removeprefix("send ") for call in SUBJECTS[name]().calls if call.sends}
        assert line.capabilities.message_kinds <= sent


async def test_with_recorded_answers_every_call_does_what_it_is_for_and_asks_all_that_is_mutated(
    subject: Subject,
) -> None:
    server, asked = HostileServer(), set()
    for call in subject.calls:
        came = await play(subject, server, call, {})
        assert came.error is None or call.name in NEVER_SEEN_TO_END, call.name
        asked |= set(server.asked)
    assert {what for call in subject.calls for what in call.asks} <= asked


def test_mutated_answers_bring_nothing_wrong_out(subject: Subject) -> None:
    dice = random.SystemRandom().randrange(10**6) if DICE is None else DICE
    for call, examples in zip(subject.calls, shares(subject.calls, EXAMPLES), strict=True):
        try:
            explore(subject, call, examples=examples, dice=dice)
        except Exception as error:
            error.add_note(f"Again: make hostile GATEWAY={subject.name} EXAMPLES={EXAMPLES} SEED={dice}")
            raise


def test_a_seed_repeats_its_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = SUBJECTS["whapi"]()

    def drawn(dice: int) -> list[str]:
        seen: list[str] = []
        call = subject.calls[-1]
        monkeypatch.setattr("tests.hostile.exploring.look", lambda *given: _noted(seen, given[-1]))
        explore(subject, call, examples=12, dice=dice)
        return seen

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


async def _noted(seen: list[str], said: object) -> list[str]:
    seen.append(repr(said))
    return []
