"""Messages that carry a file, and where the file comes from."""

from __future__ import annotations

import mimetypes
from pathlib import Path, PurePath
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from whatsapp_provider.errors import InputError
from whatsapp_provider.messages.base import MAX_TEXT, Part, is_web_address

UNKNOWN_TYPE = "application/octet-stream"

#: What Python's own table lacks and a slim machine has no file for.
_TYPES = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".m4a": "audio/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
#: How the files that people send begin: position, bytes, type.
_SIGNATURES = (
    (0, b"\x89PNG\r\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (8, b"WEBP", "image/webp"),
    (0, b"%PDF", "application/pdf"),
    (0, b"OggS", "audio/ogg"),
    (4, b"ftyp", "video/mp4"),
)


class Media(Part):
    """A file to send, from exactly one place.

    :param url: http(s) address that the gateway downloads from.
    :param data: the bytes themselves.
    :param file: path of a file on the worker; read when the message is sent.
    :param media_id: id of a file uploaded to the gateway before.
    :param mime_type: e.g. ``image/png``; guessed from the name or the first bytes where it is left out.
    """

    url: str | None = None
    data: bytes | None = Field(default=None, repr=False)
    file: str | None = None
    media_id: str | None = Field(default=None, min_length=1)
    mime_type: str | None = None

    @field_validator("data", mode="before")
    @classmethod
    def _bytes_only(cls, value: Any) -> Any:
        if isinstance(value, str):
            # Taken as it is, the base64 text itself would be the file.
            hint = "data takes bytes; decode base64 text first: base64.b64decode(text)"
            raise ValueError(hint)  # noqa: TRY004 - pydantic gathers ValueErrors only
        return value

    @field_validator("file", mode="before")
    @classmethod
    def _path_as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, PurePath) else value

    @model_validator(mode="after")
    def _exactly_one_source(self) -> Self:
        sources = [name for name in ("url", "data", "file", "media_id") if getattr(self, name) is not None]
        if len(sources) != 1:
            found = ", ".join(sources) or "none"
            raise ValueError(f"media needs exactly one of url, data, file or media_id; found {found}")
        if self.url is not None and not is_web_address(self.url):
            raise ValueError(
                "media url must begin with http:// or https:// so that the gateway can download it; "
                "for a file on the worker use `file` instead"
            )
        return self

    def content(self) -> tuple[bytes, str] | None:
        """Return the bytes and their MIME type where they are at hand, else ``None`` (url, media id).

        :raises InputError: if the file can't be read.
        """
        if self.data is not None:
            return self.data, self.mime_type or _type_of(self.data)
        if self.file is None:
            return None
        path = Path(self.file)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(
                f"Media file {path.name!r} can't be read: {error.strerror}. Check that the worker has it."
            ) from None
        guessed = _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0]
        return data, self.mime_type or guessed or _type_of(data)


def _type_of(data: bytes) -> str:
    for position, signature, mime_type in _SIGNATURES:
        if data[position : position + len(signature)] == signature:
            return mime_type
    return UNKNOWN_TYPE


class _Captioned(Part):
    media: Media
    caption: str | None = Field(default=None, max_length=MAX_TEXT, repr=False)


class Image(_Captioned):
    """A picture."""

    kind: Literal["image"] = "image"


class Video(_Captioned):
    """A film."""

    kind: Literal["video"] = "video"


class Document(_Captioned):
    """A file, shown with its name."""

    kind: Literal["document"] = "document"
    filename: str | None = None


class Audio(Part):
    """A sound file."""

    kind: Literal["audio"] = "audio"
    media: Media


class Voice(Part):
    """A voice message; gateways expect OGG/Opus."""

    kind: Literal["voice"] = "voice"
    media: Media
