"""Wait until a channel is initialized, and until a phone is connected to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    conf,
)

from whatsapp_provider.errors import ChannelFailedError, WaitTimeoutError, WhatsAppError
from whatsapp_provider.hooks.channels import ChannelLike, as_ref
from whatsapp_provider.hooks.whatsapp import DEFAULT_CONN_ID, WhatsAppHook
from whatsapp_provider.operators.links import PairingLink
from whatsapp_provider.operators.named_channel import NamedChannel
from whatsapp_provider.triggers.due import HOLD_SECONDS
from whatsapp_provider.triggers.pairing import PairingNotice, PairingSchedule, stored_callback
from whatsapp_provider.waiting import ChannelGoal, ChannelWait, Decision, Verdict

if TYPE_CHECKING:
    from datetime import timedelta

    from airflow.sdk import Context
    from airflow.sdk.definitions.callback import AsyncCallback

    from whatsapp_provider.triggers.channel import WhatsAppChannelTrigger


class WhatsAppWaitFailedError(ChannelFailedError, AirflowFailException):
    """A wait can't succeed; Airflow does not retry the task."""


class WhatsAppWaitTimeoutError(WaitTimeoutError, AirflowSensorTimeout):
    """A wait ran out of time; like any sensor's, it is not retried."""


class _ChannelSensor(NamedChannel, BaseSensorOperator):
    """What both sensors share.

    :param channel: what the create-channel task returned, a channel id, or a name; the connection's own
        channel where it is left out.
    :param whatsapp_conn_id: a connection of one of the WhatsApp types.
    :param poke_interval: seconds between looks, or a ``timedelta``.
    :param timeout: seconds until the wait fails, or a ``timedelta``, counted from its start and kept through
        deferral.
    :param deferrable: wait in the triggerer, which takes no worker slot.
    :param poll_inline: seconds to poll on the worker before deferring, because most waits are short.
    :param end_from_trigger: let the triggerer finish the task. Airflow runs no ``on_success_callback`` and
        reports no ``outlets`` then, so it is off by itself where the task has either.
    """

    template_fields: Sequence[str] = ("channel", "whatsapp_conn_id")
    ui_color = "#d9fdd3"
    goal: ClassVar[ChannelGoal]
    _notice: PairingNotice | None = None

    def __init__(
        self,
        *,
        channel: ChannelLike = None,
        whatsapp_conn_id: str = DEFAULT_CONN_ID,
        poke_interval: timedelta | float = 5.0,
        timeout: timedelta | float = 600.0,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_inline: float = 10.0,
        end_from_trigger: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, **kwargs)
        self.channel = channel
        self.whatsapp_conn_id = whatsapp_conn_id
        self.deferrable = deferrable
        self.poll_inline = poll_inline
        self.end_from_trigger = end_from_trigger
        self._told = ""
        self._pause = 0.0

    def execute(self, context: Context) -> Any:
        """Poll for a little, then wait in the triggerer, or poll to the end."""
        self._notice = self._new_notice()
        if not self.deferrable:
            return super().execute(context)
        started = time.time()
        wait = ChannelWait(self.goal, started + self.timeout)
        if not self._reached_inline(wait, until=started + self.poll_inline):
            self.defer(trigger=self._trigger(wait.deadline), method_name="execute_complete")
        return None

    def _trigger(self, deadline: float) -> WhatsAppChannelTrigger:
        from whatsapp_provider.triggers.channel import WhatsAppChannelTrigger

        longest = self.max_wait.total_seconds() if self.max_wait else self.timeout
        return WhatsAppChannelTrigger(
            whatsapp_conn_id=self.whatsapp_conn_id,
            channel=_stored(self.channel),
            goal=self.goal.value,
            deadline=deadline,
            poke_interval=self.poke_interval,
            end_from_trigger=self._may_end_from_trigger(),
            resume_after=time.time() + HOLD_SECONDS,
            longest_interval=longest if self.exponential_backoff else None,
            on_pairing=self._notice.to_dict() if self._notice else None,
        )

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None = None) -> None:
        """Read what the trigger saw; whatever is not plainly a success fails."""
        status = (event or {}).get("status")
        reason = str((event or {}).get("reason") or "the trigger gave no reason")
        if status == Verdict.DONE:
            self.log.info("Done: %s.", reason)
            return
        self._fail(Verdict.TIMED_OUT if status == Verdict.TIMED_OUT else Verdict.FAILED, reason)

    def poke(self, context: Context) -> bool:
        """Look once; Airflow's own timeout bounds the wait."""
        decision = self._look(ChannelWait(self.goal, float("inf")))
        if decision.verdict is Verdict.FAILED:
            self._fail(decision.verdict, decision.reason)
        return decision.verdict is Verdict.DONE

    def _new_notice(self) -> PairingNotice | None:
        return None

    def _may_end_from_trigger(self) -> bool:
        return self.end_from_trigger and not self.on_success_callback and not self.outlets

    def _reached_inline(self, wait: ChannelWait, *, until: float) -> bool:
        """Treat what nobody foresaw as Airflow does in its other modes."""
        try:
            return self._reached_soon(wait, until=until)
        except (AirflowSkipException, AirflowFailException, AirflowSensorTimeout):
            raise
        except Exception as error:
            if self.silent_fail:
                self.log.exception("Looking at the channel failed; the wait goes on in the triggerer.")
                return False
            if self.never_fail:
                raise AirflowSkipException(f"Skipped instead of failed: {type(error).__name__}.") from error
            raise

    def _reached_soon(self, wait: ChannelWait, *, until: float) -> bool:
        """Poll on the worker for a little; most waits end here, and deferring costs more than they do."""
        while True:
            decision = self._look(wait)
            if decision.verdict is Verdict.DONE:
                return True
            if decision.verdict is not Verdict.WAIT:
                self._fail(decision.verdict, decision.reason)
            pause = max(self.poke_interval, decision.pause)
            if time.time() + pause > min(until, wait.deadline):
                return False
            time.sleep(pause)

    def _look(self, wait: ChannelWait) -> Decision:
        try:
            self.check_channel()
            hook = WhatsAppHook(self.whatsapp_conn_id)
            ref = hook.channel_ref(self.channel)
            self.channel = ref.to_dict()  # for the extra link, which is made after this
            status = hook.channel_status(ref)
            if self._notice:
                within = wait.deadline - time.time()
                hook.run(self._notice.after_look(hook.gateway, ref, status, within=within))
            decision = wait.after_look(status, time.time())
        except WhatsAppError as error:
            decision = wait.after_error(error, time.time())
        self._pause = decision.pause
        if decision.reason != self._told:
            self._told = decision.reason
            self.log.info("Waiting until %s: %s.", self.goal.value, decision.reason)
        return decision

    def _get_next_poke_interval(
        self, started_at: Any, run_duration: Callable[[], float], poke_count: int
    ) -> float:
        interval = super()._get_next_poke_interval(started_at, run_duration, poke_count)
        # As long as the gateway asks for, and no longer than the wait.
        return max(interval, min(self._pause, self.timeout - run_duration()))

    def _fail(self, verdict: Verdict, reason: str) -> NoReturn:
        if self.soft_fail or self.never_fail:
            raise AirflowSkipException(f"Skipped instead of failed: {reason}.")
        if verdict is Verdict.TIMED_OUT:
            raise WhatsAppWaitTimeoutError(
                f"The wait ran out of time: {reason}. Raise timeout= if it only needs longer."
            )
        raise WhatsAppWaitFailedError(f"The wait can't succeed: {reason}.")


