"""Templates as WhatsCloud tells them, and a message's values as it takes them: by numbered fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whatsapp_provider.errors import TemplateError, UnsupportedError
from whatsapp_provider.gateways.meta_templates import unsendable_buttons
from whatsapp_provider.gateways.whatscloud.payloads import TemplateRow
from whatsapp_provider.messages import TemplateMessage
from whatsapp_provider.templates import OfficialTemplate, placeholders

MOST_VALUES = 10  #: ``field_1`` to ``field_10``
_NO_CARDS = ("[]", "{}", "null")
MOST_BUTTONS = 3  #: ``button_0`` to ``button_2``
#: By its own name or by place in a URL; what else Meta's templates can have is not taken.
SENDABLE_HEADERS = {None, "text", "image", "video", "document"}


def official(row: TemplateRow) -> OfficialTemplate:
    """Return the template in our words."""
    names = placeholders(row.body_data)
    header = (row.header_data_format or "").lower() or None
    in_header = len(placeholders(row.header_data_text)) or row.header_params_count or 0
    return OfficialTemplate(
        name=row.template_name,
        language=row.language,
        status=row.status.upper(),
        category=(row.category or "").upper(),
        header=header,
        header_values=in_header if header == "text" else 0,
        # Where the text is not told, its count is.
        body_names=names or tuple(str(place) for place in range(1, min(row.body_params_count or 0, 99) + 1)),
        button_values=tuple(place for place, button in enumerate(row.buttons_data) if _takes_a_value(button)),
        unsendable=_unsendable(row),
        body=row.body_data or "",
    )


def _unsendable(row: TemplateRow) -> tuple[str, ...]:
    """Return in words what the template wants told and a request has no field for."""
    cards = row.cards_json.strip() if isinstance(row.cards_json, str) else row.cards_json
    # A button's value is always sent as the end of a URL.
    copies = any(str(button.get("type")).upper() == "COPY_CODE" for button in row.buttons_data)
    return (
        *(("cards",) if cards and cards not in _NO_CARDS else ()),
        *(("a code to copy",) if copies else ()),
        *unsendable_buttons(row.buttons_data),
    )


def _takes_a_value(button: Mapping[str, Any]) -> bool:
    url = button.get("url")
    return isinstance(url, str) and bool(placeholders(url))


def has_names(message: TemplateMessage) -> bool:
    """Whether the body's values are given by names, which only the template can put in order."""
    return isinstance(message.body, Mapping) and any(not name.isdecimal() for name in message.body)


def in_order(message: TemplateMessage, template: OfficialTemplate | None) -> list[str]:
    """Return the body's values in the order of their placeholders; the API knows no names.

    :param template: needed where the values have names.
    :raises TemplateError: if it has no such name, or a place is left out.
    """
    body = message.body
    if not isinstance(body, Mapping):
        return list(body)
    named = has_names(message)
    names = template.body_names if template is not None and named else _numbers(len(body))
    missing = [name for name in names if name not in body]
    if missing or len(names) != len(body) or (named and template is None):
        raise TemplateError(
            f"Template {message.name!r} ({message.language}): its body takes values for "
            f"{', '.join(names) or 'nothing'}, and others are given."
        )
    return [body[name] for name in names]


def _numbers(count: int) -> tuple[str, ...]:
    return tuple(str(place) for place in range(1, count + 1))


def check_placeable(message: TemplateMessage, template: OfficialTemplate | None) -> None:
    """Refuse what has no field in a request.

    :raises UnsupportedError: naming what it is.
    """
    if template is not None and template.header not in SENDABLE_HEADERS:
        raise UnsupportedError(
            f"Gateway 'whatscloud' can't send template {message.name!r}: its header is of kind {template.header}."
        )
    if len(message.body) > MOST_VALUES:
        raise UnsupportedError(
            f"Gateway 'whatscloud' takes {MOST_VALUES} values for a template's body, and template {message.name!r} has "
            f"{len(message.body)}."
        )
    if any(place >= MOST_BUTTONS for place in message.buttons):
        raise UnsupportedError(
            f"Gateway 'whatscloud' takes values for the first {MOST_BUTTONS} buttons of a template alone."
        )
