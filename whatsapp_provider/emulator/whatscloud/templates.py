"""Templates as the product keeps them: flat rows, with which a tenant begins, and their way into a message."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from whatsapp_provider.emulator.whatscloud.body import Data, Upload
from whatsapp_provider.emulator.whatscloud.refusals import RefusalError, invalid
from whatsapp_provider.emulator.whatscloud.rules import Complaints
from whatsapp_provider.emulator.whatscloud.tables import Row, Table

FIRST_META_ID = 123_456_789_012_345
PLACEHOLDER = re.compile(r"\{\{\s*(\d+)\s*\}\}")
FILES = ("IMAGE", "VIDEO", "DOCUMENT")
COPY_CODE = {
    "type": "URL",
    "text": "Copy code",
    "url": "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}",
}
TRACK = {"type": "URL", "text": "Track", "url": "https://example.com/track/{{1}}"}
MORE = {"type": "QUICK_REPLY", "text": "more"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template to add; ``header`` is TEXT, IMAGE, VIDEO or DOCUMENT."""

    name: str
    language: str = "en_US"
    body: str = ""
    status: str = "APPROVED"
    category: str = "UTILITY"
    header: str | None = None
    header_text: str | None = None
    footer: str | None = None
    buttons: Sequence[Mapping[str, Any]] = ()


UTILITY = (
    Template(name="order_update", body="Hi {{1}}, your order {{2}} is on its way.", footer="Thanks"),
    Template(name="hello_world", body="Welcome and congratulations!!"),
    Template(name="clip", body="This is how it works.", header="VIDEO"),
    Template(name="invoice", body="Your invoice {{1}}.", header="DOCUMENT"),
    Template(name="ticket", body="Hi {{1}}, we look into it.", header="TEXT", header_text="Ticket {{1}}"),
    Template(name="parcel", body="Hi {{1}}, it is under way.", buttons=(TRACK, MORE)),
    Template(name="late_notice", body="Sorry, {{1}}, we are late.", status="PAUSED"),
)
MARKETING = (
    Template(name="sale_photo", body="Hi {{1}}, see what is new.", header="IMAGE", category="MARKETING"),
    Template(name="welcome", body="Welcome, {{1}}!", category="MARKETING"),
    Template(name="welcome", body="Boas-vindas, {{1}}!", language="pt_BR", category="MARKETING"),
    Template(name="spring_sale", body="Spring begins, {{1}}.", status="PENDING", category="MARKETING"),
    Template(name="old_offer", body="Buy now, {{1}}!", status="REJECTED", category="MARKETING"),
)
CODE = Template(
    name="login_code",
    body="*{{1}}* is your verification code.",
    category="AUTHENTICATION",
    buttons=(COPY_CODE,),
)
PRESET = (*UTILITY, *MARKETING, CODE)


class Filled(NamedTuple):
    """A template with its values: what is read on the phone, and what goes to Meta."""

    text: str
    components: list[Data]
    file: str | Upload | None


def count(text: str | None) -> int:
    """Return how many values a text takes."""
    return max((int(number) for number in PLACEHOLDER.findall(text or "")), default=0)


def add(table: Table, template: Template) -> Row:
    """Add a template in the product's flat form."""
    buttons = None
    if template.buttons:
        # A JSON text inside of JSON, its slashes escaped as PHP does.
        buttons = json.dumps(list(template.buttons), separators=(",", ":")).replace("/", "\\/")
    return table.add(
        template_id=str(FIRST_META_ID + len(table.rows)),
        template_name=template.name,
        language=template.language,
        status=template.status,
        category=template.category,
        header_data_format=template.header,
        header_data_text=template.header_text,
        header_params_count=count(template.header_text),
        body_data=template.body,
        body_params_count=count(template.body),
        footer_data=template.footer,
        footer_params_count=0,
        buttons_data=buttons,
        header_file_url=None,
        header_variable_value=None,
        body_variable_value=None,
        template_type=None,
        cards_json=None,
    )


def buttons_of(row: Row) -> list[Data]:
    """Return the buttons of a template."""
    return json.loads(row["buttons_data"]) if row["buttons_data"] else []


def wanted(table: Table, data: Data) -> Row:
    """Return the approved template that a send names, or refuse."""
    name, language = data["template_name"], data["template_language"]
    row = table.where(template_name=name, language=language)
    if row is None or row["status"] != "APPROVED":
        raise not_sendable()
    return row


def not_sendable() -> RefusalError:
    """Return the answer to a template that is not there or not approved; its words were chosen."""
    return invalid({"template_name": ["The template was not found or is not approved."]})


def lacks(row: Row, data: Data) -> Complaints:
    """Return the values that a template takes and a send does not have."""
    names = [f"field_{number}" for number in range(1, row["body_params_count"] + 1)]
    if row["header_params_count"]:
        names.append("header_field_1")
    names += [f"button_{place}" for place in _dynamic(row)]
    found = {name: [f"The {_spoken(name)} field is required."] for name in names if data.get(name) is None}
    if row["header_data_format"] in FILES:
        kind = row["header_data_format"].lower()
        url, file = f"header_{kind}_url", f"header_{kind}_file"
        if data.get(url) is None and data.get(file) is None:
            words = f"The {_spoken(url)} field is required when {_spoken(file)} is not present."
            found[url] = [words]
    return found


def fill(row: Row, data: Data) -> Filled:
    """Put a send's values into a template that lacks none."""
    values = [data[f"field_{number}"] for number in range(1, row["body_params_count"] + 1)]
    text = PLACEHOLDER.sub(lambda found: values[int(found.group(1)) - 1], row["body_data"])
    components, file = list[Data](), None
    if row["header_data_format"] in FILES:
        kind = row["header_data_format"].lower()
        file = data.get(f"header_{kind}_file") or data[f"header_{kind}_url"]
        shown: Data = {"link": file} if isinstance(file, str) else {"id": "uploaded"}
        if kind == "document" and data.get("header_document_name"):
            shown["filename"] = data["header_document_name"]
        components.append({"type": "header", "parameters": [{"type": kind, kind: shown}]})
    elif row["header_params_count"]:
        components.append({"type": "header", "parameters": [_text(data["header_field_1"])]})
    if values:
        components.append({"type": "body", "parameters": [_text(value) for value in values]})
    for place in _dynamic(row):
        parameters = [_text(data[f"button_{place}"])]
        components.append(
            {"type": "button", "sub_type": "url", "index": str(place), "parameters": parameters}
        )
    return Filled(text, components, file)


def _dynamic(row: Row) -> list[int]:
    buttons = buttons_of(row)
    return [at for at, button in enumerate(buttons) if PLACEHOLDER.search(button.get("url") or "")]


def _text(value: str) -> Data:
    return {"type": "text", "text": value}


def _spoken(name: str) -> str:
    return name.replace("_", " ")
