"""Open an audience: a file of any storage that Airflow knows, or rows at hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from whatsapp_provider.errors import AudienceError, ConfigurationError
from whatsapp_provider.redaction import redact

if TYPE_CHECKING:
    from whatsapp_provider.campaigns.audience import Row


def open_rows(audience: Any, *, recipient_field: str) -> Iterator[Row]:
    """Return the rows of an audience.

    :param audience: a path or URL of a ``.csv`` or ``.jsonl`` file, or an iterable of rows.
    :raises AudienceError: if the file can't be read.
    :raises ConfigurationError: if it is neither.
    """
    from whatsapp_provider.campaigns.audience import rows_of

    if isinstance(audience, str):
        if not is_path(audience):
            raise ConfigurationError(
                f"audience is a text of {len(audience)} characters and no file's path or URL. A template gives text: "
                "pass the output of a task as it is (task.output), or let the task write a .csv or .jsonl file."
            )
        return _file_rows(audience.strip())
    if isinstance(audience, Iterable) and not isinstance(audience, Mapping | bytes):
        return rows_of(audience, recipient_field=recipient_field)
    raise ConfigurationError(
        f"audience is a {type(audience).__name__}; give a file's path or URL, a list of rows, or the output of a "
        "task that returns one."
    )


def is_path(text: str) -> bool:
    """Tell a file's path or URL from rows that were made text."""
    text = text.strip()
    if not text or len(text) > 2000 or "\n" in text or text[0] in "[{(<":
        return False
    return any(character.isalpha() for character in text) and ("/" in text or "." in text[-9:])


def _file_rows(url: str) -> Iterator[Row]:
    from airflow.sdk import ObjectStoragePath

    from whatsapp_provider.campaigns.audience import reader_for

    name = PurePosixPath(url).name
    read = reader_for(name)
    try:
        file = ObjectStoragePath(url).open("rb")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        # Other failures of a storage may pass, and a retry finds the file.
        why = error.strerror or type(error).__name__
        raise AudienceError(
            f"Audience file {name!r} can't be opened: {why}. Looked for it at {redact(url)}."
        ) from None
    except (ValueError, ImportError) as error:
        raise AudienceError(f"Audience file {name!r} can't be opened: {redact(str(error))}") from None
    with file:
        yield from read(file, name=name)
