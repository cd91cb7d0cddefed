"""The shape of a wire fact, which the facts of every gateway share.

Each ``<gateway>_facts.py`` has a tuple ``WIRE`` of these: at least one for each endpoint that the gateway's code
asks and for each kind of message that it sends. ``test_wire_facts_cover.py`` lists what is without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fact:
    """One exchange, as it was captured or is documented.

    :param source: whence it comes, by the tag that the module's docstring explains, e.g. ``[GATE]``.
    :param asked: method and path, e.g. ``POST /messages/text``; ``{}`` stands for any one part of the path.
    :param request: the body that was sent; ``None`` where there was none.
    :param answer: the body that came back; ``None`` where it was empty.
    :param kind: the kind of message that it sends, if it sends one.
    :param query: what was in the query beside credentials.
    """

    source: str
    asked: str
    request: Any
    answer: Any
    status: int = 200
    kind: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> tuple[str, ...]:
        """The parts of its path."""
        return tuple(self.asked.partition(" ")[2].strip("/").split("/"))
