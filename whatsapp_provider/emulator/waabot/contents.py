"""What Baileys makes of a message: the content inside the answer, in the form of mid-2022."""

from __future__ import annotations

import base64
import hashlib
import math
import random
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from whatsapp_provider.emulator.waabot.body import Data, File
from whatsapp_provider.emulator.waabot.refusals import crashed

# By the kind in the truth log.
CONTENT = {
    "image": "imageMessage",
    "video": "videoMessage",
    "audio": "audioMessage",
    "voice": "audioMessage",
    "document": "documentMessage",
}
BUTTONS = {
    "replyButton": ("quickReplyButton", None),
    "urlButton": ("urlButton", "url"),
    "callButton": ("callButton", "phoneNumber"),
}
# The size that the documented sample tells; the emulator looks into no picture.
HEIGHT, WIDTH = 653, 590
MEDIA_HOST = "https://mmg.whatsapp.net"


class Media(NamedTuple):
    """A file, or a link to one."""

    mime_type: str
    filename: str | None
    content: bytes
    link: str | None = None

    @classmethod
    def of_file(cls, file: File) -> Media:
        """Take an uploaded file."""
        name, mime_type, content = file
        return cls(mime_type or "application/octet-stream", name or None, content)

    @classmethod
    def of_url(cls, url: Any, mime_type: Any) -> Media:
        """Take a link as it is: the emulator fetches nothing from anywhere."""
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise crashed("Invalid URL")
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            raise crashed("Invalid URL") from None
        if not host or host.endswith(".invalid"):
            raise crashed(f"getaddrinfo ENOTFOUND {host}")
        return cls(str(mime_type or "application/octet-stream"), None, b"", url)

    def sha256(self) -> str:
        """Return the hash of the bytes, in base64."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()

    def summary(self) -> dict[str, Any]:
        """Return what the truth log keeps of it."""
        return {
            "source": "file" if self.link is None else "url",
            "mime_type": self.mime_type,
            "size": len(self.content),
            "sha256": self.sha256() if self.link is None else None,
            "filename": self.filename,
            "link": self.link,
        }


def media_content(
    kind: str, media: Media, caption: str | None, at: int, source: random.Random
) -> dict[str, Any]:
    """Return the content of a media message; its 64-bit numbers are strings."""
    path = f"/v/t62.7118-24/{source.getrandbits(64)}_n.enc"
    content: dict[str, Any] = {"url": f"{MEDIA_HOST}{path}", "mimetype": media.mime_type}
    if caption is not None and kind in ("image", "video", "document"):
        content["caption"] = caption
    content |= {"fileSha256": media.sha256(), "fileLength": str(len(media.content))}
    if kind in ("image", "video"):
        content |= {"height": HEIGHT, "width": WIDTH}
    if kind == "voice":
        content["ptt"] = True
    content |= {
        "mediaKey": _random_text(source),
        "fileEncSha256": _random_text(source),
        "directPath": path,
        "mediaKeyTimestamp": str(at),
    }
    if kind == "document":
        content["fileName"] = media.filename
    if kind == "image":
        content["jpegThumbnail"] = _random_text(source)
    return {CONTENT[kind]: content}


def _random_text(source: random.Random) -> str:
    return base64.b64encode(source.randbytes(32)).decode()


def vcard(data: Data) -> str:
    """Return the card that upstream writes; what is missing reads ``undefined``."""
    name, organization, phone = (
        data.get(key, "undefined") for key in ("fullName", "organization", "phoneNumber")
    )
    return (
        f"BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nORG:{organization};\n"
        f"TEL;type=CELL;type=VOICE;waid={phone}:{phone}\nEND:VCARD"
    )


def contact_content(data: Data) -> dict[str, Any]:
    """Return the content of a contact; the name shown is the full one."""
    return {"contactMessage": {"displayName": data.get("fullName"), "vcard": vcard(data)}}


def location_content(location: Data) -> dict[str, Any]:
    """Return the content of a location: its texts become numbers, its name is lost."""
    try:
        degrees = float(location["lat"]), float(location["lng"])
    except (KeyError, TypeError, ValueError):
        degrees = math.nan, math.nan
    if not all(map(math.isfinite, degrees)):
        raise crashed("degreesLatitude: number expected")
    # As JavaScript writes them: 3, not 3.0.
    latitude, longitude = (int(value) if value.is_integer() else value for value in degrees)
    return {"locationMessage": {"degreesLatitude": latitude, "degreesLongitude": longitude}}


def _view_once(content: dict[str, Any]) -> dict[str, Any]:
    return {"viewOnceMessage": {"message": content}}


def buttons_content(data: Data, media: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the content of a message with buttons; a button of an unknown type is left out."""
    buttons: list[dict[str, Any]] = []
    for button in data["buttons"]:
        if button.get("type") not in BUTTONS:
            continue
        name, payload = BUTTONS[button["type"]]
        shown = {"displayText": button.get("title", "")}
        if payload is not None:
            shown[payload] = button.get("payload", "")
        buttons.append({name: shown})
    template = {
        **(media or {}),
        "hydratedContentText": data.get("text", ""),
        "hydratedFooterText": data.get("footerText", ""),
        "hydratedButtons": buttons,
    }
    return _view_once({"templateMessage": {"hydratedTemplate": template}})


def list_content(data: Data) -> dict[str, Any]:
    """Return the content of a list: the body's ``text`` is the description, its ``description`` the footer."""
    shown = {
        "sections": data.get("sections"),
        "buttonText": data.get("buttonText"),
        "title": data.get("title"),
        "footerText": data.get("description"),
        "description": data.get("text"),
        "listType": "SINGLE_SELECT",
    }
    return _view_once({"listMessage": shown})
