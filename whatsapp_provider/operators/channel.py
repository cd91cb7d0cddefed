"""Create, delete, restart and log out channels."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from whatsapp_provider.errors import ConfigurationError, NotFoundError, RateLimitedError
from whatsapp_provider.hooks.channels import ChannelLike, check_channel_name, names_nothing
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.hooks.provisioning import create_once
from whatsapp_provider.operators.base import Private, WhatsAppOperator, no_vain_retries, reveal, run_key
from whatsapp_provider.triggers.due import HOLD_SECONDS, check_due

if TYPE_CHECKING:
    from airflow.sdk import Context

MOST_WAITS = 4


class WhatsAppCreateChannelOperator(WhatsAppOperator):
    """Create a channel, once: a retried or duplicated task finds what was created before.

    Returns a reference (gateway, channel id, name) for the tasks that follow; no token.

    :param channel_name: the name by which the channel is found again; unique in the account.
    :param project: the gateway's project; the connection's or the account's main one where it is left out.
    :param options: what only some gateways know of a new channel, by their own names, e.g.
        ``{"reject_call": True}``. One that the gateway does not know is refused before anything is created. A
        channel of that name that is reused keeps what it has.
        Airflow stores the names only; take secrets from a template such as ``{{ conn.proxy.password }}``.
    :param if_exists: ``reuse`` a channel of that name, or ``fail``.
    :param deferrable: when the account's creation limit is reached, and only then, wait for the window's end
        in the triggerer. This is the default; with ``False`` the task fails and says when to retry.
    """

    template_fields: Sequence[str] = ("channel_name", "project", "options", "whatsapp_conn_id")
    private_fields: Sequence[str] = ("options",)

    def __init__(
        self,
        *,
        channel_name: str,
        project: str | None = None,
        options: Mapping[str, Any] | None = None,
        if_exists: Literal["reuse", "fail"] = "reuse",
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if if_exists not in {"reuse", "fail"}:
            raise ValueError(f"if_exists must be 'reuse' or 'fail', not {if_exists!r}")
        self.channel_name = channel_name
        self.project = project
        self.options = options
        self.if_exists = if_exists
        self.deferrable = deferrable

    def work(self, context: Context) -> dict[str, str]:
        """Create or find the channel."""
        return self._create(context, waits=0)

    def resume(
        self, context: Context, event: Mapping[str, Any] | None = None, waits: int = 1
    ) -> dict[str, str]:
        """Try again after the window has passed."""
        check_due(event)
        with no_vain_retries():
            return self._create(context, waits=waits)

    def _create(self, context: Context, *, waits: int) -> dict[str, str]:
        from whatsapp_provider.model import ChannelSpec

        name = check_channel_name(self.channel_name)
        gateway = self.hook.gateway
        gateway.capabilities.require(gateway.name, "create_channels")
        ledger = open_ledger()
        try:
            found = create_once(
                gateway,
                ledger,
                ChannelSpec(name, self.project or None, _options(reveal(self.options))),
                owner=run_key(context, with_map_index=True),
                may_reuse=self.if_exists == "reuse",
            )
        except RateLimitedError as error:
            self._wait_for_window(error, gateway.creation_limit, waits)
            raise
        finally:
            ledger.dispose()
        ref = found.channel.ref
        self.log.info(
            "%s channel %s (%s).", "Created" if found.created else "Found", ref.channel_id, ref.name
        )
        return ref.to_dict()

    def private(self, field: str, value: Any) -> Private:
        """Show the options' names only."""
        names = ", ".join(sorted(map(str, value))) if isinstance(value, Mapping) else "…"
        return Private(value, f"<options {names}>")

    def _wait_for_window(self, error: RateLimitedError, limit: tuple[int, float] | None, waits: int) -> None:
        """Defer until the gateway's window has passed, if this task may."""
        window = limit[1] if limit else 60.0
        seconds = window if error.retry_after is None else error.retry_after
        count = f"{limit[0]} channels in {limit[1]:g} s" if limit else "a limit it does not tell"
        self.log.warning(
            "The gateway creates no more channels now (%s). It may again in %.0f s.", count, seconds
        )
        if self.deferrable and waits < MOST_WAITS:
            from whatsapp_provider.triggers.moment import WhatsAppMomentTrigger

            self.defer(
                trigger=WhatsAppMomentTrigger(time.time() + max(seconds, HOLD_SECONDS)),
                method_name="resume",
                kwargs={"waits": waits + 1},
            )


def _options(options: Any) -> dict[str, Any]:
    if not isinstance(options, Mapping | None):
        raise ConfigurationError(
            f"options is a {type(options).__name__}; give a mapping of the gateway's names to values."
        )
    return dict(options or {})


class WhatsAppDeleteChannelOperator(WhatsAppOperator):
    """Delete a channel; fit for a teardown task.

    Returns whether there was one to delete.

    :param channel: what the create-channel task returned, a channel id, or a name.
    :param if_missing: ``ok`` or ``fail``.
    """

    template_fields: Sequence[str] = ("channel", "whatsapp_conn_id")

    def __init__(
        self, *, channel: ChannelLike, if_missing: Literal["ok", "fail"] = "ok", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if if_missing not in {"ok", "fail"}:
            raise ValueError(f"if_missing must be 'ok' or 'fail', not {if_missing!r}")
        self.channel = channel
        self.if_missing = if_missing

    def work(self, context: Context) -> bool:
        """Delete the channel."""
        gateway = self.hook.gateway
        gateway.capabilities.require(gateway.name, "create_channels")
        if names_nothing(self.channel):
            # A teardown whose create task failed: the connection's own channel must not be deleted instead.
            if self.if_missing == "fail":
                raise ConfigurationError("No channel is named to delete.")
            self.log.info("No channel was created, so there is none to delete.")
            return False
        try:
            ref = self.channel_ref(self.channel)
            gateway.channel(ref)  # refuses another gateway's channel
            deleted = self.hook.run(gateway.account().delete_channel(ref.channel_id))
        except NotFoundError:
            deleted = False
        if not deleted and self.if_missing == "fail":
            raise NotFoundError("There is no such channel to delete.")
        self.log.info("Deleted." if deleted else "There was no such channel.")
        return deleted


class _OneChannelOperator(WhatsAppOperator):
    """What operators share that do something to one channel.

    :param channel: what the create-channel task returned, a channel id, or a name; the connection's own
        channel where it is left out.
    """

    template_fields: Sequence[str] = ("channel", "whatsapp_conn_id")

    def __init__(self, *, channel: ChannelLike = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channel = channel


class WhatsAppRestartChannelOperator(_OneChannelOperator):
    """Restart a channel that has a session, e.g. one that says it is connected and sends nothing."""

    def work(self, context: Context) -> None:
        """Restart it."""
        gateway = self.hook.gateway
        gateway.capabilities.require(gateway.name, "restart")
        ref = self.channel_ref(self.channel)
        gateway.channel(ref)  # refuses another gateway's channel
        self.hook.run(gateway.account().restart_channel(ref.channel_id))
        self.log.info("The channel restarts.")


class WhatsAppLogoutChannelOperator(_OneChannelOperator):
    """Unlink the phone from a channel. Returns whether one was linked."""

    def work(self, context: Context) -> bool:
        """Unlink the phone."""
        gateway = self.hook.gateway
        gateway.capabilities.require(gateway.name, "logout")
        unlinked = self.hook.run(gateway.channel(self.channel_ref(self.channel)).logout())
        self.log.info("The phone was unlinked." if unlinked else "No phone was linked.")
        return unlinked
