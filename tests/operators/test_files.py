"""Files by URL are looked at before a campaign is sent, by the task that plans and by the one that does both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk import DAG
from jinja2 import BaseLoader, Environment

from tests.hooks.world import ADA, BOB, World, context
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
from whatsapp_provider.operators.plan import WhatsAppPlanCampaignOperator

ROWS = [{"phone": ADA, "name": "Ada"}, {"phone": BOB, "name": "Bob"}]
#: A worker's own network is nothing that a gateway can reach.
IMAGE = {"kind": "image", "media": {"url": "http://10.0.0.7/{{ name }}.png"}}


def run(operator: type[Any] = WhatsAppSendCampaignOperator, **fields: Any) -> dict[str, Any]:
    values = {
        "task_id": "send",
        "audience": ROWS,
        "message": IMAGE,
        "campaign_id": "spring",
        "pace": "unlimited",
        **fields,
    }
    found: dict[str, Any] = operator(**values).execute(context())
    return found


def test_a_file_that_can_not_be_had_refuses_the_campaign_before_anything_is_sent(world: World) -> None:
    with pytest.raises(
        WhatsAppTaskFailedError, match=r"is refused; it is removed, and nothing was sent\.\n- "
    ):
        run()
    assert world.received() == []
    assert world.ledger_rows()["wa_campaign"] == 0
    assert run(message="Hello {{ name }}")["sent"] == 2


def test_a_warning_is_told_and_the_campaign_is_sent(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(media="warn")["sent"] == 2
    assert capsys.readouterr().out.count("http://10.0.0.7/") == 2


def test_files_that_are_to_be_ignored_are(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(media="ignore")["sent"] == 2
    assert "10.0.0.7" not in capsys.readouterr().out


def test_an_unknown_word_for_it_fails_while_the_dag_is_read() -> None:
    for operator in (WhatsAppSendCampaignOperator, WhatsAppPlanCampaignOperator):
        with pytest.raises(ValueError, match="media must be"):
            run(operator, media="reject")


def test_what_a_killed_attempt_had_planned_is_looked_at_all_the_same(world: World) -> None:
    run(WhatsAppPlanCampaignOperator, media="ignore")
    with pytest.raises(WhatsAppTaskFailedError, match="is refused; it is removed"):
        run()
    assert world.received() == []


def test_a_campaign_that_has_begun_is_not_held_up_by_a_file_that_is_gone(world: World) -> None:
    run(media="ignore")
    assert run()["sent"] == 2
    assert len(world.received()) == 2


class Counted(BaseLoader):
    """The files of a DAG's folder, and how often they were read."""

    def __init__(self) -> None:
        self.reads = 0

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        self.reads += 1
        return "Hello {{ name }}", None, None


@pytest.mark.parametrize("operator", [WhatsAppPlanCampaignOperator, WhatsAppSendCampaignOperator])
def test_the_file_of_a_message_is_read_once_by_a_task(world: World, operator: type[Any]) -> None:
    loader = Counted()
    with DAG("d", jinja_environment_kwargs={"loader": loader}):
        run(operator, message="hello.md")
    assert loader.reads == 1
