"""Who says STOP while a campaign runs gets nothing more, by whatever form of them they said it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.campaigns.support import CHANNEL, SLOW_DOWN, Desk
from whatsapp_provider.campaigns.audience import AudienceOptions
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.identity import AliasKind
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.planning import Order
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.screening import screens_of
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.ledger.suppression import Source
from whatsapp_provider.campaigns.outcome import Ending
from whatsapp_provider.campaigns.pacing import Pace, Window
from whatsapp_provider.campaigns.plan import make_plan
from whatsapp_provider.campaigns.readers import rows_of
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.rules import Rules

KEY = CHANNEL.key()
ONE_A_MINUTE = Pace("test", (Window(1, 60),))
PEOPLE = [f"551197000000{index}" for index in range(1, 5)]
STOPPED = PEOPLE[2]
LID, USER_ID = "100000000000003@lid", "BR.13491208655302741918"
FORMS = {
    "number": STOPPED,
    "written": "+55 (11) 97000-0003",
    "without its ninth digit": "551170000003",
    "jid": f"{STOPPED}@s.whatsapp.net",
    "jid without its ninth digit": "551170000003:4@s.whatsapp.net",
    "lid": LID,
    "lid with a device": "100000000000003:12@lid",
    "user id": USER_ID,
}


def plan(desk: Desk, campaign: Campaign) -> CampaignRecord:
    rows = [
        {
            "phone": person,
            "name": "N",
            "lid": LID if person == STOPPED else "",
            "bsuid": USER_ID if person == STOPPED else None,
        }
        for person in PEOPLE
    ]
    return make_plan(
        desk.ledger,
        campaign,
        MessageTemplate("Hi {{ name }}", clock=desk.time),
        rows_of(rows, recipient_field="phone"),
        AudienceOptions(aliases={AliasKind.LID: "lid", AliasKind.USER_ID: "bsuid"}),
        order=Order(screens=screens_of(campaign.rules, "whapi")),
    ).record


def says(ledger: Ledger, sender: str, text: str = "Stop.") -> Callable[[], None]:
    """Return what a webhook does, once."""
    told: list[str] = []

    def hear() -> None:
        if not told:
            told.append(text)
            ledger.record_inbound(KEY, sender=sender, text=text)

    return hear


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_stop_between_two_turns_keeps_the_next_message_back(
    desk: Desk, open_ledger: Callable[..., Ledger], form: str
) -> None:
    wanted = desk.campaign(pace=ONE_A_MINUTE)
    record = plan(desk, wanted)
    desk.phones.at_send = [says(open_ledger(), form)]  # while the first of them is sent to
    assert desk.run(record, wanted).ending is Ending.FINISHED
    assert sorted(desk.phones.received) == [person for person in PEOPLE if person != STOPPED]
    (left_out,) = desk.in_state(record, DeliveryState.SUPPRESSED)
    assert (left_out.recipient, left_out.code) == (STOPPED, "suppressed")
    assert left_out.reason == "opt_out: asked to stop"


def test_a_stop_keeps_back_what_was_postponed(desk: Desk, open_ledger: Callable[..., Ledger]) -> None:
    wanted = desk.campaign()
    record = plan(desk, wanted)
    hear = says(open_ledger(), LID)

    def answer(recipient: str, attempt: int) -> Any:
        if recipient == STOPPED:
            hear()
            return SLOW_DOWN
        return None

    desk.phones.answer = answer
    assert desk.run(record, wanted).ending is Ending.FINISHED
    assert desk.phones.calls.count(STOPPED) == 1
    assert desk.counts(record) == {"accepted": 3, "suppressed": 1}


def test_who_starts_again_gets_the_next_campaign(desk: Desk) -> None:
    first, second, third = (desk.campaign(name) for name in ("first", "second", "third"))
    says(desk.ledger, STOPPED)()
    assert desk.run(plan(desk, first), first).ending is Ending.FINISHED
    assert STOPPED not in desk.phones.received
    says(desk.ledger, USER_ID, "START")()
    desk.run(plan(desk, second), second)
    assert desk.phones.received[STOPPED] == 1
    says(desk.ledger, LID, "sair")()
    desk.run(plan(desk, third), third)
    assert desk.phones.received == {STOPPED: 1} | dict.fromkeys((one for one in PEOPLE if one != STOPPED), 3)


def test_a_list_that_the_campaign_does_not_name_keeps_nobody_back(desk: Desk) -> None:
    for name in ("press", "trial", "opt_out"):
        person = PEOPLE[("press", "trial", "opt_out").index(name)]
        desk.ledger.suppress([[person]], name, source=Source.PERSON, by="Ada")
    wanted = desk.campaign(rules=Rules(lists=("trial",)))
    desk.run(plan(desk, wanted), wanted)
    assert sorted(desk.phones.received) == [PEOPLE[0], PEOPLE[3]]
