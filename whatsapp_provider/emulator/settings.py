"""Everything an emulated world can be told, as one frozen value.

A test replaces the whole value (``emulator.configure(read_after=None)``), so two tests never share
a half-changed setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, Self

ErrorShape = Literal["object", "flat"]
#: How the names of secret settings end; these are not shown.
SECRETS_END = ("_key", "_password", "_secret", "_token")


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

    # WhatsCloud: whose API it is, and what no source tells of whatscloud.pro itself.
    whatscloud_tenant: str = "acme"
    whatscloud_token: str = "wc-token-of-acme"  # noqa: S105 - a fake token for a fake gateway
    whatscloud_phone: str = "15550009000"
    whatscloud_api_access: bool = True
    whatscloud_page_shape: Literal["nested", "flat"] = "nested"
    whatscloud_rate_limit: int = 0  # requests a minute; 0: no limit; the vendor's is 60
    whatscloud_rate_limit_form: Literal["body", "header", "both"] = "body"
    whatscloud_send_abilities: Literal["three", "one"] = "three"
    whatscloud_missing_abilities: tuple[str, ...] = ()
    whatscloud_contact_limit: int | None = None
    whatscloud_newer_calls: bool = True  # a message's status, the check of a number
    whatscloud_message_id: Literal["both", "data", "whatsapp_response", "none"] = "both"  # where it stands
    whatscloud_window: bool = False  # whether free messages need one of the person's in the last 24 hours
    whatscloud_meta_error: int | None = None  # a code of Meta's that refuses every send
    whatscloud_meta_wrapping: Literal["errors", "data", "text", "words"] = "errors"
    whatscloud_meta_status: int | None = None  # None: the status that Meta gives to the code
    whatscloud_meta_late: bool = False  # refusals come as a status of the message, not as the answer
    whatscloud_webhook_url: str = ""
    whatscloud_webhook_secret: str = ""
    whatscloud_webhook_form: Literal["simple", "n8n"] = "simple"

    # Waabot, the Bots API: its account, its codes, and switches for what its documents leave open.
    waabot_token: str = "eyJ.waabot.account"  # noqa: S105 - a fake token for a fake gateway
    waabot_refresh_token: str = "eyJ.waabot.refresh"  # noqa: S105 - the same
    waabot_email: str = "owner@waabot.example"
    waabot_password: str = "emulator-password"  # noqa: S105 - the same
    waabot_token_expired: bool = False  # waabot_token is too old, and only x-refresh helps
    waabot_token_seconds: float = 900.0  # how long a bearer lives that a login or a renewal gave
    waabot_strict_auth: bool = True  # calls for one bot need the account's bearer too
    waabot_instance_shape: Literal["seed", "2023-12"] = "seed"
    waabot_unstarted: Literal["empty", "invalid"] = "empty"  # what a bot is before its first init
    waabot_refusals: Literal["envelope", "upstream", "nested"] = "envelope"  # in which form they come
    waabot_webhook_format: Literal["open-wa", "baileys"] = "open-wa"
    waabot_webhook_switch: bool = False  # the action send_webhook must be on
    waabot_qr_form: Literal["text", "json"] = "text"
    waabot_documented_204: bool = False  # calls without a recorded answer are 204, as the documents say
    waabot_qr_after: float = 0.5
    waabot_qr_lifetime: float = 60.0
    waabot_qr_next_lifetime: float = 20.0
    waabot_qr_limit: int = 2  # the code of this number closes the socket instead of being shown

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
        names = [item.name for item in fields(self) if not item.name.endswith(SECRETS_END)]
        data = {name: getattr(self, name) for name in names}
        data["numbers_without_whatsapp"] = sorted(self.numbers_without_whatsapp)
        return data
