"""What a send's file may be: a URL with a top-level domain, bare base64, or a multipart part."""

from __future__ import annotations

import base64
import binascii
import hashlib
import mimetypes
import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from whatsapp_provider.emulator.evolution.body import Data
from whatsapp_provider.emulator.evolution.refusals import RefusalError, bad_request

# By the kind of send: the field with the file, and the type and name when nothing else tells them.
FIELDS = {
    "sendMedia": "media",
    "sendWhatsAppAudio": "audio",
    "sendPtv": "video",
    "sendSticker": "sticker",
    "sendStatus": "content",
}
USUAL = {
    "image": ("image/png", "image.png"),
    "video": ("video/mp4", "video.mp4"),
    "audio": ("audio/mpeg", "audio.mp3"),
    "voice": ("audio/ogg; codecs=opus", "audio.ogg"),
    "short": ("video/mp4", "video.mp4"),
    "sticker": ("image/webp", "sticker.webp"),
    "document": ("application/octet-stream", None),
}
BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


class MediaFile(NamedTuple):
    """One file of a send; without size and hash when it is only a link."""

    mime_type: str
    filename: str | None
    source: str
    media: str
    size: int = 0
    sha256: str | None = None

    def summary(self) -> dict[str, Any]:
        """Return what the truth log keeps of it."""
        return {
            "source": self.source,
            "mime_type": self.mime_type,
            "size": self.size,
            "sha256": self.sha256,
            "filename": self.filename,
            "link": self.media if self.source == "url" else None,
        }


def read_file(data: Data, field: str, kind: str) -> MediaFile:
    """Return the file of a send, or refuse it."""
    usual_type, usual_name = USUAL[kind]
    media = data.get(field)
    name = data.get("fileName")
    part = data.get("file")
    if isinstance(part, tuple):
        # A multipart file: name, content type, content.
        name = name or part[0] or usual_name
        return _kept(part[2], data.get("mimetype") or part[1] or usual_type, name, "file")
    if not isinstance(media, str) or not media:
        raise bad_request("Owned media must be a url or base64")
    given = data.get("mimetype")
    if _is_url(media):
        _reach(media)
        name = name or urlsplit(media).path.rpartition("/")[2] or usual_name
        return MediaFile(given or _guess(name) or usual_type, name, "url", media)
    if BASE64.fullmatch(media) is None:
        raise bad_request("Owned media must be a url or base64")
    if kind == "document" and not name:
        raise bad_request("For base64 the file name must be informed.")
    try:
        content = base64.b64decode(media, validate=True)
    except binascii.Error:
        raise bad_request("Owned media must be a url or base64") from None
    name = name or usual_name
    return _kept(content, given or _guess(name) or usual_type, name, "base64")


def _kept(content: bytes, mime_type: str, name: str | None, source: str) -> MediaFile:
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    text = base64.b64encode(content).decode()
    return MediaFile(mime_type, name, source, text, len(content), digest)


def _is_url(text: str) -> bool:
    if not text.startswith(("http://", "https://")):
        return False
    return "." in (urlsplit(text).hostname or "")


def _reach(url: str) -> None:
    host = urlsplit(url).hostname or ""
    if host.endswith(".invalid"):
        raise RefusalError(500, [f"Error: getaddrinfo ENOTFOUND {host}"])


def _guess(name: str | None) -> str | None:
    return mimetypes.guess_type(name or "")[0]
