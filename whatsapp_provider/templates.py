"""Templates of the official API: what a gateway reports of them, and whether a message fits one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from whatsapp_provider.errors import TemplateError
from whatsapp_provider.messages import HeaderMedia, Message, TemplateMessage

APPROVED = "APPROVED"
SHOWN = 10  #: template names in an error, so that a long list does not hide the reason
#: Characters of a value, by Meta's reference of a template message's parameters; a body by itself may be longer.
MAX_HEADER, MAX_BODY, MAX_BODY_ALONE = 60, 1_024, 32_768
#: "Param text cannot have new-line/tab characters or more than 4 consecutive spaces", says Meta where one has.
_REFUSED_SPACE = re.compile(r"[\n\r\t]| {5}")
_UNTOLD = "which a message can't tell"
_PLACEHOLDER = re.compile(r"\{\{\s*(\w{1,100})\s*\}\}")


@dataclass(frozen=True, slots=True)
class OfficialTemplate:
    """A template as a gateway reports it.

    :param language: e.g. ``en_US``; each language of a name is a template of its own.
    :param status: Meta's word, e.g. ``APPROVED``, ``PENDING``, ``PAUSED``.
    :param category: Meta's word: ``MARKETING``, ``UTILITY``, ``AUTHENTICATION``.
    :param header: ``text``, ``image``, ``video``, ``document``, ``location``, or ``None`` where there is none.
    :param header_values: how many values the header's text takes.
    :param body_names: the body's placeholders in their order: ``("1", "2")`` or names.
    :param button_values: the places of the buttons that take a value, from 0.
    :param unsendable: what a message would have to tell beside values, in words: one with any can't be sent.
    """

    name: str
    language: str
    status: str
    category: str = ""
    header: str | None = None
    header_values: int = 0
    body_names: tuple[str, ...] = ()
    button_values: tuple[int, ...] = ()
    unsendable: tuple[str, ...] = ()
    body: str = field(default="", repr=False)

    @property
    def is_approved(self) -> bool:
        """Whether it can be sent."""
        return self.status == APPROVED


def placeholders(text: str | None) -> tuple[str, ...]:
    """Return the names in a template's text, each once: numbers in their order, names as they come."""
    found = tuple(dict.fromkeys(_PLACEHOLDER.findall(text or "")))
    return tuple(sorted(found, key=int)) if all(name.isdecimal() for name in found) else found


def find_template(message: TemplateMessage, templates: Iterable[OfficialTemplate]) -> OfficialTemplate | None:
    """Return the template that a message names."""
    wanted = (message.name, message.language)
    return next((one for one in templates if (one.name, one.language) == wanted), None)


def check_template(message: TemplateMessage, templates: Iterable[OfficialTemplate]) -> None:
    """Refuse a message that does not fit the template as the gateway reports it.

    :raises TemplateError: naming the template and what does not fit; values are not told.
    """
    known = list(templates)
    found = find_template(message, known)
    if found is None:
        raise TemplateError(_unknown(message, known))
    if not found.is_approved:
        raise TemplateError(
            f"Template {message.name!r} ({message.language}) is {found.status or 'without a status'}, and only "
            f"{APPROVED} ones can be sent. Look at it in WhatsApp Manager."
        )
    problems = [
        *_header(message, found),
        *_body(message, found),
        *_buttons(message, found),
        *_values(message),
        *([f"it has {' and '.join(found.unsendable)}, {_UNTOLD}"] if found.unsendable else []),
    ]
    if problems:
        raise TemplateError(f"Template {message.name!r} ({message.language}): {'; '.join(problems)}.")


def fits(templates: Sequence[OfficialTemplate]) -> _Fits:
    """Return what checks each message of a campaign against the same list."""
    return _Fits(templates)


class _Fits:
    def __init__(self, templates: Sequence[OfficialTemplate]) -> None:
        self._templates = templates

    def __call__(self, message: Message) -> None:
        if isinstance(message, TemplateMessage):
            check_template(message, self._templates)


def _unknown(message: TemplateMessage, known: Sequence[OfficialTemplate]) -> str:
    languages = sorted(one.language for one in known if one.name == message.name)
    if languages:
        return (
            f"Template {message.name!r} is not there in {message.language!r}; it has: {', '.join(languages)}."
        )
    names = sorted({one.name for one in known if one.is_approved})
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    there = f"{', '.join(names[:SHOWN])}{more}" if names else "none"
    return f"The gateway has no template {message.name!r}. Approved ones: {there}."


def _header(message: TemplateMessage, template: OfficialTemplate) -> list[str]:
    given = message.header
    if isinstance(given, HeaderMedia):
        if template.header != given.kind:
            return [
                f"the header given is of kind {given.kind}, the template's is {template.header or 'none'}"
            ]
        return []
    if template.header in {"image", "video", "document"}:
        return [f"its header needs a file: header={{'kind': '{template.header}', 'media': {{'url': …}}}}"]
    if template.header == "location":
        return [f"its header shows a place, {_UNTOLD}"]
    if template.header not in {None, "text"}:
        return [f"its header is of kind {template.header}, {_UNTOLD}"]
    if (given is not None) != (template.header_values > 0):
        return ["its header needs a value" if given is None else "its header takes no value"]
    return []


def _body(message: TemplateMessage, template: OfficialTemplate) -> list[str]:
    wanted = template.body_names
    if isinstance(message.body, Mapping):
        missing = [name for name in wanted if name not in message.body]
        unknown = [name for name in message.body if name not in wanted]
        return [
            *([f"its body needs values for {', '.join(missing)}"] if missing else []),
            *([f"its body has no {', '.join(unknown)}"] if unknown else []),
        ]
    named = any(not name.isdecimal() for name in wanted)
    if named:
        return [f"its placeholders have names, so body must be a mapping with {', '.join(wanted)}"]
    if len(message.body) != len(wanted):
        return [f"its body takes {len(wanted)} values, and {len(message.body)} are given"]
    return []


def _buttons(message: TemplateMessage, template: OfficialTemplate) -> list[str]:
    missing = [place for place in template.button_values if place not in message.buttons]
    unknown = [place for place in message.buttons if place not in template.button_values]
    return [
        *([f"its button {place} needs a value" for place in missing]),
        *([f"its button {place} takes no value" for place in unknown]),
    ]


def _values(message: TemplateMessage) -> list[str]:
    body = message.body if isinstance(message.body, Mapping) else dict(enumerate(message.body, 1))
    most = MAX_BODY_ALONE if message.header is None and not message.buttons else MAX_BODY
    given = [(f"body {name}", value, most) for name, value in body.items()]
    if isinstance(message.header, str):
        given.insert(0, ("header", message.header, MAX_HEADER))
    return [
        *(
            f"the value of its {place} has a line break, a tab or more than 4 spaces in a row, which Meta refuses"
            for place, value, _ in given
            if _REFUSED_SPACE.search(value)
        ),
        *(
            f"the value of its {place} has {len(value)} characters, and Meta takes {longest}"
            for place, value, longest in given
            if len(value) > longest
        ),
    ]
