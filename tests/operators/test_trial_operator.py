"""A planned campaign's message is tried on one's own numbers before anybody of the audience gets it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hooks.world import ADA, BOB, World, context
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.plan import WhatsAppPlanCampaignOperator
from whatsapp_provider.operators.trial import WhatsAppTestCampaignOperator

ME, YOU = "15550009001", "15550009002"
ROWS = [{"phone": ADA, "name": "Ada"}, {"phone": BOB, "name": "Bob"}]


def run(operator: Any) -> Any:
    found = context()
    operator.render_template_fields(found)
    return operator.execute(found)


def planned(message: str = "Hello {{ name }}") -> Any:
    return run(
        WhatsAppPlanCampaignOperator(task_id="plan", audience=ROWS, message=message, campaign_id="spring")
    )


def trial(to: Any, campaign: Any = "spring") -> Any:
    return run(WhatsAppTestCampaignOperator(task_id="try", campaign=campaign, to=to))


def test_each_number_gets_the_message_of_another_person_and_the_audience_nothing(world: World) -> None:
    assert trial([ME, YOU], planned()) == {"campaign_id": "spring", "sent": 2, "already_sent": 0}
    assert sorted(world.received()) == [(ME, "Hello Ada"), (YOU, "Hello Bob")]


def test_a_cleared_trial_sends_nothing_again_and_another_message_does(world: World) -> None:
    planned()
    trial(f"+{ME}")
    assert trial(f"+{ME}") == {"campaign_id": "spring", "sent": 0, "already_sent": 1}
    planned("Hi {{ name }}")
    assert trial(ME)["sent"] == 1
    assert world.received() == [(ME, "Hello Ada"), (ME, "Hi Ada")]


def test_the_ledger_keeps_no_values_of_those_whose_message_was_tried(world: World) -> None:
    planned()
    trial([ME])
    kept = world.ledger_text("SELECT variables FROM wa_delivery WHERE recipient LIKE '%9001'")
    assert kept == [("{}",)]


@pytest.mark.parametrize("to", [[], "nobody", {"a": 1}])
def test_a_trial_without_a_number_sends_nothing(world: World, to: Any) -> None:
    planned()
    with pytest.raises(WhatsAppTaskFailedError, match=r"numbers|neither a phone number"):
        trial(to)
    assert world.received() == []
