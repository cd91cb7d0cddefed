"""Whoever is to be told of a pause is told, and the telling never decides how the task ends."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from airflow.providers.common.compat.notifier import BaseNotifier

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.operators.telling import tell, tellers

LOG = logging.getLogger(__name__)


class Note(BaseNotifier):
    template_fields = ("text",)

    def __init__(self, text: str, seen: list[str]) -> None:
        super().__init__()
        self.text, self.seen = text, seen

    def notify(self, context: Any) -> None:
        self.seen.append(self.text)


def fails(_context: Any) -> None:
    raise ValueError("to +15550000001")


def test_notifiers_and_plain_functions_are_told_the_reason_with_the_tasks_context() -> None:
    seen: list[str] = []
    contexts: list[Any] = []
    told = tellers([Note("{{ run_id }}: {{ reason }}", seen), contexts.append], "on_paused")
    context: Any = {"run_id": "r1"}
    assert tell(told, context, "too many doubts", LOG) == 2
    assert seen == ["r1: too many doubts"]
    assert contexts[0]["reason"] == "too many doubts"
    assert context == {"run_id": "r1"}


def test_one_that_fails_keeps_no_other_from_being_told_and_its_words_stay_out_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    contexts: list[Any] = []
    assert tell(tellers((fails, contexts.append), "on_paused"), {}, "too many doubts", LOG) == 1
    assert len(contexts) == 1
    assert "fails told nobody that too many doubts: ValueError" in caplog.text
    assert "1555" not in caplog.text


def test_one_notifier_needs_no_list_and_none_is_nobody() -> None:
    assert tellers(fails, "on_paused") == (fails,)
    assert tellers(None, "on_paused") == ()


@pytest.mark.parametrize("wrong", ["ops@example.com", [fails, "ops"], {"to": "ops"}])
def test_what_cannot_be_called_is_refused_when_the_dag_is_read(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="on_paused must be a notifier or a list of them"):
        tellers(wrong, "on_paused")
