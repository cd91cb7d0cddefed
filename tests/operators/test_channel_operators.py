"""Channels as tasks: bought once, found again, deleted only when named."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from tests.hooks.world import World, context
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.errors import NoAnswerError, NotFoundError, RateLimitedError
from whatsapp_provider.hooks import provisioning
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.hooks.provisioning import create_once
from whatsapp_provider.hooks.whatsapp import WhatsAppHook
from whatsapp_provider.model import ChannelSpec
from whatsapp_provider.operators.base import WhatsAppTaskFailedError, run_key
from whatsapp_provider.operators.channel import (
    WhatsAppCreateChannelOperator,
    WhatsAppDeleteChannelOperator,
    WhatsAppLogoutChannelOperator,
    WhatsAppRestartChannelOperator,
)

PUT = {"method": "PUT", "path": "/channels"}


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provisioning, "LOOKS", (0.02, 0.05, 0.1))


def create(name: str = "spring", **fields: Any) -> WhatsAppCreateChannelOperator:
    return WhatsAppCreateChannelOperator(task_id="create", channel_name=name, **fields)


def test_a_channel_is_created_and_only_its_reference_returned(world: World) -> None:
    ref = create().execute(context())
    assert ref == {"gateway": "whapi", "channel_id": ref["channel_id"], "name": "spring"}
    assert world.channels() == ["main", "spring"]


@pytest.mark.parametrize("options", [{"reject_call": True}, "reject_call"])
def test_an_option_that_the_gateway_does_not_know_creates_nothing(world: World, options: Any) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="option"):
        create(options=options).execute(context())
    assert world.channels() == ["main"]
    assert world.ledger_rows()["wa_channel_claim"] == 0


def test_a_channel_of_the_name_is_reused(world: World) -> None:
    first = create().execute(context(run_id="one"))
    assert create().execute(context(run_id="two")) == first
    assert world.channels() == ["main", "spring"]


def test_a_channel_of_the_name_is_refused_when_asked_and_the_claim_goes(world: World) -> None:
    task = create("main", if_exists="fail")
    for _ in range(2):  # the refused task did not become the owner by trying
        with pytest.raises(WhatsAppTaskFailedError, match=r"'main' already.*if_exists=\"reuse\""):
            task.execute(context())
    assert world.ledger_rows()["wa_channel_claim"] == 0


def test_a_task_cleared_after_its_success_finds_its_own_channel_and_others_are_refused(world: World) -> None:
    first = create(if_exists="fail").execute(context(run_id="one"))
    assert create(if_exists="fail").execute(context(run_id="one")) == first
    with pytest.raises(WhatsAppTaskFailedError, match="already"):
        create(if_exists="fail").execute(context(run_id="two"))
    assert world.channels() == ["main", "spring"]


def test_a_task_that_died_between_creating_and_answering_finds_its_own_channel(world: World) -> None:
    gateway = WhatsAppHook().gateway
    owner = run_key(context(), with_map_index=True)
    ledger = open_ledger()
    ledger.claim_channel_name(gateway.account_key, "spring", owner=owner, seconds=300)
    from whatsapp_provider.hooks import edge

    bought = edge.run(gateway.account().create_channel(ChannelSpec("spring")))
    ref = create(if_exists="fail").execute(context())
    assert ref["channel_id"] == bought.ref.channel_id
    assert world.channels() == ["main", "spring"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset_after_read", "forward": True},
        {"kind": "fin_after_read", "forward": True},
        {"kind": "deliver_then_status", "status": 502},
        {"kind": "half_json"},
    ],
    ids=lambda fault: fault["kind"],
)
@pytest.mark.parametrize("if_exists", ["reuse", "fail"])
def test_a_creation_without_an_answer_is_looked_for_and_adopted(
    world: World, fault: dict[str, Any], if_exists: Any
) -> None:
    world.fault(**fault, **PUT)
    ref = create(if_exists=if_exists).execute(context())
    assert ref["name"] == "spring"
    assert world.channels() == ["main", "spring"]
    assert world.asked("PUT /whapi/manager/channels") <= 1


def test_a_creation_that_never_appears_fails_and_its_retry_creates(world: World) -> None:
    world.fault("reset_after_read", forward=False, **PUT)
    with pytest.raises(NoAnswerError):
        create(if_exists="fail").execute(context())
    assert world.channels() == ["main"]
    create(if_exists="fail").execute(context())
    assert world.channels() == ["main", "spring"]


def test_a_channel_that_appears_after_the_task_gave_up_belongs_to_its_retry(world: World) -> None:
    world.fault("deliver_then_status", status=502, **PUT)
    world.fault("status", status=403, path="/channels/list", times=1, after=1)
    with pytest.raises(WhatsAppTaskFailedError, match="403"):
        create(if_exists="fail").execute(context())
    assert create(if_exists="fail").execute(context())["name"] == "spring"
    assert world.channels() == ["main", "spring"]


def test_a_retry_looks_more_than_once_before_it_creates_again(world: World) -> None:
    ledger = open_ledger()
    owner = run_key(context(), with_map_index=True)
    gateway = WhatsAppHook().gateway
    ledger.claim_channel_name(gateway.account_key, "spring", owner=owner, seconds=300)
    create().execute(context())
    assert world.asked("GET /whapi/manager/channels/list") == 1 + len(provisioning.LOOKS)


def test_two_tasks_at_once_create_one_channel(world: World) -> None:
    open_ledger().prepare()
    world.fault("delay", delay=0.3, **PUT)
    found: list[Any] = []

    def run(run_id: str) -> None:
        found.append(create().execute(context(run_id=run_id)))

    threads = [threading.Thread(target=run, args=(str(number),)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found[0] == found[1]
    assert world.channels() == ["main", "spring"]


def test_a_task_whose_claim_another_took_over_meanwhile_starts_over_and_finds_its_channel(
    world: World,
) -> None:
    gateway, spec, now = WhatsAppHook().gateway, ChannelSpec("spring"), [1_000.0]
    ledger = Ledger(f"sqlite:///{world.ledger_path.parent / 'timed.db'}", clock=lambda: now[0])
    ledger.claim_channel_name(gateway.account_key, "spring", owner="ours", seconds=300)
    steps: list[str] = []

    def sleep(_: float) -> None:
        steps.append("look")
        if len(steps) == len(provisioning.LOOKS):  # the machine slept, too
            now[0] += 301
            ledger.claim_channel_name(gateway.account_key, "spring", owner="theirs", seconds=300)
        if len(steps) == len(provisioning.LOOKS) + 1:
            create_once(gateway, ledger, spec, owner="theirs", may_reuse=True, sleep=lambda _: None)

    made = create_once(gateway, ledger, spec, owner="ours", may_reuse=True, sleep=sleep)
    ledger.dispose()
    assert not made.created
    assert world.channels() == ["main", "spring"]


def limited(world: World, **extra: Any) -> None:
    world.connect(extra={"creation_window": 600, **extra})
    world.control("POST", "/settings", {"creation_limit": 0})


def test_at_the_creation_limit_a_task_that_must_not_defer_fails_and_a_retry_is_worth_it(world: World) -> None:
    limited(world)
    with pytest.raises(RateLimitedError):
        create(deferrable=False).execute(context())
    assert world.ledger_rows()["wa_channel_claim"] == 0


def test_at_the_creation_limit_a_task_waits_for_the_window_and_resumes(world: World) -> None:
    limited(world)
    task = create()
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context())
    path, kwargs = deferred.value.trigger.serialize()
    assert path == "whatsapp_provider.triggers.moment.WhatsAppMomentTrigger"
    assert kwargs["moment"] == pytest.approx(time.time() + 600, abs=60)
    with pytest.raises(TaskDeferred) as again:
        task.resume(context(), event={"status": "due"}, **deferred.value.kwargs)
    assert again.value.kwargs == {"waits": 2}
    with pytest.raises(RateLimitedError):
        task.resume(context(), event={"status": "due"}, waits=4)
    world.control("POST", "/settings", {"creation_limit": 20})
    ref = getattr(task, deferred.value.method_name)(context(), event={"status": "due"}, waits=1)
    assert ref["name"] == "spring"


@pytest.mark.parametrize(("told", "seconds"), [("0", 25), ("3", 25), ("40", 40)])
def test_a_short_wait_is_held_long_enough_for_airflow(world: World, told: str, seconds: float) -> None:
    world.fault("status", status=429, headers={"retry-after": told}, times=None, **PUT)
    with pytest.raises(TaskDeferred) as deferred:
        create().execute(context())
    assert deferred.value.trigger.moment == pytest.approx(time.time() + seconds, abs=10)


@pytest.mark.parametrize("event", [None, {}, {"status": "error"}])
def test_a_trigger_that_says_anything_else_fails_the_task(world: World, event: Any) -> None:
    with pytest.raises(RuntimeError, match="end of a wait was expected"):
        create().resume(context(), event=event)
    assert world.channels() == ["main"]


@pytest.mark.parametrize("where", ["task", "connection"])
def test_an_unknown_project_is_named_and_not_retried(world: World, where: str) -> None:
    if where == "connection":
        world.connect(extra={"project_id": "nope"})
    task = create(project="nope" if where == "task" else None)
    told = "'nope'" if where == "task" else "connection's project"
    with pytest.raises(WhatsAppTaskFailedError, match=f"does not know.*{told}.*Mend project="):
        task.execute(context())
    assert world.channels() == ["main"]


@pytest.mark.parametrize("form", [dict, json.dumps, str, lambda ref: ref["name"]])
def test_a_channel_is_deleted_in_whatever_form_it_is_named(world: World, form: Any) -> None:
    ref = create().execute(context())
    delete = WhatsAppDeleteChannelOperator(task_id="delete", channel=form(ref))
    assert delete.execute(context()) is True
    assert world.channels() == ["main"]
    assert delete.execute(context()) is False


@pytest.mark.parametrize("channel", [None, "", "  ", "None", {}])
def test_a_teardown_without_a_channel_never_deletes_the_connections_own(world: World, channel: Any) -> None:
    assert WhatsAppDeleteChannelOperator(task_id="delete", channel=channel).execute(context()) is False
    strict = WhatsAppDeleteChannelOperator(task_id="delete", channel=channel, if_missing="fail")
    with pytest.raises(WhatsAppTaskFailedError, match="No channel is named"):
        strict.execute(context())
    assert world.channels() == ["main"]


def test_a_missing_channel_fails_where_it_is_asked_for(world: World) -> None:
    strict = WhatsAppDeleteChannelOperator(task_id="delete", channel="gone", if_missing="fail")
    with pytest.raises(NotFoundError, match="no such channel"):
        strict.execute(context())


def test_a_deletion_whose_answer_was_lost_is_no_missing_channel(world: World) -> None:
    ref = create().execute(context())
    world.fault("deliver_then_status", status=502, method="DELETE", path=f"/channels/{ref['channel_id']}")
    strict = WhatsAppDeleteChannelOperator(task_id="delete", channel=ref, if_missing="fail")
    assert strict.execute(context()) is True
    assert world.channels() == ["main"]


def test_a_name_is_not_asked_for_as_an_id(world: World) -> None:
    assert WhatsAppLogoutChannelOperator(task_id="logout", channel="main").execute(context()) is True
    assert world.asked("/channels/main") == 0


def test_another_gateways_channel_is_not_deleted(world: World) -> None:
    other = {"gateway": "evolution", "channel_id": world.channel_id}
    with pytest.raises(WhatsAppTaskFailedError, match="belongs to gateway 'evolution'"):
        WhatsAppDeleteChannelOperator(task_id="delete", channel=other).execute(context())
    assert world.channels() == ["main"]


def test_a_phone_is_unlinked_once(world: World) -> None:
    logout = WhatsAppLogoutChannelOperator(task_id="logout", channel=world.ref)
    assert logout.execute(context()) is True
    assert logout.execute(context()) is False


@pytest.mark.parametrize("option", [{"if_exists": "maybe"}])
def test_a_wrong_option_is_refused_when_the_dag_is_read(option: Any) -> None:
    with pytest.raises(ValueError, match="if_exists"):
        create(**option)
    with pytest.raises(ValueError, match="if_missing"):
        WhatsAppDeleteChannelOperator(task_id="d", channel="x", if_missing="maybe")


def test_a_restart_asks_the_gateway_for_it_and_leaves_the_phone_linked(world: World) -> None:
    assert WhatsAppRestartChannelOperator(task_id="t", channel="main").execute(context()) is None
    assert world.asked(f"POST /whapi/manager/channels/{world.channel_id}/restart") == 1
    assert world.emulator.network.linked_phone(world.channel_id) == "15550001000"


def test_a_channel_of_another_gateway_is_not_restarted(world: World) -> None:
    elsewhere = {"gateway": "another", "channel_id": world.channel_id, "name": ""}
    with pytest.raises(WhatsAppTaskFailedError, match="'another'"):
        WhatsAppRestartChannelOperator(task_id="t", channel=elsewhere).execute(context())
    assert world.asked("/restart") == 0
