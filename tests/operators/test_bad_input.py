"""Whatever is wrong with what a task is given: one clear error, nothing sent, the ledger as before."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.hooks.world import ADA, World, context
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
from whatsapp_provider.operators.channel import WhatsAppCreateChannelOperator
from whatsapp_provider.operators.message import WhatsAppSendMessageOperator
from whatsapp_provider.operators.webhook import WhatsAppConfigureWebhookOperator

WRONG_TOKEN = "a-wrong-token-nobody-may-see"


def message(**fields: Any) -> Any:
    return WhatsAppSendMessageOperator(**{"task_id": "t", "to": ADA, "text": "Hello", **fields})


def media(where: str) -> Any:
    return message(text=None, message={"kind": "image", "media": {"url": where}})


def campaign(audience: Any = (ADA,), text: Any = "Hello", **fields: Any) -> Any:
    audience = list(audience) if isinstance(audience, tuple) else audience
    values = {"task_id": "t", "audience": audience, "message": text, "pace": "unlimited", **fields}
    return WhatsAppSendCampaignOperator(**values)


def create(name: Any, **fields: Any) -> Any:
    return WhatsAppCreateChannelOperator(task_id="t", channel_name=name, **fields)


def webhook(url: str) -> Any:
    return WhatsAppConfigureWebhookOperator(task_id="t", url=url)


def csv(folder: Path, content: str | bytes) -> str:
    (folder / "people.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(folder / "people.csv")


class Case(NamedTuple):
    """What goes wrong, and what must be told: the thing and the remedy."""

    name: str
    make: Callable[[World, Path], Any]
    told: str
    prepare: Callable[[World], None] = lambda _world: None
    final: bool = True


def wrong_token(world: World) -> None:
    world.connect(password=WRONG_TOKEN)


def unreachable(world: World) -> None:
    world.connect(host="http://127.0.0.1:9", extra={"manager_url": "http://127.0.0.1:9"})


def ledger_away(world: World) -> None:
    away = {"conn_type": "postgres", "host": "127.0.0.1", "port": 9, "schema": "x"}
    world.monkeypatch.setenv("AIRFLOW_CONN_WHATSAPP_LEDGER", json.dumps(away))


def sent_before(world: World) -> None:
    campaign((ADA,), campaign_id="spring").execute(context())


CASES = [
    Case("wrong token, create", lambda *_: create("x"), "401", wrong_token),
    Case("wrong token, campaign", lambda *_: campaign(channel="main"), "401", wrong_token),
    Case("wrong token, message", lambda *_: message(channel="main"), "401", wrong_token),
    Case("unknown project", lambda *_: create("x", project="nope"), "project 'nope'.*Mend project="),
    Case("unreachable, create", lambda *_: create("x"), "127.0.0.1:9|Connect", unreachable, final=False),
    Case("unreachable, message", lambda *_: message(channel="main"), "127.0.0.1:9|Connect", unreachable, False),
    Case("channel unknown", lambda *_: message(channel="nobody"), "no channel.*'nobody'", final=False),
    Case("name taken", lambda *_: create("main", if_exists="fail"), "'main' already.*Give another"),
    Case("name empty", lambda *_: create("  "), "channel_name is empty; give"),
    Case("name None", lambda *_: create(None), "channel_name is empty; give"),
    Case("name padded", lambda *_: create(" x "), "' x ' has blanks around it; leave them out"),
    Case("name with slash", lambda *_: create("a/b"), "'a/b' must not contain slashes"),
    Case("name gone wrong", lambda *_: create("{'name': 'x'}"), "looks like a value gone wrong"),
    Case("recipient empty", lambda *_: message(to=" "), "recipient is empty"),
    Case("recipient alphabetic", lambda *_: message(to="hello"), "'hello' is neither a phone number"),
    Case("recipient too short", lambda *_: message(to="+1555"), "country code"),
    Case("row empty", lambda *_: campaign(("", ADA)), "row 1.*empty.*Mend them, or"),
    Case("row alphabetic", lambda *_: campaign((ADA, "hello")), "row 2.*'hello'.*on_invalid"),
    Case("row twice", lambda *_: campaign((ADA, "+1 (555) 000-0001")), "row 2.*same person.*on_duplicate"),
    Case("rows are a mapping", lambda *_: campaign({"phone": ADA}), "audience is a dict; give"),
    Case("rows made text", lambda *_: campaign(f"[{{'phone': '{ADA}'}}]"), "no file's path.*task.output"),
    Case("a number for a file", lambda *_: campaign(ADA), "no file's path"),
    Case("missing file", lambda _, p: campaign(str(p / "gone.csv")), "'gone.csv' can't be opened.*Looked for it"),
    Case("a folder", lambda _, p: campaign(f"{p}/x.csv/../"), "ending must be|can't be opened|directory"),
    Case("wrong ending", lambda _, p: campaign(str(p / "people.xlsx")), "people.xlsx.*ending must be one of csv"),
    Case("missing column", lambda _, p: campaign(csv(p, f"mobile\n{ADA}\n")), "no column 'phone'.*recipient_field"),
    Case("ragged line", lambda _, p: campaign(csv(p, f"phone,name\n{ADA},A,B\n")), "line 2: 3 fields.*quote"),
    Case("no rows", lambda _, p: campaign(csv(p, "phone,name\n")), "audience is empty"),
    Case("empty file", lambda _, p: campaign(csv(p, "")), "first line must name the columns"),
    Case("empty list", lambda *_: campaign([]), "audience is empty"),
    Case("Latin-1", lambda _, p: campaign(csv(p, f"phone,name\n{ADA},Jos\xe9\n".encode("latin-1"))), "UTF-8.*iconv"),
    Case("template field missing", lambda *_: campaign(text="Hi {{ name }}"), "row 1.*'name' is undefined"),
    Case("template syntax", lambda *_: campaign(text="Hi {{ name"), "template syntax, line 1"),
    Case("template loop", lambda *_: campaign(text="{% for a in range(99999) %}{% for b in range(99999) %}"
                                                   "{% endfor %}{% endfor %}"), "endless loop"),
    Case("variables made text", lambda *_: campaign(variables="{'a': 1}"), "variables is a str; give a mapping"),
    Case("unknown pace", lambda *_: campaign(pace="fast"), "'fast' is unknown; use one of cautious"),
    Case("unknown kind", lambda *_: campaign(text={"kind": "fax"}), "can't send messages of kind 'fax'; it sends"),
    Case("media is a path", lambda *_: media("/tmp/x.png"), "http:// or https://.*use `file`"),
    Case("media file missing", lambda *_: campaign(text={"kind": "image", "media": {"file": "/no/x.png"}}), "x.png"),
    Case("webhook not http", lambda *_: webhook("ftp://example.com"), "begin with http:// or https://"),
    Case("ledger away, message", lambda *_: message(), "ledger.*can't be used.*check", ledger_away, False),
    Case("ledger away, campaign", lambda *_: campaign(), "ledger.*can't be used.*check", ledger_away, False),
    Case("ledger away, create", lambda *_: create("x"), "ledger.*can't be used.*check", ledger_away, False),
    Case("another audience", lambda *_: campaign(("15550000009",), campaign_id="spring"),
         "'spring' is in the ledger with another audience.*Another campaign_id", sent_before),
    Case("another template", lambda *_: campaign((ADA,), "Other", campaign_id="spring"),
         "'spring' is in the ledger with another audience or template", sent_before),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_told_and_changes_nothing(world: World, tmp_path: Path, case: Case) -> None:
    case.prepare(world)
    before = (world.received(), world.channels(), world.ledger_rows())
    task = case.make(world, tmp_path)
    with pytest.raises(WhatsAppTaskFailedError if case.final else Exception) as caught:
        task.execute(context())
    told = str(caught.value)
    assert re.search(case.told, told), told
    assert isinstance(caught.value, WhatsAppTaskFailedError) is case.final
    assert ADA not in told
    assert WRONG_TOKEN not in told
    assert len(told) < 700
    assert (world.received(), world.channels(), world.ledger_rows()) == before


def test_a_csv_file_with_a_byte_order_mark_works(world: World, tmp_path: Path) -> None:
    path = csv(tmp_path, b"\xef\xbb\xbfphone,name\n" + f"{ADA},Ada\n".encode())
    campaign(path, "Hello {{ name }}").execute(context())
    assert world.received() == [(ADA, "Hello Ada")]


def test_rows_that_can_not_be_sent_to_are_left_out_where_that_is_asked_for(world: World) -> None:
    audience = (ADA, "hello", "+1 555 000 0001")
    report = campaign(audience, on_invalid="skip", on_duplicate="skip").execute(context())
    assert report["left_out"] == {"duplicate": 1, "invalid recipient": 1}
    assert world.received() == [(ADA, "Hello")]
