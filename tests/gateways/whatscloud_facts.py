"""Exchanges with WhatsCloud's API; the tag names the source. Paths are those below the tenant.

[SEED] WhatsCloud's own page about its API. [VENDOR] the vendor's API reference of the product, WhatsMark SaaS v1; its
samples are written by hand. [WL] public API pages of other white labels of the same product; nobody has seen them
answered by whatscloud.pro. [CLIENT] public clients of such an installation: requests alone. [META] Meta's own
documentation. [LIKE] no source shows it; made after the one that is named behind it.
Names, numbers and ids are fictional ones of the same form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.gateways.wire_facts import Fact

TOKEN = "apitk_" + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01"
TENANT = "acme"
PHONE = "15550000001"
WAMID = "wamid.HBgLMTU1NTAwMDAwMDEVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA=="
QUOTED_WAMID = WAMID.replace("=", "%3D")
MADE, LATER = "2025-07-14T06:53:01.000000Z", "2024-02-08 10:00:00"  # both forms are seen
ALL = {"page": "1", "per_page": "100"}


def ok(message: str | None = None, **more: Any) -> dict[str, Any]:
    return {"status": "success", **({"message": message} if message else {}), **more}


def refused(message: str, errors: Any = None, **more: Any) -> dict[str, Any]:
    """Return the error envelope; ``errors`` is a mapping, or sometimes a text."""
    return {"status": "error", "message": message, **({} if errors is None else {"errors": errors}), **more}


def flat(*rows: Any, page: int = 1, total: int | None = None, per_page: int = 15) -> dict[str, Any]:
    """Return a page in the older form; for groups and templates the samples have no ``meta``."""
    meta = {"current_page": page, "total": len(rows) if total is None else total, "per_page": per_page}
    return {"status": "success", "data": list(rows), "meta": meta}


def nested(*rows: Any, page: int = 1, last: int = 1, total: int | None = None) -> dict[str, Any]:
    """Return a page in the newer form, Laravel's own."""
    path = f"https://whatscloud.pro/api/v1/{TENANT}/rows"
    following = f"{path}?page={page + 1}" if page < last else None
    return ok(
        data={
            "current_page": page,
            "data": list(rows),
            "first_page_url": f"{path}?page=1",
            "from": 1,
            "last_page": last,
            "next_page_url": following,
            "path": path,
            "per_page": 15,
            "prev_page_url": None,
            "to": len(rows),
            "total": len(rows) if total is None else total,
            "links": [],
        }
    )


def meta_error(code: int, title: str = "Refused", details: str = "") -> dict[str, Any]:
    """[META] Return an error object of the Graph API."""
    return {
        "message": f"(#{code}) {title}",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details or title},
        "fbtrace_id": "Az8or2yhqkZfEZ",
    }


