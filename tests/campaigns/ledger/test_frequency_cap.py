"""Of campaigns that would write to one person at one moment, a cap lets one."""

from __future__ import annotations

from functools import partial

from tests.campaigns.ledger.book import PACE, at_once
from tests.campaigns.support import Desk, entry
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import Turn
from whatsapp_provider.campaigns.rules import DAY, FrequencyCap, Rules

CAPPED = Rules(cap=FrequencyCap(1, DAY))
PEOPLE, ROUNDS = 20, 5


def first_turn(ledger: Ledger, name: str) -> Turn:
    found = ledger.find(name)
    assert found is not None
    lease = ledger.begin(found, label="", seconds=60)
    return ledger.turn(lease, [], places=PEOPLE, pace=PACE, rules=CAPPED)


def test_of_two_campaigns_at_one_moment_one_writes_to_a_person(desk: Desk) -> None:
    processes = desk.open_ledger(), desk.open_ledger()
    for turn in range(ROUNDS):
        people = [entry(turn * PEOPLE + place) for place in range(PEOPLE)]
        names = f"spring{turn}", f"summer{turn}"
        for name in names:
            desk.ledger.plan(desk.campaign(name), "text", people)
        turns = at_once(
            *(partial(first_turn, ledger, name) for ledger, name in zip(processes, names, strict=True))
        )
        written = [task.recipient for each in turns for task in each.tasks]
        assert sorted(written) == [person.recipient for person in people]
