"""What the triggerer does with a trigger, shortened."""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import Any


def rebuilt(trigger: Any) -> Any:
    """Return the trigger as it comes out of Airflow's database."""
    path, kwargs = json.loads(json.dumps(trigger.serialize()))
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)(**kwargs)


async def deadline_missed(path: str, kwargs: dict[str, Any]) -> str:
    """Run the callback of a deadline alert as Airflow's triggerer does; return how it ended."""
    try:
        from airflow.triggers.callback import CallbackTrigger as Runner
    except ImportError:  # before Airflow 3.2
        from airflow.triggers.deadline import DeadlineCallbackTrigger as Runner
    payloads = [event.payload async for event in Runner(path, kwargs).run()]
    state = payloads[-1]["state"]
    return str(getattr(state, "value", state))


async def first_event(trigger: Any, within: float = 60.0) -> Any:
    """Return what a trigger fires first."""
    async with asyncio.timeout(within):
        async for event in rebuilt(trigger).run():
            return event
    raise AssertionError("the trigger ended without an event")
