"""Whether the request that is about to be written may still be written.

A runner asks its lease before it begins a send. Until the first byte leaves, a connection may have to be made
or waited for, and the whole process may be suspended and woken an hour later, when the recipient is another
runner's. So the question goes with the send, and the wire asks it again directly before it writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from whatsapp_provider.dispositions import failure

MayWrite = Callable[[], bool]

#: Code of the error of a request that came too late to be written.
LEASE_ENDED = "lease_ended"

#: httpx's names for the moments before it writes a request's head and its body (HTTP/2 is off).
HEAD_IS_WRITTEN_NEXT = "http11.send_request_headers.started"
BODY_IS_WRITTEN_NEXT = "http11.send_request_body.started"


@dataclass(slots=True)
class Writing:
    """The question, and what became of it.

    :param allowed: asked, without waiting, before each part of a request is written.
    """

    allowed: MayWrite
    #: Whether the last request was refused before its first byte, whatever error that turned into on its way:
    #: a time-out may come in between while its connection is being closed.
    refused: bool = False

    def check(self, where: str) -> None:
        """Refuse to begin a request whose time is over.

        :raises NotReachedError: then; the code is :data:`LEASE_ENDED`.
        """
        self.refused = not self.allowed()
        if self.refused:
            told = f"The right to send ended before the request to {where} was written; nothing was sent."
            raise failure(LEASE_ENDED, told)

    def listen(self, where: str, extensions: MutableMapping[str, Any]) -> None:
        """Ask directly before each of the two writes of a request, of which httpx's events tell.

        A process that was suspended after the head left must not complete the request: without its body, which
        the head announces, a gateway does nothing.

        :param extensions: those of httpx's request; there are no more events once its body is being written.
        """

        async def listener(event: str, _details: object) -> None:
            if event == HEAD_IS_WRITTEN_NEXT:
                self.check(where)
            elif event == BODY_IS_WRITTEN_NEXT:
                extensions.pop("trace", None)
                if not self.allowed():
                    told = (
                        f"The right to send ended while the request to {where} was written; its body was not."
                    )
                    raise failure(f"{LEASE_ENDED}_midway", told)

        extensions["trace"] = listener


_writing: ContextVar[Writing | None] = ContextVar("writing", default=None)


@contextmanager
def writing_while(allowed: MayWrite) -> Iterator[Writing]:
    """Let what is done inside write to the wire only while this says so."""
    writing = Writing(allowed)
    token = _writing.set(writing)
    try:
        yield writing
    finally:
        _writing.reset(token)


def current() -> Writing | None:
    """Return what the wire must ask before it writes, or ``None`` where anything may go."""
    return _writing.get()
