"""What people do to campaigns: pause, resume, cancel, set a deadline, have the failed sent again.

Each is a compare-and-set on the campaign's row and leaves a row in ``wa_control``. To say it twice changes nothing
more, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from whatsapp_provider.campaigns.campaign import ledger_id
from whatsapp_provider.campaigns.ledger import batches, endings
from whatsapp_provider.campaigns.ledger.columns import kept
from whatsapp_provider.campaigns.ledger.database import again_after_deadlock
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import control
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.ledger.store import Store
from whatsapp_provider.errors import ConfigurationError

#: What is sent again on request: refused, or taken and reported as failed later.
FAILED = (DeliveryState.REJECTED, DeliveryState.FAILED)


class Action(StrEnum):
    """What a person did to a campaign."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    EXPIRE = "expire"
    RESEND = "resend"
    EXTEND = "extend"


@dataclass(frozen=True, slots=True)
class By:
    """Who did something, and why in their own words: kept for ever."""

    name: str
    note: str | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ConfigurationError("A campaign is controlled by somebody: say by whom.")

    def __str__(self) -> str:
        return f"{self.name} ({self.note})" if self.note else self.name


@dataclass(frozen=True, slots=True)
class Controlled:
    """What came of it.

    :param state: where the campaign is now.
    :param changed: whether it was this call that did it.
    :param held_by: who holds the campaign back now.
    :param deliveries: how many deliveries were given up, planned again or added.
    """

    campaign_id: str
    action: Action
    state: CampaignState
    changed: bool = False
    held_by: str | None = None
    deliveries: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as it is shown."""
        return {
            "campaign_id": self.campaign_id,
            "action": str(self.action),
            "changed": self.changed,
            "state": str(self.state),
            "held_by": self.held_by,
            "deliveries": self.deliveries,
        }


class Controlling(Store):
    """People's control of campaigns."""

    @again_after_deadlock
    def pause(self, campaign_id: str, by: By) -> Controlled:
        """Hold a campaign back until :meth:`unpause`: no retry of a task ends that.

        :raises ConfigurationError: if there is no such campaign.
        """
        self.prepare()
        with self._database.transaction() as connection:
            row = locked(connection, campaign_id)
            if row.held_by is not None or _is_done(row):
                return told(row, Action.PAUSE)
            # The time of a pause that the campaign made itself stays: the next run goes by it.
            self._do(connection, row, Action.PAUSE, by, {"held_by": kept(by.name, 250)})
            return told(row, Action.PAUSE, changed=True, held_by=by.name)

    @again_after_deadlock
    def unpause(self, campaign_id: str, by: By) -> Controlled:
        """Let a campaign go on that a person paused.

        :raises ConfigurationError: if there is no such campaign.
        """
        self.prepare()
        with self._database.transaction() as connection:
            row = locked(connection, campaign_id)
            if row.held_by is None:
                return told(row, Action.RESUME)
            self._do(connection, row, Action.RESUME, by, {"held_by": None})
            return told(row, Action.RESUME, changed=True, held_by=None)

    def cancel(self, campaign_id: str, by: By) -> Controlled:
        """End a campaign: from the next turn of any run on nothing more of it is sent, and never again.

        What is under way or in doubt is settled as ever. Whoever is planning it learns of it by the next batch. Said
        again, it goes on where it broke off.

        :raises ConfigurationError: if there is no such campaign.
        """
        done = self._end_campaign(campaign_id, CampaignState.CANCELLED, Action.CANCEL, by)
        return replace(done, deliveries=self.close_rest(campaign_id))

    def expire(self, campaign_id: str, by: By, *, at: float | None = None) -> Controlled:
        """Set the moment after which nothing more of a campaign is sent, or end it now.

        :param at: seconds since the epoch; now where it is left out.
        :raises ConfigurationError: if there is no such campaign.
        """
        done = None if at is None else self._set_deadline(campaign_id, at, by)
        if done is None:
            done = self._end_campaign(campaign_id, CampaignState.EXPIRED, Action.EXPIRE, by)
        return replace(done, deliveries=self.close_rest(campaign_id))

    def resend_failed(self, campaign_id: str, by: By) -> Controlled:
        """Plan again whom the gateway refused, or reported as failed later: the next run sends to them.

        :raises ConfigurationError: if there is no such campaign, it is over, or it is being planned still.
        """
        done, more = self._resend_some(campaign_id, by)
        moved = more
        while more:
            more = self._resend_some(campaign_id, None)[1]
            moved += more
        return replace(done, changed=moved > 0, deliveries=moved)

    def close_rest(self, campaign_id: str) -> int:
        """Give up what waits in a campaign that is over or whose deadline has passed; return how much it was."""
        self.prepare()
        closed = 0
        while more := self._close_some(campaign_id):
            closed += more
        return closed

    @again_after_deadlock
    def _end_campaign(self, campaign_id: str, state: CampaignState, action: Action, by: By) -> Controlled:
        self.prepare()
        with self._database.transaction() as connection:
            row = locked(connection, campaign_id)
            if _is_done(row):
                return told(row, action)
            now = self._database.now(connection)
            reason = kept(f"{state} by {by}", 500)
            self._do(connection, row, action, by, {"state": state, "reason": reason, "updated_at": now})
            return told(row, action, changed=True, state=state)

    @again_after_deadlock
    def _set_deadline(self, campaign_id: str, at: float, by: By) -> Controlled | None:
        """Set it; ``None`` if it has passed already, so that the campaign is to end."""
        self.prepare()
        with self._database.transaction() as connection:
            row = locked(connection, campaign_id)
            if at <= self._database.now(connection):
                return None
            if _is_done(row) or row.expires_at == at:
                return told(row, Action.EXPIRE)
            self._do(connection, row, Action.EXPIRE, by, {"expires_at": at})
            return told(row, Action.EXPIRE, changed=True)

    @again_after_deadlock
    def _resend_some(self, campaign_id: str, by: By | None) -> tuple[Controlled, int]:
        """Plan a batch again; ``by`` is told for the first one."""
        self.prepare()
        with self._database.transaction() as connection:
            row = not_over(planned(locked(connection, campaign_id)))
            now = self._database.now(connection)
            moved = batches.move(connection, row.id, FAILED, endings.planned_again(now))
            state = reopened(row) if moved else CampaignState(row.state)
            if moved and by is not None:
                self._do(connection, row, Action.RESEND, by, {"state": state})
            return told(row, Action.RESEND, state=state), moved

    @again_after_deadlock
    def _close_some(self, campaign_id: str) -> int:
        with self._database.transaction() as connection:
            row = locked(connection, campaign_id)
            return batches.close(connection, row, self._database.now(connection))

    def _do(
        self, connection: Connection, row: Row[Any], action: Action, by: By, values: Mapping[str, Any]
    ) -> None:
        connection.execute(update(campaigns).where(campaigns.c.id == row.id).values(**values))
        note(connection, row.id, action, by, self._database.now(connection))


