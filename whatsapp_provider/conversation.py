"""HTTP/1.1 over one connection, a request at a time: what is written and read is h11's, which httpx is made of, too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import h11
import httpx

from whatsapp_provider.exchange import Timeouts
from whatsapp_provider.network import Stream

MAX_HEAD_BYTES = 100 * 1024  #: of an answer, as in httpx


class Conversation:
    """What is said over one connection.

    :param bounds: of the next request.
    """

    def __init__(self, stream: Stream, bounds: Timeouts) -> None:
        self._stream = stream
        self.bounds = bounds
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._rests_since = monotonic()

    async def ask(self, request: h11.Request, body: bytes, check: Callable[[], None]) -> h11.Response:
        """Write a request, head and body as one, and return the answer's head.

        :param check: asked directly before, and raises where nothing may be written any more.
        """
        with _told():
            data = self._h11.send(request) or b""
            if body:
                data += self._h11.send(h11.Data(body)) or b""
            data += self._h11.send(h11.EndOfMessage()) or b""
        check()
        await self._stream.write(data, self.bounds.write)
        while isinstance(event := await self._next(), h11.InformationalResponse):
            pass
        if not isinstance(event, h11.Response):
            raise httpx.RemoteProtocolError("What came is no answer.")
        return event

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the answer's body."""
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)

    async def _next(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while True:
            with _told():
                event = self._h11.next_event()
            if event is not h11.NEED_DATA:
                return event
            data = await self._stream.read(self.bounds.read)
            with _told():
                self._h11.receive_data(data)

    def end(self) -> bool:
        """Say that a request is over; ``False`` if there can be no other."""
        unasked, _ = self._h11.trailing_data
        if unasked or not (self._h11.our_state is self._h11.their_state is h11.DONE):
            return False
        self._h11.start_next_cycle()
        self._rests_since = monotonic()
        return True

    def has_rested(self, seconds: float) -> bool:
        """Whether it can't be used again: for longer than this nothing was said, or the server did unasked."""
        return monotonic() - self._rests_since > seconds or self._stream.has_news

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()


@contextmanager
def _told() -> Iterator[None]:
    """Raise what httpx would raise."""
    try:
        yield
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from error
    except h11.LocalProtocolError as error:
        raise httpx.LocalProtocolError(str(error)) from error
