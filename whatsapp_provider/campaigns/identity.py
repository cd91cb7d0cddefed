"""One person, one identity: the canonical key of a recipient, however the number was written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from whatsapp_provider.campaigns import e164
from whatsapp_provider.errors import ConfigurationError, RecipientError
from whatsapp_provider.redaction import mask_number

#: WhatsApp ids that are no phone number and stay as they are.
_CHAT_ID = re.compile(r"^(?P<name>\d[\d-]{4,30})@(?P<server>g\.us|lid|newsletter)$", re.ASCII)
#: A hidden person, perhaps with the device they write from.
_LID = re.compile(r"^(?P<name>\d{5,20})(?::\d+)?(?:@lid)?$", re.ASCII)
#: What Meta calls a person towards one business, or with ENT towards several of one house.
_USER_ID = re.compile(r"^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$", re.ASCII)
_PERSON_ID = re.compile(r"^(?P<digits>\d{7,15})(?::\d+)?@(?:s\.whatsapp\.net|c\.us)$", re.ASCII)
_WRITTEN_NUMBER = re.compile(r"^\+?[\d\s().\-/]+$")
_DECIMAL = re.compile(r"^\d+\.0+$")


class AliasKind(StrEnum):
    """Ids of WhatsApp for a person that no number can be computed from."""

    LID = "lid"  #: a hidden person's id on a channel without the official API, e.g. ``123456789012345@lid``
    USER_ID = "user_id"  #: Meta's id of a person for one business (BSUID), e.g. ``US.13491208655302741918``


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message goes to.

    :param key: canonical identity, unique in a campaign: E.164 digits, or a chat id of WhatsApp.
    :param address: what the gateway is given: digits or a chat id.
    """

    key: str = field(repr=False)
    address: str = field(repr=False)

    @property
    def masked(self) -> str:
        """The form that may be logged."""
        return mask_number(self.key)


def parse_recipient(value: object, *, region: str | None = None) -> Recipient:
    """Return the recipient that ``value`` names.

    :param value: a phone number with country code (``+`` may be left out), or a WhatsApp id such as
        ``15550000001@s.whatsapp.net`` or ``120363000000000000@g.us``.
    :param region: ISO country code for numbers written without country code, e.g. ``BR``.
    :raises RecipientError: saying what is wrong, with the number masked.
    :raises ConfigurationError: if there is no such region.
    """
    text = str(value if value is not None else "").strip()
    if not text:
        raise RecipientError("The recipient is empty.")
    if text.endswith("@lid") and (hidden := _LID.match(text)):
        lid = f"{hidden['name']}@lid"
        return Recipient(lid, lid)
    if chat := _CHAT_ID.match(text):
        return Recipient(chat.group(), chat.group())
    if person := _PERSON_ID.match(text):
        # The person's own id is what WhatsApp calls them; only the key is made canonical.
        digits = person["digits"]
        return Recipient(canonical_digits(digits), digits)
    if not _WRITTEN_NUMBER.match(text):
        raise RecipientError(f"{_shown(text)} is neither a phone number nor a WhatsApp id.")
    if isinstance(value, float) or _DECIMAL.match(text):
        # "5511900000001.0" would be read as a number of one more digit: another person.
        raise RecipientError(
            f"{_shown(text)} was made a decimal by a spreadsheet or a data frame; give it as text."
        )
    digits = _international_digits(text, region)
    return Recipient(canonical_digits(digits), digits)


def parse_form(value: object, *, region: str | None = None) -> str:
    """Return the canonical form of whatever somebody is called: a number, a WhatsApp id, a user id of Meta's.

    :raises RecipientError: if it is none of them, or a group.
    """
    text = str(value if value is not None else "").strip()
    if _USER_ID.match(text):
        return text
    key = parse_recipient(value, region=region).key
    if not is_person(key):
        raise RecipientError(f"{mask_number(key)} is not a person.")
    return key


