"""Read what a gateway answers: bodies as payloads, pictures as bytes, numbers as digits."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, FailFast, ValidationError

from whatsapp_provider.errors import InputError, NoAnswerError
from whatsapp_provider.redaction import redact

MOST_FIELDS = 50  #: in an error; there may be as many as the answer has bytes
LONGEST_NAMES = 200  #: characters of the names of fields in an error


class _UntilTheFirst(FailFast):
    # A union's members must be hashable until Python 3.14, and pydantic's own mark is not.
    def __hash__(self) -> int:
        return hash(type(self))


T = TypeVar("T")
#: A list in an answer, read until its first wrong item: an error for each of millions takes gigabytes.
Many = Annotated[list[T], _UntilTheFirst()]


class Payload(BaseModel):
    """An answer's body. Unknown keys are ignored: a vendor's specs, samples and servers differ."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        coerce_numbers_to_str=True,
        allow_inf_nan=False,
    )


P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one gateway's answers. What can't be read is no answer: on a send that is ``hold``.

    :param gateway: how errors name the other side.
    :param question: what an unexpected answer makes one ask, e.g. whether the URL is right.
    """

    gateway: str
    question: str

    def one(self, kind: type[P], body: Any) -> P:
        """Return the body as a payload.

        :raises NoAnswerError: naming the fields that are not as expected.
        """
        try:
            return kind.model_validate(body)
        except ValidationError as error:
            raise self._unreadable(kind, _fields(error)) from None
        except OverflowError:  # an integer beyond the largest float, where one belongs
            raise self._unreadable(kind, "a number") from None

    def many(self, kind: type[P], body: Any) -> list[P]:
        """Return the body as a list of payloads.

        :raises NoAnswerError: if it is none.
        """
        if not isinstance(body, list):
            raise self._unreadable(kind, "body is no list")
        return [self.one(kind, item) for item in body]

    def image(self, base64: str) -> bytes:
        """Return an image given bare or as a data URI; both are seen.

        :raises NoAnswerError: if it is none.
        """
        _, _, data = base64.rpartition(",")
        try:
            return b64decode(data, validate=True)
        except ValueError:  # of base64's own kind, or of a letter that is none of its
            raise NoAnswerError(
                f"{self.gateway} answered a QR code that is not an image.", code="unreadable"
            ) from None

    def _unreadable(self, kind: type[Payload], fields: str) -> NoAnswerError:
        return NoAnswerError(
            f"{self.gateway} answered something unexpected where {kind.__name__} belongs (fields: {fields}). "
            f"{self.question}",
            code="unreadable",
        )


def _fields(error: ValidationError) -> str:
    """Return the places that are not as expected, as far as they are few enough to be told."""
    if error.error_count() > MOST_FIELDS:
        return f"{error.error_count()} of them"
    items = error.errors(include_url=False, include_context=False, include_input=False)
    names = dict.fromkeys(".".join(map(str, item["loc"])) or "body" for item in items)
    return redact(", ".join(names), limit=LONGEST_NAMES)


def digits_of(number: str) -> str:
    """Return the digits of a number or of a person's WhatsApp id."""
    return "".join(filter(str.isdigit, number.partition("@")[0]))


def pairing_digits(phone: str) -> str:
    """Return the digits of the phone that is to be paired by a code.

    :raises InputError: if it is no number with country code.
    """
    digits = phone.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15):
        raise InputError("A pairing code needs the phone's number: its country code, then digits alone.")
    return digits
