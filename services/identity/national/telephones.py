"""Telephone numbers: of the mainland in 11 digits, of anywhere else with their country (E.164).

Mobile segments follow the numbering plan (电信网编号计划) as it is used; new ones appear, so an unknown one is taken and
shown. Numbers from abroad are read by libphonenumber.
"""

import re

import phonenumbers
from msgspec import Struct

from services.identity.national.text import Unacceptable, bare

_SEPARATORS = "-‐‑‒–—−()./·"
_VIRTUAL = frozenset({"162", "165", "167", "170", "171"})
_THINGS = frozenset({"140", "141", "144", "146", "148"})
_MOBILE = frozenset(
    {*(f"13{n}" for n in range(10)), "145", "147", "149", *(f"15{n}" for n in range(10) if n != 4), "166",
     *(f"17{n}" for n in range(2, 9)), *(f"18{n}" for n in range(10)), *(f"19{n}" for n in range(10) if n != 4)})
_LANDLINE = re.compile(r"(?:10|2[0-9])[2-9][0-9]{7}|[3-9][0-9]{2}[2-9][0-9]{6,7}|[48]00[0-9]{7}")
_SERVICE = re.compile(r"[48]00[0-9]{7}")
_PLACES = {852: "hong_kong", 853: "macao", 886: "taiwan"}


class Telephone(Struct, frozen=True):
    """`kind`: mobile, virtual_operator, iot, landline, hong_kong, macao, taiwan, foreign. `findings`: no_sms,
    segment_unknown, iot_segment."""

    value: str
    kind: str
    normalised: bool
    findings: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Telephone(kind={self.kind}, findings={self.findings})"


def read_telephone(text: str) -> Telephone:
    """A number without a country code is one of the mainland. Raises Unacceptable: empty, characters, length, prefix."""
    given = bare(text, _SEPARATORS)
    if not re.fullmatch(r"\+?[0-9]+", given):
        raise Unacceptable("characters")
    given = f"+{given[2:]}" if given.startswith("00") else given
    if given.startswith("+") and not given.startswith("+86"):
        return _abroad(given, text)
    digits = given.removeprefix("+86")
    if digits == given and re.fullmatch(r"86(1[0-9]{10})", given):
        digits = given[2:]
    if re.fullmatch(r"01[0-9]{10}", digits) and not digits.startswith("010"):
        digits = digits[1:]
    if re.fullmatch(r"1[0-9]{10}", digits):
        return _mobile(digits, text)
    return _landline(digits, text, with_country=digits != given)


def _mobile(digits: str, text: str) -> Telephone:
    if digits[1] in "012":
        raise Unacceptable("prefix")
    segment, normalised = digits[:3], digits != text
    if segment in _THINGS:
        return Telephone(digits, "iot", normalised, ("iot_segment",))
    if segment in _VIRTUAL:
        return Telephone(digits, "virtual_operator", normalised, ())
    return Telephone(digits, "mobile", normalised, () if segment in _MOBILE else ("segment_unknown",))


def _landline(digits: str, text: str, with_country: bool) -> Telephone:
    """Without its area a number is of anywhere; with it, 0 or +86 stands in front, or it is one of a service (400, 800)."""
    national = digits.removeprefix("0")
    if not (_LANDLINE.fullmatch(national) if with_country or national != digits else _SERVICE.fullmatch(national)):
        trunk = national != digits
        raise Unacceptable("prefix" if len(national) == 11 or (trunk and len(national) == 10) else "length")
    value = f"+86{national}"
    return Telephone(value, "landline", value != text, ("no_sms",))


def _abroad(given: str, text: str) -> Telephone:
    try:
        number = phonenumbers.parse(given)
    except phonenumbers.NumberParseException as error:
        code = phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        raise Unacceptable("prefix" if error.error_type == code else "length") from error
    if not phonenumbers.is_possible_number(number):
        raise Unacceptable("length")
    value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Telephone(value, _PLACES.get(number.country_code or 0, "foreign"), value != text, ())