def by_id(campaign_id: str) -> Select[Any]:
    """Return the question for a campaign's row."""
    return select(campaigns).where(campaigns.c.campaign_id == ledger_id(campaign_id))


def locked(connection: Connection, campaign_id: str) -> Row[Any]:
    """Return the campaign's row, locked.

    :raises ConfigurationError: if there is no such campaign.
    """
    row = connection.execute(by_id(campaign_id).with_for_update()).one_or_none()
    if row is None:
        raise ConfigurationError(f"The ledger has no campaign {campaign_id!r}.")
    return row


def planned(row: Row[Any]) -> Row[Any]:
    """Refuse a campaign whose recipients are being written."""
    if row.state == CampaignState.PLANNING:
        raise ConfigurationError(
            f"Campaign {row.campaign_id!r} is being planned, and nothing of it is sent yet. Do this when it is planned."
        )
    return row


def not_over(row: Row[Any]) -> Row[Any]:
    """Refuse a campaign that was ended for good."""
    if CampaignState(row.state).is_over:
        raise ConfigurationError(
            f"Campaign {row.campaign_id!r} is {row.state}, and nothing more of it is sent. Make another campaign, with "
            "a campaign_id of its own."
        )
    return row


def reopened(row: Row[Any]) -> CampaignState:
    """Return the state of a campaign that has something to send again."""
    state = CampaignState(row.state)
    return CampaignState.READY if state is CampaignState.FINISHED else state


def note(connection: Connection, campaign: int, action: Action, by: By, now: float) -> None:
    """Write down who did what."""
    values = {"campaign": campaign, "action": action, "done_by": kept(by.name, 250), "done_at": now}
    connection.execute(insert(control).values(**values, note=kept(by.note, 500)))


def _is_done(row: Row[Any]) -> bool:
    state = CampaignState(row.state)
    return state.is_over or state is CampaignState.FINISHED


def told(row: Row[Any], action: Action, **news: Any) -> Controlled:
    """Return what came of it, by default nothing new."""
    return replace(Controlled(row.campaign_id, action, CampaignState(row.state), held_by=row.held_by), **news)
