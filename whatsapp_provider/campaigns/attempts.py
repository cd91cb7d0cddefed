"""One attempt: render, send once, and say what is known of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from whatsapp_provider.campaigns.ledger.records import Result, Task
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.render import Renderer
from whatsapp_provider.deadline import MayWrite, writing_while
from whatsapp_provider.errors import (
    Disposition,
    NoAnswerError,
    RateLimitedError,
    TemplateError,
    TemporarilyUnavailableError,
    WhatsAppError,
)
from whatsapp_provider.gateways.base import Sender
from whatsapp_provider.messages import Message

MAX_ATTEMPTS = 10  #: at one recipient in one run, none of which sent anything
LONGEST_BACKOFF = 300.0
LONGEST_TOLD_WAIT = 86_400.0  #: a gateway that asks for more is asked again after a day
RATE_LIMIT_PAUSE = 30.0  #: when a gateway says 429 or 503 and not for how long

_STATE = {
    Disposition.SKIP: DeliveryState.REJECTED,
    Disposition.RETRY: DeliveryState.POSTPONED,
    Disposition.HOLD: DeliveryState.IN_DOUBT,
    # Certainly not sent, and not this person's fault: it stays planned for when the channel is mended.
    Disposition.HALT: DeliveryState.PLANNED,
}


async def attempt(
    task: Task, template: Renderer, sender: Sender, *, seconds: float, may_write: MayWrite
) -> tuple[Result, WhatsAppError | None]:
    """Send one message once, and return what became of it with the sender's error, if there was one.

    :param seconds: after which the send is given up, and in doubt.
    :param may_write: whether what remains of the lease still exceeds that; asked where bytes are written.
    """
    try:
        message = _message(task, template)
    except TemplateError as error:
        return _failed(task, DeliveryState.REJECTED, error, code="template"), None
    with writing_while(may_write) as writing:
        try:
            async with asyncio.timeout(seconds):
                sent = await sender.send(task.address, message)
        except Exception as error:
            if writing.refused:
                # Intended and not begun: certainly not sent, and nothing that the gateway or anybody did.
                return Result(task, DeliveryState.PLANNED), None
            return _after(task, error)
    return Result(task, DeliveryState.ACCEPTED, message_id=sent.message_id, chat_ids=sent.chat_ids), None


def _after(task: Task, error: Exception) -> tuple[Result, WhatsAppError]:
    if not isinstance(error, WhatsAppError):
        # Not in the error tree, so nothing proves that the message was not sent.
        unknown = NoAnswerError(f"{type(error).__name__} while sending", code=type(error).__name__)
        return _failed(task, DeliveryState.IN_DOUBT, unknown), unknown
    return result_of(task, error), error


def result_of(task: Task, error: WhatsAppError) -> Result:
    """Return what an error means for the attempt that met it."""
    return replace(_settled(task, error), slow_down=_told_wait(error))


def _told_wait(error: WhatsAppError) -> float | None:
    if not isinstance(error, RateLimitedError | TemporarilyUnavailableError):
        return None
    told = RATE_LIMIT_PAUSE if error.retry_after is None else error.retry_after
    return min(told, LONGEST_TOLD_WAIT)


def _settled(task: Task, error: WhatsAppError) -> Result:
    state = _STATE[error.disposition]
    if state is not DeliveryState.POSTPONED:
        return _failed(task, state, error)
    times = task.postponed + 1
    if times >= MAX_ATTEMPTS:
        # Nobody's fault, so nobody is lost. The gateway was asked, so the place in its windows is used.
        return _failed(replace(task, permit=None), DeliveryState.PLANNED, error)
    wait = error.retry_after if error.retry_after is not None else min(2.0**times, LONGEST_BACKOFF)
    return _failed(task, state, error, not_before=min(wait, LONGEST_TOLD_WAIT))


def gave_up(result: Result, error: WhatsAppError | None) -> bool:
    """Whether a recipient was tried as often as a run tries, though nothing stood in the way but time."""
    told_to_retry = error is not None and error.disposition is Disposition.RETRY
    return told_to_retry and result.state is DeliveryState.PLANNED


def cut_off(task: Task) -> Result:
    """Return the result of a send that was not let finish."""
    return Result(
        task, DeliveryState.IN_DOUBT, code="cut_off", reason="the run ended before the send was answered"
    )


def _message(task: Task, template: Renderer) -> Message:
    try:
        return template.render(json.loads(task.variables))
    except TemplateError:
        raise
    except Exception as error:
        raise TemplateError(f"{type(error).__name__} while rendering.") from None


def _failed(
    task: Task,
    state: DeliveryState,
    error: WhatsAppError,
    *,
    code: str | None = None,
    not_before: float | None = None,
) -> Result:
    return Result(task, state, code=code or error.code, reason=str(error), not_before=not_before)
