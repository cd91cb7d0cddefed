"""Rows of lists and files, and everything that can be wrong with them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.campaigns.support import Desk, number
from whatsapp_provider.campaigns.audience import AudienceOptions, Findings, Policy, people
from whatsapp_provider.campaigns.plan import plan_campaign
from whatsapp_provider.campaigns.readers import Row, csv_rows, jsonl_rows, reader_for, rows_of
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.errors import AudienceError, ConfigurationError, WhatsAppError


def from_csv(content: str | bytes) -> Iterable[Row]:
    data = content if isinstance(content, bytes) else content.encode()
    return csv_rows(io.BytesIO(data), name="people.csv")


def from_jsonl(content: str | bytes) -> Iterable[Row]:
    data = content if isinstance(content, bytes) else content.encode()
    return jsonl_rows(io.BytesIO(data), name="people.jsonl")


def from_list(items: list[Any]) -> Iterable[Row]:
    return rows_of(items, recipient_field="phone")


def read(
    rows: Iterable[Row], findings: Findings | None = None, **options: Any
) -> list[tuple[str, dict[str, Any]]]:
    how = AudienceOptions(**options)
    found = people(rows, how, findings or Findings(how))
    return [(person.recipient.key, dict(person.variables)) for person in found]


def test_a_list_holds_mappings_or_bare_numbers() -> None:
    assert read(from_list([{"phone": "+15550000001", "name": "Ada"}, "+15550000002", 15550000003])) == [
        (number(1), {"phone": "+15550000001", "name": "Ada"}),
        (number(2), {"phone": "+15550000002"}),
        (number(3), {"phone": 15550000003}),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "phone,name\n+15550000001,Ada\n",
        "phone,name\r\n+15550000001,Ada\r\n",
        "\ufeffphone,name\n+15550000001,Ada",
        'phone,name\n"+15550000001","Ada"\n\n\n',
        " phone , name \n+15550000001,Ada\n",
        b"\xef\xbb\xbfphone,name\r\n+15550000001,Ada",
    ],
)
def test_csv_in_its_usual_forms(content: str | bytes) -> None:
    assert read(from_csv(content)) == [(number(1), {"phone": "+15550000001", "name": "Ada"})]


def test_quoted_commas_quotes_and_line_breaks_are_part_of_the_value() -> None:
    rows = read(from_csv('phone,name\n+15550000001,"Ada, ""Countess""\nof Lovelace"\n'))
    assert rows[0][1]["name"] == 'Ada, "Countess"\nof Lovelace'


def test_another_column_can_hold_the_number() -> None:
    rows = from_csv("name,mobile\nAda,+15550000001\n")
    assert read(rows, recipient_field="mobile")[0][0] == number(1)


def test_json_lines_may_have_blank_lines_and_values_of_any_kind() -> None:
    rows = read(
        from_jsonl('{"phone": "+15550000001", "n": 3, "list": [1, null]}\n\n  \n{"phone": 15550000002}\n')
    )
    assert rows == [
        (number(1), {"phone": "+15550000001", "n": 3, "list": [1, None]}),
        (number(2), {"phone": 15550000002}),
    ]


BAD: list[tuple[str, Callable[[], Iterable[Row]], str]] = [
    ("nothing", lambda: from_csv(""), "people.csv is empty: the first line must name the columns"),
    ("header only", lambda: from_csv("phone,name\n"), "The audience is empty"),
    ("no rows", lambda: from_list([]), "The audience is empty"),
    ("no json", lambda: from_jsonl("\n"), "The audience is empty"),
    (
        "no such column",
        lambda: from_csv("mobile,name\n1,2\n"),
        r"line 2: no column 'phone' \(columns: mobile, name\)",
    ),
    (
        "too many",
        lambda: from_csv("phone,name\n+15557770001,Ada,x\n"),
        "line 2: 3 fields where the header has 2",
    ),
    ("too few", lambda: from_csv("phone,name\n+15557770001\n"), "line 2: 1 fields where the header has 2"),
    ("twice", lambda: from_csv("phone,name,name\n"), "each column needs a name of its own"),
    ("nameless", lambda: from_csv("phone,,name\n"), "each column needs a name of its own"),
    (
        "no header",
        lambda: from_csv("+15557770001,Ada\n+15557770002,Bo\n"),
        "first line must name the columns",
    ),
    ("Latin-1", lambda: from_csv("phone,name\n+15557770001,Zoë\n".encode("latin-1")), "is not UTF-8"),
    ("UTF-16", lambda: from_csv("phone,name\n".encode("utf-16")), "is not UTF-8"),
    ("huge field", lambda: from_csv(f"phone,name\n+15557770001,{'x' * 200_000}\n"), "line 2: not valid CSV"),
    ("open quote", lambda: from_csv('phone,name\n+15557770001,"Ada\n'), "not valid CSV"),
    ("no JSON", lambda: from_jsonl('{"phone": "+15557770001"}\nAda\n'), "line 2: not JSON"),
    ("no object", lambda: from_jsonl('["+15557770001"]\n'), "line 1: a JSON object is needed"),
    ("too deep", lambda: from_jsonl("[" * 100_000), "line 1: not JSON"),
    ("a set", lambda: from_list([{"phone": "+15557770001"}, {1, 2}]), "row 2 is a set"),
    ("a float", lambda: from_list([15557770001.0]), "row 1 is a float"),
    ("a date", lambda: from_list([{"phone": "+15557770001", "on": object()}]), "can't be kept in the ledger"),
    ("half a pair", lambda: from_jsonl('{"phone": "+15557770001", "n": "\\ud83d"}'), "half a character"),
    (
        "missing value",
        lambda: from_csv("phone,nam\n+15557770001,Ada\n"),
        "line 2: message.body: 'name' is undefined",
    ),
    (
        "no numbers",
        lambda: from_csv("phone,name\nAda,Ada\n"),
        "1 rows of the audience can't be sent to: .*line 2",
    ),
]


@pytest.mark.parametrize(("rows", "told"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_audience_is_told_by_its_place_and_leaves_the_ledger_as_it_was(
    desk: Desk, rows: Callable[[], Iterable[Row]], told: str
) -> None:
    template = MessageTemplate("Hi {{ name }}" if "undefined" in told else "Hi")
    with pytest.raises(WhatsAppError, match=told) as caught:
        plan_campaign(desk.ledger, desk.campaign(), template, rows(), AudienceOptions())
    assert "1555777" not in str(caught.value)
    assert "Zoë" not in str(caught.value)
    assert desk.ledger.find("spring") is None


def test_all_bad_rows_are_told_at_once_ten_of_them_by_their_place() -> None:
    with pytest.raises(AudienceError) as caught:
        read(from_jsonl("".join(f'{{"phone": "{"x" * (index % 3)}"}}\n' for index in range(13))))
    told = str(caught.value)
    assert told.startswith(
        "13 rows of the audience can't be sent to: people.jsonl, line 1: The recipient is empty."
    )
    assert "line 10:" in told
    assert "line 11:" not in told
    assert "And 3 more." in told


def test_a_person_who_comes_twice_in_other_formats_is_found() -> None:
    rows = ["+55 11 97000-0001", "551170000001@s.whatsapp.net", "+15550000001"]
    with pytest.raises(AudienceError, match=r"row 2: …0001 is the same person as row 1\."):
        read(from_list(rows))


def test_bad_and_double_rows_can_be_left_out_and_are_counted() -> None:
    leave_out = {"on_invalid": Policy.SKIP, "on_duplicate": Policy.SKIP}
    findings = Findings(AudienceOptions(**leave_out))
    rows = from_list(["+15550000001", "", "Ada", "001 555 000 0001", "+15550000002"])
    found = read(rows, findings, **leave_out)
    assert [key for key, _ in found] == [number(1), number(2)]
    assert findings.counts == {"invalid recipient": 2, "duplicate": 1}


def test_an_audience_of_which_nobody_is_left_is_refused() -> None:
    with pytest.raises(AudienceError, match="nobody to send to"):
        read(from_list(["Ada", "Bo"]), on_invalid=Policy.SKIP)


def test_the_reader_is_chosen_by_the_ending() -> None:
    assert reader_for("a/b.CSV") is csv_rows
    assert reader_for("x.ndjson") is jsonl_rows
    with pytest.raises(ConfigurationError, match="the ending must be one of csv, jsonl, ndjson"):
        reader_for("people.xlsx")


def test_rows_and_people_keep_their_values_out_of_their_repr() -> None:
    (row,) = from_list([{"phone": "+15550000001", "name": "Ada"}])
    (person,) = people([row], AudienceOptions(), Findings(AudienceOptions()))
    assert "Ada" not in repr(row) + repr(person)
    assert "15550000001" not in repr(row) + repr(person)


def test_a_csv_file_with_other_separators_is_named_as_such() -> None:
    with pytest.raises(AudienceError, match="not separated by commas"):
        list(from_csv("phone;name\n15550000001;Ada\n"))


def test_rows_that_no_option_leaves_out_are_not_said_to_be() -> None:
    def judge(row: Row) -> None:
        raise AudienceError(f"{row.place}: unclear")

    options = AudienceOptions(on_invalid=Policy.SKIP, judge=judge)
    with pytest.raises(AudienceError, match=r"row 1: unclear Nothing was sent. Mend them\.$"):
        list(people(from_list([number(1)]), options, Findings(options)))
