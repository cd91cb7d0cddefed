"""Templates of the official API in Meta's words: read what Meta tells of them, write what it wants to send one.

Source: Meta's reference of the Cloud API and of the business account's ``message_templates``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from whatsapp_provider.errors import InputError, UnsupportedError
from whatsapp_provider.messages import HeaderMedia, TemplateMessage
from whatsapp_provider.templates import OfficialTemplate, placeholders

CATEGORIES = ("AUTHENTICATION", "MARKETING", "UTILITY")
_NEEDED = ("name", "category", "language", "components")
#: What a message would have to tell of parts and buttons of these types, and no kind of message can.
_UNSENDABLE_PARTS = {"CAROUSEL": "cards", "LIMITED_TIME_OFFER": "an offer that ends"}
_UNSENDABLE_BUTTONS = {"FLOW": "a flow", "MPM": "products", "SPM": "a product"}
#: What a value of a button is called, by what the button is; others take none.
_BUTTONS = {"url": ("text", "text"), "copy_code": ("coupon_code", "coupon_code")}


@dataclass(frozen=True, slots=True)
class MetaTemplate:
    """A template with what only a request to Meta needs to know of it.

    :param header_name: the name of the placeholder in the header's text, where it has a name and not a number.
    :param buttons: what each button that takes a value is, by its place: ``url`` or ``copy_code``.
    """

    official: OfficialTemplate
    header_name: str | None = None
    buttons: Mapping[int, str] = field(default_factory=dict)


def read_template(told: Mapping[str, Any]) -> MetaTemplate:
    """Return a template as Meta's list tells it; a part that is not what it should be counts as not there."""
    parts = _parts(told)
    header, body = parts.get("HEADER", {}), _text(parts.get("BODY", {}).get("text"))
    in_header = placeholders(_text(header.get("text")))
    told_buttons = parts.get("BUTTONS", {}).get("buttons")
    buttons = _buttons(told_buttons)
    official = OfficialTemplate(
        name=_text(told.get("name")),
        language=_text(told.get("language")),
        status=_text(told.get("status")),
        category=_text(told.get("category")),
        header=(_text(header.get("format")) or "text").lower() if header else None,
        header_values=len(in_header),
        body_names=placeholders(body),
        button_values=tuple(buttons),
        unsendable=(
            *(words for part, words in _UNSENDABLE_PARTS.items() if part in parts),
            *unsendable_buttons(told_buttons),
        ),
        body=body,
    )
    named = [name for name in in_header if not name.isdecimal()]
    return MetaTemplate(official, named[0] if named else None, buttons)


def _parts(told: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    components = told.get("components")
    return {
        _text(part.get("type")).upper(): part
        for part in (components if isinstance(components, list) else ())
        if isinstance(part, dict)
    }


def _buttons(told: Any) -> dict[int, str]:
    """Return the buttons that take a value: a link with a placeholder, a code to copy."""
    found = {}
    for place, button in enumerate(told if isinstance(told, list) else ()):
        kind = _text(button.get("type")).upper() if isinstance(button, dict) else ""
        if kind == "COPY_CODE":
            found[place] = "copy_code"
        elif kind in {"URL", "OTP"} and placeholders(_text(button.get("url"))):
            found[place] = "url"
    return found


def unsendable_buttons(told: Any) -> tuple[str, ...]:
    """Return in words what buttons want told that no message can tell, each thing once."""
    listed = told if isinstance(told, list) else ()
    types = [_text(button.get("type")).upper() for button in listed if isinstance(button, dict)]
    return tuple(dict.fromkeys(_UNSENDABLE_BUTTONS[one] for one in types if one in _UNSENDABLE_BUTTONS))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def components(message: TemplateMessage, template: MetaTemplate | None) -> list[dict[str, Any]]:
    """Return the ``components`` of the request that sends a template with these values.

    :param template: as Meta tells it; without it, no button's value can be placed.
    :raises UnsupportedError: for a header's file that has no address, or a button's value without the template.
    """
    found = []
    if message.header is not None:
        name = template.header_name if template else None
        found.append({"type": "header", "parameters": [_header(message.header, name)]})
    if message.body:
        found.append({"type": "body", "parameters": _body(message.body)})
    for place, value in sorted(message.buttons.items()):
        kind = template.buttons.get(place) if template else None
        if kind is None:
            raise UnsupportedError(
                f"The value of button {place} of template {message.name!r} can't be sent: nothing tells what that "
                "button is."
            )
        kind_of_value, name = _BUTTONS[kind]
        parameter = {"type": kind_of_value, name: value}
        found.append(
            {"type": "button", "sub_type": kind, "index": str(place), "parameters": [parameter]},
        )
    return found


def _header(given: str | HeaderMedia, name: str | None) -> dict[str, Any]:
    if isinstance(given, str):
        return _value(given, name)
    if given.media.url is None:
        raise UnsupportedError(
            "Meta downloads a template's header from an address: give its media as url, not as data, file or media_id."
        )
    file = {"link": given.media.url}
    if given.kind == "document" and given.filename:
        file["filename"] = given.filename
    return {"type": given.kind, given.kind: file}


def _body(given: tuple[str, ...] | Mapping[str, str]) -> list[dict[str, Any]]:
    if not isinstance(given, Mapping):
        return [_value(value) for value in given]
    if all(name.isdecimal() for name in given):
        return [_value(given[name]) for name in sorted(given, key=int)]
    return [_value(value, name) for name, value in given.items()]


def _value(text: str, name: str | None = None) -> dict[str, Any]:
    return {"type": "text", **({"parameter_name": name} if name else {}), "text": text}


def check_definition(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definition of a new template, if it has what Meta needs.

    :raises InputError: naming what is missing or wrong.
    """
    missing = [name for name in _NEEDED if not definition.get(name)]
    if missing:
        raise InputError(f"A new template needs {', '.join(missing)}, in Meta's words.")
    wrong = [name for name in _NEEDED[:3] if not isinstance(definition[name], str)]
    parts = definition["components"]
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        wrong.append("components")
    if wrong:
        raise InputError(
            f"A new template's {', '.join(wrong)} must be text, and components a list of objects, as Meta has them."
        )
    if definition["category"] not in CATEGORIES:
        raise InputError(f"A template's category is one of {', '.join(CATEGORIES)}.")
    return dict(definition)
