"""Faults as data: what goes wrong, for which requests, how often.

A fault is picked by the layer that can commit it: the app (answers), the outbox (webhooks) or the
socket. ``path`` is a regular expression searched in the full path (prefix of the dialect included);
for webhook faults it is searched in the event's name (``statuses.post``).
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

APP_KINDS = frozenset(
    {"status", "delay", "half_json", "deliver_then_status", "unsent", "html", "empty", "hang"},
)
WEBHOOK_KINDS = frozenset({"webhook_duplicate", "webhook_reorder", "webhook_drop"})
SOCKET_KINDS = frozenset(
    {"reset_before_read", "reset_after_read", "fin_after_read", "half_reply", "silence", "close_idle"},
)
KINDS = APP_KINDS | WEBHOOK_KINDS | SOCKET_KINDS

HTML_PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way in which the world misbehaves.

    ``times`` is how often it happens (None: for ever), ``after`` how many matching requests pass
    unharmed first, ``probability`` with ``seed`` makes it random but repeatable; once it happens, it
    happens to ``burst`` matching requests in a row. ``forward`` says whether the request still reaches
    the gateway, that is: whether the phone gets the message.
    """

    kind: str
    method: str | None = None
    path: str | None = None
    times: int | None = 1
    after: int = 0
    probability: float = 1.0
    burst: int = 1
    seed: int | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    delay: float = 0.0
    forward: bool | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"No such fault kind: {self.kind!r}. Known: {', '.join(sorted(KINDS))}.")
        if self.burst < 1:
            raise ValueError(f"A burst is of one request at the least, not {self.burst}.")
        if self.path is not None:
            re.compile(self.path)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Fault:
        """Read a fault as the control API gets it."""
        unknown = sorted(set(data) - {item.name for item in fields(cls)})
        if unknown:
            raise ValueError(f"A fault has no field {', '.join(unknown)}.")
        if "kind" not in data:
            raise ValueError("A fault needs a kind.")
        try:
            return cls(**data)
        except (TypeError, re.error) as error:
            raise ValueError(f"Not a fault: {error}.") from error

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)

    def reaches_gateway(self) -> bool:
        """Say whether the request is handed on in spite of the fault."""
        if self.forward is not None:
            return self.forward
        return self.kind in {"delay", "half_json", "deliver_then_status", "empty", "half_reply", "close_idle"}

    def body_bytes(self) -> bytes:
        """Return the body this fault answers with."""
        if self.body is None:
            return b""
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, separators=(",", ":")).encode()


class _Armed:
    """A fault with its counters."""

    __slots__ = ("burst_left", "fault", "happened", "pattern", "random", "seen")

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.pattern = re.compile(fault.path) if fault.path else None
        self.random = random.Random(fault.seed)  # noqa: S311 - dice for tests, not a secret
        self.seen = 0
        self.happened = 0
        self.burst_left = 0

    def matches(self, method: str, path: str) -> bool:
        fault = self.fault
        if fault.method is not None and fault.method.upper() != method:
            return False
        return self.pattern is None or self.pattern.search(path) is not None

    def fires(self) -> bool:
        fault = self.fault
        if fault.times is not None and self.happened >= fault.times:
            return False
        self.seen += 1
        if self.seen <= fault.after:
            return False
        if self.burst_left == 0:
            if fault.probability < 1.0 and self.random.random() >= fault.probability:
                return False
            self.burst_left = fault.burst
        self.burst_left -= 1
        self.happened += 1
        return True


class Faults:
    """The armed faults, by layer; an empty layer costs one look."""

    def __init__(self) -> None:
        self._app: list[_Armed] = []
        self._webhook: list[_Armed] = []
        self._socket: list[_Armed] = []

    @property
    def armed(self) -> bool:
        """Whether anything at all is to go wrong."""
        return bool(self._app or self._webhook or self._socket)

    def add(self, fault: Fault) -> None:
        """Arm a fault; it stands behind those already armed."""
        self._layer(fault.kind).append(_Armed(fault))

    def clear(self) -> None:
        """Disarm all."""
        for layer in (self._app, self._webhook, self._socket):
            layer.clear()

    def _layer(self, kind: str) -> list[_Armed]:
        if kind in APP_KINDS:
            return self._app
        return self._webhook if kind in WEBHOOK_KINDS else self._socket

    @staticmethod
    def _pick(layer: list[_Armed], method: str, path: str) -> Fault | None:
        for armed in layer:
            if armed.matches(method, path) and armed.fires():
                return armed.fault
        return None

    def for_request(self, method: str, path: str) -> Fault | None:
        """Return what the app must do wrong with this request."""
        return self._pick(self._app, method, path) if self._app else None

    def for_webhook(self, method: str, event: str) -> Fault | None:
        """Return what the outbox must do wrong with this callback."""
        return self._pick(self._webhook, method, event) if self._webhook else None

    def for_socket(self, method: str, path: str) -> Fault | None:
        """Return what the socket must do wrong with this request."""
        return self._pick(self._socket, method, path) if self._socket else None

    def as_list(self) -> list[dict[str, Any]]:
        """Return all armed faults with how often each was met and happened."""
        return [
            {**armed.fault.as_dict(), "seen": armed.seen, "happened": armed.happened}
            for layer in (self._app, self._webhook, self._socket)
            for armed in layer
        ]
