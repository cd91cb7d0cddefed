"""``campaign list``, ``show``, ``pause``, ``resume``, ``cancel``, ``resend`` and ``expire``."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.hooks.world import ADA, BOB, World, context
from whatsapp_provider.cli import main
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
from whatsapp_provider.operators.message import WhatsAppSendMessageOperator
from whatsapp_provider.operators.plan import WhatsAppPlanCampaignOperator

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def connected(world: World) -> World:
    world.connect()
    return world


@pytest.fixture
def call(connected: World, capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["campaign", *words])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def send(**fields: Any) -> Any:
    values = {
        "task_id": "send",
        "audience": [ADA, BOB],
        "message": "Hi",
        "pace": "unlimited",
        "campaign_id": "spring",
        "concurrency": 1,
        **fields,
    }
    return WhatsAppSendCampaignOperator(**values).execute(context())


@pytest.fixture
def half(connected: World) -> None:
    """A campaign of which one message was refused and the other was sent."""
    refusal = {"error": {"message": "Forbidden to send to this recipient"}}
    connected.fault("status", status=403, body=refusal, method="POST", path="/messages/", times=1)
    send()


def in_ten_days() -> str:
    return (datetime.now(UTC) + timedelta(days=10)).isoformat(timespec="minutes")


def test_a_list_of_nothing_says_so(call: Call) -> None:
    assert call("list") == (0, "There is no campaign.\n", "")


def test_campaigns_are_listed_and_single_messages_for_who_asks(call: Call, half: None) -> None:
    WhatsAppSendMessageOperator(task_id="one", to=ADA, text="Hello", message_key="hello").execute(context())
    code, told, _ = call("list")
    assert (code, len(told.splitlines())) == (0, 1)
    assert told.split()[1:] == ["finished", "1/2", "sent", "spring"]
    assert "message/hello" in call("list", "--single")[1]
    listed = json.loads(call("list", "--single", "--json")[1])
    assert [one["campaign_id"] for one in listed] == ["message/hello", "spring"]
    assert len(json.loads(call("list", "--single", "--limit", "1", "--json")[1])) == 1


def test_one_campaign_is_shown_with_what_people_did_to_it_and_with_nobodys_number(
    call: Call, half: None
) -> None:
    call("resend", "--campaign", "spring", "--by", "ada", "--note", "it was their phone")
    call("pause", "--campaign", "spring", "--by", "bob")
    code, told, _ = call("show", "--campaign", "spring")
    assert code == 0
    assert "Nothing is sent: bob paused it." in told
    assert "resend by ada: it was their phone" in told
    assert "2 recipients: 1 accepted, 1 planned." in told
    shown = json.loads(call("show", "--campaign", "spring", "--json")[1])
    assert (shown["state"], shown["held_by"], shown["sent"], shown["open"]) == ("ready", "bob", 1, 1)
    assert [(one["action"], one["by"]) for one in shown["control"]] == [("resend", "ada"), ("pause", "bob")]
    for number in (ADA, BOB):
        assert number not in told
        assert number not in str(shown)


def test_the_state_says_whom_or_what_a_campaign_waits_for(call: Call, half: None) -> None:
    call("resend", "--campaign", "spring")
    assert ": ready." in call("show", "--campaign", "spring")[1]
    call("pause", "--campaign", "spring", "--by", "bob")
    assert ": paused by bob." in call("show", "--campaign", "spring")[1]
    assert "  paused by bob " in call("list")[1]
    call("cancel", "--campaign", "spring", "--by", "ada")
    assert ": cancelled." in call("show", "--campaign", "spring")[1]


def test_a_plan_that_nobody_approved_is_shown_as_waiting_for_that(call: Call) -> None:
    values = {"audience": [ADA, BOB], "message": "Hi", "campaign_id": "spring", "needs_approval": True}
    WhatsAppPlanCampaignOperator(task_id="plan", **values).execute(context())
    assert ": waiting for approval." in call("show", "--campaign", "spring")[1]
    assert "  waiting for approval  0/2 sent  spring" in call("list")[1]
    assert json.loads(call("show", "--campaign", "spring", "--json")[1])["state"] == "ready"


def test_a_pause_is_told_once_and_a_second_one_says_whose_it_is(call: Call, half: None) -> None:
    call("resend", "--campaign", "spring")
    assert call("pause", "--campaign", "spring", "--by", "ada") == (
        0,
        "Campaign spring: paused by ada. Nothing more is sent until somebody resumes it.\n",
        "",
    )
    assert (
        call("pause", "--campaign", "spring", "--by", "bob")[1]
        == "Campaign spring: paused by ada already; nothing was changed.\n"
    )
    assert "it goes on" in call("resume", "--campaign", "spring", "--by", "bob")[1]
    assert call("resume", "--campaign", "spring")[1] == "Campaign spring: it is ready; nothing was changed.\n"


def test_a_campaign_that_paused_itself_needs_its_task_to_run_again(call: Call, connected: World) -> None:
    from whatsapp_provider.errors import CampaignPausedError

    connected.fault("status", status=502, times=None, method="POST", path="/messages/")
    with pytest.raises(CampaignPausedError):
        send(audience=[f"1555000{index:04d}" for index in range(9)], on_in_doubt="hold")
    call("pause", "--campaign", "spring")
    assert "It had stopped itself, too: run its task again." in call("resume", "--campaign", "spring")[1]


def test_the_failed_are_sent_to_again_by_the_next_run(call: Call, connected: World, half: None) -> None:
    assert (
        call("resend", "--campaign", "spring")[1]
        == "Campaign spring: 1 are planned again. The next run of its task sends them.\n"
    )
    assert send()["sent"] == 2
    assert len(connected.received()) == 2
    assert call("resend", "--campaign", "spring")[1] == (
        "Campaign spring: it is finished; nothing was changed.\n"
    )


def test_cancelled_is_cancelled_and_the_name_of_the_user_is_kept(
    call: Call, connected: World, half: None
) -> None:
    connected.monkeypatch.setenv("LOGNAME", "grace")
    call("resend", "--campaign", "spring")
    assert call("cancel", "--campaign", "spring")[1] == "Campaign spring: cancelled; 1 were not sent to.\n"
    assert (
        call("cancel", "--campaign", "spring")[1]
        == "Campaign spring: it is cancelled; nothing was changed.\n"
    )
    done = json.loads(call("show", "--campaign", "spring", "--json")[1])["control"]
    assert {one["by"] for one in done} == {"grace"}
    code, _, error = call("resend", "--campaign", "spring")
    assert code == 1
    assert "nothing more of it is sent" in error


def test_a_deadline_is_set_or_is_now(call: Call, half: None) -> None:
    call("resend", "--campaign", "spring")
    at = in_ten_days()
    code, told, _ = call("expire", "--campaign", "spring", "--at", at)
    assert code == 0
    assert f"nothing more is sent after {at[:10]} {at[11:16]} UTC." in told
    assert f"Nothing more is sent after {at[:16]}" in call("show", "--campaign", "spring")[1]
    acted = json.loads(call("expire", "--campaign", "spring", "--json")[1])
    assert (acted["state"], acted["changed"], acted["deliveries"]) == ("expired", True, 1)


@pytest.mark.parametrize("words", [["pause"], ["expire", "--at", "tomorrow"]])
def test_a_command_that_is_incomplete_does_nothing(call: Call, words: list[str]) -> None:
    assert call(*words)[0] == 2


@pytest.mark.parametrize("name", ["show", "pause", "resume", "cancel", "resend", "expire"])
def test_a_campaign_that_is_not_there_is_named(call: Call, name: str) -> None:
    code, _, error = call(name, "--campaign", "autumn")
    assert code == 1
    assert "no campaign 'autumn'" in error
