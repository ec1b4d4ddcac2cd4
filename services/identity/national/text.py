"""What people type and copy, before it is read as a number."""

from unicodedata import category, normalize

_DROPPED = {"Zs", "Zl", "Zp", "Cc", "Cf"}


class Unacceptable(Exception):
    """No number of this kind can look like this. `reason`: empty, characters, length, prefix, date, birth_in_future, check_digit,
    no_plate, pattern or letter_never_issued."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def bare(text: str, separators: str = "") -> str:
    """Without white space, marks that nobody sees and `separators`; full-width forms and Ⅹ folded (NFKC), upper case.

    Digits of other scripts stay what they are, and are refused later: whoever reads them may mean another number.
    Raises Unacceptable when nothing is left.
    """
    folded = normalize("NFKC", text).upper()
    found = "".join(c for c in folded if category(c) not in _DROPPED and c not in separators)
    if not found:
        raise Unacceptable("empty")
    return found
