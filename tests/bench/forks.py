"""Do something in a fork of this process, and get what it found: a fresh process that has all imports behind it."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any


def in_a_fork_of(work: Callable[..., Any], *given: Any) -> Any:
    """Return what ``work`` returns in a child process, by way of JSON.

    :raises RuntimeError: if it fails there; its traceback is printed.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        failed = 1
        try:
            with os.fdopen(writing, "w") as pipe:
                json.dump(work(*given), pipe)
            failed = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            # Without the parent's exit handlers, which are the parent's to call.
            os._exit(failed)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"{getattr(work, '__name__', work)} failed in its process.")
    return json.loads(text)
