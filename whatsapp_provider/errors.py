"""What can go wrong, and what the caller should do about it.

The tree::

    WhatsAppError                        carries a Disposition and, where told, retry_after
    ├── ConfigurationError               a connection or an argument is wrong; nothing was sent
    ├── InputError                       the data given is wrong; nothing was sent
    │   ├── RecipientError                   not a phone number or a WhatsApp id
    │   ├── RecipientSuppressedError         on the list of those who are not written to
    │   ├── AudienceError                    a file or list of recipients can't be used
    │   └── TemplateError                    a template can't be rendered
    ├── AudienceUnavailableError         where an audience comes from can't be read now
    ├── UnsupportedError                 this gateway has no such ability
    ├── GatewayError                     a gateway answered no, or did not answer
    │   ├── NotReachedError                  the request certainly never left (retry)
    │   ├── NoAnswerError                    it left, and no readable answer came (hold)
    │   ├── RateLimitedError                 told to wait (retry)
    │   ├── TemporarilyUnavailableError      told to come back (retry)
    │   ├── RecipientRejectedError           this person only (skip)
    │   ├── AlreadyConnectedError            pairing was asked for, and a phone is paired
    │   ├── NameTakenError                   a channel of that name exists, so none was created
    │   └── ChannelHaltedError               the channel or the account can't go on (halt)
    │       ├── CredentialRejectedError          token wrong or expired
    │       ├── NotFoundError                    project, channel or message unknown
    │       ├── NotConnectedError                no phone is paired
    │       ├── QuotaExceededError               trial, plan or balance used up
    │       └── RequestRejectedError             the gateway refuses the form of our request
    ├── ChannelFailedError               a wait ended in a state that can't come good
    ├── UnhealthyError                   a health report found channels beyond the limits given
    ├── WaitTimeoutError                 a wait ran out of time
    ├── CampaignError                    a campaign stopped before its end; resuming is safe
    │   ├── CampaignPausedError              too many failures in a row, or the channel is broken
    │   ├── CampaignStoppedError             the task was told to stop
    │   ├── CampaignCancelledError           a person ended it for good; resuming sends nothing
    │   ├── PlanRefusedError                 the plan goes past its thresholds
    │   └── CampaignMismatchError            another audience or template under the same id
    ├── InDoubtError                     a single message may or may not have been sent
    ├── NotificationError                a notification was not accepted for everybody
    └── LedgerError                      the ledger can't be used
        ├── LedgerUnavailableError           unreachable, or no rights
        └── LeaseLostError                   another runner owns these rows now
"""

from __future__ import annotations

from enum import StrEnum


class Disposition(StrEnum):
    """What a failure means for the message that was being sent."""

    SKIP = "skip"  #: this person only: go on with the next
    RETRY = "retry"  #: certainly not sent: try again, as told
    HOLD = "hold"  #: may have been sent: in doubt, never resent by itself
    HALT = "halt"  #: certainly not sent, and the next one would fare no better


