"""Turns at the ledger in a process of their own, for runs that the processor limits.

A busy event loop and a thread share one interpreter lock, so that a turn in a thread costs the loop all the time that
it takes. In another process it costs what it takes to hand the results over. ARCHITECTURE.md has the figures.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import URL

from whatsapp_provider.campaigns.ledger.records import Lease, Result, Turn
from whatsapp_provider.errors import LedgerUnavailableError

log = logging.getLogger(__name__)

_SERVER = "whatsapp_provider.campaigns.ledger.process"
_SIZE = struct.Struct("!i")  #: what multiprocessing's connections write before each pickle
END_SECONDS = 2.0  #: for a process that is not wanted any more to take leave


@dataclass(frozen=True, slots=True)
class _Line:
    """What the two processes say to each other."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, told: object) -> None:
        data = pickle.dumps(told, pickle.HIGHEST_PROTOCOL)
        self.writer.write(_SIZE.pack(len(data)) + data)
        await self.writer.drain()

    async def hear(self) -> Any:
        (size,) = _SIZE.unpack(await self.reader.readexactly(_SIZE.size))
        return pickle.loads(await self.reader.readexactly(size))  # noqa: S301 - from a process that this one began


class LedgerProcess:
    """Takes turns for the runs of one event loop, one after the other.

    It is begun by :meth:`start` and used from when :attr:`is_ready`; without it, a run takes its turns itself.

    :param url: the ledger's; ``None`` for one that no other process finds, which has none.
    """

    def __init__(self, url: URL | None) -> None:
        self._url = url
        self._process: subprocess.Popen[bytes] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._line: _Line | None = None
        self._is_ready = False
        self._one_at_a_time = asyncio.Lock()

    @property
    def is_ready(self) -> bool:
        """Whether it can be asked."""
        return self._is_ready

    def start(self) -> None:
        """Begin to start it, once; nobody waits for it."""
        if self._starting is None and self._url is not None:
            self._starting = asyncio.create_task(self._start())

    async def _start(self) -> None:
        try:
            self._line = await self._open()
            await self._line.say(self._url)
            await self._line.hear()
        except (OSError, EOFError) as error:
            # A run is only slower without it. What is wrong with the ledger itself, the run finds by itself.
            log.warning(
                "The ledger gets no process of its own (%s); the run goes on without.", type(error).__name__
            )
            self._kill()
        else:
            self._is_ready = True

    async def _open(self) -> _Line:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = _begin(theirs)
            except BaseException:
                ours.close()
                raise
        return _Line(*await asyncio.open_connection(sock=ours))

    async def turn(self, lease: Lease, results: Sequence[Result], **asked: Any) -> Turn:
        """Take a turn; see the ledger's own.

        :raises LedgerUnavailableError: also if the process ended, whatever it had committed before.
        """
        async with self._one_at_a_time:
            if self._line is None:
                raise _ended()
            try:
                await self._line.say((lease, results, asked))
                told = await self._line.hear()
            except (OSError, EOFError):
                self._kill()
                raise _ended() from None
            except BaseException:
                # Nobody hears the answer any more. What is done next at the ledger must not meet this turn.
                self._kill()
                raise
        if isinstance(told, Exception):
            raise told
        return told  # type: ignore[no-any-return]  # what the other side's ledger returned

    async def close(self) -> None:
        """Let it end."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        if self._is_ready and self._line is not None:
            # It takes leave of the database, which else notes a client that vanished.
            with suppress(OSError, TimeoutError):
                self._line.writer.write_eof()
                async with asyncio.timeout(END_SECONDS):
                    await self._line.reader.read()
        self._kill()

    def _kill(self) -> None:
        self._is_ready = False
        if self._line is not None:
            self._line.writer.close()
            self._line = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _begin(line: socket.socket) -> subprocess.Popen[bytes]:
    """Begin the process, which takes milliseconds; until it is ready the half second passes beside the run."""
    return subprocess.Popen(  # noqa: S603 - this interpreter, and a module of this package
        [sys.executable, "-P", "-m", _SERVER, str(line.fileno())],
        pass_fds=[line.fileno()],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        # What supervises the run waits until nobody holds the run's own streams any more.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _ended() -> LedgerUnavailableError:
    return LedgerUnavailableError("The ledger's own process ended; the run goes on without it.")
