"""Suppression lists as tasks: put people on them, take them off, write them into a file, and who is refused."""

from __future__ import annotations

import csv
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from tests.hooks.world import ADA, BOB, World, context
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
from whatsapp_provider.operators.message import WhatsAppSendMessageOperator
from whatsapp_provider.operators.numbers import WhatsAppCheckNumbersOperator
from whatsapp_provider.operators.suppression import (
    WhatsAppExportSuppressionListOperator,
    WhatsAppSuppressRecipientsOperator,
    WhatsAppUnsuppressRecipientsOperator,
)

EVE = "15550000003"
PEOPLE = [{"phone": f"+{ADA}", "name": "Ada"}, {"phone": f"{BOB}@s.whatsapp.net", "name": "Bob"}]


def suppress(recipients: Any = PEOPLE, **fields: Any) -> dict[str, Any]:
    fields = {"task_id": "suppress", "recipients": recipients, "by": "Ada", **fields}
    return WhatsAppSuppressRecipientsOperator(**fields).execute(context(task_id="suppress"))


def unsuppress(recipients: Any, **fields: Any) -> dict[str, Any]:
    fields = {"task_id": "lift", "recipients": recipients, "by": "Ada", **fields}
    return WhatsAppUnsuppressRecipientsOperator(**fields).execute(context(task_id="lift"))


def export(path: Path, **fields: Any) -> list[dict[str, str]]:
    operator = WhatsAppExportSuppressionListOperator(task_id="export", path=str(path), **fields)
    told = operator.execute(context(task_id="export"))
    rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
    assert told == {"path": str(path), "rows": len(rows)}
    return rows


def send(message_key: str = "hello", **fields: Any) -> Any:
    operator = WhatsAppSendMessageOperator(
        task_id="send", to=ADA, text="Hello", message_key=message_key, **fields
    )
    return operator.execute(context())


def test_who_is_put_on_a_list_gets_no_campaign_until_taken_off(world: World) -> None:
    assert suppress() == {"list": "opt_out", "people": 2, "changed": 2, "invalid": 0}
    assert suppress()["changed"] == 0
    assert unsuppress([BOB, EVE]) == {"list": "opt_out", "people": 2, "changed": 1, "invalid": 0}
    audience = [{"phone": each, "name": "N"} for each in (ADA, BOB)]
    operator = WhatsAppSendCampaignOperator(
        task_id="spring", audience=audience, message="Hi {{ name }}", pace="unlimited"
    )
    told = operator.execute(context(task_id="spring"))
    assert world.received() == [(BOB, "Hi N")]
    assert told["left_out"] == {"suppressed": 1}


def test_a_file_with_other_forms_is_put_on_a_list_of_a_name(world: World, tmp_path: Path) -> None:
    path = tmp_path / "left.csv"
    path.write_text(f"who,lid,bsuid\n{ADA},100000000000001,\n{BOB},,US.13491208655302741918\n")
    aliases = {"lid": "lid", "user_id": "bsuid"}
    told = suppress(str(path), list_name="press", recipient_field="who", aliases=aliases, reason="moved away")
    assert told == {"list": "press", "people": 2, "changed": 2, "invalid": 0}
    rows = export(tmp_path / "lists" / "press.csv", list_name="press", numbers=True)
    assert {row["phone"] for row in rows} == {ADA, BOB, "100000000000001@lid", "US.13491208655302741918"}
    assert {(row["list"], row["source"], row["reason"], row["by"]) for row in rows} == {
        ("press", "import", "moved away", "Ada")
    }
    assert suppress(str(tmp_path / "lists" / "press.csv"), list_name="copy")["changed"] == 2, "of two people"
    masked = export(tmp_path / "masked.csv", list_name="press")
    assert "…0001" in {row["phone"] for row in masked}
    assert ADA not in (tmp_path / "masked.csv").read_text()


