"""What Meta's codes mean wherever they surface, and its templates in its own words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_provider.errors import Disposition, InputError, UnsupportedError
from whatsapp_provider.gateways import meta
from whatsapp_provider.gateways.meta_templates import (
    MetaTemplate,
    check_definition,
    components,
    read_template,
)
from whatsapp_provider.messages import HeaderMedia, Media, TemplateMessage
from whatsapp_provider.templates import OfficialTemplate

SKIP, RETRY, HOLD, HALT = Disposition.SKIP, Disposition.RETRY, Disposition.HOLD, Disposition.HALT

#: Meta's table of the Cloud API's codes: what is known of the message, and so what the runner does.
CODES = {
    0: HALT,  # authentication
    1: HOLD,  # unknown
    2: RETRY,  # service down
    3: HALT,
    4: RETRY,  # the app's calls
    10: HALT,
    100: HALT,  # a parameter
    190: HALT,  # the token expired
    200: HALT,
    299: HALT,
    368: HALT,  # restricted for its policy
    80007: RETRY,
    130429: RETRY,  # throughput
    130472: SKIP,  # in an experiment
    131000: HOLD,  # something went wrong
    131005: HALT,
    131008: HALT,  # a parameter is missing
    131009: HALT,
    131016: RETRY,
    131021: SKIP,  # to oneself
    131026: SKIP,  # undeliverable
    131030: SKIP,  # not in the list of a test number
    131031: HALT,  # locked
    131042: HALT,  # a payment
    131047: SKIP,  # out of the 24 hours
    131048: RETRY,  # spam rate
    131049: SKIP,  # held back for the person's sake
    131050: SKIP,  # stopped marketing messages
    131051: HALT,  # the type
    131052: SKIP,  # this file
    131053: SKIP,
    131056: RETRY,  # too many to one person
    131057: RETRY,  # in maintenance
    132000: HALT,  # the template's values
    132001: HALT,  # no such template
    132005: HALT,
    132007: HALT,
    132012: HALT,
    132015: HALT,  # paused
    132016: HALT,  # disabled
    133010: HALT,  # not registered
    133016: RETRY,
    999999: HALT,
}


@pytest.mark.parametrize(("code", "disposition"), CODES.items())
def test_a_code_says_what_is_known_of_the_message(code: int, disposition: Disposition) -> None:
    error = meta.refusal(code, "why", status=201)
    assert (error.disposition, error.code, error.status) == (disposition, f"meta_{code}", 201)
    assert str(error) == f"Meta refused the message with code {code}: why"


def test_two_messages_to_one_person_are_six_seconds_apart() -> None:
    assert meta.refusal(131056, "", status=400).retry_after == 6.0
    assert meta.refusal(130429, "", status=400).retry_after is None


def test_what_meta_quotes_is_struck_out() -> None:
    error = meta.refusal(100, "No 5511900000000 for Zoë, EAAG", status=400, secrets=("Zoë", "EAAG"))
    assert str(error).endswith("No …0000 for ***, ***")


ERROR: dict[str, Any] = {
    "message": "(#131026) Undeliverable",
    "type": "OAuthException",
    "code": 131026,
    "error_data": {"messaging_product": "whatsapp", "details": "Not on WhatsApp"},
    "fbtrace_id": "A",
}


@pytest.mark.parametrize(
    "body",
    [
        ERROR,
        {"error": ERROR},
        {"errors": [ERROR]},
        {"data": {"error": ERROR}},
        {"data": [{"errors": [ERROR]}]},
    ],
)
def test_metas_error_is_found_in_each_of_its_wrappings(body: Any) -> None:
    assert meta.found_in(body) == (131026, "(#131026) Undeliverable Not on WhatsApp")


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "131026",
        {"code": 131026},
        {**ERROR, "code": "131026"},
        {**ERROR, "code": True},
        {"error": "x"},
    ],
)
def test_a_code_of_somebody_elses_is_not_metas(body: Any) -> None:
    assert meta.found_in(body) is None


# -- templates ------------------------------------------------------------------------------------


def told(*parts: dict[str, Any], **further: Any) -> dict[str, Any]:
    """Return a template as Meta's list tells it."""
    head = {"name": "a", "language": "en_US", "status": "APPROVED", "category": "UTILITY", "id": "1"}
    return {**head, **further, "components": list(parts)}


def read(*parts: dict[str, Any]) -> OfficialTemplate:
    return read_template(told(*parts)).official


