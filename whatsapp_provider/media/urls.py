"""The URLs of a campaign's files, and which of them are looked at when there are many."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from whatsapp_provider.redaction import redact

if TYPE_CHECKING:
    from whatsapp_provider.messages import Message

#: How many URLs are told apart; beyond that it is only known that there are more.
MOST_COUNTED = 10_000
_LONGEST_SHOWN = 160
_ADDRESS = re.compile(r"[0-9.]{7,15}|[0-9a-f]*:[0-9a-f:.]*")


@dataclass(frozen=True, slots=True)
class MediaUrl:
    """A URL that a message names.

    :param kind: what the message says that it is: ``image``, ``video``, ``audio``, ``voice`` or ``document``.
    :param place: where it was met first, e.g. a row of the audience; the same URL elsewhere is the same.
    """

    url: str = field(repr=False)
    kind: str
    place: str = field(default="", compare=False)


def media_urls(message: Message, place: str = "") -> Iterator[MediaUrl]:
    """Yield the URLs that a rendered message names."""
    # Loaded here: a DAG file that plans imports this module, and has no message yet.
    from whatsapp_provider.messages import files

    for media in files(message):
        if media.url is not None:
            yield MediaUrl(media.url, _kind(message), place)


def _kind(message: Message) -> str:
    from whatsapp_provider.messages import MediaButtons, TemplateMessage

    if isinstance(message, MediaButtons):
        return message.media_kind
    if isinstance(message, TemplateMessage):
        return str(getattr(message.header, "kind", "document"))
    return message.kind


def shown(url: str) -> str:
    """Return a URL as it may be read in a log: without user, query, fragment, numbers and tokens."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "a URL that can't be read"
    at = f"[{host}]" if ":" in host else shown_host(host)
    at += "" if port is None else f":{port}"
    path, asked = redact(parts.path, limit=_LONGEST_SHOWN), "?…" if parts.query else ""
    return f"{redact(parts.scheme, limit=10)}://{at}{path}{asked}"


def shown_host(host: str) -> str:
    """Return a host as it may be read in a log: an address as it is, a name without numbers and tokens."""
    return host if _ADDRESS.fullmatch(host) else redact(host, limit=_LONGEST_SHOWN)


class MediaSample:
    """Keeps the first half of what may be looked at, and of all others a fair choice that is always the same.

    A template can make a URL for each person. The choice goes by a hash, so it depends on the URLs and not on their
    order, and it takes as much memory for a million people as for a thousand.

    :param most: how many distinct URLs are kept.
    """

    def __init__(self, most: int = 100) -> None:
        self._first_places = max(0, most - most // 2)
        self._later_places = max(0, most // 2)
        self._first: dict[MediaUrl, None] = {}
        self._later: list[tuple[int, int, MediaUrl]] = []  # a heap: the highest hash first, negated
        self._known: set[int] = set()
        self._kept: set[int] = set()
        self._met = 0

    @classmethod
    def of(cls, urls: Iterable[MediaUrl] | MediaSample, most: int) -> MediaSample:
        """Return a sample of URLs; one that is a sample already stays as it is."""
        if isinstance(urls, MediaSample):
            return urls
        sample = cls(most)
        for one in urls:
            sample.add(one)
        return sample

    @property
    def left_out(self) -> int:
        """How many distinct URLs are not kept; beyond 10,000 in all, at least so many."""
        return len(self._known) - len(self._first) - len(self._later)

    @property
    def counted_all(self) -> bool:
        """Whether :attr:`left_out` is the whole number."""
        return len(self._known) < MOST_COUNTED

    def add(self, one: MediaUrl) -> None:
        """Take notice of a URL."""
        if one in self._first:
            return
        mark = int.from_bytes(sha256(f"{one.kind} {one.url}".encode(errors="replace")).digest()[:8])
        if len(self._known) < MOST_COUNTED:
            self._known.add(mark)
        if len(self._first) < self._first_places:
            self._first[one] = None
        elif mark not in self._kept:
            self._keep(mark, one)

    def _keep(self, mark: int, one: MediaUrl) -> None:
        self._met += 1
        entry = (-mark, self._met, one)
        if len(self._later) < self._later_places:
            heapq.heappush(self._later, entry)
        elif self._later and entry > self._later[0]:
            highest, _, _ = heapq.heapreplace(self._later, entry)
            self._kept.discard(-highest)
        else:
            return
        self._kept.add(mark)

    def chosen(self) -> list[MediaUrl]:
        """Return what is to be looked at, as it was met."""
        return [*self._first, *(one for _, _, one in sorted(self._later, key=lambda entry: entry[1]))]
