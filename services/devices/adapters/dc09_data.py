"""What stands between the brackets of a SIA DC-09 frame: Ademco Contact ID (SIA DC-05) and SIA DC-03."""

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

Protocol = Literal["contact_id", "sia", "other"]
LONGEST_NUMBER = 8
"""Digits: what is longer is no area, zone or user."""

_ACCOUNT = re.compile(r"#(?P<account>[0-9A-Za-z]{1,16})?\|?|\|")
_CONTACT_ID = re.compile(r"(?P<qualifier>[136ER])(?P<code>[0-9A-F]{3}) (?P<partition>[0-9A-F]{2}) (?P<zone>[0-9A-F]{3})[ \t]*")
_QUALIFIERS = {"E": "1", "R": "3"}
"""As receivers print them, and panels that learned it from those: event and restore."""
_MODIFIER = re.compile(r"(?P<name>[a-z]{2})(?P<value>[0-9:\-]*)(?:\^[^^]*\^)?")  # and the name of that area or user
_CODE = re.compile(rf"(?P<code>[A-Z]{{2}})(?P<number>[0-9]{{0,{LONGEST_NUMBER}}})")
_TEXT = re.compile(r"\^([^^]*)\^?|\*'?([^']*)'?")

_USERS = (
    frozenset({121, 313, 424, 425, 429, 430, 431, 441, 442, 574, 607, 642})
    | frozenset(range(400, 423)) | frozenset(range(450, 467)))
"""Contact ID events whose last three digits number a user (DC-05, column "user"): duress, open and close, access, bypass by a
user, tests."""
_SIA_USERS = frozenset({"OP", "CL", "OR", "CR", "CF", "CJ", "OJ", "CK", "OK", "CQ", "OQ", "CP", "OA", "CA", "DG", "DK", "JP", "JD"})
"""The same of DC-03."""


class Said(Struct, frozen=True):
    """One event of a frame. `text` may name persons. `history`: the panel calls it old. `marks`: user and time as DC-03 names them."""

    protocol: Protocol
    code: str
    partition: int | None = None
    zone: int | None = None
    user: bool = False
    text: str = ""
    history: bool = False
    marks: tuple[tuple[str, str], ...] = ()
    findings: tuple[str, ...] = ()


def account_in(data: str) -> str:
    """The account that the data themselves name; empty where they do not."""
    match = _ACCOUNT.match(data)
    return (match["account"] or "").upper() if match and match[0].endswith("|") else ""


def contact_id(data: str) -> list[Said]:
    """`#4A21|1130 01 003`: qualifier and code, partition, zone or user. Empty where it cannot be read."""
    match = _CONTACT_ID.fullmatch(_content(data))
    if match is None:
        return []
    code = match["code"]
    user = code.isdecimal() and int(code) in _USERS
    qualifier = _QUALIFIERS.get(match["qualifier"], match["qualifier"])
    return [Said("contact_id", qualifier + code, _number(match["partition"]), _number(match["zone"]), user)]


def sia(data: str) -> list[Said]:
    """`#4A21|Nri1/BA003/BA004^name^|Amore text`: blocks, each a letter, modifiers and codes. Empty where there is no code."""
    said: list[Said] = []
    odd = False
    for block in _blocks(_content(data)):
        if block[:1] in ("N", "O"):
            found, whole = _codes(block[1:], block[0] == "O")
            odd = odd or not (found and whole)
            said += found
        elif block[:1] == "A" and said:
            said[-1] = replace(said[-1], text=said[-1].text or block[1:].strip())
        elif block:
            odd = True
    return [replace(one, findings=("data_unknown",)) for one in said] if odd else said


def _content(data: str) -> str:
    match = _ACCOUNT.match(data)
    return data[match.end():] if match and (match[0].endswith("|") or match.end() == len(data)) else data


def _number(digits: str) -> int | None:
    return int(digits) if digits.isdecimal() and len(digits) <= LONGEST_NUMBER else None


def _blocks(content: str) -> Iterator[str]:
    """Parts between bars; a bar inside ^…^ is text."""
    part, quoted = "", False
    for character in content:
        if character == "|" and not quoted:
            yield part
            part = ""
            continue
        quoted = quoted != (character == "^")
        part += character
    yield part


def _codes(block: str, history: bool) -> tuple[list[Said], bool]:
    """`ti14:05/id12^Joe^/ri1/BA003/BA004`: modifiers hold for the codes after them; what follows a code and is none is text. And
    whether there is nothing else in it."""
    marks: dict[str, str] = {}
    said: list[Said] = []
    at, may_be_code = 0, True
    while at < len(block):
        if block[at] == "/":
            at, may_be_code = at + 1, True
            continue
        if may_be_code and (modifier := _MODIFIER.match(block, at)):
            marks[modifier["name"]] = modifier["value"]
            at = modifier.end()
            continue
        code = _CODE.match(block, at) if may_be_code else None
        if code is None:
            return said, not may_be_code
        rest = block[code.end():]
        text = _TEXT.match(rest)
        said.append(Said(
            "sia", code["code"], _number(marks.get("ri", "")), _number(code["number"]), code["code"] in _SIA_USERS,
            _name(rest, text), history, tuple((n, v) for n, v in marks.items() if n in ("ti", "da", "id") and v)))
        at, may_be_code = code.end() + (text.end() if text else 0), False
    return said, True


def _name(rest: str, text: re.Match[str] | None) -> str:
    if text is not None:
        return (text[1] if text[1] is not None else text[2] or "").strip()
    return rest.partition("/")[0].strip() if rest[:1] == " " else ""
