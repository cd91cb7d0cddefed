"""Run the package's async code from synchronous tasks, on one loop thread of this process.

The thread starts at its first use, so that it never crosses a fork. Code on it must not call the
Airflow SDK: whoever calls resolves connections and settings first, in their own thread.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class _LoopThread:
    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._serve, name="whatsapp-loop", daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()


_lock = threading.Lock()
_current: _LoopThread | None = None


def _loop_thread() -> _LoopThread:
    global _current  # noqa: PLW0603 - one loop for a process is what this module is for
    with _lock:
        # A forked child inherits the object but not the thread.
        if _current is None or _current.pid != os.getpid():
            _current = _LoopThread()
        return _current


def _reset_after_fork() -> None:
    global _lock  # noqa: PLW0603 - the parent may have held it at the moment of the fork
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_reset_after_fork)


def submit(coroutine: Coroutine[Any, Any, T]) -> Future[T]:
    """Start a coroutine on the loop thread and return at once."""
    loop_thread = _loop_thread()
    if threading.current_thread() is loop_thread.thread:
        coroutine.close()
        raise RuntimeError("A synchronous WhatsApp method was called on its own loop; await the async one.")
    return asyncio.run_coroutine_threadsafe(coroutine, loop_thread.loop)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; if the waiting is interrupted, it is cancelled."""
    future = submit(coroutine)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise
