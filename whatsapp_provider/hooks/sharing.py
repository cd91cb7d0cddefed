"""One gateway for all waits of an event loop that name the same connection.

Airflow's triggerer reads connections in one process for all triggers. With a read for each look, 500 waits
kept that process at a whole core, 15 seconds passed before the first look, and looks came half as often
as they should. So waits share what was read, for as long as each of them allows.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

from whatsapp_provider.hooks.whatsapp import WhatsAppHook

if TYPE_CHECKING:
    from whatsapp_provider.gateways.base import Gateway

#: Seconds after which a connection is read again, however much a caller allows.
OLDEST = 5.0
#: Seconds after which a gateway is made anew though its connection is the same, so that what it has looked
#: up does not pile up in a process that lives for months.
GATEWAY_LIFE = 600.0


@dataclass(frozen=True, slots=True)
class _Opened:
    hook: WhatsAppHook
    gateway: Gateway
    made_at: float


@dataclass(frozen=True, slots=True)
class _Reading:
    began: float
    task: asyncio.Task[_Opened]


_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Reading]] = (
    weakref.WeakKeyDictionary()
)
_lock = threading.Lock()


async def shared_gateway(conn_id: str, *, max_age: float) -> Gateway:
    """Return the gateway of a connection as it was at most ``max_age`` seconds ago.

    A connection that has not changed keeps its gateway, and with it the tokens that were looked up. A failure
    to read is shared like a success.

    :param max_age: in seconds; 0 reads the connection now, or waits for a reading that is under way.
    :raises ConfigurationError: if the connection is of another type or lacks something.
    """
    loop = asyncio.get_running_loop()
    readings = _of(loop)
    reading = readings.get(conn_id)
    if reading is None or (reading.task.done() and loop.time() - reading.began >= min(max_age, OLDEST)):
        task = loop.create_task(_open(conn_id, _result(reading)), name=f"read {conn_id}")
        # Whoever asked may be gone by the time it fails.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        reading = readings[conn_id] = _Reading(loop.time(), task)
    # One wait that is killed must not end the reading for all others.
    return (await asyncio.shield(reading.task)).gateway


def _of(loop: asyncio.AbstractEventLoop) -> dict[str, _Reading]:
    with _lock:
        # Tasks know their loop, so the weak key alone would keep those of ended loops for ever.
        for ended in [other for other in _loops if other.is_closed()]:
            del _loops[ended]
        return _loops.setdefault(loop, {})


def _result(reading: _Reading | None) -> _Opened | None:
    if reading is None or reading.task.cancelled() or reading.task.exception() is not None:
        return None
    return reading.task.result()


async def _open(conn_id: str, before: _Opened | None) -> _Opened:
    hook = WhatsAppHook(conn_id)
    gateway = await hook.open()
    now = asyncio.get_running_loop().time()
    if (
        before is not None
        and before.hook.opened_from == hook.opened_from
        and now - before.made_at < GATEWAY_LIFE
    ):
        return before
    return _Opened(hook, gateway, now)
