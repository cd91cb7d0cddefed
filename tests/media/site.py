"""A little web server on bare streams that answers as it was told, and knows what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle

END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True)
class Page:
    """An answer; ``then`` says what follows its head: the end, silence, or bytes without end."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    then: str = "end"

    def head(self) -> bytes:
        if self.raw is not None:
            return self.raw
        lines = [
            f"HTTP/1.1 {self.status} Said",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1")


def file(content_type: str | None = "image/jpeg", size: int | None = 1_000) -> Page:
    """Return the head of a file."""
    told = {"content-type": content_type, "content-length": None if size is None else str(size)}
    return Page(200, {name: value for name, value in told.items() if value is not None})


def redirect(location: str, status: int = 302) -> Page:
    return Page(status, {"location": location, "set-cookie": "seen=1", "content-length": "0"})


class Site:
    """Answers ``METHOD /path`` or, for any method, ``/path``; 404 otherwise."""

    def __init__(self, pages: dict[str, Page]) -> None:
        self.pages = pages
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.names: list[str | None] = []
        self.port = 0

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(END_OF_HEAD)).decode("latin-1")
            method, path, _ = head.split(" ", 2)
            self.heads.append(head.lower())
            self.asked.append(f"{method} {path}")
            page = self.pages.get(f"{method} {path}", self.pages.get(path, Page(404)))
            writer.write(page.head())
            await writer.drain()
            if page.then == "silence":
                await reader.read()
            for part in cycle([b"x-more: and more\r\n" * 100]) if page.then == "endless" else ():
                writer.write(part)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def a_site(
    pages: dict[str, Page], *, address: str = "127.0.0.1", context: ssl.SSLContext | None = None
) -> AsyncIterator[Site]:
    """Run a server for the length of a block."""
    site = Site(pages)
    if context is not None:
        context.sni_callback = lambda _, name, __: site.names.append(name)
    server = await asyncio.start_server(site.converse, address, 0, ssl=context)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()


class Names:
    """A resolver that knows what it was told, each answer once and the last one for ever."""

    def __init__(self, **known: list[str]) -> None:
        self.known = {name.replace("_", "."): answers for name, answers in known.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        answers = self.known[host]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer.split()
