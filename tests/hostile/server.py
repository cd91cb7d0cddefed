"""A server that gives recorded answers, but for one request, which it answers as it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import httpx

from tests.hostile.calls import Call, Said
from whatsapp_provider.transport import Wire

MOST_REQUESTS = 120  #: of one call; one that asks more often would never end
PIECE = 65_536  #: bytes that a socket gives at once


class EndlessError(BaseException):
    """A call goes on asking. No error of the wire's, which would be taken for no answer."""


class _Body(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._content), PIECE):
            yield self._content[at : at + PIECE]


@dataclass
class HostileServer:
    """Answers for one call at a time; see :meth:`play`."""

    asked: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    _answers: dict[str, Said] = field(default_factory=dict)
    _hosts: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.wire = Wire(transport=httpx.MockTransport(self._respond))

    def play(self, call: Call, replaced: Mapping[str, Said]) -> None:
        """Answer the requests of ``call`` from now on, some of them otherwise than was recorded."""
        self.asked.clear()
        self.elsewhere.clear()
        self._answers = {what: said[0] for what, said in call.asks.items()} | dict(replaced)
        self._hosts = frozenset(what.partition(" ")[2].partition("/")[0] for what in self._answers)

    def count(self, what: str | None) -> int:
        """Return how often a request was made."""
        return self.asked.count(what) if what else 0

    def _known(self, what: str) -> str:
        """Return the name under which a request's answer is told."""
        begun = (name for name in self._answers if name.endswith("*") and what.startswith(name[:-1]))
        return what if what in self._answers else next(begun, what)

    async def _respond(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host.partition(".")[0]
        path = request.url.raw_path.decode().partition("?")[0]
        what = self._known(f"{request.method} {host}{path}")
        self.asked.append(what)
        if len(self.asked) > MOST_REQUESTS:
            raise EndlessError(what)
        if host not in self._hosts:
            self.elsewhere.append(what)
        said = self._answers.get(what, Said(404, {"message": "Not found"}))
        # As a stream, so that it is unpacked where a real one is.
        return httpx.Response(said.status, headers=dict(said.headers), stream=_Body(said.content))
