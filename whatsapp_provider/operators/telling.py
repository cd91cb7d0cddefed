"""Tell people of what a campaign did by itself, by whatever notifiers its author gave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from whatsapp_provider.errors import ConfigurationError, WhatsAppError

if TYPE_CHECKING:
    from airflow.sdk import Context

#: A notifier of Airflow's, or a function that takes a context like ``on_failure_callback``.
Told = Callable[[Any], object]


def tellers(value: Any, argument: str) -> tuple[Told, ...]:
    """Return the notifiers that an argument names: one, several or none.

    :raises ConfigurationError: if one of them can't be called.
    """
    found = () if value is None else (value,) if callable(value) else value
    if not isinstance(found, Sequence) or isinstance(found, str) or not all(map(callable, found)):
        raise ConfigurationError(
            f"{argument} must be a notifier or a list of them, e.g. [WhatsAppNotifier()], not a {type(value).__name__}."
        )
    return tuple(found)


def tell(told: Sequence[Told], context: Context, reason: str, log: Any) -> int:
    """Call each notifier with the task's context and ``reason``; return how many were reached.

    One that fails is logged and harms neither the others nor the task, which has its own end to come to.
    """
    reached = 0
    for notifier in told:
        name = type(notifier).__name__ if not hasattr(notifier, "__name__") else notifier.__name__
        try:
            # A copy for each: notifiers put things of their own into it.
            notifier({**context, "reason": reason})
        except Exception as error:
            # A text that isn't ours may hold what it was about to send.
            said = str(error) if isinstance(error, WhatsAppError) else type(error).__name__
            log.warning("%s told nobody that %s: %s", name, reason, said)
        else:
            reached += 1
    return reached
