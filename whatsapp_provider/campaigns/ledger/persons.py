"""One person, one row of a campaign that is sent to, also where an audience names them by two forms.

The first row decides, as among rows of one form. What a row tells counts for the rows before it, too: the people of a
campaign are in the ledger, so nobody has to be kept in memory for it. What is learned after a campaign was planned
comes too late.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select, update

from whatsapp_provider.campaigns.ledger import bulk, forms, spreading
from whatsapp_provider.campaigns.ledger.identities import LearnedFrom
from whatsapp_provider.campaigns.ledger.records import Exclusion, Planned
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.states import DeliveryState

#: By the code that rows of one form are counted by.
REPEATED = Exclusion("duplicate", "another row is the same person by another form")
_WAITING = (DeliveryState.PLANNED, DeliveryState.POSTPONED)
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Repeats:
    """Who is in a campaign by another form.

    :param recipients: of a batch, who is not to be sent to.
    :param taken_back: how many of the rows before it, for what the batch tells.
    """

    recipients: Collection[str] = frozenset()
    taken_back: int = 0

    def left_out(self, people: Sequence[Planned]) -> Sequence[Planned]:
        """Return everybody, those who repeat another row excluded, unless they are for a reason of their own."""
        if not self.recipients:
            return people
        return [
            replace(person, exclusion=REPEATED)
            if person.exclusion is None and person.recipient in self.recipients
            else person
            for person in people
        ]


def learn(
    connection: Connection, campaign: int, people: Sequence[Planned], there: Mapping[str, int], now: float
) -> Repeats:
    """Learn the forms that a batch tells, and return who repeats another row by them or by what was known.

    :param there: those of the batch who are in the campaign already.
    """
    told = [(person.recipient, *person.aliases) for person in people if person.aliases]
    if not told and not (people and forms.any_known(connection)):
        return Repeats()
    asked = {person.recipient for person in people}.union(*told)
    known = set(forms.families(connection, list(asked)).values())
    whole = forms.merged([*known, *told])
    new = [person.recipient for person in people if person.recipient not in there]
    before = _in_campaign(connection, campaign, list(whole.keys() - set(new)))
    persons: dict[int, list[str]] = {}
    for recipient in before:
        persons.setdefault(id(whole[recipient]), []).append(recipient)
    several = [some for some in persons.values() if len(some) > 1]
    # Before the links are written: rows are locked first, the list after them.
    taken_back = _take_back(connection, campaign, several, now) if several else 0
    spreading.link(connection, told, LearnedFrom.AUDIENCE, now)
    seen, repeated = set(persons), set()
    for recipient in new:
        if recipient in whole:
            person = id(whole[recipient])
            if person in seen:
                repeated.add(recipient)
            seen.add(person)
    return Repeats(repeated, taken_back)


def _in_campaign(connection: Connection, campaign: int, recipients: Sequence[str]) -> list[str]:
    return [
        recipient
        for start in range(0, len(recipients), _AT_ONCE)
        for recipient in bulk.places(connection, campaign, recipients[start : start + _AT_ONCE])
    ]


def _take_back(connection: Connection, campaign: int, persons: Sequence[Sequence[str]], now: float) -> int:
    """Leave out all rows of a person but one: of a campaign that runs the one that was sent, else the first."""
    repeated: list[int] = []
    for some in persons:
        theirs = select(delivery.c.id, delivery.c.seq, delivery.c.state).where(
            delivery.c.campaign == campaign, delivery.c.recipient.in_(some)
        )
        rows = connection.execute(theirs.with_for_update()).all()
        rows = sorted(rows, key=lambda row: (row.state in (*_WAITING, DeliveryState.SUPPRESSED), row.seq))
        repeated += [row.id for row in rows[1:] if row.state in _WAITING]
    for start in range(0, len(repeated), _AT_ONCE):
        of_theirs = update(delivery).where(delivery.c.id.in_(repeated[start : start + _AT_ONCE]))
        connection.execute(of_theirs.values(_LEFT_OUT | {"updated_at": now}))
    return len(repeated)


#: What is not sent needs no values.
_LEFT_OUT = {
    "state": DeliveryState.SUPPRESSED,
    "code": REPEATED.code,
    "reason": REPEATED.reason,
    "variables": None,
    "not_before": None,
}
