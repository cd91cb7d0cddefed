"""The sole right to do something to a name of an account, e.g. to create the channel of that name."""

from __future__ import annotations

from sqlalchemy import Connection, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from whatsapp_provider.campaigns.ledger.records import NameClaim
from whatsapp_provider.campaigns.ledger.schema import channel_claim


def claim(
    connection: Connection, account: str, name: str, owner: str, seconds: float, now: float
) -> NameClaim:
    """Ask for the right; the owner who has it may ask again."""
    mine = and_(channel_claim.c.account == account, channel_claim.c.name == name)
    row = connection.execute(select(channel_claim).where(mine).with_for_update()).one_or_none()
    values = {"owner": owner, "until": now + seconds}
    if row is not None:
        if row.owner != owner and row.until > now:
            return NameClaim(wait=float(row.until - now))
        connection.execute(update(channel_claim).where(mine).values(values))
        return NameClaim(resumed=row.owner == owner)
    try:
        with connection.begin_nested():
            connection.execute(insert(channel_claim).values(account=account, name=name, **values))
    except IntegrityError:
        return NameClaim(wait=seconds)
    return NameClaim()


def release(connection: Connection, account: str, name: str, owner: str) -> None:
    """Give the right back."""
    connection.execute(
        delete(channel_claim).where(
            channel_claim.c.account == account,
            channel_claim.c.name == name,
            channel_claim.c.owner == owner,
        )
    )
