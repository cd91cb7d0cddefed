"""How an exchange fails: what an exception of the HTTP library means, and what of an answer is too much."""

from __future__ import annotations

from collections.abc import AsyncIterable

import httpx

from whatsapp_provider.dispositions import BUILDING, EXCHANGE, UNLISTED, failure
from whatsapp_provider.errors import Disposition, WhatsAppError

MAX_ANSWER_BYTES = 20 * 1024 * 1024


def failure_of(error: Exception, where: str, limit: float) -> WhatsAppError:
    """Return what an exception of an exchange means; whatever the library did not raise itself is not listed.

    :param limit: seconds that the exchange was given.
    """
    kind = type(error).__name__
    known = type(error) is getattr(httpx, kind, TimeoutError)
    found = EXCHANGE.get(kind, UNLISTED) if known else UNLISTED
    if found.disposition is Disposition.RETRY:
        told = f"{where} can't be reached ({kind}: {error or 'no detail'}); nothing was sent."
    elif found.disposition is Disposition.HALT:
        told = f"{where!r} is not an address to send to: {error}"
    elif found is EXCHANGE["TimeoutError"]:
        told = f"{where} gave no whole answer within {limit:g} s; the request may have been carried out."
    else:
        told = f"{where} gave no whole answer ({kind}); the request may have been carried out."
    return failure(kind if known else f"unlisted: {kind}", told)


def unwritable(error: ValueError | TypeError, where: str) -> WhatsAppError:
    """Return the error of a request that can't be put together; nothing of it has left."""
    # The text of such an error may quote what can't be written: a token, or a message.
    told = (
        f"The request to {where} can't be written ({type(error).__name__}); nothing was sent. Look for "
        "characters that are not text in the message, or not plain ASCII in the token."
    )
    return BUILDING["ValueError" if isinstance(error, ValueError) else "TypeError"].error(told)


def no_address(error: Exception, where: str, *, purpose: str = "send to") -> WhatsAppError:
    """Return the error of a URL that is none.

    :param purpose: what the address was to be used for.
    """
    return BUILDING["InvalidURL"].error(f"{where!r} is not an address to {purpose}: {error}.")


async def whole(parts: AsyncIterable[bytes], where: str, status: int) -> bytes:
    """Read an answer's body.

    :raises NoAnswerError: if there is no end to it.
    """
    read: list[bytes] = []
    size = 0
    async for part in parts:
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            told = f"{where} answered with more than {MAX_ANSWER_BYTES} bytes."
            raise failure("too_large", told, status=status)
        read.append(part)
    return b"".join(read)
