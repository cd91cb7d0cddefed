"""Plan: everybody's message is rendered once and checked before the first one is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from whatsapp_provider.campaigns.audience import AudienceOptions, Person, Skipped, people
from whatsapp_provider.campaigns.body import body_hash
from whatsapp_provider.campaigns.campaign import Campaign, Frozen
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Planned
from whatsapp_provider.campaigns.readers import Row
from whatsapp_provider.campaigns.render import Renderer
from whatsapp_provider.errors import AudienceError, InputError, TemplateError, UnsupportedError
from whatsapp_provider.messages import Message, files

#: Refuses what the channel can't send; see ``gateways.base.MessageCheck``.
Check = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a dry run shows.

    :param samples: masked recipient and rendered message of the first few.
    """

    count: int
    left_out: dict[str, int]
    samples: tuple[tuple[str, Message], ...] = field(repr=False)


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
    """Write the whole campaign into the ledger, or find it as it was planned.

    :param frozen: what to keep of the template for a resume after a wait.
    :param check: refuses what the channel can't send.
    :raises AudienceError: if rows can't be sent to.
    :raises TemplateError: naming the first row whose message can't be rendered, or is not one that can be sent.
    :raises UnsupportedError: naming the first row whose message the channel can't send at all.
    :raises CampaignMismatchError: if another audience or template is planned under the id.
    """
    skipped = Skipped()
    planned = (entry for _, entry in _rendered(template, rows, options, skipped, check))
    counts, known_by = lambda: skipped.counts, options.known_by
    return ledger.plan(campaign, template.canonical(), planned, counts, frozen, known_by=known_by)


def preview(
    template: Renderer,
    rows: Iterable[Row],
    options: AudienceOptions,
    *,
    samples: int = 3,
    check: Check | None = None,
) -> Preview:
    """Check everything as a plan would, and write nothing.

    :raises AudienceError: as :func:`plan_campaign`.
    :raises TemplateError: as :func:`plan_campaign`.
    """
    skipped = Skipped()
    shown: list[tuple[str, Message]] = []
    count = 0
    for (person, message), _ in _rendered(template, rows, options, skipped, check):
        count += 1
        if len(shown) < samples:
            shown.append((person.recipient.masked, message))
    return Preview(count, dict(skipped.counts), tuple(shown))


def _rendered(
    template: Renderer,
    rows: Iterable[Row],
    options: AudienceOptions,
    skipped: Skipped,
    check: Check | None,
) -> Iterator[tuple[tuple[Person, Message], Planned]]:
    checked_files: set[str] = set()
    for person in people(rows, options, skipped):
        kept = _json(person)
        try:
            # As it will be at the send: from what the ledger keeps.
            message = template.render(json.loads(kept))
            digest = body_hash(message)
            if check is not None:
                check(message)
        except InputError as error:
            raise TemplateError(f"{person.place}: {error}") from None
        except UnsupportedError as error:
            raise UnsupportedError(f"{person.place}: {error}") from None
        except UnicodeEncodeError:
            raise TemplateError(f"{person.place}: {_NOT_TEXT}") from None
        _check_files(message, person.place, checked_files)
        yield (
            (person, message),
            Planned(person.recipient.key, person.recipient.address, kept, digest),
        )


_NOT_TEXT = "the text holds half a character (a lone surrogate), which no gateway can be sent."


def _json(person: Person) -> str:
    try:
        kept = json.dumps(dict(person.variables), ensure_ascii=False, sort_keys=True)
        kept.encode()
    except UnicodeEncodeError:
        raise AudienceError(f"{person.place}: {_NOT_TEXT}") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise AudienceError(
            f"{person.place}: a value can't be kept in the ledger ({error}); give text, numbers, lists or mappings."
        ) from None
    return kept


def _check_files(message: Message, place: str, checked: set[str]) -> None:
    for media in files(message):
        if media.file is None or media.file in checked:
            continue
        if not Path(media.file).is_file():
            raise InputError(f"{place}: media file {Path(media.file).name!r} is not on this worker.")
        checked.add(media.file)
