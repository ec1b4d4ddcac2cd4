"""The text of a body whose declared character set may be missing or wrong.

Devices declare UTF-8 and send GB18030, or the other way round (domain, devices, rule 4). UTF-8 is recognised by
its form, so it is believed first; a GB declaration is believed unless the bytes are plainly UTF-8 Chinese.
"""

import re

from services.devices.adapters.report import Unreadable

_DECLARED = re.compile(rb"""\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_PARAMETER = re.compile(r"""charset\s*=\s*"?([A-Za-z0-9._-]{1,40})""", re.IGNORECASE)
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TWO_BYTES = re.compile("[\x80-\u07ff]")
_GB = frozenset({"gb2312", "gbk", "gb18030", "gb_2312-80", "csgb2312", "cp936", "x-gbk"})


def decode(raw: bytes, content_type: str = "") -> tuple[str, tuple[str, ...]]:
    """Text without byte order mark, and findings: `charset_contradicted` where the declaration was wrong.

    Raises Unreadable: nul, not_utf8, malformed (control characters).
    """
    if b"\x00" in raw:
        raise Unreadable("nul", "NUL byte")
    text, findings = _decode(raw.removeprefix(b"\xef\xbb\xbf"), _declared_gb(raw, content_type))
    if _CONTROL.search(text):
        raise Unreadable("malformed", "control characters")
    return text.removeprefix("\ufeff"), findings


def _declared_gb(raw: bytes, content_type: str) -> bool:
    if inside := _DECLARED.match(raw[:400].removeprefix(b"\xef\xbb\xbf")):
        return inside[1].decode("ascii").lower() in _GB
    outside = _PARAMETER.search(content_type)
    return outside is not None and outside[1].lower() in _GB


def _decode(raw: bytes, declared_gb: bool) -> tuple[str, tuple[str, ...]]:
    utf8 = _strict(raw, "utf-8")
    if utf8 is not None and (not declared_gb or not _TWO_BYTES.search(utf8)):
        return utf8, ("charset_contradicted",) if declared_gb and not raw.isascii() else ()
    gb = _strict(raw, "gb18030")
    if gb is not None:
        return gb, () if declared_gb else ("charset_contradicted",)
    if utf8 is not None:
        return utf8, ("charset_contradicted",)
    raise Unreadable("not_utf8", "neither UTF-8 nor GB18030")


def _strict(raw: bytes, charset: str) -> str | None:
    try:
        return raw.decode(charset)
    except UnicodeDecodeError:
        return None