# [VENDOR] and [WL] agree.
CONTACT: dict[str, Any] = {
    "id": 451,
    "tenant_id": 13,
    "firstname": "John",
    "lastname": "Doe",
    "company": None,
    "type": "lead",
    "email": "john@example.com",
    "phone": "+15550000001",
    "source_id": 2,
    "status_id": 1,
    "country_id": None,
    "group_id": [1, 2],
    "is_enabled": 1,
    "is_opted_out": 0,
    "addedfrom": 15,
    "created_at": MADE,
    "updated_at": MADE,
}
NEW_CONTACT = {
    "firstname": "John",
    "lastname": "Doe",
    "phone": "+15550000001",
    "email": "john@example.com",
    "type": "lead",
    "source_id": 2,
    "status_id": 1,
    "groups": "vip,news",
}
STATUS = {
    "id": 1,
    "tenant_id": 13,
    "name": "New",
    "color": "#FF0000",
    "isdefault": 1,
    "created_at": MADE,
    "updated_at": LATER,
}
PENDING = {**STATUS, "id": 4, "name": "Pending", "isdefault": 0}
SOURCE = {"id": 2, "tenant_id": 13, "name": "Referral", "created_at": MADE, "updated_at": MADE}
GROUP = {"id": 1, "tenant_id": 13, "name": "vip", "created_at": MADE, "updated_at": MADE}
OTHER_GROUP = {**GROUP, "id": 2, "name": "news"}
BUTTONS_DATA = [
    {"type": "URL", "text": "Track", "url": "https://example.com/{{1}}"},
    {"type": "QUICK_REPLY", "text": "more"},
]
# [VENDOR] has template_id as a number and no fields after buttons_data; [WL] has it as text.
TEMPLATE: dict[str, Any] = {
    "id": 11,
    "tenant_id": 13,
    "template_id": "123456789012345",
    "template_name": "order_confirmation",
    "language": "en_US",
    "status": "APPROVED",
    "category": "UTILITY",
    "header_data_format": "TEXT",
    "header_data_text": "Your order is confirmed",
    "header_params_count": 0,
    "body_data": "Hi {{1}}, your order {{2}} is confirmed.",
    "body_params_count": 2,
    "footer_data": "Thanks",
    "footer_params_count": 0,
    "buttons_data": json.dumps(BUTTONS_DATA).replace("/", "\\/"),
    "header_file_url": None,
    "header_variable_value": None,
    "body_variable_value": None,
    "template_type": None,
    "cards_json": None,
    "created_at": MADE,
    "updated_at": MADE,
}
PHOTO = {
    **TEMPLATE,
    "id": 12,
    "template_id": 123456789012346,
    "template_name": "sale_photo",
    "header_data_format": "IMAGE",
    "header_data_text": None,
    "body_data": "Hi {{1}}!",
    "body_params_count": 1,
    "buttons_data": None,
}
PLAIN = {**PHOTO, "id": 13, "template_name": "hello", "header_data_format": None}
TEMPLATE_BOT = {
    "id": 3,
    "tenant_id": 13,
    "name": "Greeting",
    "rel_type": "lead",
    "template_id": 123456789012345,
    "header_params": "[]",
    "body_params": "[]",
    "footer_params": "[]",
    "filename": None,
    "trigger": "hello",
    "reply_type": 1,
    "is_bot_active": 1,
    "sending_count": 0,
    "created_at": MADE,
    "updated_at": MADE,
}
MESSAGE_BOT = {
    "id": 5,
    "tenant_id": 13,
    "name": "Hours",
    "rel_type": "lead",
    "reply_text": "We open at nine.",
    "reply_type": 1,
    "trigger": "hours",
    "bot_header": None,
    "bot_footer": None,
    "button1": None,
    "button1_id": None,
    "button_name": None,
    "button_url": None,
    "addedfrom": 15,
    "is_bot_active": True,
    "sending_count": 0,
    "filename": None,
    "created_at": MADE,
    "updated_at": MADE,
}
# [WL] alone.
SENT: dict[str, Any] = ok(
    "Media message sent successfully",
    data={
        "message_id": WAMID,
        "contact_id": 451,
        "phone": "+15550000001",
        "status": "sent",
        "sent_at": "2026-04-16T12:00:00.000000Z",
        "chat_id": 88,
        "contact_created": False,
    },
)
# [META] inside of [WL]: newer versions hand Meta's own answer on.
METAS_ANSWER = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "+15550000001", "wa_id": PHONE}],
    "messages": [{"id": WAMID, "message_status": "accepted"}],
}
SENT_LATER = ok(
    "Message sent successfully", data={"whatsapp_response": METAS_ANSWER, "contact_created": True}
)
STATUS_OF_MESSAGE = ok(
    data={
        "message_id": WAMID,
        "delivery_status": "delivered",
        "error_message": None,
        "source": "chat",
        "last_updated": MADE,
        "statuses": {"sent": "…", "delivered": "…", "read": "…", "failed": "…", "pending": "…"},
    }
)
VALIDATED = ok(
    data={
        "phone": "+15550000001",
        "phone_digits": PHONE,
        "format_valid": True,
        "country_code": 1,
        "country": "US",
        "national_number": "5550000001",
        "e164": "+15550000001",
        "reason": None,
        "note": "Format only",
    }
)

TO = {"phone_number": f"+{PHONE}"}
TEXT = {**TO, "message_body": "Hello"}
REPLIES = {
    **TO,
    "message_body": "Well?",
    "message_type": "interactive",
    "header": "Order 47",
    "footer": "Thanks",
    "buttons": [{"id": "yes", "title": "Yes"}, {"id": "2", "title": "No"}],
}
PAGE = {
    **TO,
    "message_body": "Look",
    "message_type": "cta_url",
    "button_text": "Open",
    "button_url": "https://example.com",
}
ORDER = {
    **TO,
    "template_name": "order_confirmation",
    "template_language": "en_US",
    "field_1": "Ada",
    "field_2": "47",
    "button_0": "47",
}
SALE = {
    **TO,
    "template_name": "sale_photo",
    "template_language": "en_US",
    "field_1": "Ada",
    "header_image_url": "https://example.com/a.png",
}


def _media(kind: str, **more: str) -> Fact:
    body = {**TO, "media_type": kind, "media_url": f"https://example.com/{kind}", **more}
    return Fact("[WL]", "POST /messages/media", body, SENT, kind=kind)


_CHANGED = {**NEW_CONTACT, "company": "Acme"}
_BY = {"type": "lead", "source_id": "2", "status_id": "1", **ALL}

