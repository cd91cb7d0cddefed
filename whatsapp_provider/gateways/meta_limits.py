"""What Meta takes of messages with something to tap: the rest is refused before anything is sent.

Source: Meta's reference of the Cloud API, interactive messages. A gateway before Meta may take less.
"""

from __future__ import annotations

from collections.abc import Iterator

from whatsapp_provider.errors import InputError
from whatsapp_provider.messages import Buttons, ListMessage, Message

MAX_LINE = 60  #: characters of a header or footer
MAX_TITLE = 20  #: of a button
MAX_ROW_TITLE = 24  #: of a row or section of a list
MAX_DESCRIPTION = 72  #: of a row
MAX_ROW_ID = 200
MAX_BUTTONS_BODY = 1_024
MAX_LIST_BODY = 4_096


def check_interactive(message: Message) -> None:
    """Refuse what Meta would refuse; messages of other kinds pass.

    :raises InputError: naming the part, and not what it says.
    """
    if isinstance(message, Buttons):
        parts = _of_buttons(message)
        titles = [button.title for button in message.buttons]
        if len(set(titles)) < len(titles):
            raise InputError(
                "The message can't be sent: two buttons have the same title, which Meta refuses."
            )
    elif isinstance(message, ListMessage):
        parts = _of_list(message)
    else:
        return
    for field, text, limit in parts:
        if text is not None and len(text) > limit:
            raise InputError(
                f"The message can't be sent: {field} has {len(text)} characters, and Meta takes {limit}."
            )


def _of_buttons(message: Buttons) -> Iterator[tuple[str, str | None, int]]:
    yield "body", message.body, MAX_BUTTONS_BODY
    yield "header", message.header, MAX_LINE
    yield "footer", message.footer, MAX_LINE
    for place, button in enumerate(message.buttons):
        yield f"buttons.{place}.title", button.title, MAX_TITLE


def _of_list(message: ListMessage) -> Iterator[tuple[str, str | None, int]]:
    yield "body", message.body, MAX_LIST_BODY
    yield "title", message.title, MAX_LINE
    yield "footer", message.footer, MAX_LINE
    yield "button", message.button, MAX_TITLE
    for number, section in enumerate(message.sections):
        yield f"sections.{number}.title", section.title, MAX_ROW_TITLE
        for place, row in enumerate(section.rows):
            where = f"sections.{number}.rows.{place}"
            yield f"{where}.title", row.title, MAX_ROW_TITLE
            yield f"{where}.description", row.description, MAX_DESCRIPTION
            yield f"{where}.id", row.id, MAX_ROW_ID
