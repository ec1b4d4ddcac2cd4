"""What a display name may be: it shows, and it gives nobody away.

What is refused, by code: `display_name_characters` (control and invisible characters), `display_name_length` (2 to 16),
`display_name_looks_given`, `contains_address`, `contains_plate`, `contains_home_label`, `contains_number` (five digits and
more: phones, ID numbers), `contains_own_name`. Names are compared by their skeleton: neither width, case, accents, spaces nor
signs in between make another name of it. Not seen: a name in pinyin, in other characters that sound or look like it.
"""

import re
import unicodedata

from services.neighbors.domain.given_names import looks_given

SHORTEST, LONGEST = 2, 16
LONGEST_NUMBER = 4
OWN_NAME = "contains_own_name"
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
"""Letters and marks that show nothing, beyond the categories of control and format characters."""
NUMERALS = {c: str(n) for n, row in enumerate(
    ("零〇", "一壹幺", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")) for c in row}
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"

_ADDRESS = re.compile(r"@|://|www\.|[a-z0-9]\.[a-z]{2,}", re.IGNORECASE)
_PLATE = re.compile(rf"[{PROVINCES}][a-z][a-z0-9]{{4,6}}")
_HOME = re.compile(
    r"[0-9]{1,4}\s*[-‐‑‒–—―−_/#~.]\s*[0-9]{1,4}|[0-9]{2,}\s*(?:室|户|房|门|号(?!楼))|[0-9]\s*单元"
    r"|[0-9a-z]\s*(?:栋|幢|座|号?楼|号院?)\s*[0-9]{2,}", re.IGNORECASE)
_NUMBER = re.compile(rf"[0-9]{{{LONGEST_NUMBER + 1},}}")
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+")
_BETWEEN = re.compile(r"[\s·・•‧.\-]+")


def normalised(text: str) -> str:
    """NFKC, each run of spaces one, none at the ends."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def skeleton(name: str) -> str:
    """Letters and digits alone, without case and accents: what two names share that are not to be told apart."""
    bare = (c for c in unicodedata.normalize("NFKD", name).casefold() if unicodedata.category(c) != "Mn")
    return "".join(_digit(c) for c in unicodedata.normalize("NFKC", "".join(bare)) if c.isalnum())


def why_not(name: str, own_name: str) -> str:
    """The code of the refusal of a name, normalised; empty where it may be chosen. `own_name`: under which they are registered."""
    bare, digits = skeleton(name), "".join(map(_number, name))
    if any(map(_hidden, name)):
        return "display_name_characters"
    if not (SHORTEST <= len(name) <= LONGEST and len(bare) >= SHORTEST):
        return "display_name_length"
    if looks_given(bare):
        return "display_name_looks_given"
    if _ADDRESS.search(name):
        return "contains_address"
    if _PLATE.search(bare):
        return "contains_plate"
    if _HOME.search(digits):
        return "contains_home_label"
    if _NUMBER.search("".join(map(_number, bare))):
        return "contains_number"
    return OWN_NAME if gives_away(name, own_name) else ""


def gives_away(name: str, own_name: str) -> bool:
    bare = skeleton(name)
    return any(part in bare for part in parts_of(own_name))


def parts_of(own_name: str) -> frozenset[str]:
    """The skeletons of which none may be in a display name: the whole name, and what somebody is called by. Of a Chinese name
    that is the given name, where it has two characters or more, after a surname of one or two; of others each word of three
    letters or more."""
    words = [word for word in map(skeleton, _BETWEEN.split(normalised(own_name))) if word]
    whole = "".join(words)
    found = {whole}
    if _HAN.fullmatch(whole):
        found |= {whole[1:], whole[2:], *(words if len(words) > 1 else ())}
        return frozenset(part for part in found if len(part) >= 2)
    found |= {word for word in words if len(word) >= 3} | {"".join(reversed(words))}
    return frozenset(part for part in found if len(part) >= 2)


def _hidden(c: str) -> bool:
    return unicodedata.category(c) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Me") or c in INVISIBLE


def _digit(c: str) -> str:
    value = unicodedata.decimal(c, None)
    return c if value is None else str(value)


def _number(c: str) -> str:
    return NUMERALS.get(c) or _digit(c)
