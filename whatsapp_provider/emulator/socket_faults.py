"""What an ASGI app cannot do to a connection: resets, a FIN, half a reply, silence, a closed idle line.

Each connection's protocol sits before the web server's own. It finds where requests begin and end,
counts them (the proof that a client sent something once), and commits the armed faults; without one
the bytes pass through untouched.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from typing import Any, cast

from whatsapp_provider.emulator.faults import Fault, Faults

END_OF_HEAD = b"\r\n\r\n"
END_OF_CHUNKS = b"0\r\n\r\n"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class SocketLayer:
    """What the sockets have seen, and where their faults come from."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.connections = 0
        self.requests = 0
        self.counts: Counter[str] = Counter()
        self.silent: set[FaultyProtocol] = set()

    def begin(self, method: str, path: str) -> Fault | None:
        """Count a request whose head was seen; return what must go wrong with it."""
        self.requests += 1
        key = f"{method} {path}"
        if key in self.counts or len(self.counts) < 10_000:
            self.counts[key] += 1
        return self.faults.for_socket(method, path)

    def hang_up(self) -> None:
        """End the silent connections, which nobody else will."""
        for protocol in list(self.silent):
            protocol.abort()

    def describe(self) -> dict[str, Any]:
        """Return the counts for the control API."""
        return {"connections": self.connections, "requests": self.requests, "counts": dict(self.counts)}


def content_length(head: bytes) -> int:
    """Return the declared length of a body; -1 stands for chunks."""
    lower = head.lower()
    start = lower.find(b"\r\ncontent-length:")
    if start >= 0:
        start += len(b"\r\ncontent-length:")
        return int(lower[start : lower.index(b"\r\n", start)])
    return -1 if b"\r\ntransfer-encoding: chunked" in lower else 0


class FaultyProtocol(asyncio.Protocol):
    """One connection, between the socket and the web server's protocol."""

    def __init__(self, layer: SocketLayer, inner: asyncio.Protocol) -> None:
        self._layer = layer
        self._inner = inner
        self._transport: asyncio.Transport
        self._partial_head = b""
        self._body_left = 0
        self._fault: Fault | None = None
        self._withhold = False
        self._reply = b""
        self._bodiless = False
        self._idle_close: asyncio.TimerHandle | None = None
        self._gone = False

    # -- from the client --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the web server a transport whose writes pass by here."""
        # A cast, because uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._layer.connections += 1
        self._inner.connection_made(cast("asyncio.Transport", _Tap(self, transport)))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the web server."""
        self._gone = True
        self._layer.silent.discard(self)
        if self._idle_close is not None:
            self._idle_close.cancel()
        self._inner.connection_lost(exc)

    def eof_received(self) -> bool | None:
        """Tell the web server."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """Tell the web server."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Tell the web server."""
        self._inner.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Follow the requests through the stream."""
        while data and not self._gone:
            if self._body_left:
                data = self._take_body(data)
                continue
            data = self._partial_head + data
            end = data.find(END_OF_HEAD)
            if end < 0:
                self._partial_head = data
                return
            self._partial_head = b""
            end += len(END_OF_HEAD)
            self._take_head(data[:end])
            data = data[end:]

    def _take_head(self, head: bytes) -> None:
        if self._idle_close is not None:
            self._idle_close.cancel()
            self._idle_close = None
        method, target, _rest = head.split(b" ", 2)
        path = target.partition(b"?")[0].decode("latin-1")
        fault = self._fault = self._layer.begin(method.decode("latin-1"), path)
        self._withhold = fault is not None and not fault.reaches_gateway()
        self._reply = b""
        self._bodiless = method == b"HEAD"
        if fault is not None and fault.kind == "reset_before_read":
            self._reset()
            return
        self._feed(head)
        self._body_left = content_length(head)
        if self._body_left == 0:
            self._request_read()

    def _take_body(self, data: bytes) -> bytes:
        if self._body_left < 0:
            # The end of the chunks is known by its last bytes; no client here pipelines.
            self._feed(data)
            if data.endswith(END_OF_CHUNKS):
                self._body_left = 0
                self._request_read()
            return b""
        part = data[: self._body_left]
        self._body_left -= len(part)
        self._feed(part)
        if self._body_left == 0:
            self._request_read()
        return data[len(part) :]

    def _feed(self, data: bytes) -> None:
        if not self._withhold:
            self._inner.data_received(data)

    def _request_read(self) -> None:
        """Commit at once the faults of a request that the gateway never sees."""
        if self._withhold:
            self._strike()

    def _strike(self) -> None:
        fault = self._fault
        if fault is not None and fault.kind == "reset_after_read":
            self._reset()
        elif fault is not None and fault.kind == "fin_after_read":
            self._transport.close()
        elif fault is not None and fault.kind == "silence":
            self._layer.silent.add(self)

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    def _reset(self) -> None:
        """Close so that the other side gets a reset, not an end."""
        sock: socket.socket = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._gone = True
        self._transport.abort()

    # -- from the web server ----------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Pass a reply on, or do to it what the fault says."""
        fault = self._fault
        if fault is None:
            self._transport.write(data)
            return
        if fault.kind not in {"half_reply", "close_idle"}:
            # The gateway has answered, so it has acted; the client must not hear of it.
            self._strike()
            return
        self._reply += data
        end = self._reply.find(END_OF_HEAD)
        if end < 0:
            return
        length = 0 if self._bodiless else content_length(self._reply[: end + len(END_OF_HEAD)])
        whole = end + len(END_OF_HEAD) + max(0, length)
        if len(self._reply) < whole:
            return
        if fault.kind == "half_reply":
            self._transport.write(self._reply[: whole - (length + 1) // 2])
            self._transport.close()
            return
        self._fault = None
        self._transport.write(self._reply)
        loop = asyncio.get_running_loop()
        self._idle_close = loop.call_later(fault.delay, self._transport.close)

    def may_close(self) -> bool:
        """Say whether the web server may hang up; a silent line must stay open."""
        return self._fault is None or self._fault.kind != "silence"


class _Tap:
    """The transport as the web server sees it."""

    def __init__(self, owner: FaultyProtocol, transport: asyncio.BaseTransport) -> None:
        self._owner = owner
        self._transport = transport
        self.write = owner.write

    def close(self) -> None:
        if self._owner.may_close():
            self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
