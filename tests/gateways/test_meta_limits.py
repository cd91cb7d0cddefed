"""What Meta takes of buttons and lists, at its bounds and one character above them."""

from __future__ import annotations

from typing import Any

import pytest

from whatsapp_provider.errors import Disposition, InputError
from whatsapp_provider.gateways.meta_limits import check_interactive
from whatsapp_provider.messages import parse_message


def buttons(title: str = "Yes", **fields: Any) -> dict[str, Any]:
    return {"kind": "buttons", "body": "b", "buttons": [{"type": "reply", "title": title}], **fields}


def choices(heading: str = "S", button: str = "Open", row: Any = None, **fields: Any) -> dict[str, Any]:
    rows = [{"title": "R", **(row or {})}]
    sections = [{"title": heading, "rows": rows}]
    return {"kind": "list", "body": "b", "button": button, "sections": sections, **fields}


#: By the name of the part: the most that it takes, and a message with so much of it.
BOUNDS: dict[str, tuple[int, Any]] = {
    "body of buttons": (1_024, lambda text: buttons(body=text)),
    "header": (60, lambda text: buttons(header=text)),
    "footer": (60, lambda text: buttons(footer=text)),
    "buttons.0.title": (20, buttons),
    "body of a list": (4_096, lambda text: choices(body=text)),
    "title": (60, lambda text: choices(title=text)),
    "footer of a list": (60, lambda text: choices(footer=text)),
    "button": (20, lambda text: choices(button=text)),
    "sections.0.title": (24, choices),
    "sections.0.rows.0.title": (24, lambda text: choices(row={"title": text})),
    "sections.0.rows.0.description": (72, lambda text: choices(row={"description": text})),
    "sections.0.rows.0.id": (200, lambda text: choices(row={"id": text})),
}


@pytest.mark.parametrize(("part", "bound"), BOUNDS.items(), ids=BOUNDS)
def test_what_is_one_character_too_long_is_told_and_the_text_is_not(
    part: str, bound: tuple[int, Any]
) -> None:
    most, made = bound
    check_interactive(parse_message(made("x" * most)))
    field = part.partition(" of ")[0]
    with pytest.raises(
        InputError, match=f"{field} has {most + 1} characters, and Meta takes {most}"
    ) as caught:
        check_interactive(parse_message(made("x" * (most + 1))))
    assert "xxx" not in str(caught.value)
    assert caught.value.disposition is Disposition.HALT


def test_two_buttons_of_one_title_are_refused() -> None:
    twins = [{"type": "reply", "title": "Yes", "id": one} for one in ("a", "b")]
    with pytest.raises(InputError, match="same title"):
        check_interactive(parse_message(buttons(buttons=twins)))


def test_messages_of_other_kinds_pass() -> None:
    check_interactive(parse_message("x" * 5_000))
