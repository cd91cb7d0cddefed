"""The database's time, as one more column of a question that is asked anyway: a question of its own is a round trip."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class _Now(FunctionElement[float]):
    """Seconds since the epoch, by the server's own clock, which moves on within a transaction.

    ``NULL`` in a file, whose clock is that of its one host.
    """

    name = "now"
    type = Float()
    inherit_cache = True


@compiles(_Now)
def _of_a_file(_element: _Now, _compiler: Any, **_options: Any) -> str:
    return "NULL"


@compiles(_Now, "postgresql")
def _of_postgresql(_element: _Now, _compiler: Any, **_options: Any) -> str:
    return "extract(epoch FROM clock_timestamp())::double precision"


@compiles(_Now, "mysql")
@compiles(_Now, "mariadb")
def _of_mariadb(_element: _Now, _compiler: Any, **_options: Any) -> str:
    return "UNIX_TIMESTAMP(SYSDATE(6))"


#: Not for a question that locks: it may be answered before the lock is there.
NOW = _Now().label("now")
