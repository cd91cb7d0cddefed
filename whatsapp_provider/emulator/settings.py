"""Everything an emulated world can be told, as one frozen value.

A test replaces the whole value (``emulator.configure(read_after=None)``), so two tests never share
a half-changed setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, Self

ErrorShape = Literal["object", "flat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorSettings:
    """Timings, limits and switches of the emulated world; all times are seconds."""

    partner_token: str = "emulator-partner-token"  # noqa: S105 - a fake token for a fake gateway

    # A channel's life, from its creation to the moment a phone is linked.
    provisioning_seconds: float = 60.0
    settings_warmup_seconds: float = 0.0
    init_seconds: float = 2.0
    launch_seconds: float = 20.0
    qr_lifetime: float = 54.0
    scan_after: float | None = None
    phone: str = "15550001000"

    # What the phones do with a message, counted from the moment the gateway accepted it.
    # None means that this tick never comes, nor any later one.
    sent_after: float | None = 0.2
    delivered_after: float | None = 0.5
    read_after: float | None = None
    numbers_without_whatsapp: frozenset[str] = frozenset()

    # The gateway's own pace.
    send_latency: float = 0.0
    typing_delays_answer: bool = True

    creation_limit: int = 20
    creation_window: float = 1800.0

    enforce_trial: bool = False
    trial_messages_per_day: int = 150
    trial_chats_per_month: int = 5
    trial_checks_per_day: int = 30
    trial_requests_per_month: int = 1000

    error_shape: ErrorShape = "object"
    media_limit_bytes: int = 100 * 1024 * 1024

    callback_attempts: int = 10
    callback_backoff: float = 3.0
    callback_backoff_cap: float = 600.0
    callback_timeout: float = 10.0

    # Evolution API: its global key, the waits that its calls have, and its switches.
    evolution_key: str = "emulator-global-key"
    evolution_create_wait: float = 5.0
    evolution_connect_wait: float = 2.0
    evolution_qr_after: float | None = 0.1  # None: the server never reaches WhatsApp
    evolution_qr_lifetime: float = 45.0
    evolution_qr_limit: int = 30
    evolution_delete_seconds: float = 0.5
    evolution_race_seconds: float = 0.0  # how long a second create destroys the first one's instance
    evolution_server_ack: bool = False
    evolution_approval_seconds: float | None = 60.0
    evolution_webhook_attempts: int = 10
    evolution_webhook_backoff: float = 5.0
    evolution_webhook_backoff_cap: float = 300.0

    # How much is remembered; the truth log alone has no bound, because tests count with it.
    history_limit: int = 50_000
    # How long after a message was sent the gateway's lists do not show it yet.
    history_lag: float = 0.0
    log_limit: int = 5_000

    seed: int | None = field(default=None)

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """Return these settings with some replaced; refuse a name that does not exist."""
        known = {item.name for item in fields(self)}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise ValueError(f"No such emulator setting: {', '.join(unknown)}.")
        values = dict(changes)
        if "numbers_without_whatsapp" in values:
            values["numbers_without_whatsapp"] = frozenset(values["numbers_without_whatsapp"])
        return replace(self, **values)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for the control API, without the secrets."""
        data = {item.name: getattr(self, item.name) for item in fields(self)}
        del data["partner_token"], data["evolution_key"]
        data["numbers_without_whatsapp"] = sorted(self.numbers_without_whatsapp)
        return data
