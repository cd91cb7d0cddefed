"""Meta behind the BUSINESS integration: its refusals inside a 201, and its templates."""

from __future__ import annotations

from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.evolution import templates
from whatsapp_provider.emulator.evolution.body import Data
from whatsapp_provider.emulator.evolution.hooks import iso, row_id
from whatsapp_provider.emulator.evolution.instance import Instance
from whatsapp_provider.emulator.evolution.schema import SWITCH, TEXT, Rule, Schema, complaints

BAD_TOKEN = "Invalid OAuth access token - Cannot parse access token"  # noqa: S105 - Meta's sentence
NOT_ALLOWED = "Recipient phone number not in allowed list"
CATEGORIES = ("AUTHENTICATION", "MARKETING", "UTILITY")
TEMPLATE = Schema(
    {
        "name": TEXT,
        "category": Rule("string", values=CATEGORIES),
        "allowCategoryChange": SWITCH,
        "language": TEXT,
        "components": Rule("array"),
        "webhookUrl": TEXT,
    },
    ("name", "category", "language", "components"),
)


def trusts(instance: Instance) -> bool:
    """Say whether Meta takes an instance's token."""
    return instance.business and instance.token.startswith("EAA")


def refusal(instance: Instance, name: str, data: Data, *, unsent: bool) -> dict[str, Any] | None:
    """Return Meta's error object for a send; the server answers it with 201."""
    trace = f"A{instance.world.random.getrandbits(48):x}"
    if not trusts(instance):
        return {"message": BAD_TOKEN, "type": "OAuthException", "code": 190, "fbtrace_id": trace}
    number = str(data.get("number", "")).partition("@")[0]
    if unsent or number in instance.world.settings.numbers_without_whatsapp:
        advice = f"{NOT_ALLOWED}: Add recipient phone number to recipient list and try again."
        return _error(131030, NOT_ALLOWED, advice, trace)
    problem = templates.problem(instance, data) if name == "sendTemplate" else None
    return None if problem is None else _error(*problem, trace)


def _error(code: int, text: str, details: str, trace: str) -> dict[str, Any]:
    return {
        "message": f"(#{code}) {text}",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details},
        "fbtrace_id": trace,
    }


async def create_template(instance: Instance, _request: Request, data: Data) -> Reply:
    """Answer POST template/create."""
    found = complaints(data, TEMPLATE, "")
    now = iso(instance.world.clock.now())
    if found:
        return _refused([found], now)
    if not trusts(instance):
        return _refused(BAD_TOKEN, now, code=190, kind="OAuthException")
    name, language = data["name"], data["language"]
    if any((t["name"], t["language"]) == (name, language) for t in instance.templates):
        return _refused(
            f"There is already {language} content for this template.",
            now,
            code=100,
            kind="OAuthException",
            title="Content in this language already exists",
            subcode=2388024,
        )
    template = instance.add_template(data, "PENDING")
    after = instance.world.settings.evolution_approval_seconds
    if after is not None:
        instance.world.timeline.call_later(after, _approve, instance, template, data.get("webhookUrl"))
    answer = {
        "id": row_id(instance),
        "templateId": template["id"],
        "name": name,
        "template": {"id": template["id"], "status": "PENDING", "category": data["category"]},
    }
    if "webhookUrl" in data:
        answer["webhookUrl"] = data["webhookUrl"]
    return json_reply({**answer, "createdAt": now, "updatedAt": now, "instanceId": instance.id}, 201)


def _approve(instance: Instance, template: Data, webhook_url: str | None) -> None:
    if template["status"] == "PENDING":
        template["status"] = "APPROVED"
    if webhook_url:
        # Meta's own words, handed on as they came.
        told = {
            "event": "APPROVED",
            "message_template_id": int(template["id"]),
            "message_template_name": template["name"],
            "message_template_language": template["language"],
            "reason": "NONE",
        }
        instance.webhook.post(webhook_url, "template.approved", told)


def _refused(
    text: Any,
    now: str,
    *,
    code: int | str = "UNKNOWN_ERROR",
    kind: str = "UNKNOWN",
    title: Any = None,
    subcode: int | None = None,
) -> Reply:
    known = kind != "UNKNOWN"
    details = {
        "whatsapp_error": text,
        "whatsapp_code": code,
        "error_user_title": title or text,
        "error_user_msg": text,
        "error_type": kind,
        "error_subcode": subcode,
        "fbtrace_id": "AFake" if known else None,
        "context": "template_creation",
        "type": "whatsapp_api_error",
    }
    body = {"status": 400, "error": "Bad Request", "message": title or text, "details": details}
    return json_reply({**body, "timestamp": now}, 400)


async def find_templates(instance: Instance, _request: Request, _data: Data) -> Reply:
    """Answer GET template/find: Meta's list, or nothing at all where Meta says no."""
    if not trusts(instance):
        return Reply(200)
    return json_reply(instance.templates)
