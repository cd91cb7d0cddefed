"""Look at the files that messages name by URL: a head of each, and no body.

A name is resolved once for each request, every address is judged, and the request goes to an address that was judged:
a name that leads elsewhere the next time makes no difference. Redirects are followed by hand, each as a URL of its own.
"""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

from whatsapp_provider.errors import ConfigurationError, NoAnswerError, NotReachedError
from whatsapp_provider.exchange import Answer
from whatsapp_provider.media.findings import MediaFinding, MediaPolicy, MediaReport, Problem
from whatsapp_provider.media.judging import (
    NO_ADDRESS,
    Target,
    UnfitError,
    allowed,
    next_url,
    problems,
    target_of,
)
from whatsapp_provider.media.urls import MediaSample, MediaUrl, shown
from whatsapp_provider.redaction import redact
from whatsapp_provider.transport import look_at

MAX_REDIRECTS = 3
AT_ONCE = 8
AT_ONCE_OF_A_HOST = 2
MAX_ADDRESSES = 3  #: of a host, tried one after the other
_CONNECTING = 1 / 3  #: of the time that is left, for each address
_HEAD = 1 / 2  #: of it, before the server is asked in the other way
#: No server needs to send more to show what it has; the answer's body is not read anyway.
_GET = {"range": "bytes=0-1023"}

#: Returns the addresses of a host; raises ``OSError`` where there are none.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve_name(host: str, port: int) -> Sequence[str]:
    """Ask the machine's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def check_media(
    urls: Iterable[MediaUrl] | MediaSample,
    policy: MediaPolicy | None = None,
    *,
    resolve: Resolve = resolve_name,
) -> MediaReport:
    """Look at each distinct URL once, or at a fair choice of them where there are more than the policy's ``most``.

    Nothing here raises for what a server does: what can't be known is a finding, too.
    """
    policy = policy or MediaPolicy()
    sample = MediaSample.of(urls, policy.most)
    looker = _Looker(policy, resolve)
    found = await asyncio.gather(*(looker.look(one) for one in sample.chosen()))
    late = sum(findings is None for findings in found)
    return MediaReport(
        tuple(finding for findings in found for finding in findings or ()),
        len(found) - late,
        sample.left_out + late,
        sample.counted_all,
    )


class _Looker:
    def __init__(self, policy: MediaPolicy, resolve: Resolve) -> None:
        self._policy = policy
        self._resolve = resolve
        self._places = asyncio.Semaphore(AT_ONCE)
        self._hosts: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE_OF_A_HOST))
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + policy.total_seconds

    async def look(self, one: MediaUrl) -> list[MediaFinding] | None:
        """Return what is wrong with a URL; ``None`` where its turn came too late."""
        url, left = one.url, self._policy.seconds
        by_way_of = ""
        try:
            for redirects in range(MAX_REDIRECTS + 1):
                if redirects:
                    by_way_of = f"redirects to {shown(url)}: "
                target = target_of(url)
                async with self._place(target.host):
                    began = self._loop.time()
                    if not redirects and began >= self._end:
                        return None
                    answer = await self._ask(one.kind, target, left)
                    left -= self._loop.time() - began
                if (onward := next_url(target, answer)) is None:
                    found = problems(one.kind, target, answer, self._policy)
                    return [
                        self._policy.finding(one, problem, f"{by_way_of}{told}") for problem, told in found
                    ]
                url = onward
        except UnfitError as unfit:
            return [self._policy.finding(one, unfit.problem, f"{by_way_of}{unfit.told}")]
        told = f"redirects more than {MAX_REDIRECTS} times. Give the address where that ends, if it does."
        return [self._policy.finding(one, Problem.REDIRECTS, told)]

    @asynccontextmanager
    async def _place(self, host: str) -> AsyncIterator[None]:
        # The host's place first: those who wait for a busy host keep no place that others could use.
        async with self._hosts[host], self._places:
            yield

    async def _ask(self, kind: str, target: Target, seconds: float) -> Answer:
        """Return the answer to a look, by HEAD and, where that is not a clear yes, by GET.

        Servers answer HEAD for less than GET: signed links are signed for one method, and some know no HEAD at all.
        """
        end = self._loop.time() + seconds
        addresses = await self._addresses(target, seconds)
        try:
            answer, addresses = await self._first_that_answers("HEAD", target, addresses, seconds * _HEAD)
            if next_url(target, answer) or not problems(kind, target, answer, self._policy):
                return answer
        except UnfitError as unfit:
            if unfit.problem is Problem.UNREACHABLE:
                raise
        answer, _ = await self._first_that_answers("GET", target, addresses, end - self._loop.time())
        return answer

    async def _addresses(self, target: Target, seconds: float) -> list[str]:
        try:
            async with asyncio.timeout(seconds):
                found = await self._resolve(target.host, target.port)
        except TimeoutError:
            raise UnfitError(Problem.SILENT, self._silent("the name of its host")) from None
        except socket.gaierror as error:
            if error.errno == socket.EAI_NONAME:
                raise UnfitError(Problem.UNKNOWN_HOST, NO_ADDRESS) from None
            raise UnfitError(Problem.UNREACHABLE, _unreachable("its host can't be looked up")) from None
        except (OSError, UnicodeError) as error:
            told = _unreachable(f"its host can't be looked up ({type(error).__name__})")
            raise UnfitError(Problem.UNREACHABLE, told) from None
        return allowed(target, found, self._policy.openings)[:MAX_ADDRESSES]

    async def _first_that_answers(
        self, method: str, target: Target, addresses: Sequence[str], seconds: float
    ) -> tuple[Answer, list[str]]:
        """Return an answer and the address that gave it."""
        end = self._loop.time() + seconds
        reason: NotReachedError | None = None
        for address in addresses:
            left = end - self._loop.time()
            try:
                answer = await look_at(
                    method,
                    target.url,
                    address,
                    headers=_GET if method == "GET" else {},
                    connect=max(0.0, left * _CONNECTING if len(addresses) > 1 else left),
                    limit=max(0.0, left),
                    verify=self._policy.verify,
                )
            except NotReachedError as error:
                reason = error
            except NoAnswerError as error:
                if error.code in {"TimeoutError", "ReadTimeout", "WriteTimeout"}:
                    raise UnfitError(Problem.SILENT, self._silent("its server")) from None
                raise UnfitError(Problem.UNWELL, _BROKE_OFF) from None
            except ConfigurationError:
                raise UnfitError(Problem.MALFORMED, "is no URL that can be read. Correct it.") from None
            else:
                return answer, [address]
        if reason is not None and reason.code == "ConnectTimeout":
            raise UnfitError(Problem.SILENT, self._silent("its server"))
        raise UnfitError(Problem.UNREACHABLE, _unreachable(redact(str(reason))))

    def _silent(self, who: str) -> str:
        bound = self._policy.seconds
        return (
            f"{who} gave no answer within {bound:g} s, and gateways don't wait long. Open the link yourself."
        )


_BROKE_OFF = "its server breaks the connection off, or answers what is not HTTP. Open the link yourself."


def _unreachable(why: str) -> str:
    return f"not reached from this worker: {why.rstrip('.')}. The gateway may fare better; open the link yourself."
