"""What Airflow stores of a task's fields holds nobody's number and no text."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, task
from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields

from tests.hooks.world import ADA, BOB, World, context
from whatsapp_provider.operators.base import WhatsAppTaskFailedError, reveal
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
from whatsapp_provider.operators.channel import WhatsAppCreateChannelOperator
from whatsapp_provider.operators.message import WhatsAppSendMessageOperator
from whatsapp_provider.operators.webhook import WhatsAppConfigureWebhookOperator

SECRET_TEXT = "your test result is positive"


def stored(operator: Any, **values: Any) -> str:
    """Render as Airflow does, and return what it would write into its database."""
    found = context(**values)
    found["task"] = operator
    operator.render_template_fields(found)
    return json.dumps(_serialize_rendered_fields(found["task"]), ensure_ascii=False)


def message(**fields: Any) -> WhatsAppSendMessageOperator:
    return WhatsAppSendMessageOperator(task_id="t", dag=DAG("d"), **fields)


def test_a_messages_number_and_text_are_stored_masked() -> None:
    told = stored(message(to="{{ number }}", text="{{ words }}"), number=f"+{ADA}", words=SECRET_TEXT)
    assert ADA not in told
    assert SECRET_TEXT not in told
    assert "…0001" in told
    assert f"<{len(SECRET_TEXT)} characters>" in told


def test_of_a_message_with_a_kind_only_the_kind_is_stored() -> None:
    told = stored(message(to=ADA, message={"kind": "image", "caption": SECRET_TEXT, "media": {}}))
    assert SECRET_TEXT not in told
    assert "<image>" in told


def test_mapped_tasks_are_stored_masked_too() -> None:
    with DAG("d") as dag:
        mapped = WhatsAppSendMessageOperator.partial(task_id="t", text=SECRET_TEXT).expand(to=[ADA, BOB])
    told = stored(mapped, map_index=1, dag=dag, dag_run=SimpleNamespace(conf={}))
    assert BOB not in told
    assert SECRET_TEXT not in told
    assert "…0002" in told


def test_of_a_new_channels_options_only_the_names_are_stored() -> None:
    options = {"proxy": {"password": "{{ words }}"}, "reject_call": True}
    operator = WhatsAppCreateChannelOperator(
        task_id="t", channel_name="spring", options=options, dag=DAG("d")
    )
    told = stored(operator, words=SECRET_TEXT)
    assert SECRET_TEXT not in told
    assert "<options proxy, reject_call>" in told
    assert reveal(operator.options)["proxy"] == {"password": SECRET_TEXT}


@pytest.mark.parametrize(
    "rows", [[{"phone": ADA, "name": "Grace"}], "[{'phone': '15550000001', 'name': 'Grace'}]", ADA]
)
def test_of_rows_only_their_size_is_stored_also_where_a_template_made_them_text(rows: Any) -> None:
    task = WhatsAppSendCampaignOperator(task_id="t", dag=DAG("d"), audience=rows, message="Hi")
    told = stored(task)
    assert ADA not in told
    assert "Grace" not in told


@pytest.mark.parametrize("audience", ["s3://people@bucket/2026-11-21/spring.csv", "120363000000000001@g.us"])
def test_an_audience_files_path_and_a_groups_id_are_stored_as_they_are(audience: str) -> None:
    task = WhatsAppSendCampaignOperator(task_id="t", dag=DAG("d"), audience=audience, message="Hi")
    assert audience in stored(task)


def test_of_an_older_groups_id_which_holds_its_makers_number_the_end_is_stored() -> None:
    group = f"{ADA}-1500000001@g.us"
    told = stored(WhatsAppSendCampaignOperator(task_id="t", dag=DAG("d"), audience=group, message="Hi"))
    assert ADA not in told
    assert "…0001@g.us" in told


def test_of_webhook_headers_only_the_names_are_stored() -> None:
    task = WhatsAppConfigureWebhookOperator(
        task_id="t", dag=DAG("d"), url="https://example.com", headers={"x-key": "swordfish-swordfish"}
    )
    told = stored(task)
    assert "swordfish" not in told
    assert "x-key" in told


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com:8443/in/swordfish?key=swordfish", "https://example.com:8443/…"),
        ("https://me:swordfish@example.com/", "https://example.com/…"),
        ("example.com/swordfish", "<url>"),
        ("https://[swordfish", "<url>"),
        (["swordfish"], "<url>"),
    ],
)
def test_of_a_webhooks_url_only_the_host_is_stored(url: Any, shown: str) -> None:
    told = stored(WhatsAppConfigureWebhookOperator(task_id="t", dag=DAG("d"), url=url))
    assert "swordfish" not in told
    assert shown in told


def test_rendering_twice_wraps_once() -> None:
    operator = message(to=ADA, text="Hi")
    for _ in range(2):
        stored(operator)
    assert reveal(operator.to) == ADA


def test_dependencies_are_found_in_private_fields() -> None:
    with DAG("d"):

        @task
        def rows() -> list[str]:
            return []

        found = rows()
        campaign = WhatsAppSendCampaignOperator(task_id="c", audience=found, message="Hi")
        one = WhatsAppSendMessageOperator(task_id="m", to=found, text="Hi")
    assert campaign.upstream_task_ids == {"rows"}
    assert one.upstream_task_ids == {"rows"}


def test_a_field_that_holds_an_object_with_template_fields_is_rendered() -> None:
    class Inner:
        template_fields = ("name",)
        name = "{{ word }}"

    inner = Inner()
    stored(message(to=ADA, message={"kind": "text", "body": inner}), word="done")
    assert inner.name == "done"


def test_a_wrapped_value_still_arrives(world: World) -> None:
    operator = message(to="{{ number }}", text="{{ words }}")
    found = context(number=ADA, words="Braces {{ stay }}")
    operator.render_template_fields(found)
    operator.execute(found)
    assert world.received() == [(ADA, "Braces {{ stay }}")]


@pytest.mark.parametrize("channel", ["{{ none }}", "{{ '' ~ none }}"])
def test_a_channel_that_came_out_as_none_is_not_replaced_by_the_connections(
    world: World, channel: str
) -> None:
    operator = message(to=ADA, text="Hi", channel=channel)
    found = context()
    operator.render_template_fields(found)
    with pytest.raises(WhatsAppTaskFailedError, match="came out as None"):
        operator.execute(found)
    assert world.received() == []


def test_an_empty_channel_means_the_connections_own(world: World) -> None:
    operator = message(to=ADA, text="Hi", channel="{{ '' }}")
    found = context()
    operator.render_template_fields(found)
    operator.execute(found)
    assert world.received() == [(ADA, "Hi")]
