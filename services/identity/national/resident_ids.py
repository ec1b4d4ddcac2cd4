"""The citizen identification number (GB 11643): division, date of birth, sequence, check digit (ISO 7064, MOD 11-2).

Refused is only what nobody can have. What is merely odd is taken and shown to staff: tables of divisions are never
complete, and people born in the nineteenth century are rare, not impossible.
"""

import re
from datetime import date
from typing import Literal

from msgspec import Struct

from services.identity.national.divisions import ended_before, is_known
from services.identity.national.text import Unacceptable, bare

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_FORM = re.compile(r"[0-9]+[0-9X]?")
_HOLDERS = {"810000": "hong_kong_resident", "820000": "macao_resident", "830000": "taiwan_resident"}
_OF_CENTENARIANS = ("996", "997", "998", "999")
"""Sequences that were kept for people over a hundred when a number had 15 digits and no century."""


class ResidentId(Struct, frozen=True):
    """`value`: 18 characters; `findings`: division_unknown, division_ended_before_birth, birth_before_1900, century_uncertain;
    `holder`: whose it is, where it is no citizen's of the mainland."""

    value: str
    birth: date
    sex: Literal["M", "F"]
    holder: str | None
    normalised: bool
    findings: tuple[str, ...]

    def __repr__(self) -> str:
        return f"ResidentId(findings={self.findings})"


def read_resident_id(text: str, as_of: date) -> ResidentId:
    """Raises Unacceptable: empty, characters, length, date, birth_in_future (as of that day), check_digit, in this order."""
    given = bare(text)
    if not _FORM.fullmatch(given) or (len(given) != 18 and given.endswith("X")):
        raise Unacceptable("characters")
    if len(given) not in (15, 18):
        raise Unacceptable("length")
    short = len(given) == 15
    first = f"{given[:6]}19{given[6:]}" if short else given[:17]
    try:
        birth = date(int(first[6:10]), int(first[10:12]), int(first[12:14]))
    except ValueError:
        raise Unacceptable("date") from None
    if birth > as_of:
        raise Unacceptable("birth_in_future")
    check = _CHECK[sum(int(digit) * weight for digit, weight in zip(first, _WEIGHTS, strict=True)) % 11]
    if not short and given[17] != check:
        raise Unacceptable("check_digit")
    value, division = first + check, first[:6]
    odd = {
        "division_unknown": not is_known(division),
        "division_ended_before_birth": ended_before(division, birth.year),
        "birth_before_1900": birth.year < 1900,
        "century_uncertain": short and first[14:17] in _OF_CENTENARIANS}
    return ResidentId(
        value=value, birth=birth, sex="M" if int(value[16]) % 2 else "F",
        holder="foreign_permanent_resident" if value.startswith("9") and not short else _HOLDERS.get(division), normalised=value != text,
        findings=tuple(name for name, holds in odd.items() if holds))
