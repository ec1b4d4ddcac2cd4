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
# 鲁, 豫 and 使 in GB2312 are valid UTF-8 too, of letters that stand on no plate; so is 未知.
_TWO_BYTES = re.compile("[\x80-\u07ff]")
_IN_GB = re.compile("(?:WJ)?[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]|使|[0-9]{6}使|未知")
_IN, _OUT = frozenset({"in", "enter", "entry", "entrance"}), frozenset({"out", "exit", "leave"})


def read_plate(said: str) -> tuple[str | None, tuple[str, ...]]:
    """The plate as it was read, or None with a finding: `no_plate` for the many words that mean it, and for nothing;
    `plate_unreadable` for what is too long to be one. `charset_contradicted`: it makes sense in GB18030 alone."""
    meant = _meant(said.strip())
    findings = ("charset_contradicted",) if meant != said.strip() else ()
    if _NONE.fullmatch(_APART.sub("", normalize("NFKC", meant)).upper()):
        return None, (*findings, "no_plate")
    if len(meant) > LONGEST:
        return None, (*findings, "plate_unreadable")
    return meant, findings


def _meant(said: str) -> str:
    """The same bytes in GB18030, where that is how a plate begins and in UTF-8 it is none."""
    if not _TWO_BYTES.search(said):
        return said
    try:
        in_gb = said.encode().decode("gb18030")
    except UnicodeError:
        return said
    return in_gb if _IN_GB.match(in_gb) else said


def colour_before(plate: str | None) -> str | None:
    """Some cameras write a plate's colour before it (蓝浙A12345)."""
    painted = _PAINTED.match(plate or "")
    return _COLOURS[painted[1]] if painted else None


def direction(said: str) -> Direction | None:
    """Only where a device says so itself: which way `forward` leads depends on where the camera stands."""
    word = said.lower()
    return "in" if word in _IN else "out" if word in _OUT else None
