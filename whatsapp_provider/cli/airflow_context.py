"""What a command needs of Airflow: its connections, and its log out of the way."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Tells Airflow's SDK whose process this is.
_CONTEXT = "_AIRFLOW_PROCESS_CONTEXT"


@contextmanager
def airflows_connections() -> Iterator[None]:
    """Let Airflow's SDK read connections from the metadata database, as Airflow's own commands do."""
    before = os.environ.get(_CONTEXT)
    os.environ[_CONTEXT] = "server"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_CONTEXT]
        else:
            os.environ[_CONTEXT] = before


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the log out of what is printed: Airflow writes it to standard output."""
    import airflow.settings  # configures the log at its import

    del airflow
    moved = {
        handler: handler.stream
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler) and _is_standard_output(handler.stream)
    }
    http = logging.getLogger("httpx")
    level = http.level
    http.setLevel(max(level, logging.WARNING))
    for handler in moved:
        handler.setStream(sys.stderr)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        http.setLevel(level)
        for handler, stream in moved.items():
            handler.setStream(stream)


def _is_standard_output(stream: Any) -> bool:
    """Tell it also of an object that was ``sys.stdout`` when the log was configured and no longer is."""
    if stream is sys.stdout or stream is sys.__stdout__:
        return True
    try:
        return bool(stream.fileno() == 1)
    except (AttributeError, OSError, ValueError):
        return False
