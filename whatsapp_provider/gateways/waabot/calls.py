"""The calls of the Bots API as data: where each goes, what a repeat would do, and where a bot's pair travels in it.

Source: the vendor's API page, call by call. Its client sends the pair in body and query of everything; the four
updates show none on the page, and there the sample's answer matched no bot: the pair says which bot is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Flag, auto

from whatsapp_provider.http import Effect


class Place(Flag):
    """Where the pair travels."""

    NOWHERE = 0
    BODY = auto()
    QUERY = auto()
    BOTH = BODY | QUERY


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    :param path: below the base URL; ``{}`` stands for an id.
    """

    method: str
    path: str
    pair: Place
    effect: Effect


CREATE = Call("POST", "/whatsapp/createNewWhatsapp", Place.NOWHERE, Effect.ONCE)
LIST = Call("GET", "/whatsapp", Place.BODY, Effect.READ)
DELETE = Call("DELETE", "/whatsapp/{}", Place.NOWHERE, Effect.ONCE)
INIT = Call("POST", "/whatsapp/init", Place.BODY, Effect.IDEMPOTENT)
INSTANCE = Call("GET", "/whatsapp/instance", Place.BOTH, Effect.READ)
SCAN = Call("GET", "/whatsapp/scan", Place.QUERY, Effect.READ)
#: A change by GET.
LOGOUT = Call("GET", "/whatsapp/instance/logout/{}", Place.QUERY, Effect.ONCE)
SET_WEBHOOK = Call("PUT", "/whatsapp/setWebhook", Place.BODY, Effect.IDEMPOTENT)
UPDATE_GENERAL = Call("PUT", "/whatsapp/updateGeneral", Place.BOTH, Effect.IDEMPOTENT)
UPDATE_ACTIONS = Call("PUT", "/whatsapp/updateActions", Place.BOTH, Effect.IDEMPOTENT)
UPDATE_ACTIVE_DAYS = Call("PUT", "/whatsapp/updateActiveDays", Place.BOTH, Effect.IDEMPOTENT)
UPDATE_ACTIVE_HOURS = Call("PUT", "/whatsapp/updateActiveHours", Place.BOTH, Effect.IDEMPOTENT)

SEND_MESSAGE = Call("POST", "/whatsapp/message", Place.BOTH, Effect.ONCE)
SEND_URL = Call("POST", "/whatsapp/message/fileurl", Place.QUERY, Effect.ONCE)
SEND_CONTACT = Call("POST", "/whatsapp/message/contact", Place.QUERY, Effect.ONCE)
SEND_BUTTONS = Call("POST", "/whatsapp/message/button", Place.QUERY, Effect.ONCE)
SEND_MEDIA_BUTTONS = Call("POST", "/whatsapp/message/MediaButton", Place.QUERY, Effect.ONCE)
SEND_LIST = Call("POST", "/whatsapp/message/list", Place.QUERY, Effect.ONCE)
#: The page's heading has another path for it than its sample, which is this one.
SEND_TEXT_DEPRECATED = Call("POST", "/whatsapp/sendText", Place.BODY, Effect.ONCE)
#: By message kind.
SEND_FILE: Mapping[str, Call] = {
    "image": Call("POST", "/whatsapp/message/image", Place.QUERY, Effect.ONCE),
    "video": Call("POST", "/whatsapp/message/video", Place.QUERY, Effect.ONCE),
    "audio": Call("POST", "/whatsapp/message/audio", Place.QUERY, Effect.ONCE),
    "document": Call("POST", "/whatsapp/message/doc", Place.QUERY, Effect.ONCE),
}
