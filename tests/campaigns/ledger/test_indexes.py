"""However many deliveries a ledger has, a turn and a batch of a plan look at those that they are about."""

from __future__ import annotations

import pytest

from tests.campaigns.support import Desk
from tests.scale import queries

#: PostgreSQL guesses wrong about a table that just grew; one that it has looked at is to be large enough to matter.
GROWN, ANALYZED = 20_000, 100_000


@pytest.mark.parametrize(("rows", "analyzed"), [(GROWN, False), (ANALYZED, True)], ids=["grown", "analyzed"])
def test_the_hot_path_finds_its_rows_by_an_index(url: str, rows: int, analyzed: bool) -> None:
    assert queries.problems_of(url, rows, analyzed=analyzed) == []


def test_a_statement_that_reads_the_whole_table_is_noticed(desk: Desk) -> None:
    queries.load(desk.ledger, 5000)
    statement = "SELECT id FROM wa_delivery WHERE body_hash = 'hash' ORDER BY updated_at"
    assert queries.explain(desk.ledger, statement, ()) != []
