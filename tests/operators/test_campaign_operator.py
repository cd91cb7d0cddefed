"""Campaigns as tasks: planned, sent once each, resumed, reported."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred
from airflow.sdk import DAG

from tests.hooks.world import ADA, BOB, World, context
from whatsapp_provider.errors import CampaignPausedError
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator

SEND = {"method": "POST", "path": "/messages/"}
ROWS = [{"phone": ADA, "name": "Ada"}, {"phone": BOB, "name": "Bob"}]
GREETED = [(ADA, "Hello Ada"), (BOB, "Hello Bob")]


def task(**fields: Any) -> WhatsAppSendCampaignOperator:
    values = {
        "task_id": "send",
        "audience": ROWS,
        "message": "Hello {{ name }}",
        "pace": "unlimited",
        **fields,
    }
    return WhatsAppSendCampaignOperator(**values)


def run(operator: WhatsAppSendCampaignOperator, **fields: Any) -> Any:
    found = context(**fields)
    operator.render_template_fields(found)
    return operator.execute(found)


def csv_file(folder: Path, text: str = f"phone,name\n{ADA},Ada\n{BOB},Bob\n", name: str = "p.csv") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def rows_in_jsonl(folder: Path) -> str:
    (folder / "p.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS))
    return str(folder / "p.jsonl")


@pytest.mark.parametrize(
    "audience",
    [
        lambda _: ROWS,
        lambda _: (row for row in ROWS),
        csv_file,
        rows_in_jsonl,
        lambda p: f"file://{csv_file(p)}",
    ],
    ids=["list", "iterable", "csv", "jsonl", "url"],
)
def test_everyone_of_an_audience_gets_their_own_message(world: World, tmp_path: Path, audience: Any) -> None:
    report = run(task(audience=audience(tmp_path)))
    assert sorted(world.received()) == GREETED
    assert (report["total"], report["sent"], report["open"]) == (2, 2, 0)


def test_bare_numbers_and_shared_variables(world: World) -> None:
    run(task(audience=[ADA, int(BOB)], message="On {{ day }}", variables={"day": "{{ day }}"}), day="Monday")
    assert sorted(world.received()) == [(ADA, "On Monday"), (BOB, "On Monday")]


def test_the_report_is_small_and_holds_nobody(world: World) -> None:
    refusal = {"error": {"message": f"Forbidden to send to this recipient: {BOB}"}}
    world.fault("status", status=403, body=refusal, after=1, **SEND)
    report = run(task(concurrency=1))
    told = json.dumps(report)
    assert ADA not in told
    assert BOB not in told
    assert "Ada" not in told
    assert report["counts"] == {"accepted": 1, "rejected": 1}
    assert report["rejected"][0]["recipient"] == "…0002"
    assert len(told) < 2000


def test_a_retry_and_a_clear_send_nothing_again(world: World) -> None:
    first = run(task())
    assert run(task()) == first
    assert len(world.received()) == 2


def test_a_new_run_is_a_new_campaign_unless_the_id_is_given(world: World) -> None:
    run(task(), run_id="one")
    run(task(), run_id="two")
    assert len(world.received()) == 4
    run(task(campaign_id="spring-{{ year }}"), run_id="three", year=2026)
    run(task(campaign_id="spring-2026"), run_id="four")
    assert len(world.received()) == 6


def test_mapped_tasks_of_a_run_share_the_campaign(world: World) -> None:
    ids = {run(task(), map_index=index)["campaign_id"] for index in range(2)}
    assert ids == {"dag/task/manual__1"}
    assert len(world.received()) == 2


def test_a_preview_checks_everything_and_sends_nothing(world: World, capsys: Any) -> None:
    shown = run(task(preview="{{ True }}"))
    assert shown == {"preview": True, "total": 2, "left_out": {}}
    told = capsys.readouterr().out
    assert "Hello Ada" in told
    assert ADA not in told
    assert world.received() == []
    assert world.ledger_rows()["wa_campaign"] == 0


@pytest.mark.parametrize("word", ["perhaps", "ture", "2", "{{ [1] }}"])
def test_an_unclear_preview_sends_nothing(world: World, word: str) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="neither true nor false"):
        run(task(preview=word))
    assert world.received() == []


@pytest.mark.parametrize(
    ("word", "sent"), [("yes", 0), (" True ", 0), ("False", 2), ("{{ none }}", 2), (False, 2)]
)
def test_a_templated_preview_means_what_it_says(world: World, word: Any, sent: int) -> None:
    run(task(preview=word))
    assert len(world.received()) == sent


def test_the_message_may_be_a_file_beside_the_dag(world: World, tmp_path: Path) -> None:
    (tmp_path / "hello.md").write_text("Hello {{ name }}")
    run(task(message="hello.md", dag=DAG("d", template_searchpath=str(tmp_path))))
    assert sorted(world.received()) == GREETED


def test_a_message_file_that_is_not_there_is_named(world: World) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match=r"'gone.md'.*template_searchpath"):
        run(task(message="gone.md", dag=DAG("d")))
    assert world.received() == []


def test_values_that_end_like_a_file_are_values(world: World) -> None:
    rows = [{"phone": ADA, "link": "https://example.com/readme.md"}]
    run(
        task(
            audience=rows,
            message="See {{ link }}, {{ file }}.",
            variables={"file": "notes.txt"},
            dag=DAG("d"),
        )
    )
    assert world.received() == [(ADA, "See https://example.com/readme.md, notes.txt.")]


def test_a_message_of_another_kind_with_a_template_in_it(world: World) -> None:
    message = {"kind": "image", "media": {"url": "https://example.com/x.png"}, "caption": "For {{ name }}"}
    run(task(message=message, media="ignore"))
    assert sorted(world.received()) == [(ADA, "For Ada"), (BOB, "For Bob")]


def test_progress_is_logged_while_it_sends(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from whatsapp_provider.operators import running

    monkeypatch.setattr(running, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(running, "PROGRESS_SECONDS", 0.1)
    world.fault("delay", delay=0.4, times=None, **SEND)
    run(task(concurrency=1))
    told = capsys.readouterr().out
    assert "2 recipients, 2 still to be sent to" in told
    assert "Progress: " in told
    assert "2 of 2 sent" in told
    assert ADA not in told


def test_an_outage_pauses_and_a_retry_goes_on_with_the_rest(world: World) -> None:
    audience = [f"1555000{index:04d}" for index in range(20)]
    world.fault("status", status=502, times=None, **SEND)
    with pytest.raises(CampaignPausedError, match=r"stopped itself with \d+ recipients left"):
        run(task(audience=audience, message="Hi", concurrency=1, on_in_doubt="hold"))
    world.control("DELETE", "/faults")
    report = run(task(audience=audience, message="Hi", concurrency=1, on_in_doubt="hold"))
    assert report["counts"]["in_doubt"] >= 5
    assert report["sent"] + report["counts"]["in_doubt"] == 20
    again = run(task(audience=audience, message="Hi", on_in_doubt="resend"))
    assert again["sent"] == 20


def test_a_wrong_token_met_while_sending_is_not_retried_in_vain(world: World) -> None:
    world.connect(password="a-token-that-is-wrong")
    with pytest.raises(
        WhatsAppTaskFailedError, match=r"stopped itself with 2 recipients left.*401"
    ) as caught:
        run(task(channel=world.ref))
    assert "a-token-that-is-wrong" not in str(caught.value)


def deferred_by(operator: WhatsAppSendCampaignOperator) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as caught:
        run(operator)
    return caught.value


def test_a_long_wait_for_the_pace_gives_the_slot_back_and_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whatsapp_provider.operators import campaign

    monkeypatch.setattr(campaign, "PATIENCE_SECONDS", 0.2)
    audience = [f"1555000{index:04d}" for index in range(3)]
    fields: dict[str, Any] = {"audience": audience, "message": "Hi", "pace": "cautious", "deferrable": True}
    wait = deferred_by(task(**fields))
    assert len(world.received()) == 2
    path, kwargs = wait.trigger.serialize()
    assert path == "whatsapp_provider.triggers.moment.WhatsAppMomentTrigger"
    assert set(kwargs) == {"moment"}
    assert 50 < kwargs["moment"] - time.time() < 60 + campaign.JITTER_SECONDS
    assert (wait.method_name, wait.kwargs) == ("resume", None)
    assert world.ledger_text("SELECT count(*) FROM wa_delivery WHERE state = 'sending'") == [(0,)]
    resumed = task(**{**fields, "pace": "unlimited"})
    resumed.render_template_fields(context())
    report = resumed.resume(context(), event={"status": "due"})
    assert report["sent"] == 3
    assert len(world.received()) == 3


def test_what_changed_during_a_wait_does_not_change_the_campaign(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whatsapp_provider.operators import campaign

    monkeypatch.setattr(campaign, "PATIENCE_SECONDS", 0.2)
    people = "phone\n15550000001\n15550000002\n15550000003\n"
    fields: dict[str, Any] = {
        "audience": csv_file(tmp_path, people),
        "message": "News: {{ headline }}",
        "deferrable": True,
    }
    deferred_by(task(**fields, variables={"headline": "old"}, pace="cautious"))
    csv_file(tmp_path, f"{people}15550000004\n")
    later = task(**fields, variables={"headline": "new"}, pace="unlimited")
    later.render_template_fields(context())
    assert later.resume(context(), event={"status": "due"})["sent"] == 3
    assert {text for _, text in world.received()} == {"News: old"}


def test_another_text_after_a_wait_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from whatsapp_provider.operators import campaign

    monkeypatch.setattr(campaign, "PATIENCE_SECONDS", 0.2)
    audience = [f"1555000{index:04d}" for index in range(3)]
    deferred_by(task(audience=audience, message="Hi", pace="cautious", deferrable=True))
    later = task(audience=audience, message="Ho", pace="unlimited", deferrable=True)
    later.render_template_fields(context())
    with pytest.raises(WhatsAppTaskFailedError, match="with another message text"):
        later.resume(context(), event={"status": "due"})
    assert len(world.received()) == 2


def test_after_a_wait_too_what_is_in_doubt_is_sent_again_if_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whatsapp_provider.operators import campaign

    monkeypatch.setattr(campaign, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setenv("AIRFLOW__WHATSAPP__SETTLE_SECONDS", "0.1")
    world.fault("deliver_then_status", times=1, **SEND)
    audience = [f"1555000{index:04d}" for index in range(3)]
    fields: dict[str, Any] = {
        "audience": audience,
        "message": "Hi",
        "on_in_doubt": "resend",
        "concurrency": 1,
    }
    deferred_by(task(**fields, pace="cautious", deferrable=True))
    later = task(**fields, pace="unlimited")
    later.render_template_fields(context())
    assert later.resume(context(), event={"status": "due"})["counts"] == {"accepted": 3}
    assert len(world.received()) == 4


def test_who_was_refused_is_tried_again_when_the_task_is_run_for_it(world: World) -> None:
    world.fault("unsent", times=1, **SEND)
    assert run(task(concurrency=1))["counts"] == {"accepted": 1, "rejected": 1}
    assert run(task())["counts"] == {"accepted": 1, "rejected": 1}
    assert run(task(on_rejected="resend"))["counts"] == {"accepted": 2}


@pytest.mark.parametrize("event", [None, {}, {"status": "error"}])
def test_a_trigger_that_says_anything_else_fails_the_task(world: World, event: Any) -> None:
    with pytest.raises(RuntimeError, match="end of a wait was expected"):
        task().resume(context(), event=event)
    assert world.received() == []


@pytest.mark.parametrize("option", ["on_in_doubt", "on_rejected", "on_invalid", "on_duplicate"])
def test_a_wrong_option_is_refused_when_the_dag_is_read(option: str) -> None:
    with pytest.raises(ValueError, match=option):
        task(**{option: "maybe"})


# -- groups ---------------------------------------------------------------------------------------


def group_of(world: World, *phones: str) -> str:
    answer = world.control("POST", "/groups", {"subject": "Guests", "participants": phones})
    return str(answer["group_id"])


def test_a_group_as_audience_means_each_member_but_the_channel_itself(world: World) -> None:
    group = group_of(world, ADA, BOB, "15550001000")
    report = run(task(audience=group, message="Hello"))
    assert sorted(world.received()) == [(ADA, "Hello"), (BOB, "Hello")]
    assert report["total"] == 2


def test_a_group_as_recipient_gets_one_message(world: World) -> None:
    group = group_of(world, ADA, BOB)
    run(task(audience=[group], message="Hello all"))
    assert world.received() == [(group.partition("@")[0], "Hello all")]


def test_a_campaign_to_a_group_goes_on_with_those_who_were_planned(world: World) -> None:
    world.fault("deliver_then_status", status=502, times=1, **SEND)
    group = group_of(world, ADA)
    operator = task(audience=group, message="Hello")
    assert run(operator)["total"] == 1
    world.emulator.network.groups.get(group).participants.append(BOB)
    assert run(task(audience=group, message="Hello"))["total"] == 1
    assert world.received() == [(ADA, "Hello")]


@pytest.mark.parametrize("first", ["group", "list"])
def test_another_group_under_the_same_id_is_refused_and_nobody_of_it_passed_over(
    world: World, first: str
) -> None:
    one, two = group_of(world, ADA), group_of(world, BOB)
    run(task(audience=one if first == "group" else [ADA], message="Hello"))
    with pytest.raises(WhatsAppTaskFailedError, match="with another audience or template"):
        run(task(audience=two, message="Hello"))
    assert world.received() == [(ADA, "Hello")]


def test_other_values_for_a_group_are_refused_as_for_any_audience(world: World) -> None:
    fields = {"audience": group_of(world, ADA), "message": "On {{ day }}"}
    run(task(**fields, variables={"day": "Monday"}))
    with pytest.raises(WhatsAppTaskFailedError, match="with another audience or template"):
        run(task(**fields, variables={"day": "Tuesday"}))


def test_members_with_hidden_numbers_are_sent_to_where_the_channel_does_not_tell_its_own(
    world: World,
) -> None:
    members = {"id": "120363000000000001@g.us", "participants": [f"{ADA}@s.whatsapp.net", "995550000001@lid"]}
    world.fault("status", status=200, body=members, method="GET", path="/whapi/gate/groups/")
    health = {"status": {"code": 4, "text": "AUTH"}}
    world.fault("status", status=200, body=health, method="GET", path="/whapi/gate/health")
    assert run(task(audience=members["id"], message="Hello", preview=True))["total"] == 2
