"""A person is shown all that the ledger holds about them, and nothing about others."""

from __future__ import annotations

import json

import pytest

from tests.campaigns.ledger.traces import ADA, BOB, BOBS_NAME, LID, NAME, USER_ID, Files, wamid
from tests.campaigns.support import CHANNEL, Desk, number

#: Where the statements are the same for all databases.
on_a_file = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def files(desk: Desk) -> Files:
    files = Files(desk)
    files.fill()
    return files


def test_everything_is_there_by_any_form(files: Files) -> None:
    told = files.ledger.disclose(LID)
    assert files.ledger.disclose(ADA) | {"person": LID} == told
    assert json.loads(json.dumps(told)) == told
    assert [one["form"] for one in told["forms"]] == sorted([ADA, LID, USER_ID])
    by_campaign = {one["campaign"]: one for one in told["messages"]}
    assert set(by_campaign) == {"spring", "summer", "autumn", "may", "winter", "message/order-1"}
    spring = by_campaign["spring"]
    assert spring["values"] == {"phone": ADA, "name": NAME}
    assert (spring["state"], spring["message_id"], spring["channel"]) == (
        "accepted",
        wamid(ADA),
        CHANNEL.key(),
    )
    assert (spring["recipient"], spring["address"], spring["attempts"]) == (ADA, ADA, 1)
    assert spring["sent_at"].startswith("2027-01-15T")
    assert spring["sent_at"].endswith("+00:00")
    assert (by_campaign["winter"]["state"], by_campaign["winter"]["sent_at"]) == ("planned", None)
    assert by_campaign["message/order-1"]["message"] == {"kind": "text", "text": f"Hi {NAME}"}
    [settled] = by_campaign["may"]["settled"]
    assert (settled["state"], settled["by"], settled["note"]) == ("accepted", "Eve", f"{NAME} said so")
    assert {(one["list"], one["form"]) for one in told["suppression"]} == {
        ("press", form) for form in (ADA, LID, USER_ID)
    }
    assert [(one["gateway"], one["on_whatsapp"]) for one in told["number_checks"]] == [("whapi", True)]
    whole = json.dumps(told)
    assert BOB not in whole
    assert BOBS_NAME not in whole


@on_a_file
def test_of_an_erased_person_what_is_left_is_told(files: Files) -> None:
    files.ledger.erase(ADA, by="Eve")
    told = files.ledger.disclose(ADA)
    assert len(told["messages"]) == 6
    assert {(one["values"], one["address"], one["message_id"]) for one in told["messages"]} == {
        (None, None, None)
    }
    assert {(one["list"], one["source"], one["form"]) for one in told["suppression"]} == {
        ("press", "person", None),
        ("opt_out", "erased", None),
    }
    assert (told["forms"], told["number_checks"]) == ([{"form": ADA}], [])


@on_a_file
def test_of_somebody_unknown_there_is_nothing(files: Files) -> None:
    told = files.ledger.disclose(number(99))
    assert (told["messages"], told["suppression"], told["number_checks"]) == ([], [], [])