def _stored(channel: ChannelLike) -> dict[str, str] | str | None:
    ref = as_ref(channel)
    return ref.to_dict() if ref else cast("str | None", channel)


class WhatsAppChannelInitializedSensor(_ChannelSensor):
    """Wait until a new channel can be paired or used.

    Where channels are bought, that takes up to 90 seconds by the documentation; captured ones took up to six minutes.
    """

    goal = ChannelGoal.INITIALIZED


class WhatsAppChannelConnectedSensor(_ChannelSensor):
    """Wait until a phone is connected to the channel.

    While it waits, its link **Pair a channel** leads to a page that shows the QR code.

    :param on_pairing: Airflow's ``AsyncCallback`` of a notifier class or coroutine function, awaited for each new QR
        code with its ``kwargs`` and a ``context``. That has ``pairing`` with ``kind``, ``image`` (PNG bytes),
        ``raw``, ``code``, ``expires_in`` (seconds), ``page_url`` and ``channel``. Whoever gets code or picture can
        take the channel. A notifier that fails or takes more than 30 s is logged, and the wait goes on. Airflow
        stores the ``kwargs`` in the clear while the task is deferred: no secrets and no numbers there;
        ``WhatsAppNotifier`` without ``to`` finds them in its connection. A mapped task takes
        ``AsyncCallback(…).serialize()``, which Airflow can store with the DAG. With ``mode="reschedule"`` each look
        starts afresh and tells the code of the moment.
    :param pairing_interval: seconds at least between two of these calls. A code lives 20 to 60 seconds, so raise it
        for a notifier that reaches people's phones.
    """

    goal = ChannelGoal.CONNECTED
    operator_extra_links = (PairingLink(),)

    def __init__(
        self,
        *,
        on_pairing: AsyncCallback | Mapping[str, Any] | None = None,
        pairing_interval: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.on_pairing = on_pairing
        self.pairing_interval = pairing_interval
        if on_pairing is not None:
            stored_callback(on_pairing)

    def _new_notice(self) -> PairingNotice | None:
        if self.on_pairing is None:
            return None
        schedule = PairingSchedule(interval=self.pairing_interval)
        return PairingNotice(stored_callback(self.on_pairing), self.whatsapp_conn_id, schedule, self.log)
