"""Report how all channels of an account are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar

from whatsapp_provider.errors import ConfigurationError, UnhealthyError
from whatsapp_provider.hooks.health import UNKNOWN
from whatsapp_provider.operators.base import WhatsAppOperator
from whatsapp_provider.operators.choices import words_of

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.hooks.health import ChannelHealth

#: A condition beside the states: a template that was approved once and can't be sent now.
TEMPLATE_PAUSED = "template_paused"
MOST_TOLD = 200  #: channels in the report; those with problems come first
REPORT = "report"  #: the XCom key of the report of a task that fails because of it


class WhatsAppHealthReportOperator(WhatsAppOperator):
    """Look at every channel that the connection reaches, and fail if one is not as it should be.

    Returns a report: ``total``, ``states`` (how many channels are in each), ``problems`` and ``channels``, each with
    state, the gateway's own word, masked number, plan, days left and its templates' statuses. One channel that can't be
    asked is a line of it and hides no other. A task that fails because of it pushes it as XCom ``report``.

    :param fail_on: states in which a channel must not be: ``provisioning``, ``initializing``,
        ``waiting_for_pairing``, ``connected``, ``disconnected``, ``stopped``, ``error``, ``unknown`` (it could not be
        asked); and ``template_paused``. By default the task only reports.
    :param min_days_left: fail if the paid or trial time of a channel ends in fewer days.
    :param templates: read the templates of connected channels, where the gateway tells them.
    :param concurrency: channels that are asked at once.
    """

    template_fields: Sequence[str] = ("fail_on", "min_days_left", "whatsapp_conn_id")
    template_fields_renderers: ClassVar[dict[str, str]] = {"fail_on": "json"}

    def __init__(
        self,
        *,
        fail_on: Collection[str] | str = (),
        min_days_left: float | str | None = None,
        templates: bool = True,
        concurrency: int = 5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # Airflow renders lists and texts, and stores what it can turn into JSON.
        self.fail_on = sorted(fail_on) if isinstance(fail_on, set | frozenset) else fail_on
        self.min_days_left = min_days_left
        self.templates = templates
        self.concurrency = concurrency

    def work(self, context: Context) -> dict[str, Any]:
        """Look, log, judge."""
        limits = _Limits(_states(self.fail_on), _days(self.min_days_left))
        found = self.hook.health(concurrency=self.concurrency, templates=self.templates)
        problems = {one.channel_id: told for one in found if (told := limits.problems(one))}
        for one in found:
            told = problems.get(one.channel_id, [])
            (self.log.warning if told else self.log.info)("%s", _line(one, told))
        report = _report(found, problems)
        self.log.info("%d channels: %s.", report["total"], _counted(report["states"]) or "none")
        if problems:
            context["ti"].xcom_push(key=REPORT, value=report)
            raise UnhealthyError(
                f"{len(problems)} of {len(found)} channels are not as they should be: "
                + "; ".join(report["problems"][:10])
                + (" …" if len(report["problems"]) > 10 else ".")
            )
        return report


class _Limits:
    def __init__(self, states: frozenset[str], days: float | None) -> None:
        self._states = states
        self._days = days

    def problems(self, one: ChannelHealth) -> list[str]:
        found = [one.state] if one.state in self._states else []
        paused = one.templates.paused if one.templates else ()
        if paused and TEMPLATE_PAUSED in self._states:
            found.append(f"templates paused: {', '.join(paused[:5])}{' …' if len(paused) > 5 else ''}")
        if self._days is not None and one.days_left is not None and one.days_left < self._days:
            found.append(f"{one.days_left:g} days left")
        return found


def _states(given: Any) -> frozenset[str]:
    """Return the words given.

    :raises ConfigurationError: for one that is none: a typing error must not make the task blind.
    """
    from whatsapp_provider.model import ChannelState

    known = {state.value for state in ChannelState} | {UNKNOWN, TEMPLATE_PAUSED}
    words = frozenset(words_of("fail_on", given))
    if wrong := sorted(words - known):
        raise ConfigurationError(
            f"fail_on has no {', '.join(map(repr, wrong))}; it takes {', '.join(sorted(known))}."
        )
    return words


def _days(given: Any) -> float | None:
    if given is None or str(given).strip() in {"", "None"}:
        return None
    try:
        days = float(given)
    except (TypeError, ValueError):
        days = float("nan")
    if not isfinite(days):
        raise ConfigurationError(f"min_days_left must be a number of days, not {given!r}.")
    return days


def _line(one: ChannelHealth, problems: Sequence[str]) -> str:
    parts = [
        f"{one.name or one.channel_id}: {one.state}",
        f"({one.detail})" if one.detail else "",
        one.phone or "",
        one.mode or "",
        "" if one.days_left is None else f"{one.days_left:g} days left",
    ]
    if one.templates:
        parts.append(f"templates: {one.templates.error or _counted(one.templates.statuses) or 'none'}")
        parts += [f"paused: {', '.join(one.templates.paused)}"] if one.templates.paused else []
    told = ", ".join(filter(None, [" ".join(filter(None, parts[:2])), *parts[2:]]))
    return f"{told}. Not as it should be: {'; '.join(problems)}." if problems else f"{told}."


def _counted(counts: Any) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def _report(found: Sequence[ChannelHealth], problems: dict[str, list[str]]) -> dict[str, Any]:
    first = sorted(found, key=lambda one: one.channel_id not in problems)
    report: dict[str, Any] = {
        "total": len(found),
        "states": dict(sorted(Counter(one.state for one in found).items())),
        "problems": [
            f"{one.name or one.channel_id}: {'; '.join(problems[one.channel_id])}"
            for one in first[:MOST_TOLD]
            if one.channel_id in problems
        ],
        "channels": [one.to_dict() for one in first[:MOST_TOLD]],
    }
    if len(first) > MOST_TOLD:
        report["left_out"] = len(first) - MOST_TOLD
    return report
