"""What a gateway can't do is refused by name before anything is asked, whatever the operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.hooks.world import ADA, World, context
from whatsapp_provider.demo.gateways import connection_fields
from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.operators.base import WhatsAppOperator, WhatsAppTaskFailedError
from whatsapp_provider.operators.contacts import (
    WhatsAppManageContactGroupOperator,
    WhatsAppManageContactOperator,
)
from whatsapp_provider.operators.numbers import WhatsAppCheckNumbersOperator
from whatsapp_provider.operators.settings import WhatsAppUpdateSettingsOperator
from whatsapp_provider.operators.templates import WhatsAppSyncTemplatesOperator

#: A name that would have to be looked up.
NAMED = {"channel": "front desk"}
DEFINITION = {"name": "a", "category": "UTILITY", "language": "en", "components": [{"type": "BODY"}]}
NEEDS: dict[str, tuple[tuple[type[WhatsAppOperator], dict[str, Any]], ...]] = {
    "settings": ((WhatsAppUpdateSettingsOperator, {"settings": {"offline_mode": True}, **NAMED}),),
    "check_numbers": ((WhatsAppCheckNumbersOperator, {"numbers": [ADA], "pause": 0, **NAMED}),),
    "templates": ((WhatsAppSyncTemplatesOperator, NAMED),),
    "create_templates": ((WhatsAppSyncTemplatesOperator, {"definitions": [DEFINITION], **NAMED}),),
    "contact_book": (
        (WhatsAppManageContactOperator, {"phone": ADA, "state": "absent"}),
        (WhatsAppManageContactGroupOperator, {"name": "vip"}),
    ),
}


def refused() -> Iterator[Any]:
    for name, line in GATEWAYS.items():
        for flag, operators in NEEDS.items():
            for operator, fields in () if getattr(line.capabilities, flag) else operators:
                yield pytest.param(name, operator, fields, id=f"{name} {operator.__name__} {flag}")


@pytest.mark.parametrize(("gateway", "operator", "fields"), refused())
def test_it_is_refused_by_the_name_of_what_is_missing(
    world: World, gateway: str, operator: type[WhatsAppOperator], fields: dict[str, Any]
) -> None:
    world.connect(**connection_fields(gateway, world.facts))
    with pytest.raises(WhatsAppTaskFailedError, match=f"UnsupportedError: Gateway '{gateway}' can't "):
        operator(task_id="task", **fields).execute(context())
    assert world.control("GET", "/requests")["counts"] == {}


def test_every_ability_is_missing_somewhere_so_that_each_refusal_is_seen() -> None:
    missing = {
        flag for flag in NEEDS if not all(getattr(line.capabilities, flag) for line in GATEWAYS.values())
    }
    assert missing == set(NEEDS)
