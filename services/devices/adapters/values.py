"""Values of a tree as devices write them: numbers as text, booleans in every case, text of any length."""

from services.devices.adapters.documents import Tree, Value

MAX_TEXT = 256

_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})


def text(value: Value) -> str:
    """At most 256 characters; empty for what is no text, number or boolean."""
    if isinstance(value, str):
        return value.strip()[:MAX_TEXT]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:  # some write every number with a point
        return str(int(value))
    return str(value) if isinstance(value, int) and abs(value) < 2**63 else ""


def number(value: Value) -> int | None:
    """A count or a serial number, also where it is sent as text; None for anything else."""
    if type(value) is int:
        return value if 0 <= value < 10**18 else None
    said = text(value)
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= 18 else None


def percent(value: Value) -> int | None:
    """0 to 100, also from a fraction of one percent (`97.5`); None for anything else."""
    said = str(value) if isinstance(value, float) else text(value)
    whole, _, fraction = said.partition(".")
    if not (whole.isascii() and whole.isdecimal() and len(whole) <= 3 and (fraction or "0").isdecimal()):
        return None
    return int(whole) if int(whole) <= 100 else None


def flag(value: Value) -> bool | None:
    word = text(value).lower()
    return True if word in _TRUE else False if word in _FALSE else None


def part(tree: Tree, *path: str) -> Tree:
    """The object at the end of a path of names; empty where there is none."""
    for name in path:
        inner = tree.get(name)
        if not isinstance(inner, dict):
            return {}
        tree = inner
    return tree
