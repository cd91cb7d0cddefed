"""The order of a campaign's people within a lane, written so that each database reads it off the index.

The index is on campaign, state, lane and seq. Where a campaign has no lanes, PostgreSQL takes ``lane IS NULL`` for no
value and sorts everybody by ``seq`` unless the lane stands in the order; MariaDB sorts everybody if it does.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from whatsapp_provider.campaigns.ledger.schema import delivery


class _Lane(FunctionElement[int]):
    """The lane, one and the same for all that are asked for.

    A function without arguments, since other elements of one's own keep SQLAlchemy from remembering a statement.
    """

    name = "lane"
    type = BigInteger()
    inherit_cache = True


@compiles(_Lane)
def _named(_element: _Lane, compiler: Any, **options: Any) -> str:
    return str(compiler.process(delivery.c.lane, **options))


@compiles(_Lane, "mysql")
@compiles(_Lane, "mariadb")
def _left_out(_element: _Lane, _compiler: Any, **_options: Any) -> str:
    return "NULL"


#: For questions that name campaign, state and lane.
FIRST_OF_LANE: tuple[ColumnElement[int], ...] = (_Lane(), delivery.c.seq)
LAST_OF_LANE: tuple[ColumnElement[int], ...] = (_Lane().desc(), delivery.c.seq.desc())
