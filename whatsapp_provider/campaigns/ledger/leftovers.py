"""What a campaign's own row, and free words anywhere, may still tell of people whose deliveries were erased."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Column, Connection, func, or_, select, update

from whatsapp_provider.campaigns.ledger import erased
from whatsapp_provider.campaigns.ledger.schema import (
    campaign,
    channel,
    control,
    delivery,
    settlement,
    suppression,
)

#: Free words, which may quote a number: of people who work here, and of gateways.
WORDS: tuple[Column[Any], ...] = (
    control.c.note,
    settlement.c.note,
    campaign.c.reason,
    channel.c.quiet_reason,
    suppression.c.reason,
)
PAGE = 1000
#: So many digits from a number's end are in each way to write it, without its country too.
_ENDING = 8
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s().\-/]+(?=\d)")


def strip_campaign(connection: Connection, number: int) -> None:
    """Take out of a campaign's row what tells of its people: hashes of their data, and what was for one alone."""
    row = connection.execute(select(campaign).where(campaign.c.id == number).with_for_update()).one()
    values: dict[str, Any] = {"fingerprint": erased.sealed(connection, row.fingerprint)}
    of_campaign = select(delivery.c.address).where(delivery.c.campaign == row.id)
    if connection.execute(of_campaign.limit(2)).scalars().all() == [""]:
        # What was written for one person is theirs.
        values |= {
            "template": erased.sealed(connection, row.template),
            "message": None,
            "shared": "{}",
            "preflight": None,
        }
    connection.execute(update(campaign).where(campaign.c.id == row.id).values(values))


def endings(forms: Iterable[str]) -> frozenset[str]:
    """Return the digits by which a person's numbers are known wherever they are quoted."""
    digits = (form.partition("@")[0].rpartition(".")[2] for form in forms)
    return frozenset(name[-_ENDING:] for name in digits if name.isdecimal() and len(name) >= _ENDING)


def strike_words(
    connection: Connection, column: Column[Any], ends: Collection[str], after: Any
) -> tuple[int, Any]:
    """Take away a page of free words where they quote a number; return how many, and where the next page begins.

    :param after: where the page begins; ``None`` for the first, and what is returned after the last.
    """
    table = column.table
    key = _key(table)
    page = select(key, column).where(column.is_not(None)).order_by(key).limit(PAGE)
    rows = connection.execute(page if after is None else page.where(key > after)).all()
    found = [place for place, words in rows if quotes(words, ends)]
    if found:
        connection.execute(update(table).where(key.in_(found)).values({column.name: None}))
    return len(found), rows[-1][0] if len(rows) == PAGE else None


def _key(table: Any) -> Column[Any]:
    return next(iter(table.primary_key))


def quotes(words: str, ends: Collection[str]) -> bool:
    """Tell whether words have one of these numbers in them, with blanks and hyphens or without."""
    bare = _BETWEEN_DIGITS.sub("", words)
    return any(end in bare for end in ends)


def named_by(connection: Connection, ends: Collection[str]) -> int:
    """Return how many campaigns have one of these numbers in their id."""
    if not ends:
        return 0
    quoting = or_(*(campaign.c.campaign_id.contains(end) for end in ends))
    return int(connection.execute(select(func.count()).select_from(campaign).where(quoting)).scalar_one())
