"""Plan: everybody's message is rendered once and checked before the first one is sent.

Rows come in at one end and deliveries go out at the other: a million people take no more memory than a thousand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from whatsapp_provider.campaigns.audience import AudienceOptions, Findings, Person, outline, parsed, people
from whatsapp_provider.campaigns.body import body_hash
from whatsapp_provider.campaigns.campaign import Campaign, Frozen
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.planning import Order
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Planned
from whatsapp_provider.campaigns.readers import Row
from whatsapp_provider.campaigns.render import Renderer
from whatsapp_provider.campaigns.seen import SeenOnDisk
from whatsapp_provider.errors import AudienceError, InputError, TemplateError, UnsupportedError
from whatsapp_provider.messages import Message, files

#: Refuses what the channel can't send; see ``gateways.base.MessageCheck``.
Check = Callable[[Message], None]
SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Preview:
    """What is found while everything is rendered.

    :param count: how many people there are that nothing in their row leaves out.
    :param samples: masked recipient and rendered message of the first few.
    """

    count: int
    left_out: dict[str, int]
    samples: tuple[tuple[str, Message], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned campaign.

    :param preview: what its audience was found to be this time, whether it was planned now or before.
    """

    record: CampaignRecord
    preview: Preview


def plan_campaign(
    ledger: Ledger,
    campaign: Campaign,
    template: Renderer,
    rows: Iterable[Row],
    options: AudienceOptions,
    frozen: Frozen | None = None,
    *,
    check: Check | None = None,
) -> CampaignRecord:
    """Write the whole campaign into the ledger, or find it as it was planned; see :func:`make_plan`."""
    return make_plan(ledger, campaign, template, rows, options, frozen, check=check).record


def make_plan(
    ledger: Ledger,
    campaign: Campaign,
    template: Renderer,
    rows: Iterable[Row],
    options: AudienceOptions,
    frozen: Frozen | None = None,
    *,
    check: Check | None = None,
    order: Order | None = None,
) -> Plan:
    """Write the whole campaign into the ledger, or find it as it was planned.

    :param frozen: what to keep of the template for a resume after a wait.
    :param check: refuses what the channel can't send.
    :param order: who is left out, and what else is written of the campaign.
    :raises AudienceError: if rows can't be sent to.
    :raises TemplateError: naming the first row whose message can't be rendered, or is not one that can be sent.
    :raises UnsupportedError: naming the first row whose message the channel can't send at all.
    :raises CampaignMismatchError: if another audience or template is planned under the id.
    """
    findings = Findings(options)
    press = Press(template, check, findings)
    record = ledger.plan(
        campaign,
        template.canonical(),
        press.planned(parsed(rows, options, findings)),
        findings,
        frozen,
        known_by=options.known_by,
        order=order,
    )
    return Plan(record, press.preview())


def preview(
    template: Renderer,
    rows: Iterable[Row],
    options: AudienceOptions,
    *,
    samples: int = SAMPLES,
    check: Check | None = None,
) -> Preview:
    """Check everything as a plan would, and write nothing.

    :raises AudienceError: as :func:`make_plan`.
    :raises TemplateError: as :func:`make_plan`.
    """
    findings = Findings(options)
    press = Press(template, check, findings, samples)
    for _ in press.planned(people(rows, options, findings, SeenOnDisk())):
        pass
    return press.preview()


class Press:
    """Renders everybody's message.

    :param samples: how many messages are kept to be shown.
    """

    def __init__(
        self, template: Renderer, check: Check | None, findings: Findings, samples: int = SAMPLES
    ) -> None:
        self._template, self._check, self._findings, self._wanted = template, check, findings, samples
        self._samples: list[tuple[str, Message]] = []
        self._checked_files: set[str] = set()
        self._count = 0

    def preview(self) -> Preview:
        """Return what was found."""
        return Preview(self._count, dict(self._findings.counts), tuple(self._samples))

    def planned(self, everybody: Iterable[Person]) -> Iterator[Planned]:
        """Yield what the ledger keeps of each."""
        for person in everybody:
            # Those after the first problem are only asked whether they came before.
            yield outline(person) if self._findings.refused else self._entry(person)

    def _entry(self, person: Person) -> Planned:
        kept = _json(person)
        digest = None
        if person.exclusion is None:
            message, digest = self._rendered(person, kept)
            _check_files(message, person.place, self._checked_files)
            self._count += 1
            if len(self._samples) < self._wanted:
                self._samples.append((person.recipient.masked, message))
        key, address = person.recipient.key, person.recipient.address
        return Planned(
            key, address, kept, digest, person.number, person.place, person.exclusion, person.aliases
        )

    def _rendered(self, person: Person, kept: str) -> tuple[Message, str]:
        try:
            message = self._template.render(_from_ledger(person.variables, kept))
            digest = body_hash(message)
            if self._check is not None:
                self._check(message)
        except InputError as error:
            raise TemplateError(f"{person.place}: {error}") from None
        except UnsupportedError as error:
            raise UnsupportedError(f"{person.place}: {error}") from None
        except UnicodeEncodeError:
            raise TemplateError(f"{person.place}: {_NOT_TEXT}") from None
        return message, digest


_NOT_TEXT = "the text holds half a character (a lone surrogate), which no gateway can be sent."
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
#: What comes back from JSON as it went in.
_PLAIN = frozenset({str, int, bool, type(None)})


def _json(person: Person) -> str:
    try:
        kept = _encode(person.variables if type(person.variables) is dict else dict(person.variables))
        kept.encode()
    except UnicodeEncodeError:
        raise AudienceError(f"{person.place}: {_NOT_TEXT}") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise AudienceError(
            f"{person.place}: a value can't be kept in the ledger ({error}); give text, numbers, lists or mappings."
        ) from None
    return kept


def _from_ledger(variables: Mapping[str, Any], kept: str) -> Mapping[str, Any]:
    """Return a person's values as they will be at the send: as the ledger keeps them."""
    if all(type(value) in _PLAIN for value in variables.values()):
        return variables
    return dict(json.loads(kept))


def _check_files(message: Message, place: str, checked: set[str]) -> None:
    for media in files(message):
        if media.file is None or media.file in checked:
            continue
        if not Path(media.file).is_file():
            raise InputError(f"{place}: media file {Path(media.file).name!r} is not on this worker.")
        checked.add(media.file)
