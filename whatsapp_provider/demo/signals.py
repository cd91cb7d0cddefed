"""Ctrl-C, SIGTERM, a closed terminal and a deadline, each as an exception that unwinds the blocks."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from whatsapp_provider.demo.errors import DeadlineError, InterruptedDemoError


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and a closed terminal into an exception, so that blocks unwind."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise InterruptedDemoError(signal.Signals(number))

    with _handlers(interrupt):
        yield


@contextmanager
def overall_deadline(seconds: float) -> Iterator[None]:
    """Raise :class:`DeadlineError` in the main thread when the block takes longer than this."""

    def expire(number: int, frame: FrameType | None) -> None:
        raise DeadlineError("the end", seconds)

    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a second Ctrl-C not cut short the stop that the first one began."""

    def ignore(number: int, frame: FrameType | None) -> None:
        return

    with _handlers(ignore):
        yield


@contextmanager
def _handlers(handler: signal._HANDLER) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers, and only it is interrupted
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
