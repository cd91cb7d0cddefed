"""Media: what a send's ``media`` may be, and the shelf of uploaded files."""

from __future__ import annotations

import base64
import binascii
import hashlib
import random
import re
from collections import OrderedDict
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from whatsapp_provider.emulator.whapi.ids import media_id
from whatsapp_provider.emulator.whapi.refusals import RefusalError, bad_request, missing

SHELF_BYTES = 128 * 1024 * 1024
MEDIA_ID = re.compile(r"(?:media_init|[A-Za-z0-9]+-[0-9A-Fa-f-]+)")
DATA_URI = re.compile(r"data:([^,;]+(?:;[^,;=]+=[^,;]+)*)(?:;[^,;=]+=[^,;]*)*;base64,", re.IGNORECASE)

# What each endpoint takes; a document may be anything.
ACCEPTED = {
    "image": ("image/",),
    "video": ("video/",),
    "short": ("video/",),
    "gif": ("video/", "image/gif"),
    "audio": ("audio/", "video/", "application/ogg"),
    "voice": ("audio/", "video/", "application/ogg"),
    "sticker": ("image/",),
    "document": ("",),
}
USUAL_TYPE = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "short": "video/mp4",
    "gif": "video/mp4",
    "audio": "audio/mpeg",
    "voice": "audio/ogg; codecs=opus",
    "sticker": "image/webp",
    "document": "application/octet-stream",
}


class MediaFile(NamedTuple):
    """One file that the gate knows; without content when it is only a link."""

    id: str
    mime_type: str
    size: int
    sha256: str | None
    filename: str | None
    link: str | None
    source: str
    content: bytes | None

    def summary(self) -> dict[str, Any]:
        """Return what the truth log keeps of it."""
        return {
            "source": self.source,
            "mime_type": self.mime_type,
            "size": self.size,
            "sha256": self.sha256,
            "filename": self.filename,
            "link": self.link,
        }


class MediaShelf:
    """The files of one channel, bounded by their bytes; equal bytes are kept once."""

    def __init__(self, source: random.Random) -> None:
        self._random = source
        self._files: OrderedDict[str, MediaFile] = OrderedDict()
        self._by_content: dict[tuple[str, str, str | None], str] = {}
        self._bytes = 0

    def put(self, content: bytes, mime_type: str, filename: str | None, source: str) -> MediaFile:
        """Keep a file and give it an id."""
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        key = (digest, mime_type, filename)
        known = self._files.get(self._by_content.get(key, ""))
        if known is not None:
            return known._replace(source=source)
        new_id = media_id(self._random, mime_type)
        file = MediaFile(new_id, mime_type, len(content), digest, filename, None, source, content)
        self._files[new_id] = file
        self._by_content[key] = new_id
        self._bytes += len(content)
        while self._bytes > SHELF_BYTES and len(self._files) > 1:
            self._bytes -= self._files.popitem(last=False)[1].size
        return file

    def get(self, wanted: str) -> MediaFile:
        """Return a file by its id."""
        file = self._files.get(wanted)
        if file is None:
            raise RefusalError(404, "Media with specified id not found")
        return file

    def link(self, url: str, mime_type: str, filename: str | None) -> MediaFile:
        """Take a link as it is: the emulator fetches nothing from anywhere."""
        host = urlsplit(url).hostname or ""
        if not host or host.endswith(".invalid"):
            raise bad_request("media link is not available")
        return MediaFile(media_id(self._random, mime_type), mime_type, 0, None, filename, url, "url", None)


def parse_media(shelf: MediaShelf, kind: str, data: dict[str, Any], limit: int) -> MediaFile:
    """Read ``media`` of a send: a link, a data URI, an id, bare base64, or a multipart file."""
    media = data.get("media")
    if media is None:
        raise missing("media")
    mime_type = data.get("mime_type") or USUAL_TYPE[kind]
    filename = data.get("filename")
    if isinstance(media, tuple):
        # A multipart file: name, content type, content.
        name, part_type, content = media
        file = _keep(shelf, content, part_type or mime_type, filename or name or None, "file", limit)
    elif not isinstance(media, str) or not media:
        raise bad_request("/body/media must be string")
    elif media.startswith(("http://", "https://")):
        file = shelf.link(media, mime_type, filename)
    elif prefix := DATA_URI.match(media):
        content = _decode(media[prefix.end() :])
        file = _keep(shelf, content, prefix.group(1), filename, "data_uri", limit)
    elif MEDIA_ID.fullmatch(media):
        file = shelf.get(media)._replace(source="media_id")
    elif data.get("mime_type"):
        file = _keep(shelf, _decode(media), mime_type, filename, "base64", limit)
    else:
        raise bad_request("media link is not available")
    if not file.mime_type.startswith(ACCEPTED[kind]):
        raise RefusalError(415, "Unsupported media type")
    return file


def _keep(
    shelf: MediaShelf, content: bytes, mime_type: str, filename: str | None, source: str, limit: int
) -> MediaFile:
    if len(content) > limit:
        raise RefusalError(413, "Request body/media too large")
    return shelf.put(content, mime_type, filename, source)


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise bad_request("/body/media must be base64") from error


def media_content(file: MediaFile, data: dict[str, Any], at: int) -> dict[str, Any]:
    """Return the content object of a media message."""
    content: dict[str, Any] = {
        "id": file.id,
        "mime_type": file.mime_type,
        "file_size": file.size,
        "timestamp": at,
    }
    if file.sha256 is not None:
        content["sha256"] = file.sha256
    if file.filename is not None:
        content["file_name"] = content["filename"] = file.filename
    if file.link is not None:
        content["link"] = file.link
    for name in ("caption", "preview", "width", "height", "seconds", "view_once"):
        if name in data:
            content[name] = data[name]
    return content
