"""What is left of a campaign whose plan failed: nothing, but for what a person said of it meanwhile."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, select, update

from whatsapp_provider.campaigns.ledger import planning
from whatsapp_provider.campaigns.ledger.control import Action
from whatsapp_provider.campaigns.ledger.planning import Held
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import control, lane, runner

#: What a campaign's row has of a plan that is gone; without a planner it is anybody's to plan.
_NOTHING = dict.fromkeys(column.name for column in campaigns.c if column.nullable)


def forget(connection: Connection, held: Held, now: float, *, whole: bool) -> None:
    """Remove a campaign whose people are gone, and what was noted of it meanwhile.

    :param whole: also what a person said of it; else a pause or a deadline of theirs is kept for who plans it next.
    """
    planning.keep(connection, held, now)
    for table in (lane, runner):
        connection.execute(delete(table).where(table.c.campaign == held.number))
    said = {} if whole else _said(connection, held.number)
    if said:
        bare = {"fingerprint": "", "template": "", "shared": "{}", "updated_at": now, **_NOTHING, **said}
        connection.execute(update(campaigns).where(campaigns.c.id == held.number).values(bare))
        return
    connection.execute(delete(control).where(control.c.campaign == held.number))
    connection.execute(delete(campaigns).where(campaigns.c.id == held.number))


def _said(connection: Connection, number: int) -> dict[str, Any]:
    """Return the columns that a person set of a campaign: its plan may have had a deadline of its own."""
    row = connection.execute(select(campaigns).where(campaigns.c.id == number)).one()
    expired = select(control.c.id).where(control.c.campaign == number, control.c.action == Action.EXPIRE)
    by_person = connection.execute(expired.limit(1)).first() is not None
    said = {"held_by": row.held_by, "expires_at": row.expires_at if by_person else None}
    return {name: value for name, value in said.items() if value is not None}