def test_a_template_is_read_with_all_that_takes_a_value() -> None:
    found = read_template(
        told(
            {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"},
            {"type": "BODY", "text": "{{2}}, {{1}} and {{10}} and {{2}}", "example": {"body_text": [["a"]]}},
            {"type": "FOOTER", "text": "bye"},
            {
                "type": "BUTTONS",
                "buttons": [
                    {"type": "QUICK_REPLY", "text": "Yes"},
                    {"type": "URL", "text": "Go", "url": "https://a.example/{{1}}"},
                    {"type": "URL", "text": "Home", "url": "https://a.example"},
                    {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550000001"},
                    {"type": "COPY_CODE", "text": "Copy"},
                ],
            },
        )
    )
    assert found.official == OfficialTemplate(
        name="a",
        language="en_US",
        status="APPROVED",
        category="UTILITY",
        header="text",
        header_values=1,
        body_names=("1", "2", "10"),
        button_values=(1, 4),
        body="{{2}}, {{1}} and {{10}} and {{2}}",
    )
    assert (found.header_name, dict(found.buttons)) == (None, {1: "url", 4: "copy_code"})


@pytest.mark.parametrize("form", ["IMAGE", "VIDEO", "DOCUMENT", "LOCATION"])
def test_a_header_is_told_by_its_form(form: str) -> None:
    found = read({"type": "HEADER", "format": form, "example": {"header_handle": ["https://a.example"]}})
    assert (found.header, found.header_values) == (form.lower(), 0)
    assert read({"type": "BODY", "text": "x"}).header is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "format", "buttons", "url", "components", "name", "status"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_JSON, _JSON)
def test_whatever_meta_tells_becomes_a_template_that_is_not_approved(parts: Any, status: Any) -> None:
    found = read_template({"name": "a", "components": parts, "status": status}).official
    assert (found.name, found.is_approved) == ("a", status == "APPROVED")


def test_positional_values_go_by_their_numbers_and_named_ones_by_their_names() -> None:
    numbered = TemplateMessage(name="a", language="en", body={"10": "j", "2": "b", "1": "a"})
    [body] = components(numbered, None)
    assert [value["text"] for value in body["parameters"]] == ["a", "b", "j"]
    assert all("parameter_name" not in value for value in body["parameters"])
    [body] = components(TemplateMessage(name="a", language="en", body={"who": "Ada"}), None)
    assert body["parameters"] == [{"type": "text", "parameter_name": "who", "text": "Ada"}]


def test_a_template_without_values_has_no_components() -> None:
    assert components(TemplateMessage(name="a", language="en"), None) == []


@pytest.mark.parametrize(
    ("kind", "filename", "file"),
    [
        ("image", None, {"link": "https://a.example/f"}),
        ("video", "f.mp4", {"link": "https://a.example/f"}),
        ("document", "f.pdf", {"link": "https://a.example/f", "filename": "f.pdf"}),
    ],
)
def test_a_headers_file_is_linked_and_a_document_named(kind: Any, filename: str | None, file: Any) -> None:
    header = HeaderMedia(kind=kind, media=Media(url="https://a.example/f"), filename=filename)
    [found] = components(TemplateMessage(name="a", language="en", header=header), None)
    assert found == {"type": "header", "parameters": [{"type": kind, kind: file}]}


def test_a_headers_file_without_an_address_is_refused() -> None:
    header = HeaderMedia(kind="image", media=Media(data=b"x"))
    with pytest.raises(UnsupportedError, match="as url"):
        components(TemplateMessage(name="a", language="en", header=header), None)


def test_a_buttons_value_is_placed_by_what_the_button_is() -> None:
    template = MetaTemplate(read(), buttons={0: "url", 3: "copy_code"})
    message = TemplateMessage(name="a", language="en", buttons={3: "SAVE", 0: "x"})
    assert components(message, template) == [
        {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "x"}]},
        {
            "type": "button",
            "sub_type": "copy_code",
            "index": "3",
            "parameters": [{"type": "coupon_code", "coupon_code": "SAVE"}],
        },
    ]
    with pytest.raises(UnsupportedError, match="button 0"):
        components(message, None)


def test_a_definition_needs_what_meta_needs() -> None:
    whole = {
        "name": "a",
        "category": "UTILITY",
        "language": "en",
        "components": [{"type": "BODY", "text": "x"}],
    }
    assert check_definition({**whole, "allowCategoryChange": True}) == {**whole, "allowCategoryChange": True}
    for name in whole:
        with pytest.raises(InputError, match=f"needs {name}"):
            check_definition({key: value for key, value in whole.items() if key != name})
    with pytest.raises(InputError, match="category"):
        check_definition({**whole, "category": "NEWS"})


@pytest.mark.parametrize("code", [-1, 10**7, 10**30, True, 131047.0, "131047"])
def test_what_can_be_no_code_of_metas_proves_nothing(code: Any) -> None:
    assert meta.found_in({"code": code, "fbtrace_id": "A"}) is None


def test_an_error_is_not_looked_for_without_an_end() -> None:
    body: Any = {"code": 131047, "fbtrace_id": "A"}
    for _ in range(5_000):
        body = {"error": [body]}
    assert meta.found_in(body) is None
