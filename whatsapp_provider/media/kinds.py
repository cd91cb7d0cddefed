"""What WhatsApp takes of each kind of file: content types and bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_KILOBYTE = 1024
#: Where a gateway documents no bound of its own, a file beyond this is refused.
GENERAL_BYTES = 102_400 * _KILOBYTE
#: Meta's own, which the gateways of the official API repeat.
OFFICIAL_BYTES: Mapping[str, int] = {
    "image": 5_120 * _KILOBYTE,
    "video": 16_384 * _KILOBYTE,
    "audio": 16_384 * _KILOBYTE,
    "voice": 16_384 * _KILOBYTE,
    "document": 102_400 * _KILOBYTE,
}
#: Pages: what a server sends in place of a file that is not there, or not for everybody.
PAGES = frozenset({"text/html", "application/xhtml+xml"})
#: Types that say nothing of what a file is; object stores give them to files that came without one.
UNCLEAR = frozenset(
    {
        "",
        "application/octet-stream",
        "binary/octet-stream",
        "application/download",
        "application/force-download",
        "application/x-download",
    }
)


@dataclass(frozen=True, slots=True)
class Fit:
    """What is taken as one kind.

    :param types: content types, those with ``/`` at their end as beginnings; without any, everything but pages.
    """

    types: tuple[str, ...] = ()
    most_bytes: int = GENERAL_BYTES

    def takes(self, content_type: str) -> bool:
        """Whether a content type, in small letters and without parameters, is of this kind."""
        if not self.types:
            return content_type not in PAGES
        return any(
            content_type.startswith(one) if one.endswith("/") else content_type == one for one in self.types
        )


#: Of unofficial gateways, which document neither types nor sizes.
ANY_FIT: Mapping[str, Fit] = {
    "image": Fit(("image/",)),
    "video": Fit(("video/", "application/mp4")),
    "audio": Fit(("audio/", "application/ogg", "video/mp4")),  # many servers call an .m4a a video
    "voice": Fit(("audio/", "application/ogg")),
    "document": Fit(),
}
#: Of the official API.
OFFICIAL_FIT: Mapping[str, Fit] = {
    "image": Fit(("image/jpeg", "image/png"), OFFICIAL_BYTES["image"]),
    "video": Fit(("video/mp4", "video/3gpp"), OFFICIAL_BYTES["video"]),
    "audio": Fit(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), OFFICIAL_BYTES["audio"]),
    "voice": Fit(("audio/ogg",), OFFICIAL_BYTES["voice"]),
    "document": Fit((), OFFICIAL_BYTES["document"]),
}
