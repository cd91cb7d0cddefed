"""Notifications reach whom they should, once, from each place that Airflow calls a notifier from."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from jinja2 import StrictUndefined

from tests.hooks.world import ADA, BOB, World
from tests.triggers.firing import deadline_missed
from whatsapp_provider.errors import (
    ConfigurationError,
    CredentialRejectedError,
    Disposition,
    InputError,
    NotificationError,
    RecipientError,
)
from whatsapp_provider.notifications.whatsapp import WhatsAppNotifier, send_whatsapp_notification

TEXTS = {"method": "POST", "path": "/messages/text"}
REFUSED = {"status": 403, "body": {"error": {"message": "Forbidden to send to this recipient"}}}
PATH = "whatsapp_provider.notifications.whatsapp.WhatsAppNotifier"


def of_a_task(**more: Any) -> dict[str, Any]:
    """Return a context as a failed task's callback gets it."""
    ti = SimpleNamespace(
        dag_id="billing",
        task_id="charge",
        run_id="manual__1",
        state="failed",
        log_url="https://airflow.example/log",
    )
    return {"ti": ti, "task_instance": ti, "run_id": "manual__1", **more}


def tell(way: str, context: dict[str, Any], **fields: Any) -> None:
    """Notify as a worker's callback does, or as an async caller does."""
    if way == "sync":
        WhatsAppNotifier(**fields)(context)
        return

    async def notify() -> None:
        await WhatsAppNotifier(**fields, context=context)

    asyncio.run(notify())


both_ways = pytest.mark.parametrize("way", ["sync", "async"])


@both_ways
def test_recipient_text_and_channel_are_templates(world: World, way: str) -> None:
    context = of_a_task(oncall=f"+{ADA}", sender="main")
    tell(way, context, to="{{ oncall }}", text="{{ ti.task_id }} failed", channel="{{ sender }}")
    assert world.received() == [(ADA, "charge failed")]


@both_ways
def test_several_are_told_and_each_once_however_their_number_is_written(world: World, way: str) -> None:
    tell(way, {}, to=[f"+{ADA}", "+1 555 000 0001", BOB], text="Down")
    tell(way, {}, to=f"{ADA}, +{BOB}; {ADA}", text="Up")
    assert sorted(world.received()) == [(ADA, "Down"), (ADA, "Up"), (BOB, "Down"), (BOB, "Up")]


@both_ways
def test_who_is_not_named_is_whom_the_connection_names(world: World, way: str) -> None:
    world.connect(extra={"notify_to": f" +{ADA},\n+{BOB} "})
    tell(way, {}, text="Down")
    assert sorted(world.received()) == [(ADA, "Down"), (BOB, "Down")]


@both_ways
def test_nobody_named_anywhere_says_where_to_name_one(world: World, way: str) -> None:
    with pytest.raises(ConfigurationError, match=r"pass to=.*notify_to.*'whatsapp_default'"):
        tell(way, {}, text="Down")


@both_ways
@pytest.mark.parametrize("to", ["{{ nobody }}", [], " , "])
def test_a_recipient_that_came_out_empty_is_not_the_connections(world: World, way: str, to: Any) -> None:
    world.connect(extra={"notify_to": ADA})
    with pytest.raises(ConfigurationError, match="came out empty"):
        tell(way, {"nobody": ""}, to=to, text="Down")
    assert world.received() == []


@both_ways
def test_one_wrong_recipient_and_nobody_is_told(world: World, way: str) -> None:
    with pytest.raises(RecipientError, match=r"'None' is neither"):
        tell(way, {"absent": None}, to=[ADA, "{{ absent }}"], text="Down")
    assert world.received() == []


