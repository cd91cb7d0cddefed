"""Say why not a mapped task for each recipient, and what instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Context

#: So many tasks for one person each are none by accident.
MANY = 100


def warn_of_a_task_each(context: Context, recipients: int, log: Any) -> None:
    """Warn in the log of the task that is the hundredth for one person; it sends all the same."""
    index = context["ti"].map_index
    if recipients <= 1 and index is not None and index >= MANY and index % MANY == 0:
        log.warning(
            "More than %d mapped tasks have one recipient each. Airflow starts a process for every one, maps 1,024 at "
            "most unless told otherwise, and its scheduler slows down for all DAGs. Give one campaign task all rows "
            "(audience=task.output, a file or a query): it sends them side by side, keeps the pace, and knows each "
            "recipient when it is tried again.",
            index,
        )
