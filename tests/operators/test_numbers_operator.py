"""Numbers are checked within a budget, once each, and told to nobody who did not ask for them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.hooks.world import ADA, BOB, World, context
from tests.operators.places import at_evolution
from whatsapp_provider.errors import QuotaExceededError
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.numbers import WhatsAppCheckNumbersOperator

EVE = "15550000003"
PEOPLE = [{"phone": f"+{ADA}", "name": "Ada"}, {"phone": BOB, "name": "Bob"}, {"phone": EVE, "name": "Eve"}]


def operator(numbers: Any = PEOPLE, **fields: Any) -> WhatsAppCheckNumbersOperator:
    return WhatsAppCheckNumbersOperator(task_id="check", numbers=numbers, **{"pause": 0, **fields})


def run(numbers: Any = PEOPLE, **fields: Any) -> dict[str, Any]:
    return operator(numbers, **fields).execute(context())


def checks(world: World) -> int:
    return world.asked("POST /whapi/gate/contacts")


@pytest.fixture
def bob_is_absent(world: World) -> World:
    world.control("POST", "/settings", {"numbers_without_whatsapp": [BOB]})
    return world


def test_counts_are_returned_and_numbers_are_masked(
    bob_is_absent: World, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run()
    assert result == {
        "total": 3,
        "checked": 3,
        "known": 0,
        "on_whatsapp": 2,
        "not_on_whatsapp": 1,
        "not_checked": 0,
        "left_out": {},
    }
    told = capsys.readouterr().out
    assert "Not on WhatsApp: …0002" in told
    assert not [number for number in (ADA, BOB, EVE) if number in told + json.dumps(result)]


def test_the_file_has_all_answers_and_the_other_an_audience(bob_is_absent: World, tmp_path: Path) -> None:
    checked, there = tmp_path / "checked.csv", tmp_path / "there.csv"
    result = run(output_path=str(checked), existing_path=str(there))
    assert (result["output_path"], result["existing_path"]) == (str(checked), str(there))
    rows = list(csv.DictReader(checked.open()))
    assert [(row["phone"], row["on_whatsapp"]) for row in rows] == [
        (f"+{ADA}", "yes"),
        (f"+{BOB}", "no"),
        (f"+{EVE}", "yes"),
    ]
    assert there.read_text() == f"phone,name\n+{ADA},Ada\n{EVE},Eve\n"


def test_the_budget_ends_it_and_the_next_day_goes_on(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "checked.csv"
    assert run(output_path=str(path), max_checks="2", batch_size=1)["not_checked"] == 1
    assert "1 numbers were not checked: the budget of 2 checks in 24 hours is used up." in (
        capsys.readouterr().out
    )
    # The same day: two are spent.
    assert run(output_path=str(path), max_checks=2)["checked"] == 0
    yesterday = path.read_text().replace(path.read_text()[-26:-15], "2020-01-01T")
    path.write_text(yesterday)
    result = run(output_path=str(path), max_checks=2)
    assert (result["known"], result["checked"], result["not_checked"]) == (2, 1, 0)
    assert checks(world) == 3


def test_a_retry_asks_only_what_the_file_does_not_have(world: World, tmp_path: Path) -> None:
    path = tmp_path / "checked.csv"
    world.fault("status", status=403, path="/contacts", after=1)
    with pytest.raises(WhatsAppTaskFailedError, match="403"):
        run(output_path=str(path), batch_size=1)
    world.control("POST", "/settings", {"numbers_without_whatsapp": [ADA]})  # nobody asks again
    result = run(output_path=str(path), batch_size=5)
    assert (result["known"], result["checked"], result["on_whatsapp"]) == (1, 2, 3)


def test_a_number_is_asked_about_once_and_other_ids_not_at_all(world: World) -> None:
    result = run([ADA, "+1 555 000 0001", "120363000000000001@g.us", "nobody"], on_invalid="skip")
    assert result["total"] == result["checked"] == 1
    assert result["left_out"] == {"duplicate": 1, "invalid recipient": 1, "no phone number": 1}


def test_a_bad_row_fails_before_anything_is_asked(world: World) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="AudienceError: 1 rows"):
        run([ADA, "nobody"])
    assert checks(world) == 0


def test_numbers_are_returned_where_it_is_asked_for(bob_is_absent: World) -> None:
    assert run([ADA, BOB], return_numbers=True)["numbers"] == {f"+{ADA}": True, f"+{BOB}": False}
    with pytest.raises(WhatsAppTaskFailedError, match="100 numbers at most, and these are 101"):
        run([str(15550000000 + n) for n in range(101)], return_numbers=True)
    assert checks(bob_is_absent) == 1


def test_the_vendors_own_limit_keeps_what_was_answered(world: World, tmp_path: Path) -> None:
    path = tmp_path / "checked.csv"
    world.control("POST", "/settings", {"enforce_trial": True, "trial_checks_per_day": 2})
    with pytest.raises(QuotaExceededError, match="trial version limit exceeded"):
        run(output_path=str(path), batch_size=1)
    assert len(path.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"numbers": "120363000000000001@g.us"}, "members of a group are on WhatsApp"),
        ({"max_checks": "-1"}, "max_checks must be a whole number"),
        ({"output_path": "a.csv", "existing_path": "a.csv"}, "a file of its own"),
        ({"numbers": "a.csv", "existing_path": "a.csv"}, "a file of its own"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    world: World, fields: dict[str, Any], told: str
) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match=told):
        run(**fields)
    assert checks(world) == 0


@pytest.mark.parametrize("fields", [{"batch_size": 0}, {"pause": -1}, {"on_invalid": "maybe"}])
def test_a_wrong_option_is_refused_when_the_dag_is_read(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(fields))):
        operator(**fields)


def test_airflow_stores_of_rows_their_number_alone() -> None:
    task = operator()
    task.render_template_fields({})
    assert repr(task.numbers) == "<3 rows>"


def test_an_evolution_server_is_asked_the_same_way(bob_is_absent: World) -> None:
    at_evolution(bob_is_absent)
    result = run()
    assert (result["on_whatsapp"], result["not_on_whatsapp"]) == (2, 1)
