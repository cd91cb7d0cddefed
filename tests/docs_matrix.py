"""The feature matrix: what a DAG author may want, by gateway, as the gateways' own code declares it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tests.docs_markdown import table
from whatsapp_provider.gateways.base import Capabilities
from whatsapp_provider.gateways.registry import GATEWAYS, GatewayLine
from whatsapp_provider.messages import KINDS

#: Abilities in the words of tasks. What is not named here has a row by its label in the last section.
TASKS: Mapping[str, Mapping[str, str]] = {
    "Channels": {
        "create_channels": "create and delete channels",
        "channel_lifecycle": "extend, stop and start channels",
        "restart": "restart channels",
        "settings": "change a channel's settings",
        "webhooks": "configure webhooks",
        "several_webhooks": "keep other people's webhooks beside one's own",
    },
    "Pairing": {
        "pairing_qr": "pair a phone by QR code",
        "pairing_code": "pair a phone by a code typed on it",
        "logout": "unlink the phone",
        "profile": "see who is paired",
    },
    "Campaigns": {
        "history": "settle what is in doubt after a crash by the chat's history",
        "message_status": "ask how far a message has come",
        "check_numbers": "check which numbers are on WhatsApp",
        "groups": "list groups and their members",
        "contact_book": "keep contacts and groups of contacts",
        "templates": "see the templates of the official API",
        "create_templates": "create templates of the official API",
    },
}
LAST = "More"
#: Message kinds in words, in the order in which people want them.
KIND_WORDS: Mapping[str, str] = {
    "text": "a text",
    "image": "a picture",
    "video": "a video",
    "document": "a document",
    "audio": "an audio file",
    "voice": "a voice note",
    "location": "a place",
    "contact": "a contact card",
    "buttons": "buttons",
    "media_buttons": "buttons below a picture, video or document",
    "list": "a list to choose from",
    "template": "a template of the official API",
}


def matrix(_of: str = "") -> str:
    """Return the table of all gateways, and its footnotes."""
    return render(list(GATEWAYS.values()))


def render(lines: Sequence[GatewayLine]) -> str:
    """Return the table of some gateways, and its footnotes."""
    notes: list[str] = []
    rows: list[list[str]] = []
    for section, tasks in sections():
        rows.append([f"**{section}**", *[""] * len(lines)])
        rows += [
            [words, *(_cell(line, subject, notes) for line in lines)] for subject, words in tasks.items()
        ]
    told = table(["", *map(title, lines)], rows)
    numbered = (f"{number}. {note}" for number, note in enumerate(notes, start=1))
    return "\n".join([told, "", *numbered]) if notes else told


def sections() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield each section's title and its rows: flag or message kind, and the words for it."""
    yield from TASKS.items()
    yield "Messages", {kind: f"send {words}" for kind, words in KIND_WORDS.items()}
    named = {flag for tasks in TASKS.values() for flag in tasks}
    if rest := {flag: Capabilities.label(flag) for flag in Capabilities.flags() if flag not in named}:
        yield LAST, rest


def title(line: GatewayLine) -> str:
    """Return the head of a gateway's column."""
    return line.form.label.removeprefix("WhatsApp: ")


def _cell(line: GatewayLine, subject: str, notes: list[str]) -> str:
    able = line.capabilities
    can = subject in able.message_kinds if subject in KINDS else getattr(able, subject)
    word = "yes" if can else "no"
    if subject not in able.notes:
        return word
    note = f"{title(line)}: {able.notes[subject]}"
    if note not in notes:
        notes.append(note)
    return f"{word} <sup>{notes.index(note) + 1}</sup>"
