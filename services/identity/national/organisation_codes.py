"""The unified social credit code of an organisation (统一社会信用代码, GB 32100): 18 characters, the last a check (MOD 31).

A wrong check and an unknown division are shown, never refused: codes that were really issued fail them.
"""

from msgspec import Struct

from services.identity.national.divisions import is_known
from services.identity.national.text import Unacceptable, bare

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Without I, O, S, V and Z."""
_NATION = "100000"
"""Where the registrar is one of the whole country, as for universities under a ministry; nobody is born there."""


class OrganisationCode(Struct, frozen=True):
    """`findings`: checksum, division_unknown."""

    value: str
    normalised: bool
    findings: tuple[str, ...]


def read_organisation_code(text: str) -> OrganisationCode:
    """Raises Unacceptable: empty, characters, length, in this order. The registrar, in front, may be a letter."""
    value = bare(text, separators="-‐‑‒–—−")
    if any(c not in _ALPHABET for c in value):
        raise Unacceptable("characters")
    if len(value) != 18:
        raise Unacceptable("length")
    total = sum(_ALPHABET.index(c) * 3**n % 31 for n, c in enumerate(value[:17]))
    odd = {"checksum": value[17] != _ALPHABET[-total % 31], "division_unknown": value[2:8] != _NATION and not is_known(value[2:8])}
    return OrganisationCode(
        value=value, normalised=value != text, findings=tuple(name for name, holds in odd.items() if holds))