def test_an_entry_ends_at_its_moment(world: World, tmp_path: Path) -> None:
    suppress(until="2030-03-31T18:00:00+02:00")
    assert {row["until"] for row in export(tmp_path / "lists.csv")} == {"2030-03-31T16:00:00+00:00"}
    for wrong, told in (("tomorrow", "until is 'tomorrow'"), ("2020-01-01T00:00:00+00:00", "in the past")):
        with pytest.raises(WhatsAppTaskFailedError, match=told):
            suppress(until=wrong)


def test_rows_that_name_nobody_are_told_and_the_others_are_done(world: World, caplog: Any) -> None:
    rows = [ADA, "nobody", "120363000000000000@g.us", BOB]
    with pytest.raises(
        WhatsAppTaskFailedError, match=r"2 rows name nobody: row 2: 'nobody' .* The other 2 are done"
    ):
        suppress(rows)
    assert set(open_ledger().suppressed([ADA, BOB])) == {ADA, BOB}
    assert suppress(rows, on_invalid="skip") == {"list": "opt_out", "people": 2, "changed": 0, "invalid": 2}
    with pytest.raises(WhatsAppTaskFailedError, match=r"row 1: no column 'phone' \(columns: who\)"):
        suppress([{"who": ADA}], on_invalid="skip")
    with pytest.raises(WhatsAppTaskFailedError, match="a suppression list is of people"):
        suppress("120363000000000000@g.us")


def test_neither_logs_nor_results_nor_stored_fields_hold_a_number(
    world: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    told = [suppress(), unsuppress([ADA])]
    for to, fields in ((ADA, {}), (BOB, {"message_key": "other"})):
        operator = WhatsAppSendMessageOperator(
            task_id="send", **{"text": "Hi", "message_key": "m", **fields}, to=to
        )
        try:
            told.append(operator.execute(context()))
        except WhatsAppTaskFailedError as error:
            told.append({"error": str(error)})
    with pytest.raises(WhatsAppTaskFailedError) as raised:
        suppress([f"+{ADA}0000000000", "call me on 15550000009"])
    export(tmp_path / "lists.csv")
    operator = WhatsAppSuppressRecipientsOperator(task_id="s", recipients=PEOPLE)
    operator.render_template_fields(context())
    written = capsys.readouterr()
    seen = (
        caplog.text
        + written.out
        + written.err
        + json.dumps(told)
        + str(raised.value)
        + repr(operator.recipients)
    )
    assert "List opt_out: 2 people" in seen
    assert not [number for number in (ADA, BOB, "15550000009") if number in seen]


def test_a_single_message_is_refused_to_who_opted_out_and_to_nobody_else(world: World) -> None:
    suppress([ADA], list_name="press")
    assert send()["status"] == "accepted"
    suppress([ADA])
    assert send()["status"] == "already_sent"
    with pytest.raises(WhatsAppTaskFailedError, match=r"RecipientSuppressedError.*opt_out: imported"):
        send(message_key="next")
    assert send(message_key="next", ignore_suppression=True)["status"] == "accepted"
    with pytest.raises(WhatsAppTaskFailedError, match="RecipientSuppressedError"):
        send(message_key="third")
    unsuppress([ADA])
    assert send(message_key="third")["status"] == "accepted", "the same task, run again"
    assert len(world.received()) == 3


def test_what_a_check_found_out_is_what_the_next_campaign_goes_by(world: World) -> None:
    world.control("POST", "/settings", {"numbers_without_whatsapp": [BOB]})
    check = WhatsAppCheckNumbersOperator(task_id="check", numbers=[ADA, BOB], pause=0)
    check.execute(context(task_id="check"))
    audience = [{"phone": each} for each in (ADA, BOB, EVE)]
    operator = WhatsAppSendCampaignOperator(
        task_id="spring", audience=audience, message="Hi", pace="unlimited"
    )
    told = operator.execute(context(task_id="spring"))
    assert told["left_out"] == {"not_on_whatsapp": 1}
    assert sorted(number for number, _ in world.received()) == [ADA, EVE]
    forgetful = WhatsAppCheckNumbersOperator(task_id="check", numbers=[EVE], pause=0, remember=False)
    forgetful.execute(context(task_id="check"))
    assert world.ledger_text("SELECT COUNT(*) FROM wa_number") == [(2,)]
