"""What two labels share that mean the same: people type them with full-width digits, other dashes, spaces, and in either case."""

import re
from unicodedata import normalize

_DASHES = re.compile("[‐‑‒–—―−]")


def forms(label: str) -> tuple[str, ...]:
    """The label, and the plain form where that is another: whoever takes both leaves neither to somebody else."""
    plain = _DASHES.sub("-", "".join(normalize("NFKC", label).split())).upper()
    return (label,) if plain == label else (label, plain)
