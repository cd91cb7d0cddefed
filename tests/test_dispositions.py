"""The table of what failures mean is what decides, it is whole, and it says what this file says on its own."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from itertools import product

import httpx
import pytest

from whatsapp_provider.dispositions import BUILDING, EXCHANGE, STATUSES, UNLISTED, UNLISTED_STATUS, Effect
from whatsapp_provider.errors import Disposition, GatewayError, NotReachedError, WhatsAppError
from whatsapp_provider.http import READ_ATTEMPTS, ApiClient
from whatsapp_provider.transport import Request, Wire

HALT, HOLD, RETRY = Disposition.HALT, Disposition.HOLD, Disposition.RETRY


def unfinished(kind: type[Exception]) -> Exception:
    """Return an exception of httpx's as it would be raised."""
    request = httpx.Request("POST", "https://gate.example/x")
    named = {"request": request, "response": httpx.Response(500, request=request)}
    taken = inspect.signature(kind.__init__).parameters
    known = {name: value for name, value in named.items() if name in taken}
    return kind("told", **known) if "message" in taken else kind()


def concrete(kind: type[Exception]) -> Iterator[type[Exception]]:
    below = [sub for sub in kind.__subclasses__() if sub.__module__.startswith("httpx")]
    if not below:
        yield kind
    for sub in below:
        yield from concrete(sub)


def of_httpx() -> dict[str, type[Exception]]:
    """Return every exception that httpx can raise, by its name: the leaves of its trees."""
    public = [
        found for found in vars(httpx).values() if inspect.isclass(found) and issubclass(found, Exception)
    ]
    return {leaf.__name__: leaf for kind in public for leaf in concrete(kind)}


OURS = {"TimeoutError", "pool_timeout", "lease_ended", "lease_ended_midway", "unreadable", "too_large"}


def test_every_exception_of_httpx_is_decided_and_nothing_else_is() -> None:
    assert set(EXCHANGE) == set(of_httpx()) | OURS


def test_only_what_comes_before_the_first_byte_may_be_sent_again() -> None:
    again = {cause for cause, meaning in EXCHANGE.items() if meaning.disposition is RETRY}
    assert again == {
        *("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"),
        *("pool_timeout", "lease_ended"),
    }
    assert all(EXCHANGE[cause].error is NotReachedError for cause in again)
    assert {cause for cause, meaning in EXCHANGE.items() if meaning.disposition is not HOLD} == {
        *again,
        "UnsupportedProtocol",
    }
    assert UNLISTED.disposition is UNLISTED_STATUS.error.disposition is HOLD
    assert {cause: meaning.disposition for cause, meaning in BUILDING.items()} == dict.fromkeys(
        ("InvalidURL", "ValueError", "TypeError"), HALT
    )


async def raised(error: BaseException, effect: Effect = Effect.ONCE) -> tuple[WhatsAppError, int]:
    """Return what a request becomes when the HTTP library raises, and how often it was made."""
    made: list[httpx.Request] = []

    def broken(request: httpx.Request) -> httpx.Response:
        made.append(request)
        raise error

    async def no_pause(_seconds: float) -> None:
        pass

    wire = Wire(transport=httpx.MockTransport(broken))
    client = ApiClient("https://gate.example", label="Gate", headers={}, wire=wire, sleep=no_pause)
    with pytest.raises(WhatsAppError) as caught:
        await client.request("POST", "/x", effect=effect, json={})
    return caught.value, len(made)


@pytest.mark.parametrize("kind", [*of_httpx().values(), TimeoutError], ids=lambda kind: kind.__name__)
async def test_the_wire_decides_an_exception_by_the_table(kind: type[Exception]) -> None:
    error, times = await raised(unfinished(kind))
    meaning = EXCHANGE[kind.__name__]
    assert (type(error), error.disposition, error.code) == (
        meaning.error,
        meaning.disposition,
        kind.__name__,
    )
    assert times == 1


class ConnectError(Exception):
    """Another library's, of the same name as one that may be sent again."""


class Rarer(httpx.ConnectError):
    """A kind of it that nobody has looked at."""


