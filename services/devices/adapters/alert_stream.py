"""The endless multipart of `GET /ISAPI/Event/notification/alertStream`, taken apart as its bytes arrive.

Quirks accepted: those of multipart.py; Content-Length missing or wrong (it is not used); parts without headers; streams that
close their multipart and begin it anew. A document is handed over when it is whole, not when the next part begins, which
may be half a minute later. What is longer than `limit` bytes is dropped, up to the next delimiter.
"""

import re

import msgspec
from msgspec.structs import replace

from services.devices.adapters import multipart
from services.devices.adapters.multipart import Part
from services.devices.adapters.report import Unreadable

LIMIT = 1024 * 1024
"""Bytes of a part, its headers included."""

_DECLARED = re.compile(r'boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;,"]{1,200}))', re.IGNORECASE)
_FIRST_LINE = re.compile(rb"(?:\A\s*|\n)--([!-~][ -~]{0,199}?)[ \t]*(?=\r?\n)")
_ROOT = re.compile(rb"<(?:[\w.-]{1,40}:)?([A-Za-z_][\w.-]{0,80})[\s/>]")
_LONGEST_DELIMITER = 220


class AlertStream:
    """`dropped` counts the parts that could not be read, or were too long."""

    def __init__(self, content_type: str = "", limit: int = LIMIT) -> None:
        self.dropped = 0
        self._limit = limit
        self._buffer = b""
        self._searched = 0
        self._inside = False
        found = _DECLARED.search(content_type)
        self._delimiter = _pattern((found[1] or found[2]).encode("utf-8", "replace")) if found else None
        self._begun = False

    def feed(self, data: bytes) -> list[Part]:
        """The parts that have become whole, pictures among them, in their order. Never raises."""
        self._buffer += data
        parts: list[Part] = []
        while self._begins() and (found := self._next_delimiter()) is not None:
            if self._inside:
                self._end_part(self._buffer[: found.start()], parts)
            self._buffer = self._buffer[found.end() :]
            self._searched, self._inside = 0, not found["closing"]
        if self._inside:
            self._hand_over_early(parts)
        self._forget()
        return parts

    def _begins(self) -> bool:
        """Whether the delimiter is known: the first line tells it, where it is one, else the declaration."""
        if not self._begun:
            first = _FIRST_LINE.search(self._buffer) if self._delimiter is None else _FIRST_LINE.match(self._buffer)
            if first:
                self._delimiter = _pattern(first[1])
            elif self._delimiter is None or _may_be_first_line(self._buffer):
                return False
            self._begun = True
        return True

    def _next_delimiter(self) -> re.Match[bytes] | None:
        if self._delimiter is None:
            return None
        found = self._delimiter.search(self._buffer, self._searched)
        if found is None:
            self._searched = max(0, len(self._buffer) - _LONGEST_DELIMITER)
        return found

    def _end_part(self, raw: bytes, parts: list[Part]) -> None:
        if not raw.strip():
            return
        part = _part(raw)
        if part is None or len(raw) > self._limit:
            self.dropped += 1
        else:
            parts.append(part)

    def _hand_over_early(self, parts: list[Part]) -> None:
        if self._buffer.rstrip()[-1:] not in (b">", b"}", b"]"):
            return
        part = _part(self._buffer)
        if part is not None and part.is_document and _is_whole(part.content):
            parts.append(part)
            self._inside, self._buffer, self._searched = False, b"", 0

    def _forget(self) -> None:
        if self._inside and len(self._buffer) > self._limit:
            self.dropped += 1
            self._inside = False
        if not self._inside and len(self._buffer) > _LONGEST_DELIMITER:
            self._buffer = self._buffer[-_LONGEST_DELIMITER:]
            self._searched = 0


def _pattern(boundary: bytes) -> re.Pattern[bytes]:
    """Some declare the boundary with its two dashes, some without; a delimiter ends with its line."""
    name = re.escape(boundary.removeprefix(b"--"))
    return re.compile(rb"(?:\A|\r?\n|(?<=[>}\]]))(?:--){1,2}" + name + rb"(?P<closing>--)?[ \t]*(?=\r?\n)")


def _may_be_first_line(buffer: bytes) -> bool:
    start = buffer.lstrip()
    return len(start) < _LONGEST_DELIMITER and b"--".startswith(start[:2]) and b"\n" not in start


def _part(raw: bytes) -> Part | None:
    """Also of a document that follows its delimiter without headers and blank line; None where it is no part."""
    document = raw.strip()
    if document[:1] in (b"<", b"{", b"["):
        return Part(name="", filename="", content_type="", content=document)
    try:
        part = multipart.part(raw)
    except Unreadable:
        return None
    return replace(part, content=part.content.rstrip()) if part.is_document else part


def _is_whole(content: bytes) -> bool:
    """Whether a document has its end: an XML root that is closed, or JSON that can be read."""
    end = content.rstrip()
    if end.endswith(b">"):
        root = _ROOT.search(content)
        return root is not None and re.search(rb"</(?:[\w.-]{1,40}:)?" + re.escape(root[1]) + rb"\s*>\Z", end[-200:]) is not None
    try:
        msgspec.json.decode(end, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return True
