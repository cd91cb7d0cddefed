"""Hands mutated answers to each call of a gateway, as many as are asked for, and stops at what it finds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.hostile.calls import Call, Said, Subject
from tests.hostile.evolution import EvolutionSubject
from tests.hostile.judging import play, wrongs
from tests.hostile.mutation import spoilt
from tests.hostile.server import EndlessError, HostileServer
from tests.hostile.waabot import WaabotSubject
from tests.hostile.whapi import WhapiSubject
from tests.hostile.whatscloud import WhatsCloudSubject

SUBJECTS: Mapping[str, Callable[[], Subject]] = {
    "whapi": WhapiSubject,
    "evolution": lambda: EvolutionSubject("v2"),
    "evolution-1": lambda: EvolutionSubject("v1"),
    "whatscloud": WhatsCloudSubject,
    "waabot": WaabotSubject,
}
UNCHANGED = 0.2  #: of the answers, about, come out as they were recorded
SENDS_WEIGH = 3  #: as much as other calls: most depends on them
SHOWN = 600  #: characters of an answer


@dataclass(eq=False)
class Finding(Exception):  # noqa: N818 - what is found, raised so that Hypothesis looks for its smallest form
    """An answer that brings something wrong out of a call."""

    gateway: str
    call: str
    request: str
    said: Said
    wrong: Sequence[str]

    def __str__(self) -> str:
        body = self.said.content
        shown = body if len(body) <= SHOWN else body[: SHOWN // 2] + b" ... " + body[-SHOWN // 2 :]
        return (
            f"{self.gateway}, {self.call}: {'; '.join(self.wrong)}, when {self.request} is answered with "
            f"{self.said.status} {dict(self.said.headers)} and {len(body)} bytes: {shown!r}"
        )


def shares(calls: Sequence[Call], examples: int) -> list[int]:
    """Return how many answers each call gets, at least so many in all."""
    weights = [SENDS_WEIGH if call.sends else 1 for call in calls]
    return [ceil(examples * weight / sum(weights) / (1 - UNCHANGED)) for weight in weights]


def explore(subject: Subject, call: Call, *, examples: int, dice: int) -> int:
    """Hand a call so many answers, and return how many were others than those recorded.

    :param dice: the seed.
    :raises Finding: the smallest that could be made of the first one.
    """
    server, played = HostileServer(), 0

    @seed(f"{dice} {subject.name} {call.name}")
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    @given(st.data())
    def every(data: st.DataObject) -> None:
        nonlocal played
        request = data.draw(st.sampled_from(asked))
        recorded = data.draw(st.sampled_from(call.asks[request]))
        said = spoilt(data.draw, recorded)
        played += (said.status, said.content) != (recorded.status, recorded.content)
        wrong = runner.run(look(subject, server, call, request, said))
        if wrong:
            raise Finding(subject.name, call.name, request, said, wrong)

    with asyncio.Runner() as runner:
        runner.run(play(subject, server, call, {}))
        asked = sorted(call.asks.keys() & set(server.asked))
        every()
    return played


async def look(subject: Subject, server: HostileServer, call: Call, request: str, said: Said) -> list[str]:
    """Return what is wrong with what a call makes of one answer."""
    try:
        came = await play(subject, server, call, {request: said})
    except EndlessError:
        return ["it asks without an end"]
    return wrongs(subject, server, call, {request: said}, came)