@pytest.mark.parametrize(
    "error",
    [
        *(ConnectError("refused"), Rarer("refused"), httpx.NetworkError("x"), httpx.TransportError("x")),
        *(httpx.HTTPError("x"), httpx.TimeoutException("x"), OSError("x"), KeyError("x"), RuntimeError("x")),
        *(ConnectionRefusedError("x"), AssertionError(), RecursionError("x")),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_is_not_listed_is_held(error: Exception) -> None:
    found, times = await raised(error)
    assert (type(found), found.disposition) == (UNLISTED.error, HOLD)
    assert times == 1


@pytest.mark.parametrize("effect", [Effect.READ, Effect.IDEMPOTENT])
async def test_what_may_be_repeated_is_tried_again_whatever_was_raised(effect: Effect) -> None:
    for kind in (httpx.ConnectError, httpx.ReadError, KeyError):
        _, times = await raised(kind("x"), effect)
        assert times == READ_ATTEMPTS


# -- statuses -------------------------------------------------------------------------------------


def by_hand(status: int, effect: Effect, *, told_to_wait: bool) -> Disposition:
    """Return what a status means, written down again and in another way."""
    if status == 429 or (status == 503 and told_to_wait):
        return RETRY
    if 400 <= status < 500 and status != 408:
        return HALT
    if effect is Effect.ONCE:
        return HOLD
    return HALT if status < 400 else RETRY


async def answered(status: int, effect: Effect, *, told_to_wait: bool) -> WhatsAppError:
    headers = {"retry-after": "7"} if told_to_wait else {}
    wire = Wire(transport=httpx.MockTransport(lambda _: httpx.Response(status, headers=headers)))

    async def no_pause(_seconds: float) -> None:
        pass

    client = ApiClient("https://gate.example", label="Gate", headers={}, wire=wire, sleep=no_pause)
    with pytest.raises(GatewayError) as caught:
        await client.request("POST", "/x", effect=effect)
    return caught.value


REFUSING = [*range(100, 200), *range(300, 600), 600, 999]


@pytest.mark.parametrize("told_to_wait", [False, True], ids=["", "Retry-After"])
@pytest.mark.parametrize("effect", Effect)
async def test_every_status_means_what_is_written_here(effect: Effect, told_to_wait: bool) -> None:
    for status in REFUSING:
        error = await answered(status, effect, told_to_wait=told_to_wait)
        expected = by_hand(status, effect, told_to_wait=told_to_wait)
        assert (status, error.disposition) == (status, expected)
        assert error.retry_after == (7 if told_to_wait and expected is RETRY else None)


@pytest.mark.parametrize("rule", STATUSES, ids=lambda rule: f"{rule.statuses} {sorted(rule.effects)}")
async def test_each_line_of_the_table_decides_some_answer(rule: object) -> None:
    index = STATUSES.index(rule)  # type: ignore[arg-type]  # pytest hands parameters over as objects
    line = STATUSES[index]
    decided = []
    for status, effect in product({edge for part in line.statuses for edge in (part[0], part[-1])}, Effect):
        earlier = any(
            before.holds(status, effect, told_to_wait=line.told_to_wait) for before in STATUSES[:index]
        )
        if line.holds(status, effect, told_to_wait=line.told_to_wait) and not earlier:
            error = await answered(status, effect, told_to_wait=line.told_to_wait)
            assert type(error) is line.error
            assert line.adds in str(error)
            decided.append(status)
    assert decided


@pytest.mark.parametrize("body", [b"", b"<html>a login page</html>", b"{", b"\xff"])
@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_a_success_that_cannot_be_read_is_held(status: int, body: bytes) -> None:
    wire = Wire(transport=httpx.MockTransport(lambda _: httpx.Response(status, content=body)))
    answer = await wire.exchange(Request("POST", "https://gate.example/x", json={}))
    with pytest.raises(GatewayError) as caught:
        answer.json()
    assert (type(caught.value), caught.value.code) == (EXCHANGE["unreadable"].error, "unreadable")
    assert caught.value.disposition is HOLD


def test_every_reason_is_a_short_sentence_for_people() -> None:
    reasons = [meaning.because for meaning in (*EXCHANGE.values(), *BUILDING.values(), UNLISTED)]
    for reason in (*reasons, *(rule.because for rule in STATUSES)):
        assert re.fullmatch(r"[a-z][^.]{5,100}", reason), reason
