"""Know a number that is written as it should be, without taking it apart: most of an audience's are.

The library needs 15 µs for a number, a third of all that a plan costs, to find that nothing is to be done to it. Its
own tables say when that is so; whatever they don't say is left to it. A test asks both about numbers of every country.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

LONGEST_COUNTRY_CODE = 3


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a country's numbers are.

    :param lengths: of those that are complete, without the country code.
    :param rewritten: what begins so may be changed by the library: a prefix for calls within the country.
    """

    lengths: frozenset[int]
    rewritten: re.Pattern[str] | None


def is_complete(digits: str) -> bool:
    """Whether these digits are a whole number with its country code, to which the library would do nothing."""
    for end in range(1, min(LONGEST_COUNTRY_CODE, len(digits)) + 1):
        plan = _plan(digits[:end])
        if plan is not None:
            rest = digits[end:]
            return (
                len(rest) in plan.lengths
                and rest[0] != "0"
                and not (plan.rewritten is not None and plan.rewritten.match(rest))
            )
    return False


@cache
def _plan(code: str) -> _Plan | None:
    """Return the plan of a country code, ``None`` if there is no such code."""
    # Loaded here: its tables take a while and most processes never parse a number.
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, region_code_for_country_code

    if code.startswith("0") or int(code) not in COUNTRY_CODE_TO_REGION_CODE:
        return None
    region = region_code_for_country_code(int(code))
    known = PhoneMetadata.metadata_for_region_or_calling_code(int(code), region)
    if known is None or known.general_desc is None:
        return _Plan(frozenset(), None)
    prefix = known.national_prefix_for_parsing
    return _Plan(frozenset(known.general_desc.possible_length), re.compile(prefix) if prefix else None)