@both_ways
@pytest.mark.parametrize(
    "fields", [{"text": ""}, {"text": "{{ '' }}"}, {"text": "x" * 65_537}, {"message": {"kind": "fax"}}]
)
def test_a_wrong_text_or_message_is_refused_before_anything_is_asked(
    world: World, way: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(InputError):
        tell(way, {}, to=ADA, **fields)
    assert world.asked("/whapi/") == 0


@both_ways
def test_a_channel_that_came_out_as_nothing_is_not_the_connections_own(world: World, way: str) -> None:
    with pytest.raises(ConfigurationError, match="came out as None"):
        tell(way, {"absent": None}, to=ADA, text="Down", channel="{{ absent }}")
    assert world.received() == []


@both_ways
def test_other_kinds_of_message_are_sent(world: World, way: str) -> None:
    image = {"kind": "image", "media": {"url": "https://example.com/x.png"}, "caption": "{{ ti.task_id }}"}
    tell(way, of_a_task(), to=ADA, message=image)
    [entry] = world.control("GET", "/received")["received"]
    assert (entry["kind"], entry["text"]) == ("image", "charge")


def test_a_text_and_a_message_at_once_are_refused_when_the_dag_is_read() -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        WhatsAppNotifier(text="a", message={"kind": "text", "body": "b"})


@both_ways
def test_each_message_takes_a_place_in_the_channels_pace_and_waits_for_none(world: World, way: str) -> None:
    for _ in range(3):  # the cautious pace lets two a minute go
        tell(way, {}, to=ADA, text="Down")
    assert len(world.received()) == 3
    rows = world.ledger_text("SELECT channel, sum(count) FROM wa_permit GROUP BY channel")
    assert rows == [(f"whapi/{world.channel_id}", 3)]


@both_ways
def test_the_others_are_told_where_one_is_refused_and_the_error_counts_them(world: World, way: str) -> None:
    world.fault("status", **REFUSED, **TEXTS)
    with pytest.raises(NotificationError, match=r"^1 of 2 messages.*…0001: ") as caught:
        tell(way, {}, to=[ADA, BOB], text="Down")
    assert caught.value.disposition is Disposition.SKIP
    assert ADA not in str(caught.value)
    assert world.received() == [(BOB, "Down")]


@both_ways
def test_a_message_without_an_answer_is_not_sent_again_and_said_to_be_in_doubt(
    world: World, way: str
) -> None:
    world.fault("status", **REFUSED, **TEXTS)
    world.fault("deliver_then_status", status=502, **TEXTS)
    with pytest.raises(NotificationError, match=r"^2 of 2 .*Some may have arrived") as caught:
        tell(way, {}, to=[BOB, ADA], text="Down")
    assert caught.value.disposition is Disposition.HOLD
    assert world.received() == [(ADA, "Down")]
    assert world.ledger_rows()["wa_permit"] == 1


@both_ways
@pytest.mark.parametrize("wrong", ["refused", "recipient", "token"])
def test_who_wants_silence_finds_a_warning_in_the_log(
    world: World, capsys: pytest.CaptureFixture[str], way: str, wrong: str
) -> None:
    if wrong == "token":
        world.connect(password="a-wrong-token-nobody-may-see", extra={"channel_id": ""})
    world.fault("status", **REFUSED, **TEXTS)
    to = "+1555000000123456" if wrong == "recipient" else ADA
    tell(way, {}, to=to, text="A secret", channel="main", fail_silently=True)
    told = capsys.readouterr().out
    assert "A notification failed, and fail_silently is set: " in told
    for private in (ADA, to, "A secret", "nobody-may-see"):
        assert private not in told
    assert world.received() == []


@both_ways
def test_a_wrong_token_is_told_as_what_it_is(world: World, way: str) -> None:
    world.connect(password="a-wrong-token-nobody-may-see")
    with pytest.raises(CredentialRejectedError, match="401"):
        tell(way, {}, to=ADA, text="Down", channel="main")


def test_a_notifier_that_is_called_twice_renders_twice_and_leaves_the_context_alone(world: World) -> None:
    notify = send_whatsapp_notification(to=ADA, text="{{ ti.task_id }} of {{ ti.dag_id }}")
    for task_id in ("charge", "refund"):
        context = of_a_task()
        context["ti"].task_id = task_id
        before = set(context)
        notify(context)
        assert set(context) == before
    assert [text for _, text in world.received()] == ["charge of billing", "refund of billing"]


RUN = {"dag_id": "billing", "dag_run_id": "manual__1"}
SEEN = [
    (of_a_task(), "Airflow: billing.charge is failed (run manual__1).\nhttps://airflow.example/log"),
    ({"dag_run": RUN, "deadline": {"id": "1"}}, "Airflow: billing missed its deadline (run manual__1)."),
    (
        {"dag": DAG("billing"), "run_id": "manual__1", "reason": "task_failure"},
        "Airflow: billing, run manual__1: task_failure",
    ),
    (
        {
            "pairing": {
                "channel": {"channel_id": "X-1", "name": "desk"},
                "page_url": "https://a/pair",
                "code": "no",
            }
        },
        "WhatsApp channel desk waits for its phone.\nhttps://a/pair",
    ),
    ({}, "Airflow: something asks for your attention."),
]


@pytest.mark.parametrize(("context", "text"), SEEN, ids=["task", "deadline", "dag", "pairing", "nothing"])
@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
def test_the_text_that_nobody_wrote_fits_each_context(
    world: World, context: dict[str, Any], text: str, strict: bool
) -> None:
    if strict:
        context = {**context, "dag": DAG("billing", template_undefined=StrictUndefined)}
    WhatsAppNotifier(to=ADA)(dict(context))
    assert world.received() == [(ADA, text)]


async def test_a_missed_deadline_is_told_by_airflows_own_trigger(world: World) -> None:
    await asyncio.to_thread(world.connect, extra={"notify_to": ADA})
    context = {"dag_run": RUN, "deadline": {"id": "1", "deadline_time": "2026-01-01T00:00:00Z"}}
    assert (
        await deadline_missed(PATH, {"text": "{{ dag_run.dag_id }} is late", "context": context}) == "success"
    )
    assert await asyncio.to_thread(world.received) == [(ADA, "billing is late")]


def test_an_operator_that_asks_a_person_tells_them_first(world: World) -> None:
    from airflow.providers.standard.operators.hitl import ApprovalOperator

    with DAG("billing"):
        operator = ApprovalOperator(
            task_id="ask",
            subject="Charge them?",
            notifiers=[WhatsAppNotifier(to=ADA, text="{{ task.subject }}")],
        )
    for notifier in operator.notifiers:
        notifier({"task": operator})
    assert world.received() == [(ADA, "Charge them?")]
