"""One message as a task: of any kind, once, and never what it was not meant to be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from tests.hooks.world import ADA, BOB, World, context
from tests.operators.places import at_whatscloud
from whatsapp_provider.demo.gateways import connection_fields
from whatsapp_provider.errors import NotConnectedError, RecipientRejectedError
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.message import WhatsAppSendMessageOperator

SEND = {"method": "POST", "path": "/messages/"}
PNG = {"url": "https://example.com/x.png"}


def task(**fields: Any) -> WhatsAppSendMessageOperator:
    values = {"task_id": "send", "to": ADA, **fields}
    if "message" not in values:
        values.setdefault("text", "Hello")
    return WhatsAppSendMessageOperator(**values)


def run(operator: WhatsAppSendMessageOperator, **fields: Any) -> Any:
    """Render and execute, as Airflow does."""
    found = context(**fields)
    operator.render_template_fields(found)
    return operator.execute(found)


def test_a_text_is_sent_and_little_is_returned(world: World) -> None:
    result = run(task(to="+1 (555) 000-0001", text="Hello"))
    assert world.received() == [(ADA, "Hello")]
    assert sorted(result) == ["message_id", "message_key", "status"]
    assert result["message_key"] == "dag/task/manual__1"
    assert ADA not in json.dumps(result)


@pytest.mark.parametrize(
    "message",
    [
        {"kind": "text", "body": "Hello"},
        {"kind": "image", "media": PNG, "caption": "Look"},
        {"kind": "video", "media": {"url": "https://example.com/x.mp4"}},
        {"kind": "audio", "media": {"url": "https://example.com/x.mp3"}},
        {"kind": "voice", "media": {"url": "https://example.com/x.ogg"}},
        {"kind": "document", "media": {"url": "https://example.com/x.pdf"}, "filename": "x.pdf"},
    ],
    ids=lambda message: message["kind"],
)
def test_each_kind_is_sent(world: World, message: dict[str, Any]) -> None:
    run(task(message=message))
    [entry] = world.control("GET", "/received")["received"]
    assert (entry["phone"], entry["kind"]) == (ADA, message["kind"])


def test_a_document_named_like_a_text_file_is_sent_as_what_it_is(world: World, tmp_path: Path) -> None:
    report = tmp_path / "report.txt"
    report.write_text("{{ not_a_template }}")
    document = {"kind": "document", "media": {"file": str(report)}, "filename": "report.txt"}
    run(task(message=document, message_key="notes.md", dag=DAG("d")))
    [entry] = world.control("GET", "/received")["received"]
    assert entry["kind"] == "document"


def test_a_second_run_of_the_same_key_sends_nothing_and_another_key_sends_again(world: World) -> None:
    first = run(task())
    again = run(task())
    assert again == {**first, "status": "already_sent"}
    assert run(task(message_key="again"))["status"] == "accepted"
    assert run(task(), run_id="manual__2")["status"] == "accepted"
    assert len(world.received()) == 3


def test_mapped_tasks_have_keys_of_their_own(world: World) -> None:
    keys = {run(task(to=to), map_index=index)["message_key"] for index, to in enumerate((ADA, BOB))}
    assert keys == {"dag/task/manual__1/0", "dag/task/manual__1/1"}


def test_a_key_that_stands_for_another_message_is_refused(world: World) -> None:
    run(task(message_key="welcome/{{ 1 + 1 }}"))
    with pytest.raises(WhatsAppTaskFailedError, match="'welcome/2' stands for another message"):
        run(task(message_key="welcome/2", to="15550000002"))
    assert world.received() == [(ADA, "Hello")]


def test_a_cleared_task_whose_text_has_changed_meanwhile_says_already_sent(world: World) -> None:
    run(task(message_key="welcome"))
    again = run(task(message_key="welcome", text="It is another hour now"))
    assert again["status"] == "already_sent"
    assert world.received() == [(ADA, "Hello")]


def test_a_message_whose_id_the_gateway_does_not_tell_is_sent_once_too(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    bot = world.emulator.waabot.paired_bot("front desk")
    world.connect(**connection_fields("waabot", world.facts))
    told = [run(task(channel=bot.id)) for _ in range(2)]
    assert [(one["message_id"], one["status"]) for one in told] == [("", "accepted"), ("", "already_sent")]
    assert "message of which the gateway tells no id." in capsys.readouterr().out
    assert world.received() == [(ADA, "Hello")]


def test_a_cleared_task_whose_template_was_paused_meanwhile_says_already_sent(world: World) -> None:
    tenant = at_whatscloud(world)
    template = {"kind": "template", "name": "order_update", "language": "en_US", "body": ["Ada", "47"]}
    run(task(message=template))
    tenant.set_template_status("order_update", "PAUSED")
    assert run(task(message=template))["status"] == "already_sent"
    with pytest.raises(WhatsAppTaskFailedError, match="is PAUSED"):
        run(task(message=template, message_key="another"))
    assert len(world.received()) == 1


@pytest.mark.parametrize(
    ("fault", "arrived"), [({"forward": True}, 1), ({"forward": False}, 0)], ids=["arrived", "lost"]
)
def test_a_message_without_an_answer_is_held_and_resent_only_when_asked(
    world: World, fault: dict[str, Any], arrived: int
) -> None:
    world.fault("reset_after_read", **fault, **SEND)
    for _ in range(2):
        with pytest.raises(WhatsAppTaskFailedError, match=r'may have been sent.*on_in_doubt="resend"'):
            run(task(on_in_doubt="hold"))
    assert len(world.received()) == arrived
    assert run(task(on_in_doubt="resend"))["status"] == "accepted"
    assert len(world.received()) == arrived + 1


def test_a_message_without_an_answer_that_the_history_shows_was_sent(world: World) -> None:
    world.fault("reset_after_read", forward=True, **SEND)
    assert run(task())["status"] == "accepted"
    assert world.received() == [(ADA, "Hello")]


@pytest.mark.parametrize("told", ["soon", "0", "-1", "inf", "nan"])
def test_a_settle_delay_that_is_none_is_refused_before_anything_is_sent(world: World, told: str) -> None:
    world.monkeypatch.setenv("AIRFLOW__WHATSAPP__SETTLE_SECONDS", told)
    with pytest.raises(WhatsAppTaskFailedError, match="settle_seconds is"):
        run(task())
    assert world.received() == []


def test_a_refused_recipient_may_be_tried_again(world: World) -> None:
    world.fault(
        "status", status=403, body={"error": {"message": "Forbidden to send to this recipient"}}, **SEND
    )
    with pytest.raises(RecipientRejectedError):
        run(task())
    assert run(task())["status"] == "accepted"


def test_an_unpaired_channel_leaves_the_message_to_a_retry(world: World) -> None:
    world.control("POST", "/unlink", {"channel_id": world.channel_id})
    with pytest.raises(NotConnectedError):
        run(task())
    assert world.received() == []


@pytest.mark.parametrize("fields", [{"text": None}, {"text": "a", "message": {"kind": "text", "body": "b"}}])
def test_exactly_one_of_text_and_message_is_needed(world: World, fields: dict[str, Any]) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="exactly one of text and message"):
        run(task(**fields))
    assert world.received() == []


def test_a_message_that_a_template_made_text_is_not_sent_as_text(world: World) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="message is a str where a mapping"):
        run(task(message='{"kind": "text", "body": "Hello"}', text=None))
    assert world.received() == []


def test_braces_that_come_with_a_value_stay_text(world: World) -> None:
    run(task(text="{{ words }}"), words="Use {{ braces }} and {% tags %}")
    assert world.received() == [(ADA, "Use {{ braces }} and {% tags %}")]


def test_a_text_file_beside_the_dag_is_read_and_rendered(world: World, tmp_path: Path) -> None:
    (tmp_path / "hello.txt").write_text("Hello {{ name }}, see notes.md")
    dag = DAG("d", template_searchpath=str(tmp_path))
    run(task(text="hello.txt", dag=dag), name="Ada")
    assert world.received() == [(ADA, "Hello Ada, see notes.md")]


def test_a_text_file_that_is_not_there_is_named_and_not_retried(world: World) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match=r"'gone.txt'.*template_searchpath"):
        run(task(text="gone.txt", dag=DAG("d")))
    assert world.received() == []


def test_a_killed_task_sends_nothing(world: World) -> None:
    operator = task()
    operator.on_kill()
    with pytest.raises(Exception, match="told to stop"):
        run(operator)
    assert world.received() == []
    assert run(task())["status"] == "accepted"


def test_an_attempt_that_airflow_has_replaced_sends_nothing(world: World) -> None:
    class Refusing:
        def set(self, key: str, value: str) -> None:
            raise PermissionError("this attempt was replaced")

    with pytest.raises(PermissionError):
        run(task(), task_state_store=Refusing())
    assert world.received() == []


def test_a_wrong_option_is_refused_when_the_dag_is_read() -> None:
    with pytest.raises(ValueError, match="on_in_doubt"):
        task(on_in_doubt="maybe")
