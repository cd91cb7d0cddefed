"""Read the templates of the official API, hand in those that are missing, and demand what a campaign needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from whatsapp_provider.errors import (
    ConfigurationError,
    GatewayError,
    TemplateError,
    TemporarilyUnavailableError,
)
from whatsapp_provider.hooks.channels import ChannelLike
from whatsapp_provider.operators.base import WhatsAppOperator
from whatsapp_provider.operators.choices import words_of

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.model import ChannelRef
    from whatsapp_provider.templates import OfficialTemplate

MOST_RETURNED = 500  #: templates in the result
#: Meta's words for what a person at Meta may still approve.
_UNDECIDED = frozenset({"PENDING", "IN_APPEAL", "PENDING_REVIEW"})
#: What Meta needs of every template.
_NEEDED = ("name", "category", "language", "components")


class WhatsAppSyncTemplatesOperator(WhatsAppOperator):
    """Read the templates of the official API, hand in those that are missing, and fail if a campaign can't go.

    Returns ``total``, ``statuses`` (how many of each), ``created`` and ``templates``: name, language, status, category,
    header and how many values each takes. Retries create nothing twice: what is there is not handed in again.

    :param require: templates that must be there and approved, as ``name`` (in one language at least) or
        ``name/language``. One that waits for its approval fails the task so that a retry is worth it; one that is
        missing, rejected or paused fails it for good.
    :param definitions: templates that are handed in for approval where the gateway has none of that name and language,
        in Meta's words: ``name``, ``category``, ``language``, ``components``. What is there stays as it is.
    :param names: return these alone; all where it is left out.
    :param statuses: return those with these statuses alone, in Meta's words, e.g. ``["APPROVED"]``.
    :param channel: what the create-channel task returned, a channel id, or a name; the connection's own
        channel where it is left out.
    """

    template_fields: Sequence[str] = (
        "require",
        "definitions",
        "names",
        "statuses",
        "channel",
        "whatsapp_conn_id",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"definitions": "json"}

    def __init__(
        self,
        *,
        require: Sequence[str] | str = (),
        definitions: Sequence[Mapping[str, Any]] = (),
        names: Sequence[str] | str = (),
        statuses: Sequence[str] | str = (),
        channel: ChannelLike = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.require = require
        self.definitions = definitions
        self.names = names
        self.statuses = statuses
        self.channel = channel

    def work(self, context: Context) -> dict[str, Any]:
        """Read, create, demand."""
        definitions = _definitions(self.definitions)
        require, names = words_of("require", self.require), words_of("names", self.names)
        statuses = {word.upper() for word in words_of("statuses", self.statuses)}
        gateway = self.hook.gateway
        gateway.capabilities.require(gateway.name, "templates")
        if definitions:
            gateway.capabilities.require(gateway.name, "create_templates")
        ref = self.channel_ref(self.channel)
        known = list(self.hook.templates(channel=ref))
        created = [made for each in definitions if (made := self._create(each, known, ref))]
        counts = Counter(one.status or "without a status" for one in known)
        self.log.info(
            "%d templates: %s.", len(known), ", ".join(f"{n} {word}" for word, n in sorted(counts.items()))
        )
        _demand(require, known)
        found = [one for one in known if not statuses or one.status in statuses]
        found = [one for one in found if not names or one.name in names]
        result = {
            "total": len(known),
            "statuses": dict(sorted(counts.items())),
            "created": created,
            "templates": [_told(one) for one in found[:MOST_RETURNED]],
        }
        return result | ({"left_out": len(found) - MOST_RETURNED} if len(found) > MOST_RETURNED else {})

    def _create(
        self, definition: Mapping[str, Any], known: list[OfficialTemplate], ref: ChannelRef
    ) -> str | None:
        """Hand a template in unless it is there; return which, and add it to those that are known."""
        if _find(definition, known):
            return None
        try:
            made = self.hook.create_template(definition, channel=ref)
        except GatewayError:
            # Another task may have been quicker, or only the answer was lost.
            there = _find(definition, self.hook.templates(channel=ref))
            if there is None:
                raise
            made = there
        known.append(made)
        self.log.info("Handed in: %s, %s.", _label(made), made.status or "without a status")
        return _label(made)


def _find(definition: Mapping[str, Any], known: Iterable[OfficialTemplate]) -> OfficialTemplate | None:
    wanted = (definition["name"], definition["language"])
    return next((one for one in known if (one.name, one.language) == wanted), None)


def _definitions(given: Any) -> list[Mapping[str, Any]]:
    """Return the definitions, whose form is wrong before anything is asked, or never."""
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise ConfigurationError(f"definitions must be a list of mappings, not a {type(given).__name__}.")
    for number, each in enumerate(given, start=1):
        lacking = [name for name in _NEEDED if not (isinstance(each, Mapping) and each.get(name))]
        if lacking:
            raise ConfigurationError(f"Definition {number} lacks {', '.join(lacking)}.")
    return list(given)


def _demand(required: Sequence[str], known: Sequence[OfficialTemplate]) -> None:
    """Refuse to go on without what is required.

    :raises TemplateError: naming those that are missing, rejected or paused.
    :raises TemporarilyUnavailableError: if all that are lacking wait for their approval.
    """
    lacking: dict[str, str] = {}
    for wanted in required:
        name, _, language = wanted.partition("/")
        there = [one for one in known if one.name == name and language in {"", one.language}]
        if not any(one.is_approved for one in there):
            told = sorted({one.status or "without a status" for one in there})
            lacking[wanted] = ", ".join(told) or "not there"
    if not lacking:
        return
    said = (
        f"Required templates can't be sent: {'; '.join(f'{name} ({why})' for name, why in lacking.items())}."
    )
    if all(set(why.split(", ")) & _UNDECIDED for why in lacking.values()):
        raise TemporarilyUnavailableError(
            f"{said} They wait for Meta's approval; retries of the task look again."
        )
    raise TemplateError(f"{said} Look at them in WhatsApp Manager.")


def _label(one: OfficialTemplate) -> str:
    return f"{one.name}/{one.language}"


def _told(one: OfficialTemplate) -> dict[str, Any]:
    return {
        "name": one.name,
        "language": one.language,
        "status": one.status,
        "category": one.category,
        "header": one.header,
        "values": {
            "header": one.header_values,
            "body": len(one.body_names),
            "buttons": len(one.button_values),
        },
    }
