"""The plate of a visitor's car as somebody types it, in the one form in which parking finds it again.

Which plates there are and what looks alike is parking's (`services/parking/domain/plates.py`); that the forms are the same is
proved by `tests/unit/test_plate_forms.py`.
"""

import re
from typing import Final
from unicodedata import category, normalize

from libs.eventkit.decider import Refused

_CLASSES = {
    "p": "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]",
    "l": "[A-HJ-Z]",
    "s": "[A-HJ-NP-Z0-9]",
    "e": "[A-HJK]",
    "n": "[0-9]",
    "f": r"[^\W_\u3400-\u9fff\U00020000-\U00033fff]",  # letters and digits of any script but Chinese: plates of elsewhere
}
_SHAPES: Final = (
    "pl(?:sssss|esnnnn|nnnnne|ssss[挂学警]|nnnn领)|粤Zssss[港澳]|nnnnnn使|使nnnnnn|WJp?nnnn[0-9BDHJSTX]|p[XS]nnnn应急|京nnnnn应急"
    "|(?=.*[临试超])临?pl?临?s{4,6}[临试超]?|f{1,10}")
_SHAPE = re.compile("".join(_CLASSES.get(c, c) for c in _SHAPES))
_NO_PLATE = re.compile("(?:UN(?:LICEN[CS]ED|KNOWN|DEFINED|RECOGNI[SZ]ED)|NO(?:NE|PLATE)|NULL|NIL|NAN?|[无未没不空][^0-9A-Z]*)?")
_COLOUR = re.compile("(?:(?:渐变)?(?:黄绿|[蓝黄绿白]|黑(?![A-Z]|$))色?牌?)+")  # before a letter 黑 is the province
_SEPARATORS = {"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Pd", "Pc", "Ps", "Pe", *".,:/·•・‧∙⋅●。、−"}
_SIMPLIFIED = str.maketrans("滬蘇魯雲遼贛閩貴粵陝晉寧瓊學掛領應臨試無沒黃藍綠漸變", "沪苏鲁云辽赣闽贵粤陕晋宁琼学挂领应临试无没黄蓝绿渐变")


def normalised_plate(text: str) -> str:
    """The stored form: NFKC, capitals, simplified characters; without separators and without the colour in front.

    Raises Refused `plate_malformed` with the reason: `no_plate`, `letter_never_issued` (I and O, GA 36-2018) or `pattern`.
    """
    upper = normalize("NFKC", text).upper()
    bare = "".join(c for c in upper if c not in _SEPARATORS and category(c) not in _SEPARATORS)
    value = normalize("NFKC", bare).translate(_SIMPLIFIED)
    value = value[painted.end() :] if (painted := _COLOUR.match(value)) else value
    if _NO_PLATE.fullmatch(value):
        raise Refused("plate_malformed", reason="no_plate")
    if not _SHAPE.fullmatch(value):
        issued = value[:2].replace("I", "J") + value[2:].replace("I", "1").replace("O", "0")
        raise Refused("plate_malformed", reason="letter_never_issued" if _SHAPE.fullmatch(issued) else "pattern")
    return value