WIRE: tuple[Fact, ...] = (
    Fact("[CLIENT] [WL]", "POST /messages/send", TEXT, SENT_LATER, kind="text"),
    Fact("[WL]", "POST /messages/send", REPLIES, SENT_LATER, kind="buttons"),
    Fact("[WL]", "POST /messages/send", PAGE, SENT_LATER, kind="buttons"),
    _media("image", caption="Look"),
    _media("video", caption="Look"),
    _media("audio"),
    _media("document", caption="Look", filename="a.pdf"),
    Fact("[CLIENT] [VENDOR] [WL]", "POST /messages/template", ORDER, SENT_LATER, kind="template"),
    Fact("[CLIENT] [VENDOR] [WL]", "POST /messages/template", SALE, SENT_LATER, kind="template"),
    Fact("[WL]", f"GET /messages/{QUOTED_WAMID}/status", None, STATUS_OF_MESSAGE),
    Fact("[WL]", "POST /phone/validate", TO, VALIDATED),
    Fact("[WL]", "GET /templates", None, nested(TEMPLATE, PHOTO), query=ALL),
    Fact("[VENDOR]", "GET /templates", None, ok(data=[TEMPLATE, PHOTO]), query=ALL),
    Fact("[VENDOR]", "GET /templates/11", None, ok(data=TEMPLATE)),
    Fact("[VENDOR]", "GET /templatebots", None, flat(TEMPLATE_BOT), query=ALL),
    Fact("[VENDOR]", "GET /templatebots/3", None, ok(data=TEMPLATE_BOT)),
    Fact("[VENDOR]", "GET /messagebots", None, flat(MESSAGE_BOT), query=ALL),
    Fact("[VENDOR]", "GET /messagebots/5", None, ok(data=MESSAGE_BOT)),
    Fact("[VENDOR] [WL]", "GET /contacts", None, flat(CONTACT), query=_BY),
    Fact("[WL]", "GET /contacts", None, nested(CONTACT), query=_BY),
    Fact("[VENDOR]", "GET /contacts/451", None, ok(data=CONTACT)),
    Fact(
        "[WL]",
        "POST /contacts",
        NEW_CONTACT,
        ok("Contact created successfully", data=CONTACT),
        status=201,
    ),
    Fact("[WL]", "PUT /contacts/451", _CHANGED, ok("Contact updated successfully", data=CONTACT)),
    Fact("[VENDOR]", "DELETE /contacts/451", None, ok("Contact deleted successfully")),
    Fact("[VENDOR]", "GET /statuses", None, flat(STATUS, PENDING), query=ALL),
    Fact("[VENDOR]", "GET /statuses/1", None, ok(data=STATUS)),
    Fact(
        "[VENDOR]",
        "POST /statuses",
        {"name": "Pending", "color": "#FF0000", "isdefault": False},
        ok("Status created successfully", data=PENDING),
        status=201,
    ),
    Fact("[VENDOR]", "PUT /statuses/4", {"name": "Later"}, ok("Status updated successfully", data=PENDING)),
    Fact("[VENDOR]", "DELETE /statuses/4", None, ok("Status deleted successfully")),
    Fact("[VENDOR]", "GET /sources", None, flat(SOURCE), query=ALL),
    Fact("[VENDOR]", "GET /sources/2", None, ok(data=SOURCE)),
    Fact(
        "[VENDOR]",
        "POST /sources",
        {"name": "Referral"},
        ok("Source created successfully", data=SOURCE),
        status=201,
    ),
    Fact("[VENDOR]", "PUT /sources/2", {"name": "Friends"}, ok("Source updated successfully", data=SOURCE)),
    Fact("[VENDOR]", "DELETE /sources/2", None, ok("Source deleted successfully")),
    Fact("[VENDOR]", "GET /groups", None, ok(data=[GROUP, OTHER_GROUP]), query=ALL),
    Fact("[VENDOR]", "GET /groups/1", None, ok(data=GROUP)),
    Fact(
        "[LIKE] sources",
        "POST /groups",
        {"name": "vip"},
        ok("Group created successfully", data=GROUP),
        status=201,
    ),
    Fact("[LIKE] sources", "PUT /groups/1", {"name": "vips"}, ok("Group updated successfully", data=GROUP)),
    Fact("[LIKE] sources", "DELETE /groups/1", None, ok("Group deleted successfully")),
)

# [WL] [VENDOR] refusals: status and body.
REFUSALS: Mapping[str, tuple[int, Any]] = {
    "unknown tenant": (400, refused("Validation failed", "Invalid tenant subdomain")),
    "default status": (400, refused("Cannot delete the default status")),
    "no token": (401, refused("API token is required")),
    "wrong token": (401, refused("Invalid API token")),
    "missing ability": (403, refused("Token does not have the required ability: contacts.create")),
    "plan": (403, refused("Contact limit exceeded for your current plan. Upgrade to add more contacts.")),
    "contact missing": (404, refused("Contact not found")),
    "groups missing": (404, refused("Groups not found")),
    "taken": (422, refused("Validation failed", {"email": ["The email has already been taken."]})),
    "phone": (422, refused("Validation failed", {"phone_number": ["The phone number field is required."]})),
    "too many": (429, {"message": "Too many requests", "retry_after": 45}),
    "server": (500, refused("Failed to list contacts")),
}
