"""In which time zones a recipient may be, by what their number tells."""

from __future__ import annotations

UNKNOWN = "UTC"  #: where nothing else was configured for those whose number tells nothing


def zones_of(key: str, default: str = UNKNOWN) -> tuple[str, ...]:
    """Return the sorted names of the time zones in which the owner of a number may be.

    A mobile number often tells its country only, so a large country gives many.

    :param key: a recipient's canonical key: digits, or a chat id, which tells nothing.
    :param default: what to say where nothing is known.
    """
    if not key.isdecimal():
        return (default,)
    # Loaded here: its tables take a while, and only campaigns with quiet hours ask.
    import phonenumbers
    from phonenumbers import timezone

    try:
        number = phonenumbers.parse(f"+{key}", None)
    except phonenumbers.NumberParseException:
        return (default,)
    names = timezone.time_zones_for_number(number)
    if names == (timezone.UNKNOWN_TIMEZONE,):
        # Number plans grow faster than the library's tables; the beginning of a number tells its country all the same.
        names = timezone.time_zones_for_geographical_number(number)
    return tuple(sorted({default if name == timezone.UNKNOWN_TIMEZONE else name for name in names}))
