"""What a URL, its addresses and its server's answer mean: decided here, asked elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from whatsapp_provider.exchange import Answer
from whatsapp_provider.media.addresses import OPENABLE, Openings, Reach, reach_of
from whatsapp_provider.media.findings import MediaPolicy, Problem
from whatsapp_provider.media.kinds import GENERAL_BYTES, UNCLEAR, Fit
from whatsapp_provider.media.urls import shown_host
from whatsapp_provider.redaction import redact

_PORTS = {"http": 80, "https": 443}
#: Below it are mail, shells and databases of old; two of those ports are the web's.
_FIRST_FREE_PORT = 1024
_LONGEST_URL = 4096
_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\]")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({404, 410})
#: Of the client errors, those that may be over in a minute.
_PASSING = frozenset({408, 425, 429})
_NO_BODY = frozenset({204, 205, 416})  # the last is the answer to a range of an empty file
_LENGTH = re.compile(r"\d{1,18}")
_RANGE = re.compile(r"bytes [^/]*/(\d{1,18})")

NO_ADDRESS = "its host has no address. Correct the link."


class UnfitError(Exception):
    """A URL is not to be asked, or not to be asked further."""

    def __init__(self, problem: Problem, told: str) -> None:
        super().__init__(told)
        self.problem = problem
        self.told = told


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be asked, once its addresses are judged.

    :param host: in small letters and ASCII, without a dot at its end.
    """

    url: str
    scheme: str
    host: str
    port: int


def target_of(url: str) -> Target:
    """Read a URL.

    :raises UnfitError: if it is not one of the web.
    """
    if len(url) > _LONGEST_URL or _NOT_IN_A_URL.search(url):
        raise UnfitError(Problem.MALFORMED, "holds a space or another sign that no URL has. Write it as %20.")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
        # As the wire has it. A name that can't be written so is nobody's.
        host = host.encode("idna").decode("ascii").lower() if not host.isascii() else host.lower()
    except ValueError:  # UnicodeError, too
        raise UnfitError(Problem.MALFORMED, "is no URL that can be read. Correct it.") from None
    if parts.scheme not in _PORTS or not host:
        raise UnfitError(Problem.MALFORMED, "must begin with http:// or https:// and name a host.")
    if "@" in parts.netloc:
        raise UnfitError(
            Problem.CREDENTIALS,
            "has a user or a password in it, which every recipient's gateway would be told. Leave it out.",
        )
    port = _PORTS[parts.scheme] if port is None else port
    if port < _FIRST_FREE_PORT and port not in _PORTS.values():
        raise UnfitError(Problem.PORT, f"names port {port}, which is not the web's. Correct the link.")
    return Target(url, parts.scheme, host, port)


def allowed(target: Target, addresses: Sequence[str], openings: Openings) -> list[str]:
    """Return the addresses in the order in which they are tried: IPv4 first, which more workers have.

    :raises UnfitError: if one of them is not public and not opened; nothing is asked then.
    """
    if not addresses:
        raise UnfitError(Problem.UNKNOWN_HOST, NO_ADDRESS)
    for address in addresses:
        if not openings.allow(target.host, address):
            raise UnfitError(Problem.PRIVATE, _not_public(target, reach_of(address)))
    return sorted(addresses, key=lambda address: ":" in address)


def _not_public(target: Target, reach: Reach) -> str:
    told = f"leads to a {reach.value} address, which is not asked. Give a link that is public."
    if reach not in OPENABLE:
        return told
    return (
        f"{told} If your files lie in your own network and the gateway reaches it, add {shown_host(target.host)} to "
        "[whatsapp] private_media_hosts."
    )


def next_url(target: Target, answer: Answer) -> str | None:
    """Return where an answer points to, ``None`` where it doesn't.

    :raises UnfitError: if that is no URL.
    """
    location = answer.headers.get("location", "")
    if answer.status not in _REDIRECTS or not location:
        return None
    try:
        return urljoin(target.url, location)
    except ValueError:
        raise UnfitError(Problem.MALFORMED, "redirects to what is no URL. Correct the link.") from None


def problems(kind: str, target: Target, answer: Answer, policy: MediaPolicy) -> list[tuple[Problem, str]]:
    """Return what is wrong with the file that a server answers with, as problems and their texts."""
    if found := _by_status(answer.status):
        return [found]
    fit = policy.fits.get(kind, Fit())
    candidates = (
        _by_size(kind, answer, fit),
        _by_type(kind, target, answer, fit),
        _by_scheme(target, policy),
    )
    return [found for found in candidates if found is not None]


def _by_status(status: int) -> tuple[Problem, str] | None:
    if status in _NO_BODY:
        return _EMPTY
    if 200 <= status < 300:
        return None
    if status in _GONE:
        return Problem.MISSING, f"the server answers {status}: there is no such file. Correct the link."
    if 400 <= status < 500 and status not in _PASSING:
        return (
            Problem.DENIED,
            f"the server answers {status}, so it does not hand the file to everybody. Make the link public, or give "
            "one that is signed for longer than the campaign runs.",
        )
    return (
        Problem.UNWELL,
        f"the server answers {status}, which is no file. It may be over in a minute; open the link yourself.",
    )


_EMPTY = (Problem.EMPTY, "the file is empty. Upload it again.")


def _by_size(kind: str, answer: Answer, fit: Fit) -> tuple[Problem, str] | None:
    size = size_of(answer)
    if size == 0:
        return _EMPTY
    if size is None or size <= fit.most_bytes:
        return None
    told = f"has {size:,} bytes, and {fit.most_bytes:,} are taken of kind {kind}. Make it smaller"
    instead = kind != "document" and fit.most_bytes < GENERAL_BYTES
    return Problem.TOO_LARGE, told + (", or send it as a document." if instead else ".")


def size_of(answer: Answer) -> int | None:
    """Return the bytes of the whole file, where the server tells them."""
    if answer.status == 206:
        whole = _RANGE.fullmatch(answer.headers.get("content-range", "").strip())
        return int(whole.group(1)) if whole else None
    length = answer.headers.get("content-length", "").strip()
    return int(length) if _LENGTH.fullmatch(length) else None


def _by_type(kind: str, target: Target, answer: Answer, fit: Fit) -> tuple[Problem, str] | None:
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if fit.takes(content_type) or _is_a_page(kind, target):
        return None
    named = redact(content_type, limit=60) or "nothing"
    if content_type in UNCLEAR:
        return (
            Problem.UNCLEAR_TYPE,
            f"the server calls it {named}, and gateways go by that. Let it say what the file is: {_wanted(fit)}.",
        )
    return (
        Problem.WRONG_TYPE,
        f"the server calls it {named}, which is not taken as {kind} ({_wanted(fit)}). Often that is a page about the "
        "file, or a login: give the link of the file itself.",
    )


def _is_a_page(kind: str, target: Target) -> bool:
    """Whether somebody means to send a page: a document whose name says so."""
    return kind == "document" and urlsplit(target.url).path.lower().endswith((".html", ".htm", ".xhtml"))


def _wanted(fit: Fit) -> str:
    return ", ".join(f"{one}…" if one.endswith("/") else one for one in fit.types) or "no web page"


def _by_scheme(target: Target, policy: MediaPolicy) -> tuple[Problem, str] | None:
    if policy.needs_https and target.scheme == "http":
        return Problem.PLAIN_HTTP, "is plain http, and the gateway takes https. Correct the link."
    return None
