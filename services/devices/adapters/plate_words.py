"""What cameras say about plates and vehicles, as words of our own. The plate itself stays as it was read."""

import re
from typing import Literal
from unicodedata import normalize

Direction = Literal["in", "out"]

LONGEST = 32
"""Characters of a plate as sent (ISAPI allows so many); what is longer is none."""

_APART = re.compile(r"[\s_.,:/|*#·•・()\[\]<>\"'-]+")
_NONE = re.compile(
    "(?:UN(?:LICEN[CS]ED|KNOWN|DEFINED|RECOGNI[SZ]ED)|NO(?:NE|T?PLATE|T?RECOGNI[SZ]ED)?|NULL|NIL|NAN?|0+"
    "|[蓝黄绿白黑]?(?:车牌)?[无無未没沒不空][^0-9A-Z]*)?"
)
_PAINTED = re.compile("(?:渐变)?(黄绿|[蓝黄绿白]|黑(?![A-Z]))色?")
_COLOURS = {"蓝": "blue", "黄": "yellow", "绿": "green", "黄绿": "yellow_green", "白": "white", "黑": "black"}
_IN, _OUT = frozenset({"in", "enter", "entry", "entrance"}), frozenset({"out", "exit", "leave"})


def read_plate(said: str) -> tuple[str | None, tuple[str, ...]]:
    """The plate as it was read, or None with a finding: `no_plate` for the many words that mean it, and for nothing;
    `plate_unreadable` for what is too long to be one."""
    if _NONE.fullmatch(_APART.sub("", normalize("NFKC", said)).upper()):
        return None, ("no_plate",)
    if len(said.strip()) > LONGEST:
        return None, ("plate_unreadable",)
    return said.strip(), ()


def colour_before(plate: str | None) -> str | None:
    """Some cameras write a plate's colour before it (蓝浙A12345)."""
    painted = _PAINTED.match(plate or "")
    return _COLOURS[painted[1]] if painted else None


def direction(said: str) -> Direction | None:
    """Only where a device says so itself: which way `forward` leads depends on where the camera stands."""
    word = said.lower()
    return "in" if word in _IN else "out" if word in _OUT else None
