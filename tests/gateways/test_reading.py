"""What is read of an answer: all of it as it must be, or an error that stays small whatever was answered."""

from __future__ import annotations

from typing import Any

import pytest

from whatsapp_provider.errors import NoAnswerError
from whatsapp_provider.gateways.reading import Many, Payload, Reader

reader = Reader("The server", "Is it one?")


class Row(Payload):
    id: str
    at: float = 0.0


class Rows(Payload):
    rows: Many[Row] | None
    labels: dict[str, bool]


@pytest.mark.parametrize("at", ["nan", "1e400", "inf", 10**400, [1]], ids=lambda at: str(at)[:8])
def test_a_number_that_is_none_or_beyond_all_bounds_is_not_read(at: Any) -> None:
    with pytest.raises(NoAnswerError, match=r"where Row belongs"):
        reader.one(Row, {"id": "a", "at": at})


def test_a_list_is_read_until_its_first_wrong_item() -> None:
    with pytest.raises(NoAnswerError) as caught:
        reader.one(Rows, {"rows": [{"id": "a"}, 1, 2, 3], "labels": {}})
    assert "(fields: rows.1)" in str(caught.value)


def test_an_error_names_no_more_fields_than_a_log_can_take() -> None:
    labels = {f"label {number}": "neither" for number in range(10_000)}
    with pytest.raises(NoAnswerError) as caught:
        reader.one(Rows, {"rows": [], "labels": labels})
    assert len(str(caught.value)) < 500


def test_an_error_does_not_tell_the_numbers_that_an_answer_is_keyed_by() -> None:
    with pytest.raises(NoAnswerError) as caught:
        reader.one(Rows, {"rows": [], "labels": {"5511900000000": "neither"}})
    assert "5511900000000" not in str(caught.value)


@pytest.mark.parametrize("told", ["not base64!", "\ufeff", "é" * 8])
def test_a_picture_that_is_none_is_an_unreadable_answer(told: str) -> None:
    with pytest.raises(NoAnswerError, match="not an image"):
        reader.image(told)
