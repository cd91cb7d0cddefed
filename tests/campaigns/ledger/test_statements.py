"""SQLAlchemy takes longer to put a statement of a turn together than a database takes to carry it out."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import CacheStats

from tests.campaigns.conftest import MARIADB, POSTGRES
from tests.campaigns.support import Desk
from whatsapp_provider.campaigns.ledger.records import Lease, Result, Turn
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.pacing import Pace


@pytest.mark.parametrize("url", ["sqlite", POSTGRES, MARIADB], indirect=True)
@pytest.mark.parametrize("pace", [Pace.unlimited(), Pace.official()], ids=["unlimited", "bounded"])
def test_no_statement_of_a_turn_is_put_together_again(desk: Desk, pace: Pace) -> None:
    campaign = desk.campaign(pace=pace)
    lease = desk.ledger.begin(desk.plan(30, campaign), label="", seconds=60)
    for _ in range(2):
        _turn(desk, lease, pace)
    anew: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
        if context.compiled is not None and context.cache_hit is not CacheStats.CACHE_HIT:
            anew.append(f"{context.cache_hit.name}: {statement}")

    event.listen(desk.ledger._database.engine, "before_cursor_execute", note)
    assert len(_turn(desk, lease, pace).tasks) == 5
    assert not anew


def _turn(desk: Desk, lease: Lease, pace: Pace) -> Turn:
    """Get some to send to, and hand in that they were accepted."""
    turn = desk.ledger.turn(lease, [], places=5, pace=pace)
    results = [Result(task, DeliveryState.ACCEPTED, message_id=f"id-{task.id}") for task in turn.tasks]
    desk.ledger.turn(lease, results, places=0, pace=pace)
    return turn
