"""The check of a number's form; whether it has WhatsApp nobody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.whatscloud.body import read_body
from whatsapp_provider.emulator.whatscloud.contacts import digits_of
from whatsapp_provider.emulator.whatscloud.rules import Rule, check, demand

if TYPE_CHECKING:
    from whatsapp_provider.emulator.whatscloud.tenant import Tenant

COUNTRIES = {"1": "US", "34": "ES", "44": "GB", "49": "DE", "55": "BR", "91": "IN", "351": "PT"}
NOTE = "Format validation only; it does not check whether the number is registered on WhatsApp."


async def validate(_tenant: Tenant, request: Request) -> Reply:
    """Answer POST /phone/validate; a bad number is a success, too."""
    data = await read_body(request)
    demand(check(data, {"phone_number": Rule(required=True)}))
    phone = data["phone_number"]
    digits = digits_of(phone)
    valid = 8 <= len(digits) <= 15 and not digits.startswith("0")
    code = next((code for code in sorted(COUNTRIES, key=len, reverse=True) if digits.startswith(code)), None)
    known = code if valid else None
    answer = {
        "phone": phone,
        "phone_digits": digits,
        "format_valid": valid,
        "country_code": known,
        "country": COUNTRIES[known] if known else None,
        "national_number": digits.removeprefix(known) if known else None,
        "e164": f"+{digits}" if valid else None,
        "reason": None if valid else "Invalid phone number format",
        "note": NOTE,
    }
    return json_reply({"status": "success", "data": answer})
