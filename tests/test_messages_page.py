"""docs/messages.md shows messages that are taken as they stand, and says of Meta's codes what is done."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.errors import (
    ChannelHaltedError,
    GatewayError,
    RateLimitedError,
    RecipientRejectedError,
)
from whatsapp_provider.gateways import meta

PAGE = (Path(__file__).parent.parent / "docs" / "messages.md").read_text("utf-8")
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
ROW = {"name": "Ada", "order": "A-7", "language": "pt_BR"}
#: What the page's last column says, by its first word.
_DOES: dict[str, type[GatewayError]] = {
    "waits": RateLimitedError,
    "waits,": RateLimitedError,
    "goes": RecipientRejectedError,
    "pauses,": ChannelHaltedError,
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["kind"])
def test_an_example_is_a_message_as_it_stands(example: dict[str, object]) -> None:
    message = MessageTemplate(example).render(ROW)
    assert message.kind == example["kind"]
    assert "{{" not in message.model_dump_json()


def test_what_the_page_says_of_metas_codes_is_what_is_done() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| [^|]+ \| (\S+)", PAGE, re.MULTILINE)
    told = {int(code): _DOES[does] for codes, does in rows for code in codes.split(",")}
    assert len(told) == 11
    assert all(issubclass(meta.means(code), error) for code, error in told.items())


def test_a_pair_limit_is_told_with_its_wait() -> None:
    assert meta.refusal(131056, "pair rate limit", status=400).retry_after == 6
