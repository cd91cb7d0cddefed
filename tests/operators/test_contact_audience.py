"""A gateway's own contacts as the audience of a campaign."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hooks.world import ADA, BOB, World, context
from tests.operators.places import at_whatscloud
from whatsapp_provider.operators.audience import shown
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator

EVE = "15550000003"


def tenant_with_people(world: World) -> Any:
    """Ada and Eve are vips and leads, Bob is a customer; all are numbers of the tenant's own book."""
    tenant = at_whatscloud(world)
    vip = tenant.groups.add(name="vip")["id"]
    for phone, name, kind, groups in (
        (ADA, "Ada", "lead", [vip]),
        (BOB, "Bob", "customer", []),
        (EVE, "Eve", "lead", [vip]),
    ):
        add(tenant, phone, name, type=kind, group_id=groups)
    return tenant


def add(tenant: Any, phone: str, name: str, **values: Any) -> Any:
    empty = dict.fromkeys(("lastname", "company", "email", "country_id", "assigned_id", "description"))
    usual = {
        "source_id": 1,
        "status_id": 1,
        "is_enabled": 1,
        "is_opted_out": 0,
        "group_id": [],
        "type": "lead",
    }
    return tenant.contacts.add(**{**empty, **usual, "firstname": name, "phone": f"+{phone}", **values})


def run(query: Any, **fields: Any) -> Any:
    operator = WhatsAppSendCampaignOperator(
        **{
            "task_id": "send",
            "audience": {"contacts": query},
            "message": "Hello {{ firstname }}",
            "pace": "unlimited",
            **fields,
        }
    )
    found = context()
    operator.render_template_fields(found)
    return operator.execute(found)


def test_those_whom_a_query_chooses_get_a_message_with_their_own_values(world: World) -> None:
    tenant_with_people(world)
    report = run({"group": "vip", "type": "lead", "source": "WhatsApp", "status": 1})
    assert sorted(world.received()) == [(ADA, "Hello Ada"), (EVE, "Hello Eve")]
    assert report["total"] == 2


def test_who_opted_out_or_was_switched_off_gets_nothing(world: World) -> None:
    tenant = tenant_with_people(world)
    ada, bob, _ = tenant.contacts.rows.values()
    ada["is_opted_out"], bob["is_enabled"] = 1, 0
    run({})
    assert world.received() == [(EVE, "Hello Eve")]


def test_a_resumed_campaign_goes_on_with_those_who_were_planned(world: World) -> None:
    tenant = tenant_with_people(world)
    assert run({"type": "lead"})["total"] == 2
    add(tenant, "15550000004", "Joe")
    assert run({"type": "lead"})["total"] == 2
    assert len(world.received()) == 2
    with pytest.raises(WhatsAppTaskFailedError, match="CampaignMismatchError"):
        run({"type": "customer"})


def test_what_chooses_nobody_in_particular_is_refused_before_anything_is_asked(world: World) -> None:
    at_whatscloud(world)
    for query, words in (
        ({"grup": "vip"}, "can't be chosen by 'grup'"),
        ({"group": ""}, "by a name or an id; 'group' is neither"),
        ({"group": None}, "by a name or an id; 'group' is neither"),
        ("vip", "takes a mapping"),
    ):
        with pytest.raises(WhatsAppTaskFailedError, match=words):
            run(query)
    assert world.asked("GET /whatscloud/api/v1/acme/contacts") == 0


def test_a_gateway_without_contacts_refuses_them_by_name(world: World) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="'whapi' can't keep contacts"):
        run({"group": "vip"})


def test_how_contacts_are_chosen_may_be_stored() -> None:
    assert (
        shown({"contacts": {"group": "vip", "type": "lead"}})
        == "<contacts: {'group': 'vip', 'type': 'lead'}>"
    )
