"""Number plates of mainland China in the one form that every service stores, shows and compares.

Shapes: GA 36-2018 (civil, police, diplomatic), 国办发〔2018〕114号 (应急); the army and the armed police publish none: as seen on roads.
"""

import re
from typing import Final, Literal
from unicodedata import category, normalize

from msgspec import Struct

LONGEST: Final = 10  # characters: no plate has more, here or abroad

_CLASSES = {
    "p": "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]",
    "l": "[A-HJ-Z]",  # the issuing office: there is 京O, but no I
    "s": "[A-HJ-NP-Z0-9]",
    "e": "[A-HJK]",  # new energy: A to E with a battery alone, F to K with another engine too
    "n": "[0-9]",
    "f": r"[^\W_\u3400-\u9fff\U00020000-\U00033fff]",  # letters and digits of any script but Chinese
}
_SHAPES = {
    "ordinary": "plsssss",
    "new_energy_small": "plesnnnn",
    "new_energy_large": "plnnnnne",
    "trailer": "plssss挂",
    "training": "plssss学",
    "police": "plssss警",
    "hong_kong": "粤Zssss港",
    "macao": "粤Zssss澳",
    "embassy": "nnnnnn使|使nnnnnn",
    "consulate": "plnnnn领",
    "armed_police": "WJp?nnnn[0-9BDHJSTX]",
    "emergency": "p[XS]nnnn应急|京nnnnn应急",
    "temporary": "(?=.*[临试超])临?pl?临?s{4,6}[临试超]?",
    "foreign_or_military": "[A-Z]{2}nnnnn",
    "foreign": f"f{{1,{LONGEST}}}",
}
_SHAPE = re.compile("|".join(f"(?P<{kind}>{''.join(_CLASSES.get(c, c) for c in shape)})" for kind, shape in _SHAPES.items()))
_FINDING = {"temporary": "temporary_plate", "foreign_or_military": "not_mainland_civil", "foreign": "not_mainland_civil"}
_NO_PLATE = re.compile("(?:UN(?:LICEN[CS]ED|KNOWN|DEFINED|RECOGNI[SZ]ED)|NO(?:NE|PLATE)|NULL|NIL|NAN?|[无未没不空][^0-9A-Z]*)?")
_COLOURS = {"蓝": "blue", "黄": "yellow", "绿": "green", "黄绿": "yellow_green", "白": "white", "黑": "black"}
_COLOUR = re.compile("(?:(?:渐变)?(黄绿|[蓝黄绿白]|黑(?![A-Z]|$))色?牌?)+")  # before a letter 黑 is the province
_SEPARATORS = {"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Pd", "Pc", "Ps", "Pe", *".,:/·•・‧∙⋅●。、−"}
_SIMPLIFIED = str.maketrans("滬蘇魯雲遼贛閩貴粵陝晉寧瓊學掛領應臨試無沒黃藍綠漸變", "沪苏鲁云辽赣闽贵粤陕晋宁琼学挂领应临试无没黄蓝绿渐变")
_LOOK_ALIKES = {c: alike for alike in ("0DOQ", "1I", "2Z", "5S", "8B") for c in alike}
_SKELETON = str.maketrans({c: alike[0] for c, alike in _LOOK_ALIKES.items()})


class PlateRefused(ValueError):
    """A typed plate that cannot exist. `reason`: `pattern`, or `letter_never_issued` (I and O, GA 36-2018)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Plate(Struct, frozen=True):
    """`value`: the stored form, None if there is no plate; `normalised`: it is not what was read; `findings`: what staff should see.

    `kind`: the name of its shape, `no_plate` or `unrecognised`. `foreign_or_military` earns no privilege: the army's is not its alone.
    """

    value: str | None
    kind: str
    colour: str | None = None
    normalised: bool = False
    findings: tuple[str, ...] = ()


def read_plate(text: str, source: Literal["camera", "form"]) -> Plate:
    """What a camera saw, which is never refused, or somebody typed: raises `PlateRefused` if no plate has this shape (GA 36-2018)."""
    upper = normalize("NFKC", text).upper()
    value = normalize("NFKC", "".join(c for c in upper if c not in _SEPARATORS and category(c) not in _SEPARATORS)).translate(_SIMPLIFIED)
    painted = _COLOUR.match(value)
    colour, value = (_COLOURS[painted[1]], value[painted.end() :]) if painted else (None, value)
    if _NO_PLATE.fullmatch(value):
        return Plate(None, "no_plate", colour, normalised=True)
    kind = _kind(value)
    finding = _FINDING.get(kind)
    if kind == "unrecognised":
        issued = value[:2].replace("I", "J") + value[2:].replace("I", "1").replace("O", "0")
        finding = "pattern" if _kind(issued) == "unrecognised" else "letter_never_issued"
        if source == "form":
            raise PlateRefused(finding)
    return Plate(value, kind, colour, value != text, (finding,) if finding else ())


def _kind(value: str) -> str:
    shape = _SHAPE.fullmatch(value)
    return shape.lastgroup or "" if shape else "unrecognised"


def variants(value: str) -> frozenset[str]:
    """What `value`, a stored form, may be a misreading of, itself among them: the readings to ask a blind index for.

    Those with at most two characters exchanged, so never more than 436; what is longer than `LONGEST` is no plate and stands alone.
    """
    found = {value}
    for _ in range(2 if len(value) <= LONGEST else 0):
        found |= {v[:i] + c + v[i + 1 :] for v in found for i, was in enumerate(v) for c in _LOOK_ALIKES.get(was, "")}
    return frozenset(found)


def compare(a: str, b: str) -> Literal["same", "candidate", "different"]:
    """Two readings: one plate, perhaps one plate (look-alikes, however many: people decide, never merge it unasked), or two."""
    one, other = read_plate(a, "camera").value, read_plate(b, "camera").value
    if one is None or other is None or one.translate(_SKELETON) != other.translate(_SKELETON):
        return "different"
    return "same" if one == other else "candidate"
