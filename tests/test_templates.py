"""Whether a message fits a template as a gateway reports it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_provider.errors import Disposition, TemplateError
from whatsapp_provider.messages import HeaderMedia, Media, TemplateMessage, parse_message
from whatsapp_provider.templates import SHOWN, OfficialTemplate, check_template, fits, placeholders

PRIVATE = "the private words"
PLAIN = OfficialTemplate("order_update", "en_US", "APPROVED", body_names=("1", "2"), body="{{1}} {{2}}")
NAMED = replace(PLAIN, name="named", body_names=("first_name", "state"))
PICTURE = replace(PLAIN, name="picture", header="image", body_names=())
TITLED = replace(PLAIN, name="titled", header="text", header_values=1, body_names=())
LINKED = replace(PLAIN, name="linked", button_values=(1,), body_names=())
PLACE = replace(PLAIN, name="place", header="location", body_names=())
PRODUCT = replace(PLAIN, name="product", header="product", body_names=())
CARDS = replace(PLAIN, name="cards", body_names=(), unsendable=("cards", "a flow"))
ALL = (PLAIN, NAMED, PICTURE, TITLED, LINKED, PLACE, PRODUCT, CARDS)


def message(name: str, **values: Any) -> TemplateMessage:
    return TemplateMessage(name=name, language="en_US", **values)


def picture(kind: Any = "image") -> HeaderMedia:
    return HeaderMedia(kind=kind, media=Media(url="https://files.example/a"))


@pytest.mark.parametrize(
    "fit",
    [
        message("order_update", body=("Ada", "47")),
        message("order_update", body={"1": "Ada", "2": "47"}),
        message("named", body={"state": "sent", "first_name": "Ada"}),
        message("picture", header=picture()),
        message("titled", header="47"),
        message("linked", buttons={1: "orders/47"}),
    ],
    ids=lambda fit: fit.name,
)
def test_a_message_that_fits_passes(fit: TemplateMessage) -> None:
    check_template(fit, ALL)


@pytest.mark.parametrize(
    ("unfit", "told"),
    [
        (message("order_update", body=(PRIVATE,)), "takes 2 values, and 1 are given"),
        (message("order_update"), "takes 2 values, and 0 are given"),
        (message("order_update", body={"1": PRIVATE}), "needs values for 2"),
        (message("order_update", body={"1": PRIVATE, "2": "b", "3": "c"}), "has no 3"),
        (message("named", body=("a", "b")), "must be a mapping with first_name, state"),
        (
            message("named", body={"first_name": PRIVATE, "name": "b"}),
            "needs values for state; its body has no name",
        ),
        (message("picture"), "its header needs a file"),
        (message("picture", header=PRIVATE), "its header needs a file"),
        (message("picture", header=picture("video")), "is of kind video, the template's is image"),
        (message("order_update", body=("a", "b"), header=picture()), "the template's is none"),
        (message("titled"), "its header needs a value"),
        (message("titled", header=picture()), "the template's is text"),
        (message("linked", header=PRIVATE, buttons={1: "x"}), "its header takes no value"),
        (message("linked"), "its button 1 needs a value"),
        (message("linked", buttons={0: PRIVATE, 1: "x"}), "its button 0 takes no value"),
        (message("place"), "its header shows a place"),
        (message("product"), "its header is of kind product, which a message can't tell"),
        (message("cards"), "it has cards and a flow, which a message can't tell"),
    ],
)
def test_what_does_not_fit_is_told_and_no_value(unfit: TemplateMessage, told: str) -> None:
    with pytest.raises(TemplateError, match=rf"Template '{unfit.name}' \(en_US\)") as caught:
        check_template(unfit, ALL)
    assert told in str(caught.value)
    assert PRIVATE not in str(caught.value)
    assert caught.value.disposition is Disposition.HALT


@pytest.mark.parametrize("bad", ["two\nlines", "a\r", "a\tb", "five     spaces"])
def test_a_value_with_white_space_that_meta_refuses_is_told_by_its_place(bad: str) -> None:
    for unfit, place in (
        (message("order_update", body=("a", bad)), "body 2"),
        (message("named", body={"first_name": "a", "state": bad}), "body state"),
        (message("titled", header=bad), "header"),
    ):
        with pytest.raises(
            TemplateError, match=f"the value of its {place} has a line break, a tab or more"
        ) as caught:
            check_template(unfit, ALL)
        assert bad not in str(caught.value)
    check_template(message("order_update", body=("a", "four    spaces")), ALL)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"name": "titled", "header": "x" * 61}, "header has 61 characters, and Meta takes 60"),
        (
            {"name": "order_update", "body": ("a", "x" * 32_769)},
            "body 2 has 32769 characters, and Meta takes 32768",
        ),
        (
            {"name": "rich", "body": ("x" * 1_025,), "buttons": {0: "y"}},
            "body 1 has 1025 characters, and Meta takes 1024",
        ),
    ],
)
def test_a_value_that_is_too_long_for_meta_is_told_by_its_place(values: dict[str, Any], told: str) -> None:
    rich = replace(PLAIN, name="rich", body_names=("1",), button_values=(0,))
    with pytest.raises(TemplateError, match=f"the value of its {told}"):
        check_template(message(**values), [*ALL, rich])


@pytest.mark.parametrize("status", ["PENDING", "REJECTED", "PAUSED", "DISABLED", "approved", ""])
def test_only_what_is_approved_can_be_sent(status: str) -> None:
    with pytest.raises(TemplateError, match=rf"is {status or 'without a status'}, and only APPROVED"):
        check_template(message("order_update", body=("a", "b")), [replace(PLAIN, status=status)])


def test_a_language_that_a_template_lacks_is_told_with_those_it_has() -> None:
    both = [PLAIN, replace(PLAIN, language="de")]
    asked = TemplateMessage(name="order_update", language="pt_BR")
    with pytest.raises(TemplateError, match=r"not there in 'pt_BR'; it has: de, en_US"):
        check_template(asked, both)


def test_a_name_that_is_not_there_is_told_with_the_approved_ones() -> None:
    many = [replace(PLAIN, name=f"t{number:02}") for number in range(SHOWN + 3)]
    with pytest.raises(TemplateError, match=r"Approved ones: t00, .*t09 and 3 more\."):
        check_template(message("other"), [*many, replace(PLAIN, name="aa", status="PENDING")])
    with pytest.raises(TemplateError, match="Approved ones: none"):
        check_template(message("other"), [])


def test_a_campaigns_messages_are_checked_against_one_list_and_other_kinds_are_left_alone() -> None:
    check = fits([PLAIN])
    check(parse_message("Hello"))
    check(message("order_update", body=("a", "b")))
    with pytest.raises(TemplateError):
        check(message("order_update"))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        (None, ()),
        ("none { {1} }", ()),
        ("{{1}} {{ 2 }} {{1}}", ("1", "2")),
        ("{{10}} {{2}} {{1}}", ("1", "2", "10")),
        ("{{state}} {{first_name}} {{state}}", ("state", "first_name")),
    ],
)
def test_placeholders_are_told_once_numbers_in_their_order(text: str | None, names: tuple[str, ...]) -> None:
    assert placeholders(text) == names


@given(st.lists(st.sampled_from(["1", "2", "3", "name", "x"]), max_size=5), st.data())
def test_a_value_for_each_placeholder_always_fits(parts: list[str], data: st.DataObject) -> None:
    names = placeholders(" ".join(f"{{{{{part}}}}}" for part in parts))
    template = replace(PLAIN, body_names=names)
    values = {name: data.draw(st.text("aé 1{", min_size=1, max_size=4)) for name in names}
    check_template(message("order_update", body=values), [template])
    if values:
        values.pop(next(iter(values)))
        with pytest.raises(TemplateError):
            check_template(message("order_update", body=values), [template])