class WhatsAppError(Exception):
    """Root of everything this package raises.

    :param message: what went wrong, where, and what to do next; never a token, a whole phone
        number or a message text.
    :param retry_after: seconds to wait before trying again, where someone said so.
    :param code: the gateway's own short code for the failure, for counting alike failures.
    """

    disposition: Disposition = Disposition.HALT

    def __init__(self, message: str, *, retry_after: float | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.code = code or type(self).__name__


class ConfigurationError(WhatsAppError):
    """A connection, a setting or an argument is wrong. Retrying does not help."""


class InputError(WhatsAppError):
    """The data handed in is wrong. Retrying does not help until it is changed."""


class RecipientError(InputError):
    """A recipient is neither a phone number nor a WhatsApp id."""

    disposition = Disposition.SKIP


class RecipientSuppressedError(InputError):
    """The recipient of a single message is not to be written to; nothing was sent."""

    disposition = Disposition.SKIP


class AudienceError(InputError):
    """An audience can't be used as it is: the message lists where and why."""


class TemplateError(InputError):
    """A message template is wrong, or lacks a value for someone."""


class AudienceUnavailableError(WhatsAppError):
    """Where an audience comes from can't be read now; nothing was sent, and a retry may find it."""


class UnsupportedError(WhatsAppError):
    """The gateway has no such ability; it is refused by name instead of imitated."""


class GatewayError(WhatsAppError):
    """A gateway answered no, or did not answer.

    :param status: the HTTP status, where there was one.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(
            message, retry_after=retry_after, code=code or (f"http_{status}" if status is not None else None)
        )
        self.status = status

    @property
    def is_transient(self) -> bool:
        """Whether the same *read* may well succeed in a moment."""
        return self.disposition in {Disposition.RETRY, Disposition.HOLD}


class NotReachedError(GatewayError):
    """No byte of the request was written: DNS, connect, TLS, or no free connection."""

    disposition = Disposition.RETRY


class NoAnswerError(GatewayError):
    """The request left, and what came back does not prove what became of it."""

    disposition = Disposition.HOLD


class RateLimitedError(GatewayError):
    """The gateway refused to do it now (429)."""

    disposition = Disposition.RETRY


class TemporarilyUnavailableError(GatewayError):
    """The gateway said that it did nothing and when to come back (503 with Retry-After)."""

    disposition = Disposition.RETRY


class RecipientRejectedError(GatewayError):
    """The gateway refuses this recipient or this content; others are not concerned."""

    disposition = Disposition.SKIP


class AlreadyConnectedError(GatewayError):
    """A phone is paired already, so there is no QR code and no pairing code."""


class NameTakenError(GatewayError):
    """A channel of that name exists already, so none was created."""


class ChannelHaltedError(GatewayError):
    """The channel or the account can't go on until somebody changes something."""


class CredentialRejectedError(ChannelHaltedError):
    """The token is wrong, expired or lacks the right."""


class NotFoundError(ChannelHaltedError):
    """The project, channel, chat or message named does not exist for this token."""


class NotConnectedError(ChannelHaltedError):
    """No phone is paired with the channel, so nothing can be sent."""


class QuotaExceededError(ChannelHaltedError):
    """The trial's, the plan's or the balance's limit is used up."""


class RequestRejectedError(ChannelHaltedError):
    """The gateway refuses the form of the request; the same request would fail for everyone."""


class ChannelFailedError(WhatsAppError):
    """A channel is in a state that waiting does not cure (banned, stopped, deleted)."""


class UnhealthyError(WhatsAppError):
    """A health report found channels that are not as the task demands."""


class WaitTimeoutError(WhatsAppError):
    """A wait reached its deadline."""


class CampaignError(WhatsAppError):
    """A campaign stopped before its end. Running it again resumes it."""


class CampaignPausedError(CampaignError):
    """The campaign stopped itself: the reason is in the message."""


class CampaignStoppedError(CampaignError):
    """The task was killed or timed out; what was known is in the ledger."""


class CampaignCancelledError(CampaignError):
    """A person cancelled the campaign: nothing more of it is sent, and what depends on it must not go on."""


class PlanRefusedError(CampaignError):
    """A plan went past its thresholds, or names files that can't be had: it is removed, and nothing is sent."""


class CampaignMismatchError(CampaignError):
    """The campaign id is in the ledger with another audience or template."""


class InDoubtError(WhatsAppError):
    """An earlier attempt of a single message may have been delivered."""

    disposition = Disposition.HOLD


class NotificationError(WhatsAppError):
    """A notification was not accepted for everybody it was meant for.

    :param disposition: of the failure that leaves most open: ``hold`` where one may have been sent.
    """

    def __init__(
        self,
        message: str,
        *,
        disposition: Disposition = Disposition.HALT,
        retry_after: float | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, retry_after=retry_after, code=code)
        self.disposition = disposition


class LedgerError(WhatsAppError):
    """The ledger can't be used. Nothing is sent without it."""


class LedgerUnavailableError(LedgerError):
    """The ledger's database can't be reached, or its rights are missing."""


class LeaseLostError(LedgerError):
    """This runner's lease ended and its rows may be another's: it must not write or send."""