def parse_alias(kind: AliasKind, value: object) -> str | None:
    """Return the canonical form of an id in a column of its kind; ``None`` for an empty one.

    :raises RecipientError: if it is no id of that kind.
    """
    text = str(value if value is not None else "").strip()
    if not text:
        return None
    if kind is AliasKind.USER_ID and _USER_ID.match(text):
        return text
    if kind is AliasKind.LID and not isinstance(value, float) and (hidden := _LID.match(text)):
        return f"{hidden['name']}@lid"
    raise RecipientError(f"{_shown(text)} is no {kind}, such as {_EXAMPLES[kind]}.")


_EXAMPLES = {AliasKind.LID: "123456789012345@lid", AliasKind.USER_ID: "US.13491208655302741918"}


def is_person(key: str) -> bool:
    """Whether a canonical form is a person's, and not that of a group or a channel of news."""
    return not key.endswith(("@g.us", "@newsletter"))


def numbers_first(forms: Iterable[str]) -> list[str]:
    """Return each form of a person once: numbers before hidden ids before ids of Meta's."""
    return sorted(dict.fromkeys(forms), key=lambda form: (not form.isdecimal(), not form.endswith("@lid")))


def _international_digits(text: str, region: str | None) -> str:
    # Loaded here: its tables take a while and most processes never parse a number.
    import phonenumbers

    if region is not None and region not in phonenumbers.SUPPORTED_REGIONS:
        raise ConfigurationError(f"region {region!r} is not an ISO country code such as BR.")
    international = text if text.startswith("+") or region else f"+{text}"
    if text.startswith("00"):
        international = f"+{text[2:]}"
    digits = international[1:]
    if international.startswith("+") and digits.isascii() and digits.isdigit() and e164.is_complete(digits):
        return digits
    try:
        number = phonenumbers.parse(international, region)
    except phonenumbers.NumberParseException as error:
        raise RecipientError(
            f"{_shown(text)} is not a phone number with country code ({_REASONS.get(error.error_type, error)})."
        ) from None
    # Possible, not valid: number plans grow faster than the library's tables.
    possible = (
        phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    )
    if not possible and not _is_whatsapp_form(number):
        raise RecipientError(
            f"{_shown(text)} is too short or too long for country code +{number.country_code}; "
            "write it with country code, or give the region."
        )
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)).lstrip("+")


_REASONS = {0: "unknown country code", 1: "no digits", 2: "too short", 3: "too short", 4: "too long"}


def _is_whatsapp_form(number: object) -> bool:
    """Whether it is Mexico's older WhatsApp form, which is one digit longer than the number plan allows."""
    country = getattr(number, "country_code", 0)
    national = str(getattr(number, "national_number", ""))
    return country == 52 and len(national) == 11 and national.startswith("1")


def canonical_digits(digits: str) -> str:
    """Return the one form of a number that WhatsApp knows in two.

    Brazil: mobiles have a ninth digit that older WhatsApp ids lack. Mexico: ids may carry a ``1`` after the
    country code. Argentina: mobiles carry a ``9`` after it, and people leave it out.
    """
    if digits.startswith("55") and len(digits) == 12 and digits[4] in "6789":
        return f"{digits[:4]}9{digits[4:]}"
    if digits.startswith("521") and len(digits) == 13:
        return f"52{digits[3:]}"
    if digits.startswith("54") and not digits.startswith("549") and len(digits) == 12:
        return f"549{digits[2:]}"
    return digits


def address_forms(address: str) -> tuple[str, ...]:
    """Return the forms under which WhatsApp may know what was sent to an address: chats have one of them.

    The inverse of :func:`canonical_digits`.
    """
    key = canonical_digits(address) if address.isdecimal() else address
    other = {
        13: f"{key[:4]}{key[5:]}" if key.startswith("55") and key[4:5] == "9" else None,
        12: f"521{key[2:]}" if key.startswith("52") else None,
    }.get(len(key))
    if len(key) == 13 and key.startswith("549"):
        other = f"54{key[3:]}"
    return tuple(dict.fromkeys(form for form in (address, key, other) if form))


def _shown(text: str) -> str:
    """Return enough of a bad value to find it in the source, and no whole number."""
    digits = "".join(character for character in text if character.isdigit())
    if len(digits) >= 7:
        return repr(mask_number(digits))
    return repr(text if len(text) <= 20 else f"{text[:19]}…")
