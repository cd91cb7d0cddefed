"""Messages that are more than text and files: what a DAG author may hand in, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from whatsapp_provider.errors import InputError
from whatsapp_provider.messages import (
    Buttons,
    ContactCard,
    HeaderMedia,
    ListMessage,
    Location,
    MediaButtons,
    TemplateMessage,
    button_ids,
    files,
    message_text,
    parse_message,
    row_ids,
)

PRIVATE = "the private words"
URL = "https://files.example/a.png"
REPLY = {"type": "reply", "title": "Yes"}
SHOP = {"type": "url", "title": "Shop", "url": "https://shop.example"}
CALL = {"type": "call", "title": "Call", "phone": "+15550000001"}
PLACE = {"kind": "location", "latitude": 52.5, "longitude": 13.4}
CARD = {"kind": "contact", "full_name": "Ada", "phone": "15550000001"}
BUTTONS = {"kind": "buttons", "body": "b", "buttons": [REPLY]}
ROW = {"title": "One"}
LIST = {"kind": "list", "body": "b", "button": "Open", "sections": [{"title": "All", "rows": [ROW]}]}
TEMPLATE = {"kind": "template", "name": "order_update", "language": "en_US"}
WITH_PICTURE = {**TEMPLATE, "header": {"kind": "image", "media": {"url": URL}}}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (PLACE, Location),
        ({**PLACE, "latitude": -90, "longitude": 180, "name": "Pole", "address": "Ice"}, Location),
        (CARD, ContactCard),
        (BUTTONS, Buttons),
        ({**BUTTONS, "buttons": [REPLY, SHOP, CALL], "header": "h", "footer": "f"}, Buttons),
        ({**BUTTONS, "kind": "media_buttons", "media": {"url": URL}}, MediaButtons),
        (LIST, ListMessage),
        (TEMPLATE, TemplateMessage),
        ({**TEMPLATE, "body": ["a"], "buttons": {"0": "x"}}, TemplateMessage),
        (WITH_PICTURE, TemplateMessage),
    ],
)
def test_each_kind_is_read_from_a_mapping_and_back(value: dict[str, Any], kind: type) -> None:
    message = parse_message(value)
    assert type(message) is kind
    assert parse_message(message.model_dump(mode="json")) == message


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({**PLACE, "latitude": 90.5}, "location.latitude"),
        ({**PLACE, "longitude": -181}, "location.longitude"),
        ({**PLACE, "latitude": "nan"}, "location.latitude"),
        ({"kind": "location", "latitude": 1}, "location.longitude"),
        ({**CARD, "phone": PRIVATE}, "contact.phone"),
        ({**CARD, "phone": "555"}, "contact.phone"),
        ({**CARD, "full_name": ""}, "contact.full_name"),
        # A line of its own would be a field of its own.
        ({**CARD, "full_name": f"Ada\nTEL:{PRIVATE}"}, "contact.full_name"),
        ({**CARD, "organization": "A\rB"}, "contact.organization"),
        ({**BUTTONS, "buttons": []}, "buttons.buttons"),
        ({**BUTTONS, "buttons": [REPLY] * 4}, "buttons.buttons"),
        ({**BUTTONS, "buttons": [{**SHOP, "url": "shop.example"}]}, "url"),
        ({**BUTTONS, "buttons": [{**CALL, "phone": PRIVATE}]}, "phone"),
        ({**BUTTONS, "buttons": [{"type": "pix", "title": "x"}]}, "buttons.buttons.0"),
        ({**BUTTONS, "buttons": [{**REPLY, "id": "2"}, REPLY]}, "same id"),
        ({**BUTTONS, "kind": "media_buttons"}, "media_buttons.media"),
        ({**LIST, "sections": []}, "list.sections"),
        ({**LIST, "sections": [{"title": "All", "rows": []}]}, "rows"),
        ({**LIST, "sections": [{"title": str(n), "rows": [ROW] * 6} for n in (1, 2)]}, "at most 10 rows"),
        ({**LIST, "sections": [{"title": "All", "rows": [{**ROW, "id": "1.2"}, ROW]}]}, "same id"),
        ({**TEMPLATE, "name": "Order Update"}, "template.name"),
        ({**TEMPLATE, "language": "en-US; x"}, "template.language"),
        ({**TEMPLATE, "body": [""]}, "template.body"),
        ({**TEMPLATE, "buttons": {"10": PRIVATE}}, "0 to 9"),
        ({**TEMPLATE, "header": {"kind": "audio", "media": {"url": URL}}}, "template.header"),
    ],
)
def test_an_error_names_the_field_and_never_what_is_in_it(value: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_message(value)
    assert field in str(caught.value)
    assert PRIVATE not in str(caught.value)


@pytest.mark.parametrize("value", [PLACE, CARD, BUTTONS, LIST, {**TEMPLATE, "body": ["b"]}])
def test_nothing_of_a_person_is_in_a_repr(value: dict[str, Any]) -> None:
    shown = repr(parse_message(value))
    assert not any(private in shown for private in ("52.5", "Ada", "15550000001", "'b'", "Yes", "One"))


def test_a_contacts_number_is_kept_as_digits() -> None:
    card = parse_message({**CARD, "phone": " +15550000001 "})
    assert isinstance(card, ContactCard)
    assert card.phone == "15550000001"


def test_a_button_or_row_without_an_id_is_called_by_its_place() -> None:
    buttons = parse_message({**BUTTONS, "buttons": [{**REPLY, "id": "y"}, REPLY, SHOP]})
    assert isinstance(buttons, Buttons)
    assert button_ids(buttons.buttons) == ["y", "2", "3"]
    sections = [{"title": "a", "rows": [ROW, {**ROW, "id": "x"}]}, {"title": "b", "rows": [ROW]}]
    choices = parse_message({**LIST, "sections": sections})
    assert isinstance(choices, ListMessage)
    assert row_ids(choices.sections) == [["1.1", "x"], ["2.1"]]


def test_a_body_without_placeholders_may_be_an_empty_mapping() -> None:
    message = parse_message({**TEMPLATE, "body": {}})
    assert isinstance(message, TemplateMessage)
    assert message.body == ()


@pytest.mark.parametrize(
    ("value", "text"), [(BUTTONS, "b"), (LIST, "b"), (PLACE, None), (CARD, None), (TEMPLATE, None)]
)
def test_the_text_a_person_reads_is_the_body(value: dict[str, Any], text: str | None) -> None:
    assert message_text(parse_message(value)) == text


def test_the_files_of_a_message_are_its_own_and_a_templates_header() -> None:
    assert [media.url for media in files(parse_message(WITH_PICTURE))] == [URL]
    assert [
        media.url
        for media in files(parse_message({**BUTTONS, "kind": "media_buttons", "media": {"url": URL}}))
    ]
    assert files(parse_message(TEMPLATE)) == files(parse_message(PLACE)) == ()
    header = parse_message(WITH_PICTURE)
    assert isinstance(header, TemplateMessage)
    assert isinstance(header.header, HeaderMedia)
