"""Consent as a column of the audience: who has not clearly said yes is not written to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from whatsapp_provider.campaigns.ledger.records import Exclusion
from whatsapp_provider.campaigns.readers import Row
from whatsapp_provider.campaigns.stop_words import plain
from whatsapp_provider.errors import AudienceError, ConfigurationError
from whatsapp_provider.redaction import redact

#: Compared without case, accents and marks.
YES = frozenset(
    {
        "1",
        "true",
        "t",
        "yes",
        "y",
        "on",
        "sim",
        "s",
        "si",
        "verdadeiro",
        "verdadero",
        "oui",
        "vrai",
        "ja",
        "j",
        "wahr",
    }
)
NO = frozenset(
    {
        "0",
        "false",
        "f",
        "no",
        "n",
        "off",
        "nao",
        "falso",
        "non",
        "faux",
        "nein",
        "falsch",
        "none",
        "null",
        "nan",
        "n a",
    }
)

#: The code of a delivery that is left out for it.
NO_CONSENT = "no_consent"


@dataclass(frozen=True, slots=True)
class Consent:
    """The rule: which column tells whether a person agreed.

    :param column: its name. Other columns, such as when and where they agreed, are kept with the person's values.
    :param require: whether it counts; ``False`` sends to everybody.
    """

    column: str
    require: bool = True

    @classmethod
    def read(cls, given: Consent | Mapping[str, Any] | str | None) -> Consent | None:
        """Return the rule that somebody wrote: a column's name, or ``{"column": "opted_in", "require": true}``.

        :raises ConfigurationError: if it is something else.
        """
        if given is None or isinstance(given, Consent):
            return given
        options: dict[str, Any] = {"column": given} if isinstance(given, str) else dict(given)
        column, require = options.pop("column", ""), options.pop("require", True)
        if options or not isinstance(column, str) or not column or not isinstance(require, bool):
            raise ConfigurationError(
                'consent must be the name of a column, or like {"column": "opted_in", "require": true}.'
            )
        return cls(column, require)

    def to_dict(self) -> dict[str, Any]:
        """Return what :meth:`read` reads."""
        return asdict(self)

    def judge(self, row: Row) -> Exclusion | None:
        """Leave out who did not agree; see ``audience.Judge``.

        :raises AudienceError: as :meth:`given_by`.
        """
        if self.given_by(row):
            return None
        return Exclusion(NO_CONSENT, f"no yes in column {self.column}")

    def given_by(self, row: Row) -> bool:
        """Whether the person of a row agreed; nothing at all is a no.

        :raises AudienceError: if the column is missing, or its value is neither yes nor no: a guess would be ours.
        """
        if not self.require:
            return True
        if self.column not in row.values:
            raise AudienceError(
                f"{row.place}: no column {self.column!r}, which tells who agreed to be written to (consent)."
            )
        said = agreed(row.values[self.column])
        if said is None:
            raise AudienceError(
                f"{row.place}: {redact(repr(row.values[self.column]), limit=30)} in column {self.column!r} is neither "
                "yes nor no. Write yes or no; nothing at all is a no."
            )
        return said


def agreed(value: Any) -> bool | None:
    """Return whether a value means yes; ``None`` if it is unclear."""
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, int | float):
        # A data frame's NaN is a value that is missing.
        return False if value == 0 or math.isnan(value) else True if value == 1 else None
    word = plain(value) if isinstance(value, str) else "?"
    if not word and not str(value).strip():
        return False
    return True if word in YES else False if word in NO else None
